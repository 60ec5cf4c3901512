"""Read values out of JSON that somebody else wrote: the right type, or nothing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

MAX_TEXT = 100_000


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` as an object, empty where it is none."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """`value` as a list, empty where it is none."""
    return value if isinstance(value, list) else ()


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; whatever else is in it is left out."""
    return [item for item in sequence(value) if isinstance(item, dict)]


def text(value: Any) -> str | None:
    """`value` as a text that is not empty, without NUL and lone surrogates, which storage refuses."""
    if not isinstance(value, str):
        return None
    return clean(value)[:MAX_TEXT].strip() or None


def clean(value: str) -> str:
    """`value` without NUL and lone surrogates."""
    return value.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8")


def texts(value: Any) -> tuple[str, ...]:
    """One text or a list of texts as a tuple, in order, each once."""
    several = value if isinstance(value, (list, tuple)) else [value]
    return tuple(dict.fromkeys(item for item in map(text, several) if item))


def count(value: Any) -> int:
    """`value` as a number that is not negative, 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else 0


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time, or a datetime, in UTC; one without a zone is taken as UTC."""
    try:
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
