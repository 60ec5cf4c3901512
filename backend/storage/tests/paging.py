"""Follow a listing to its end, and notice when it does not get there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.domain.page import Page

T = TypeVar("T")


async def every_page(ask: Callable[[str | None], Awaitable[Page[T]]]) -> list[Page[T]]:
    """All pages, each asked for with the `after` of the one before."""
    pages = [await ask(None)]
    while (after := pages[-1].after) is not None:
        pages.append(await ask(after))
        last = pages[-1].after
        assert last is None or last > after, f"the page after {after} leads back to {last}"
    return pages


async def every_item(ask: Callable[[str | None], Awaitable[Page[T]]]) -> list[T]:
    """The items of all pages."""
    return [item for page in await every_page(ask) for item in page.items]
