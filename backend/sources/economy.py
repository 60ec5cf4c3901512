"""What spares the hubs: one request for many askers, answers kept by their ETag, and rests that were asked for."""

import asyncio
import time
from collections import OrderedDict
from urllib.parse import urlsplit

from backend.domain.errors import UpstreamFailed
from backend.sources.answers import Answer, Passing
from backend.sources.origins import origin_of

_CACHE_BYTES = 32_000_000
_CACHED_ANSWER_BYTES = 2_000_000


class Flight:
    """A request in flight and those who wait for it; it is given up when the last of them is."""

    def __init__(self, task: asyncio.Task[Answer]) -> None:
        self.task = task
        self._waiting = 0

    @property
    def open(self) -> bool:
        """Whether one more may join: nobody has given it up."""
        return not self.task.cancelling()

    async def join(self) -> Answer:
        """Wait for the answer."""
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self.task.done():
                self.task.cancel()


class Rests:
    """Parts of hosts that asked to be left alone for longer than anyone waits; until then nobody asks them again."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, UpstreamFailed]] = {}

    def begin(self, url: str, passing: Passing) -> None:
        """Leave the part alone that `url` is in, when it limits requests."""
        if passing.error.rate_limited and passing.wait_s is not None:
            self._until[_part(url)] = (time.monotonic() + passing.wait_s, passing.error)

    def check(self, url: str) -> None:
        """Raise what the host answered last while its rest is not over."""
        until, error = self._until.get(_part(url), (0.0, None))
        left_s = until - time.monotonic()
        if error is None or left_s <= 0:
            return
        raise UpstreamFailed(str(error), error.status, retry_after_s=max(1, round(left_s)), rate_limited=True)


def _part(url: str) -> str:
    """Origin and first path segment: hosts limit their API apart from their files."""
    return origin_of(url) + "/" + urlsplit(url).path.lstrip("/").partition("/")[0]


class AnswerCache:
    """Answers with an ETag, least recently used first to go, bounded by the bytes of their bodies."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, str]) -> Answer | None:
        """The answer kept for a URL and what was accepted."""
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    def put(self, key: tuple[str, str], answer: Answer) -> None:
        """Keep an answer, if it can be revalidated and is not too large."""
        if "etag" not in answer.headers or len(answer.body) > _CACHED_ANSWER_BYTES:
            return
        replaced = self._answers.pop(key, None)
        self._bytes += len(answer.body) - (len(replaced.body) if replaced else 0)
        self._answers[key] = answer
        while self._bytes > _CACHE_BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest.body)
