"""Byte ranges by RFC 9110, section 14."""

import re

SINGLE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class RangeOutside(Exception):
    """The range lies outside the file."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The half-open span that a Range header asks for; None for the whole, also where the header is not understood.

    Raises:
        RangeOutside: nothing of the file lies in the range.
    """
    found = SINGLE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        start, stop = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        stop = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= stop:
        raise RangeOutside
    return start, stop
