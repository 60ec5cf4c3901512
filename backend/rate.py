"""`python -m backend.rate`: rate the models of a URL file, or the one of a URL, without a server."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from rich.console import Console

from backend.command_line.batch import Failed, Rated, rate_all
from backend.command_line.explanation import explanation
from backend.command_line.ndjson import line
from backend.command_line.orders import Malformed, Order, Unreadable, read_orders
from backend.command_line.progress import progress
from backend.logs import configure
from backend.settings import Settings

WIDTH = 150
"""Columns of a table that goes into a file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Rate; 1 when something could not be rated, after saying on standard error what and why."""
    parser = argparse.ArgumentParser(prog="python -m backend.rate", description=__doc__)
    parser.add_argument("place", help="a file with `code_url, dataset_url, model_url` a line, or a model's URL")
    parser.add_argument("--explain", action="store_true", help="print what each score rests on, instead of JSON")
    options = parser.parse_args(arguments)
    try:
        # Nothing is served, so what HOST and AUTH ask for sign-in does not matter here.
        settings = Settings(host="127.0.0.1", auth="auto", grader_defaults=False)
        orders = read_orders(options.place)
    except ValidationError as refused:
        return _complain("; ".join(error["msg"].removeprefix("Value error, ") for error in refused.errors()))
    except Unreadable as unreadable:
        return _complain(str(unreadable))
    # Warnings about retries would tear the progress bars; LOG_FILE has them.
    configure(settings if settings.log_file else settings.model_copy(update={"log_level": "error"}))
    return asyncio.run(_rate(orders, settings, explain=options.explain))


async def _rate(orders: Sequence[Order | Malformed], settings: Settings, *, explain: bool) -> int:
    malformed = [order for order in orders if isinstance(order, Malformed)]
    good = [order for order in orders if isinstance(order, Order)]
    for wrong in malformed:
        _complain(f"line {wrong.line}: {wrong.why}")
    if not orders:
        return _complain("there is no line with a model in it: write one URL a line")
    errors, failures = Console(stderr=True), 0
    out = _output(errors)
    with progress(errors, len(good)) as watch:
        async for outcome in rate_all(good, settings, watch):
            match outcome:
                case Rated():
                    _show(out, outcome, explain=explain)
                case Failed(order, why):
                    failures += 1
                    _complain(f"line {order.line}: {order.url} could not be rated: {why}")
    return 1 if malformed or failures else 0


def _output(errors: Console) -> Console:
    """Where ratings go: standard output, and where that is the terminal that shows the progress, above it."""
    if not sys.stdout.isatty():
        return Console(width=WIDTH)
    return errors if errors.is_terminal else Console()


def _show(out: Console, rated: Rated, *, explain: bool) -> None:
    if explain:
        out.print(explanation(rated))
    else:
        out.out(line(rated), highlight=False)


def _complain(why: str) -> int:
    print(why, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
