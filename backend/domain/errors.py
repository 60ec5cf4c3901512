"""Everything that can go wrong, by what the caller should understand; the API turns each class into one status.

RegistryError
 ├─ InvalidInput          the request is malformed; names the fields
 ├─ NotFound              no such artifact, or no such place at its source
 ├─ AlreadyExists         the same source is registered already
 ├─ Conflict              somebody else changed it first
 ├─ Refused               the gate turned the model away
 ├─ PayloadTooLarge       over a cap on size
 ├─ TooMany               the query asks for more than a page can ever hold
 ├─ NotSignedIn           no token, or one that is not valid
 ├─ BadCredentials        a wrong user or password
 ├─ NotAllowed            signed in, and lacking the permission
 │   └─ MayNotReset       … to empty the registry, which the contract answers in its own way
 ├─ NotOffered            this registry is configured without the feature
 ├─ RatingIncomplete      some metrics could not be computed
 ├─ UpstreamRefused       the source wants credentials that this registry does not have
 ├─ UpstreamFailed        the source cannot be reached or does not make sense
 ├─ Unavailable           this registry cannot do it just now
 └─ LeaseLost             a worker no longer owns its job; never leaves the worker
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is a path such as `0.types.1` or `query.offset`."""

    field: str
    message: str


class RegistryError(Exception):
    """The root: its text is the sentence a caller reads."""

    @property
    def code(self) -> str:
        """A stable name for this class of error, as jobs record it."""
        return type(self).__name__


class InvalidInput(RegistryError):
    """The request is malformed."""

    def __init__(self, detail: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.fields = tuple(fields)

    @classmethod
    def field(cls, name: str, message: str) -> Self:
        """Build the error for a single field; `message` reads on from the field's name."""
        return cls(f"{name} {message}", [FieldError(name, message)])


class NotFound(RegistryError):
    """No such thing here, or at the source."""


class AlreadyExists(RegistryError):
    """The same source is registered under `artifact_id` already."""

    def __init__(self, detail: str, artifact_id: str, artifact_type: str) -> None:
        super().__init__(detail)
        self.artifact_id = artifact_id
        self.artifact_type = artifact_type


class Conflict(RegistryError):
    """Somebody else changed the same thing first; read it again and decide."""


class Refused(RegistryError):
    """The gate turned a model away; `shortfalls` is a list of JSON objects, one for each score that fell short."""

    def __init__(self, detail: str, shortfalls: Sequence[dict[str, object]] = ()) -> None:
        super().__init__(detail)
        self.shortfalls = tuple(shortfalls)


class PayloadTooLarge(RegistryError):
    """A body or file over the cap."""


class TooMany(RegistryError):
    """A query that asks for more than a page can ever hold."""


class NotSignedIn(RegistryError):
    """No token, or one that is malformed, expired or unknown."""


class BadCredentials(RegistryError):
    """A wrong user name or password; does not say which."""


class NotAllowed(RegistryError):
    """Signed in, and without the permission."""


class MayNotReset(NotAllowed):
    """Signed in, and not one who may empty the registry."""


class NotOffered(RegistryError):
    """The registry is configured without this feature."""


class RatingIncomplete(RegistryError):
    """Some metrics could not be computed; the text names them."""


class UpstreamRefused(RegistryError):
    """The source is gated or private; `status` is its answer."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class UpstreamFailed(RegistryError):
    """The source cannot be reached, failed or answered nonsense.

    `status` is its last answer, None when there was none; `retry_after_s` is how long it asked us to wait;
    `rate_limited` tells a refusal for now from a failure.
    """

    def __init__(
        self, detail: str, status: int | None = None, *, retry_after_s: int | None = None, rate_limited: bool = False
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after_s = retry_after_s
        self.rate_limited = rate_limited


class Unavailable(RegistryError):
    """The registry itself cannot do this just now; try again in `retry_after_s` seconds."""

    def __init__(self, detail: str, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class LeaseLost(RegistryError):
    """The job was taken over, cancelled or swept away by a reset; whatever this worker did is void."""
