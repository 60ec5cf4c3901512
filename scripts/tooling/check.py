"""Everything that judges the code without running it; each step says what it found and how long it took."""

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tooling import bootstrap, generate_docs, places
from tooling.pins import Purpose


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step came to."""

    name: str
    passed: bool
    said: str
    took_s: float


def main(arguments: Sequence[str]) -> int:
    """Run every step, side by side, and return 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="scripts/check", description=__doc__)
    parser.parse_args(arguments)
    bootstrap.prepare(Purpose.DEVELOP)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(_reported(pool, steps()))
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall passed")
    return 1 if failed else 0


def _reported(pool: ThreadPoolExecutor, named: dict[str, Callable[[], str]]) -> list[Outcome]:
    """Run the steps and print each outcome in the order of the table, as soon as it is known."""
    running = [pool.submit(_timed, name, step) for name, step in named.items()]
    outcomes = []
    for future in running:
        outcome = future.result()
        outcomes.append(outcome)
        print(f"{'ok  ' if outcome.passed else 'FAIL'}  {outcome.took_s:5.1f} s  {outcome.name}", flush=True)
        if not outcome.passed:
            print(f"\n{outcome.said}\n", flush=True)
    return outcomes


def _timed(name: str, step: Callable[[], str]) -> Outcome:
    started = time.monotonic()
    complaint = step()
    return Outcome(name, passed=not complaint, said=complaint, took_s=time.monotonic() - started)


def steps() -> dict[str, Callable[[], str]]:
    """Name every step; each returns its complaint, and nothing when it has none. The slowest are started first."""
    return {
        "mypy --strict": lambda: _complaint(places.tool("mypy"), "--strict"),
        "lint-imports": lambda: _complaint(places.tool("lint-imports"), "--no-logo"),
        "ruff check": lambda: _complaint(places.tool("ruff"), "check", "."),
        "ruff format": lambda: _complaint(places.tool("ruff"), "format", "--check", "."),
        "shell syntax": _shell_syntax,
        "dependencies.txt": _pins_are_fresh,
        "generated docs": _docs_are_fresh,
    }


def _complaint(*command: str) -> str:
    result = subprocess.run(
        command,
        cwd=places.ROOT,
        env=bootstrap.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    return "" if result.returncode == 0 else result.stdout.strip() or f"ended with {result.returncode}"


def shell_scripts() -> list[Path]:
    """List the shell programs of this checkout, which no Python tool looks at."""
    folders = (places.SCRIPTS, places.SCRIPTS / "tooling", places.ROOT / ".ci")
    files = (file for folder in folders for file in sorted(folder.iterdir()) if file.is_file() and not file.suffix)
    return [file for file in files if file.read_bytes().startswith((b"#!/bin/sh", b"#!/usr/bin/env bash"))]


def _shell_syntax() -> str:
    complaints = []
    for script in shell_scripts():
        shell = "bash" if b"bash" in script.read_bytes().splitlines()[0] else "sh"
        complaints.append(_complaint(shell, "-n", str(script)))
        if not os.access(script, os.X_OK):
            complaints.append(f"{script.relative_to(places.ROOT)} is not executable")
    return "\n".join(filter(None, complaints))


def _pins_are_fresh() -> str:
    """Compare offline, inside the environment, which has the library that understands version specifiers."""
    return _complaint(str(places.PYTHON), "-m", "tooling.specifiers")


def _docs_are_fresh() -> str:
    return _complaint(*generate_docs.command("--check"))
