"""Quotes what a stranger wrote so that it stays one short, plain line."""

import re

_ADDRESS = re.compile(r"\S*://\S*|\bwww\.\S+", re.IGNORECASE)


def one_line(text: str, most: int) -> str:
    """At most `most` characters of `text` in one line, without control characters and without addresses to follow.

    What cannot be seen goes too, such as the marks that turn the direction of writing around.
    """
    # The cut comes first as well, with room for what is left out: patterns never run over a text of any length.
    visible = "".join(sign if sign.isprintable() else " " for sign in text[: most * 4])
    told = " ".join(_ADDRESS.sub("(address left out)", visible).split())
    return told if len(told) <= most else told[: most - 1] + "…"
