"""Run the benchmark's clients as a process of its own, and read what it measures."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from backend.domain.errors import Unavailable
from backend.services.benchmark import clients
from backend.services.benchmark.clients import Measured, Order

START_AND_END_S = 20.0
"""What a process may take beyond its order's time before it is ended."""
LINE_BYTES = 16_000_000
NEEDED = frozenset({"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"})
"""Environment that Python itself needs; the registry's settings, secrets among them, stay here."""

Tell = Callable[[int, int], Awaitable[None]]
"""Is told how many downloads have ended, and how many bytes were read."""


async def measure(order: Order, tell: Tell) -> Measured:
    """Carry out an order; whatever happens, its process has ended when this returns.

    Raises:
        Unavailable: the process did not do it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the modules beside that file are no libraries of its
        str(clients.__file__),
        stdin=PIPE,
        stdout=PIPE,
        limit=LINE_BYTES,
        env={name: value for name, value in os.environ.items() if name in NEEDED},
    )
    try:
        async with asyncio.timeout(order.seconds + START_AND_END_S):
            return await _converse(process, order, tell)
    except TimeoutError:
        raise Unavailable("the benchmark's clients took longer than they may, and were ended") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _converse(process: Process, order: Order, tell: Tell) -> Measured:
    """Hand the order over and listen until the measurements come."""
    if process.stdin is None or process.stdout is None:
        raise Unavailable("the benchmark's clients have no pipes")
    process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
    await process.stdin.drain()
    async for line in process.stdout:
        said: dict[str, Any] = json.loads(line)
        if "measured" in said:
            return Measured(**said["measured"])
        await tell(said["finished"], said["bytes_read"])
    raise Unavailable(f"the benchmark's clients ended with status {await process.wait()}")
