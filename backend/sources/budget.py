"""How many upstream requests one piece of work has made, and how many it may make."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from backend.domain.errors import UpstreamFailed

T = TypeVar("T")


class BudgetSpent(UpstreamFailed):
    """The work has used up its requests; the source was not asked."""


@dataclass(slots=True)
class Budget:
    """Counts requests as they leave, redirect hops and retries included.

    `waves` is the length of the longest chain of requests that waited for one another. `max_requests` None counts
    without a limit.
    """

    max_requests: int | None = None
    requests: int = 0
    waves: int = 0


@dataclass(slots=True)
class _Chain:
    """A line of requests that wait for one another, and how many there have been."""

    budget: Budget
    depth: int = 0


_CHAIN: ContextVar[_Chain | None] = ContextVar("upstream_chain", default=None)


def count_request() -> None:
    """Count one request of the current chain.

    Raises:
        BudgetSpent: there are none left.
    """
    chain = _CHAIN.get()
    if chain is None:
        return
    budget = chain.budget
    if budget.max_requests is not None and budget.requests >= budget.max_requests:
        raise BudgetSpent(f"left out: the budget of {budget.max_requests} upstream requests is spent")
    budget.requests += 1
    chain.depth += 1
    budget.waves = max(budget.waves, chain.depth)


@contextmanager
def spending(budget: Budget) -> Iterator[Budget]:
    """Count every request made inside, in this task and in those it starts, against `budget`."""
    token = _CHAIN.set(_Chain(budget))
    try:
        yield budget
    finally:
        _CHAIN.reset(token)


async def branch(work: Awaitable[T]) -> T:
    """Run `work` as a chain of its own that starts where this one stands; for each argument of `asyncio.gather`.

    The chain that waits goes on from the longest of its branches.
    """
    parent = _CHAIN.get()
    if parent is None:
        return await work
    child = _Chain(parent.budget, parent.depth)
    token = _CHAIN.set(child)
    try:
        return await work
    finally:
        _CHAIN.reset(token)
        parent.depth = max(parent.depth, child.depth)
