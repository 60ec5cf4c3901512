"""Rate models without a server: one line of JSON for each on standard output, progress on standard error."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from tooling import bootstrap
from tooling.failure import CommandFailed
from tooling.pins import Purpose

_ABOUT = """\
A file holds one model a line: `code_url, dataset_url, model_url`, where the first two may be empty, or a model's URL
alone. Blank lines and lines that start with # are skipped. Scores come in the order of the lines.
HF_ENDPOINT, GITHUB_API_URL, HF_TOKEN, GITHUB_TOKEN and METRIC_WEIGHTS are read as by the server (docs/settings.md).
It ends with 0 when every line was rated, with 1 otherwise; the lines that can be rated always are."""


def main(arguments: Sequence[str]) -> int:
    """Become the program of the environment."""
    parser = _Parser(prog="scripts/rate", description=__doc__, epilog=_ABOUT)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("place", metavar="URL_FILE | URL", help="what to rate")
    parser.add_argument("--explain", action="store_true", help="print what each score rests on, instead of JSON")
    options = parser.parse_args(arguments)
    bootstrap.prepare(Purpose.RUN)
    flags = ["--explain"] if options.explain else []
    return bootstrap.become("backend.rate", *flags, "--", options.place)


class _Parser(argparse.ArgumentParser):
    """A parser that ends with 1 where arguments are wrong, as every failure of this command does."""

    def error(self, message: str) -> NoReturn:
        raise CommandFailed(f"{self.format_usage()}{message}")
