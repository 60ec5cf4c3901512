"""Where an artifact comes from, as a place on a hub rather than as a URL someone typed."""

from dataclasses import dataclass
from enum import StrEnum


class ArtifactType(StrEnum):
    """The three kinds of thing the registry holds."""

    MODEL = "model"
    DATASET = "dataset"
    CODE = "code"


class Host(StrEnum):
    """Which of the worlds the registry can read an artifact lives in."""

    HUGGINGFACE = "huggingface"
    GITHUB = "github"
    LINK = "link"
    """Any other host: kept as a plain link, never contacted, no evidence."""


DEFAULT_BRANCHES = frozenset({"main", "master", "HEAD"})


@dataclass(frozen=True, slots=True)
class Source:
    """A place on a hub.

    `space` says which of the hub's name spaces `repo` is in (a dataset on GitHub is in the space `code`).
    `repo` is `owner/name`, a bare legacy `name` on Hugging Face, or the normalised URL of a plain link.
    `revision` is the branch, tag or commit that was asked for, None for the default branch. `path` is a sub-folder
    without slashes at its ends, empty for the whole repository.
    """

    host: Host
    space: ArtifactType
    repo: str
    revision: str | None = None
    path: str = ""

    @property
    def key(self) -> str:
        """The spelling under which two sources are the same place; hub names ignore case."""
        if self.host is Host.LINK:
            return f"link:{self.repo}"
        revision = f"@{self.revision}" if self.revision and self.revision not in DEFAULT_BRANCHES else ""
        path = f"#{self.path}" if self.path else ""
        return f"{self.host}:{self.space}:{self.repo.lower()}{revision}{path}"

    @classmethod
    def of_key(cls, key: str) -> "Source":
        """The place that a key stands for, in the key's own spelling.

        Raises:
            ValueError: the text is not a key.
        """
        host, _, rest = key.partition(":")
        if host == Host.LINK:
            return cls(Host.LINK, ArtifactType.DATASET, rest)
        space, _, place = rest.partition(":")
        place, _, path = place.partition("#")
        repo, _, revision = place.partition("@")
        return cls(Host(host), ArtifactType(space), repo, revision or None, path)

    @property
    def short_name(self) -> str:
        """The last meaningful part: the sub-folder's name, else the repository's."""
        return (self.path or self.repo.rstrip("/")).rsplit("/", 1)[-1]
