"""What each hub last answered, as the client sees it go by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from backend.domain.errors import RegistryError
from backend.sources.answers import Passing, raise_for
from backend.sources.origins import GITHUB_API, HUGGINGFACE

UNNAMED_REST_S = 60.0
"""How long a hub is taken to limit requests that does not say for how long it does."""


class Hub(StrEnum):
    """The sources that are read."""

    HUGGINGFACE = "huggingface"
    GITHUB = "github"


@dataclass(slots=True)
class Seen:
    """One hub so far. `failing` counts failures since its last success; `limit_left` is its rate limit's remainder."""

    asked: int = 0
    failed: int = 0
    failing: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None
    reason: str = ""
    latency_ms: float | None = None
    limited_until: datetime | None = None
    limit_left: int | None = None


class HubWatch:
    """Notes the outcome of every request to a hub; holds one small record a hub, whatever happens."""

    def __init__(
        self, *, now: Callable[[], datetime], hf_endpoint: str = HUGGINGFACE, github_api_url: str = GITHUB_API
    ) -> None:
        self._now = now
        self._bases = {hf_endpoint.rstrip("/"): Hub.HUGGINGFACE, github_api_url.rstrip("/"): Hub.GITHUB}
        self.seen = {hub: Seen() for hub in Hub}

    def answered(self, url: str, status: int, headers: Mapping[str, str], seconds: float) -> None:
        """Note an answer and the `seconds` until it began; that something does not exist is one like any other."""
        try:
            raise_for(url, status, headers)
        except Passing as failure:
            self._told(url, failure)
        except RegistryError:
            self._succeeded(url, headers, seconds)
        else:
            self._succeeded(url, headers, seconds)

    def failed(self, url: str, reason: str) -> None:
        """Note that a hub gave no usable answer; `reason` names no artifact, since anybody may read it."""
        seen = self._of(url)
        seen.asked += 1
        seen.failed += 1
        seen.failing += 1
        seen.last_failure = self._now()
        seen.reason = reason

    def _succeeded(self, url: str, headers: Mapping[str, str], seconds: float) -> None:
        seen = self._of(url)
        seen.asked += 1
        seen.failing = 0
        seen.last_success = self._now()
        seen.latency_ms = round(seconds * 1000, 1)
        seen.limited_until = None
        left = headers.get("x-ratelimit-remaining", "")
        seen.limit_left = int(left[:9]) if left.isdigit() else seen.limit_left

    def _told(self, url: str, failure: Passing) -> None:
        """A failure that the hub itself tells of: a limit on requests, or a fault of its own."""
        error = failure.error
        self.failed(url, "limits how often it may be asked" if error.rate_limited else f"answered {error.status}")
        if error.rate_limited:
            seen = self._of(url)
            seen.limited_until = self._now() + timedelta(seconds=failure.wait_s or UNNAMED_REST_S)
            seen.limit_left = 0

    def _of(self, url: str) -> Seen:
        bases = [base for base in self._bases if url == base or url.startswith(base + "/")]
        if bases:
            return self.seen[self._bases[max(bases, key=len)]]
        host = urlsplit(url).hostname or ""
        on_github = host.endswith(("github.com", "githubusercontent.com"))
        return self.seen[Hub.GITHUB if on_github else Hub.HUGGINGFACE]
