"""Verify the audit trail: walk its hash chain and name the first record that is not as it was written."""

import argparse
from collections.abc import Sequence

from tooling import bootstrap
from tooling.pins import Purpose

_ABOUT = """\
The store is the one that METADATA_URL or DATA_DIR names, as for the server (docs/settings.md), which may be running.
It prints the head of the chain: write it down elsewhere, and give it to --anchor later, so that a trail that was
rewritten or cut short as a whole is noticed too. It ends with 0 when the trail is whole, with 1 otherwise."""


def main(arguments: Sequence[str]) -> int:
    """Become the program of the environment."""
    parser = argparse.ArgumentParser(prog="scripts/verify-audit", description=__doc__, epilog=_ABOUT)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--anchor", metavar="HEAD", help="a head that was printed earlier, as count:digest")
    options = parser.parse_args(arguments)
    bootstrap.prepare(Purpose.RUN)
    return bootstrap.become("backend.verify_audit", *(["--anchor", options.anchor] if options.anchor else []))
