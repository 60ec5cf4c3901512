"""What an organisation holds: hub repositories, code repositories and the accounts that own them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import yaml

from demo.content import Content, generated, git_object, text

Kind = Literal["models", "datasets"]
FIRST_DAY = date(2025, 1, 6)


@dataclass(frozen=True, slots=True)
class HubCommit:
    """One commit of a hub repository."""

    id: str
    title: str
    author: str
    date: datetime


@dataclass(frozen=True, slots=True)
class HubRepo:
    """A model or a dataset on the hub; `commits` are newest first and never empty."""

    kind: Kind
    id: str
    files: Mapping[str, Content]
    card: Mapping[str, Any]
    commits: Sequence[HubCommit]
    created_at: datetime
    downloads: int = 0
    likes: int = 0
    gated: str | bool = False
    moved_from: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the hub's record, as they are: `pipeline_tag`, `library_name`, `config`, `description` …"""

    @property
    def sha(self) -> str:
        """The commit that `main` stands at."""
        return self.commits[0].id


@dataclass(frozen=True, slots=True)
class Change:
    """One commit of a default branch: lines added and removed by path, and the pull request it came through."""

    sha: str
    author: str
    date: datetime
    message: str
    lines: Mapping[str, tuple[int, int]]
    pull: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One submitted review."""

    by: str
    state: str


@dataclass(frozen=True, slots=True)
class CodeRepository:
    """A repository on GitHub; `changes` are newest first, `reviews` by number of the pull request."""

    full_name: str
    files: Mapping[str, Content]
    changes: Sequence[Change]
    reviews: Mapping[int, Sequence[Review]]
    created_at: datetime
    license: str | None = None
    moved_from: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of GitHub's record: `description`, `stargazers_count`, `archived`, `default_branch`, `topics` …"""

    @property
    def branch(self) -> str:
        """The default branch."""
        return str(self.facts.get("default_branch", "main"))

    @property
    def number(self) -> int:
        """The id that survives a renaming."""
        return int(git_object("id", self.full_name.lower().encode())[:7], 16)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who owns repositories; one with members is an organisation."""

    name: str
    full_name: str = ""
    members: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Organisation:
    """Everything that is served, by name in lower case; former names lead to the present one."""

    models: Mapping[str, HubRepo] = field(default_factory=dict)
    datasets: Mapping[str, HubRepo] = field(default_factory=dict)
    repositories: Mapping[str, CodeRepository] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)

    @classmethod
    def of(cls, *items: HubRepo | CodeRepository | Account) -> "Organisation":
        """Put items together."""
        hub = [item for item in items if isinstance(item, HubRepo)]
        return cls(
            models={item.id.lower(): item for item in hub if item.kind == "models"},
            datasets={item.id.lower(): item for item in hub if item.kind == "datasets"},
            repositories={item.full_name.lower(): item for item in items if isinstance(item, CodeRepository)},
            accounts={item.name.lower(): item for item in items if isinstance(item, Account)},
        )

    def hub(self, kind: str) -> Mapping[str, HubRepo]:
        """The models or the datasets."""
        return self.models if kind == "models" else self.datasets

    def moved(self, kind: str, name: str) -> str | None:
        """The present id of what was once called `name`."""
        return _now_called(name, ((item.id, item.moved_from) for item in self.hub(kind).values()))

    def moved_repository(self, name: str) -> CodeRepository | None:
        """The repository that was once called `name`."""
        now = _now_called(name, ((item.full_name, item.moved_from) for item in self.repositories.values()))
        return self.repositories[now.lower()] if now else None


def model(name: str, **stated: Any) -> HubRepo:
    """Make a model from few words; see `hub_repo` for what can be stated."""
    return hub_repo("models", name, **stated)


def dataset(name: str, **stated: Any) -> HubRepo:
    """Make a dataset from few words; see `hub_repo` for what can be stated."""
    return hub_repo("datasets", name, **stated)


def hub_repo(
    kind: Kind,
    name: str,
    *,
    readme: str | None = None,
    files: Mapping[str, Any] | None = None,
    generated_files: Mapping[str, int] | None = None,
    dtype: str = "F32",
    commits: Iterable[Mapping[str, Any]] = (),
    created: date = FIRST_DAY,
    downloads: int = 0,
    likes: int = 0,
    gated: str | bool = False,
    moved_from: Sequence[str] = (),
    **facts: Any,
) -> HubRepo:
    """Make a hub repository.

    `readme` is the card with its YAML head. `files` holds texts, bytes, or objects that are written as JSON.
    `generated_files` maps paths to sizes in bytes.
    `commits` (`on`, `by`, `what`; newest first) default to one by the owner.
    """
    contents = {path: _content(body) for path, body in (files or {}).items()}
    contents |= {path: generated(path, size, seed=name, dtype=dtype) for path, size in (generated_files or {}).items()}
    if readme is not None:
        contents["README.md"] = text(readme)
    contents = dict(sorted(contents.items()))
    history = _history(name, contents, list(commits) or [_first(name, created)])
    return HubRepo(
        kind=kind,
        id=name,
        files=contents,
        card=card_head(readme or ""),
        commits=[HubCommit(sha, entry["what"], entry["by"], when) for sha, when, entry in history],
        created_at=moment(created),
        downloads=downloads,
        likes=likes,
        gated=gated,
        moved_from=moved_from,
        facts=facts,
    )


def repository(
    name: str,
    *,
    files: Mapping[str, Any] | None = None,
    commits: Iterable[Mapping[str, Any]] = (),
    reviews: Mapping[int, Mapping[str, str]] | None = None,
    created: date = FIRST_DAY,
    license: str | None = None,  # noqa: A002  the word that GitHub's record and the data files use
    moved_from: Sequence[str] = (),
    **facts: Any,
) -> CodeRepository:
    """Make a code repository.

    `commits` are newest first: `on`, `by`, `what`, perhaps `pull`, and `lines` by path as a pair or as `added/removed`.
    `reviews` says by number of the pull request who gave which verdict.
    """
    contents = dict(sorted((path, _content(body)) for path, body in (files or {}).items()))
    history = _history(name, contents, list(commits) or [_first(name, created)])
    return CodeRepository(
        full_name=name,
        files=contents,
        changes=[_change(sha, when, entry) for sha, when, entry in history],
        reviews={
            number: [Review(by, state.upper()) for by, state in given.items()]
            for number, given in (reviews or {}).items()
        },
        created_at=moment(created),
        license=license,
        moved_from=moved_from,
        facts=facts,
    )


def card_head(readme: str) -> dict[str, Any]:
    """The YAML between the first two `---` lines of a card; empty where there is none, or none that can be read."""
    if not readme.startswith("---\n") or "\n---" not in readme[4:]:
        return {}
    try:
        head = yaml.safe_load(readme[4:].split("\n---", 1)[0])
    except yaml.YAMLError:
        return {}
    return dict(head) if isinstance(head, dict) else {}


def moment(day: date) -> datetime:
    """Ten in the morning of that day, or the exact time where one is given."""
    if isinstance(day, datetime):
        return day.replace(tzinfo=day.tzinfo or UTC)
    return datetime(day.year, day.month, day.day, 10, tzinfo=UTC)


def _content(body: Any) -> Content:
    return text(body if isinstance(body, str | bytes) else json.dumps(body, indent=2) + "\n")


def _first(name: str, created: date) -> dict[str, Any]:
    return {"on": created, "by": name.split("/", maxsplit=1)[0], "what": "Initial commit"}


def _history(
    name: str, files: Mapping[str, Content], entries: Sequence[Mapping[str, Any]]
) -> list[tuple[str, datetime, Mapping[str, Any]]]:
    """Each commit with its id and time; the newest id changes with the files, as whoever caches by it relies on."""
    told = [f"{name} {age} {sorted(entry.items())}" for age, entry in enumerate(entries)]
    told[0] += "".join(
        f"{path} {content.size_bytes} {content.seed} {content.head!r}" for path, content in files.items()
    )
    return [
        (git_object("commit", words.encode()), moment(entry["on"]) - timedelta(minutes=age), entry)
        for age, (words, entry) in enumerate(zip(told, entries, strict=True))
    ]


def _change(sha: str, when: datetime, entry: Mapping[str, Any]) -> Change:
    lines = {path: _added_removed(count) for path, count in entry.get("lines", {}).items()}
    return Change(sha, entry["by"], when, entry["what"], lines, entry.get("pull"))


def _added_removed(count: str | int | Sequence[int]) -> tuple[int, int]:
    if isinstance(count, int):
        return count, 0
    added, removed = count.split("/") if isinstance(count, str) else count
    return int(added), int(removed)


def _now_called(name: str, items: Iterable[tuple[str, Sequence[str]]]) -> str | None:
    wanted = name.lower()
    return next((now for now, former in items if wanted in {old.lower() for old in former}), None)
