"""Answers of GitHub's API as evidence."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from backend.sources.loose import clean, count, mapping, moment, objects, text, texts
from metrics.evidence import CodeCommit, CodeRepo, Contributor, DatasetRecord, RepoFile

# Files whose added lines say nothing about who reviewed code: weights, data, lock files and what a tool wrote.
_NOT_CODE = re.compile(
    r"(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|pdm\.lock|pipfile\.lock|cargo\.lock"
    r"|gemfile\.lock|composer\.lock|go\.sum|requirements\.lock)$"
    r"|(?:^|/)(?:node_modules|vendor|third_party|dist|build|__pycache__)/"
    r"|\.(?:bin|safetensors|h5|hdf5|msgpack|onnx|gguf|ggml|pt|pth|ckpt|pkl|pickle|npy|npz|joblib|tflite|pb|mlmodel|ot"
    r"|csv|tsv|jsonl|ndjson|parquet|arrow|feather|sqlite|db|txt\.gz|zip|tar|gz|tgz|bz2|xz|7z|png|jpe?g|gif|svg|webp"
    r"|ico|pdf|mp3|mp4|wav|flac|ttf|woff2?|ipynb|min\.js|min\.css|map|lock|snap)$"
    r"|_pb2(?:_grpc)?\.pyi?$",
    re.IGNORECASE,
)
_BOT_NAMES = frozenset({"dependabot", "renovate", "github-actions", "pre-commit-ci", "web-flow", "actions-user"})
_MERGE = re.compile(r"Merge (?:pull request|branch|remote-tracking branch|tag) ")


def code_repo(answer: Any) -> CodeRepo:
    """A repository's record."""
    repo = mapping(answer)
    return CodeRepo(
        full_name=text(repo.get("full_name")) or "",
        owner_is_organisation=mapping(repo.get("owner")).get("type") == "Organization" or "organization" in repo,
        default_branch=text(repo.get("default_branch")) or "main",
        stars=count(repo.get("stargazers_count")),
        forks=count(repo.get("forks_count")),
        archived=repo.get("archived") is True,
        is_fork=repo.get("fork") is True,
        license_spdx=_spdx(repo),
        created_at=moment(repo.get("created_at")),
        pushed_at=moment(repo.get("pushed_at")),
        description=text(repo.get("description")) or "",
    )


def repo_as_dataset(answer: Any, code: CodeRepo) -> DatasetRecord:
    """A repository's record, read as that of a dataset; GitHub counts no downloads."""
    repo = mapping(answer)
    return DatasetRecord(
        id=code.full_name,
        author=code.full_name.partition("/")[0],
        sha=None,
        last_modified=code.pushed_at,
        downloads=0,
        likes=code.stars,
        tags=texts(repo.get("topics")),
        gated=False,
        licenses=(code.license_spdx,) if code.license_spdx else (),
        description=code.description,
    )


def contributors(answer: Any) -> tuple[Contributor, ...]:
    """The contributor list, most active first."""
    return tuple(
        Contributor(login, count(one.get("contributions")), is_bot(login, one.get("type")))
        for one in objects(answer)
        if (login := text(one.get("login")) or text(one.get("name")))
    )


def commits(answer: Any) -> tuple[CodeCommit, ...]:
    """A page of commits, newest first."""
    return tuple(_commit(one) for one in objects(answer) if text(one.get("sha")))


def tree(answer: Any, folder: str) -> tuple[RepoFile, ...]:
    """The files of a recursive tree under `folder`, with paths from there."""
    prefix = f"{folder}/" if folder else ""
    return tuple(
        RepoFile(clean(path.removeprefix(prefix)), count(one.get("size")), git_sha1=_sha1(one.get("sha")))
        for one in objects(mapping(answer).get("tree"))
        if one.get("type") == "blob" and (path := one.get("path") or "").startswith(prefix)
    )


def merged_pull(answer: Any) -> tuple[int, str] | None:
    """Number and author of the first merged pull request of a list, None when there is none."""
    for pull in objects(answer):
        if pull.get("merged_at") and count(pull.get("number")):
            return count(pull.get("number")), text(mapping(pull.get("user")).get("login")) or ""
    return None


def reviewers(answer: Any, authors: Iterable[str]) -> tuple[str, ...]:
    """Logins of people who submitted a review and are none of `authors`."""
    own = {author.lower() for author in authors}
    found = (
        (text(user.get("login")), user.get("type"))
        for review in objects(answer)
        if review.get("state") != "PENDING" and (user := mapping(review.get("user")))
    )
    return tuple(
        dict.fromkeys(login for login, kind in found if login and login.lower() not in own and not is_bot(login, kind))
    )


def added_lines(answer: Any) -> int:
    """Lines that a commit added to code; all it added where its file list is not there."""
    commit = mapping(answer)
    changed = objects(commit.get("files"))
    if not changed:
        return count(mapping(commit.get("stats")).get("additions"))
    return sum(count(one.get("additions")) for one in changed if not _NOT_CODE.search(one.get("filename") or ""))


def is_bot(name: str, kind: Any = None) -> bool:
    """Whether an account is a program's, by GitHub's word or by its name."""
    return kind == "Bot" or name.endswith("[bot]") or name.lower() in _BOT_NAMES


def _commit(one: Mapping[str, Any]) -> CodeCommit:
    commit, account = mapping(one.get("commit")), mapping(one.get("author"))
    signed = mapping(commit.get("author"))
    author = text(account.get("login")) or text(signed.get("name")) or "unknown"
    title = (text(commit.get("message")) or "").partition("\n")[0]
    return CodeCommit(
        sha=text(one.get("sha")) or "",
        author=author,
        date=moment(signed.get("date")) or moment(mapping(commit.get("committer")).get("date")),
        is_bot=is_bot(author, account.get("type")),
        is_merge=len(objects(one.get("parents"))) > 1 or bool(_MERGE.match(title)),
        title=title,
    )


def _spdx(repo: Mapping[str, Any]) -> str | None:
    """GitHub's SPDX identifier; `NOASSERTION` is its word for a licence it cannot name."""
    found = text(mapping(repo.get("license")).get("spdx_id"))
    return None if found in {None, "NOASSERTION"} else found


def _sha1(value: Any) -> str | None:
    found = text(value) or ""
    return found if re.fullmatch(r"[0-9a-f]{40}", found) else None
