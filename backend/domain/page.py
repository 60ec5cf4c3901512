"""Listings: what is asked for and one page of the answer."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class NameQuery:
    """One query of a listing: an exact, case-sensitive name or None for any, of some types or of all when empty."""

    name: str | None
    types: frozenset[ArtifactType] = frozenset()

    def matches(self, name: str, kind: ArtifactType) -> bool:
        """Whether an artifact of this name and type belongs in the answer."""
        return (self.name is None or self.name == name) and (not self.types or kind in self.types)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in ascending order of id; `after` is the id to go on from, None at the end."""

    items: Sequence[T]
    after: str | None


def encode_cursor(after: str) -> str:
    """Wrap the id to go on from as the opaque offset that clients pass back."""
    return base64.urlsafe_b64encode(f"after:{after}".encode()).decode().rstrip("=")


def decode_cursor(offset: str | None) -> str | None:
    """Unwrap an offset; None, empty and `0` mean the start.

    Raises:
        InvalidInput: the text is not an offset that this registry gave out.
    """
    if offset is None or offset in {"", "0"}:
        return None
    try:
        text = base64.b64decode(offset + "=" * (-len(offset) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error, UnicodeError):
        text = ""
    if not text.startswith("after:"):
        raise InvalidInput.field("offset", "is not an offset from an earlier answer; leave it out for the first page")
    return text.removeprefix("after:")
