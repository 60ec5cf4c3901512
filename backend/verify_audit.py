"""`python -m backend.verify_audit`: walk the audit trail of the registry that METADATA_URL or DATA_DIR names."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from backend.domain.audit_chain import Head
from backend.domain.errors import Unavailable
from backend.services.audit_chain import Verified, verify
from backend.settings import Settings
from backend.storage.factory import open_metadata


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify; 1 where the trail is broken or cannot be read, after saying where and why."""
    parser = argparse.ArgumentParser(prog="python -m backend.verify_audit", description=__doc__)
    parser.add_argument("--anchor", help="a head noted earlier, as count:digest, which the trail has to lead through")
    options = parser.parse_args(arguments)
    try:
        anchor = None if options.anchor is None else Head.of(options.anchor)
        # Nothing is served, so what HOST and AUTH ask for sign-in does not matter here.
        settings = Settings(host="127.0.0.1", auth="auto", grader_defaults=False)
        found = asyncio.run(_verify(settings.metadata_place, anchor))
    except ValidationError as refused:
        return _complain("; ".join(error["msg"].removeprefix("Value error, ") for error in refused.errors()))
    except ValueError as wrong:
        return _complain(f"--anchor {wrong}" if options.anchor else str(wrong))
    except (Unavailable, RuntimeError) as unreadable:
        return _complain(str(unreadable))
    if found.fault is not None:
        return _complain(f"the audit trail is broken: record {found.fault.sequence} {found.fault.what}")
    print(f"{found.head.count} records, unbroken; the head is {found.head}")
    return 0


async def _verify(place: str, anchor: Head | None) -> Verified:
    store = open_metadata(place)
    try:
        return await verify(store, anchor)
    finally:
        await store.close()


def _complain(why: str) -> int:
    print(why, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
