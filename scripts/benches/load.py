"""What filling a registry costs: time an artifact, and room an artifact takes over its text."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.storage.factory import open_metadata
from benches import seed
from benches.figures import Figure, Machine

QUICK = 2_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """How many artifacts, and where to leave them."""
    parser.add_argument("artifacts", type=int, nargs="?", default=QUICK, help="how many to make up")
    parser.add_argument("--data-dir", type=Path, help="leave the registry in this folder, for `hot --data-dir`")


def measure(options: argparse.Namespace, machine: Machine) -> Sequence[Figure]:
    """Commit made-up artifacts one by one to a SQLite file, as the registry itself would."""
    del machine
    if options.data_dir is not None:
        return asyncio.run(_load(options.data_dir, options.artifacts))
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        return asyncio.run(_load(Path(folder), options.artifacts))


async def _load(folder: Path, count: int) -> list[Figure]:
    database = folder / "registry.db"
    store = open_metadata(f"sqlite:///{database}")
    try:
        seconds = await seed.fill(store, count)
    finally:
        await store.close()
    over_text = database.stat().st_size - sum(map(seed.text_bytes, seed.changes(count)))
    return [
        Figure("an artifact, wall time", seconds / count * 1e6, "us"),
        Figure("the file", database.stat().st_size / 1e6, "MB"),
        Figure("an artifact over its text, on disk", over_text / count / 1000, "kB"),
    ]
