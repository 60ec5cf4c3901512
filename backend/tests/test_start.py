"""What a start does not pay for: imports that only some work needs are made when that work comes."""

import subprocess
import sys

LATER = {
    "alembic": "migrating",
    "boto3": "storage on AWS",
    "huggingface_hub": "the first question to the hub",
    "license_expression": "the first licence to be read",
    "mangum": "AWS Lambda",
    "sqlalchemy.ext.asyncio": "nothing: each engine runs on threads of its own",
    "sqlalchemy.orm": "nothing: rows are read as rows",
}
"""Modules that `python -m backend.serve` leaves alone, each with what it waits for."""


def test_a_start_imports_nothing_that_waits_for_work() -> None:
    asked = f"import sys, backend.serve; print(*sorted({set(LATER)!r} & set(sys.modules)))"

    command = [sys.executable, "-c", asked]
    imported = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- our own statement

    assert imported.stdout.split() == []
