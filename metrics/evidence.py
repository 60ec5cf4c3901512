"""Everything known about one model when it was looked at, and where each fact came from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class Missing(StrEnum):
    """Why a fact is not there; never the same as a fact that is zero or empty."""

    NOT_LINKED = "not_linked"
    """Nothing names such a thing, so there was nothing to ask for."""
    NOT_STATED = "not_stated"
    """The source answered and holds no such thing (a repository without a README)."""
    NOT_FOUND = "not_found"
    """The thing is named, and its host says it does not exist."""
    FORBIDDEN = "forbidden"
    """Gated or private: its host wants credentials that this registry does not have."""
    RATE_LIMITED = "rate_limited"
    """Its host refused for now; asking later may succeed."""
    UNAVAILABLE = "unavailable"
    """Its host could not be reached, failed, or answered nonsense; asking later may succeed."""
    TOO_LARGE = "too_large"
    """It is over the cap on what is read."""
    NOT_ASKED = "not_asked"
    """Left out on purpose: over the request budget, the depth limit or the sample."""

    @property
    def passing(self) -> bool:
        """True when asking again later may give the fact."""
        return self in {Missing.RATE_LIMITED, Missing.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One answer from outside: its value or why there is none, where it was asked and when.

    Exactly one of `value` and `missing` is set. `source` is an absolute URL, or empty where nothing was asked.
    """

    value: T | None = None
    missing: Missing | None = None
    note: str = ""
    source: str = ""
    at: datetime | None = None

    @classmethod
    def lacking(cls, why: Missing, note: str = "", source: str = "", at: datetime | None = None) -> Self:
        """Record that the fact could not be had, and why."""
        return cls(missing=why, note=note, source=source, at=at)

    @property
    def known(self) -> bool:
        """True when the value is there."""
        return self.missing is None

    def otherwise(self, default: T) -> T:
        """The value, or `default` where it is missing."""
        return default if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class RepoFile:
    """One file of a repository: path from its root with `/`, size in bytes, digests as the host claims them."""

    path: str
    size_bytes: int
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedResult:
    """One machine-readable result of a card's `model-index`."""

    task: str | None
    dataset: str | None
    metric: str | None
    value: float | str | None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class CardData:
    """The YAML head of a model card, each list as stated and in order."""

    licenses: tuple[str, ...] = ()
    license_name: str | None = None
    license_link: str | None = None
    datasets: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    base_model_relation: str | None = None
    languages: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    results: tuple[ClaimedResult, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What a hub's own record says of a model."""

    id: str
    author: str | None
    sha: str | None
    created_at: datetime | None
    last_modified: datetime | None
    downloads: int
    likes: int
    pipeline_tag: str | None
    library_name: str | None
    tags: tuple[str, ...]
    gated: bool
    card: CardData
    parameters: int | None = None
    """Number of parameters as the hub read it from safetensors headers."""


@dataclass(frozen=True, slots=True)
class HubCommit:
    """One commit of a hub repository."""

    id: str
    authors: tuple[str, ...]
    date: datetime | None
    title: str


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """What a hub's own record says of a dataset; a GitHub repository used as one fills in what it can."""

    id: str
    author: str | None
    sha: str | None
    last_modified: datetime | None
    downloads: int
    likes: int
    tags: tuple[str, ...]
    gated: bool
    licenses: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    size_categories: tuple[str, ...] = ()
    task_categories: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    rows: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class CodeRepo:
    """What GitHub's record says of a repository."""

    full_name: str
    owner_is_organisation: bool
    default_branch: str
    stars: int
    forks: int
    archived: bool
    is_fork: bool
    license_spdx: str | None
    created_at: datetime | None
    pushed_at: datetime | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Contributor:
    """One line of a repository's contributor list."""

    login: str
    contributions: int
    is_bot: bool


@dataclass(frozen=True, slots=True)
class CodeCommit:
    """One commit of the default branch, newest first in its list."""

    sha: str
    author: str
    date: datetime | None
    is_bot: bool
    is_merge: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class ReviewedChange:
    """One sampled commit or pull request: lines it added and who looked at them.

    `pull` is the number of the merged request it came through, or None for a direct push; `reviewers` are the logins
    of people other than the author who submitted a review.
    """

    sha: str
    author: str
    additions: int
    pull: int | None
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeAnalysis:
    """Figures of a static analysis of a repository's Python sources; nothing of them is ever run."""

    files: int
    lines: int
    """Lines that are neither blank nor comment."""
    lint_findings: int
    complex_functions: int
    """Functions whose cyclomatic complexity is over ten."""
    functions: int
    documented_functions: int
    annotated_functions: int
    unparsable_files: int = 0


class LinkedBy(StrEnum):
    """How a link between artifacts was found, strongest first."""

    REGISTRATION = "registration"
    CARD_METADATA = "card_metadata"
    CONFIG_JSON = "config_json"
    HUB_TAG = "hub_tag"
    CARD_TEXT = "card_text"
    NAME_MENTION = "name_mention"


@dataclass(frozen=True, slots=True)
class DatasetEvidence:
    """The dataset a model names: as it was named, how the link was found, and what its host says."""

    name: str
    linked_by: LinkedBy | None
    key: str | None
    """Key of the source (see `Source.key`), or None where the name does not resolve to one."""
    record: Fact[DatasetRecord]
    card: Fact[str]
    files: Fact[tuple[RepoFile, ...]]


@dataclass(frozen=True, slots=True)
class CodeEvidence:
    """The code repository a model links: how the link was found, and what its host says."""

    url: str
    linked_by: LinkedBy | None
    key: str | None
    repo: Fact[CodeRepo]
    contributors: Fact[tuple[Contributor, ...]]
    commits: Fact[tuple[CodeCommit, ...]]
    changes: Fact[tuple[ReviewedChange, ...]]
    tree: Fact[tuple[RepoFile, ...]]
    readme: Fact[str]
    analysis: Fact[CodeAnalysis]


@dataclass(frozen=True, slots=True)
class ParentEvidence:
    """One parent in the lineage graph and the net score it got by the same rules."""

    name: str
    key: str
    relation: str
    linked_by: LinkedBy
    net_score: Fact[float]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A score in [0, 1] that a second reader suggests, and its reason in one short line."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What a language model, `reader`, made of the card: a suggestion for each metric that hears it."""

    reader: str
    ramp_up_time: Suggestion
    performance_claims: Suggestion


class RunOutcome(StrEnum):
    """How running a demonstration ended."""

    CLEAN = "clean"
    """It ended by itself and without an error."""
    FAILED = "failed"
    """It ended with an error of its own."""
    LACKED = "lacked"
    """It needed what the sandbox does not give: the network, or a package that is not installed."""
    STOPPED = "stopped"
    """It was stopped by a limit on time, memory or processes."""


@dataclass(frozen=True, slots=True)
class DemonstrationRun:
    """One run of the card's code: how it ended, its exit status (None where it was killed), and where it ran.

    `last_lines` are the end of what it printed; they are the own words of the code, so nothing rests on them.
    """

    outcome: RunOutcome
    exit_status: int | None
    seconds: float
    sandbox: str
    last_lines: str = ""


def _nothing() -> Fact[Any]:
    return Fact.lacking(Missing.NOT_LINKED)


_NOT_ASKED: Fact[Any] = Fact.lacking(Missing.NOT_ASKED)
NO_DATASET = DatasetEvidence("", None, None, _nothing(), _nothing(), _nothing())
NO_CODE = CodeEvidence(
    "", None, None, _nothing(), _nothing(), _nothing(), _nothing(), _nothing(), _nothing(), _nothing()
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about one model at `gathered_at`; the only input of every metric.

    Ages are counted from `gathered_at`, never from the clock, so the same evidence gives the same score for ever.
    """

    name: str
    url: str
    gathered_at: datetime
    model: Fact[ModelRecord]
    card: Fact[str]
    """Markdown text below the YAML head."""
    files: Fact[tuple[RepoFile, ...]]
    config: Fact[Mapping[str, Any]]
    """Parsed `config.json`, or `adapter_config.json` where only that is there."""
    commits: Fact[tuple[HubCommit, ...]]
    dataset: DatasetEvidence = NO_DATASET
    code: CodeEvidence = NO_CODE
    parents: tuple[ParentEvidence, ...] = ()
    upstream_requests: int = 0
    gather_seconds: float = 0.0
    second_reading: Fact[SecondReading] = _NOT_ASKED
    demonstration: Fact[DemonstrationRun] = _NOT_ASKED

    @property
    def awaited(self) -> tuple[str, ...]:
        """Names of the facts that asking again later may give, such as `code.commits`."""
        told = [(name, getattr(self, name)) for name in ("model", "card", "files", "config", "commits")]
        for part, prefix in ((self.dataset, "dataset"), (self.code, "code")):
            facts = ((each.name, getattr(part, each.name)) for each in fields(part))
            told += [(f"{prefix}.{name}", fact) for name, fact in facts if isinstance(fact, Fact)]
        told += [(f"parents.{parent.name}", parent.net_score) for parent in self.parents]
        return tuple(name for name, fact in told if fact.missing is not None and fact.missing.passing)
