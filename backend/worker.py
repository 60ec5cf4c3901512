"""`python -m backend.worker`: the job loop as a process of its own, beside servers that run with WORKER=0."""

import asyncio
import contextlib
import signal
import sys

from backend.logs import configure
from backend.settings import Settings
from backend.wiring import build_services


async def work(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM; what is under way then is taken up again by whoever comes next."""
    services = build_services(settings)
    loop = asyncio.get_running_loop()
    working = asyncio.create_task(services.worker.run())
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, working.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await working
    finally:
        await services.close()


def main() -> int:
    """Set up and work."""
    settings = Settings()
    configure(settings)
    asyncio.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
