"""Reads code repositories, and datasets kept in them, from GitHub's REST API."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import IO, Any
from urllib.parse import quote, urlencode

import anyio.to_thread

from backend.domain.artifact import FileEntry
from backend.domain.errors import NotFound, UpstreamFailed
from backend.domain.source import DEFAULT_BRANCHES, Source
from backend.sources import github_records
from backend.sources.archive import Archive, spool, temporary_file
from backend.sources.base import OpenedFile, OpenedFiles
from backend.sources.http import Upstream
from backend.sources.loose import clean, mapping
from metrics.evidence import CodeCommit, CodeRepo, Contributor, DatasetRecord, RepoFile

JSON = "application/vnd.github+json"
RAW = "application/vnd.github.raw+json"
PAGE = 100
_FULL_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_TEXT_BYTES = 2_000_000
_ARCHIVE_BYTES = 2_000_000_000
_CHUNK_BYTES = 256 * 1024
_EMPTY_REPOSITORY = 409
_LARGE_BYTES = 500_000
"""Parsing more than this would hold up the event loop for milliseconds."""


@dataclass(frozen=True, slots=True)
class GitHubRepo:
    """A repository's record, also read as that of a dataset; `source` has the name that GitHub uses now."""

    source: Source
    record: CodeRepo
    as_dataset: DatasetRecord


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a source's folder; `truncated` when GitHub left some out."""

    files: tuple[RepoFile, ...]
    truncated: bool


class GitHub:
    """GitHub's REST API, read only.

    Every method raises `NotFound` for what does not exist, `UpstreamRefused` for what is private, and `UpstreamFailed`
    for the rest. A repository that was renamed is followed.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    @property
    def review_sample(self) -> int:
        """How many of the newest commits are looked into for reviews; each costs three requests of an hourly limit."""
        return 30 if self._upstream.has_github_token else 10

    async def repository(self, source: Source) -> GitHubRepo:
        """The repository's record."""
        answer = await self.json(self.repo_url(source))
        record = github_records.code_repo(answer)
        if not _FULL_NAME.fullmatch(record.full_name):
            raise UpstreamFailed(f"GitHub's record of {source.repo} makes no sense")
        return GitHubRepo(
            replace(source, repo=record.full_name), record, github_records.repo_as_dataset(answer, record)
        )

    async def license(self, source: Source) -> str | None:
        """The repository's SPDX licence as GitHub recognised it, None where there is none it can name."""
        return (await self.repository(source)).record.license_spdx

    async def contributors(self, source: Source) -> tuple[Contributor, ...]:
        """The most active contributors, up to a page of them."""
        return github_records.contributors(await self.json(self.contributors_url(source)))

    async def commits(self, source: Source) -> tuple[CodeCommit, ...]:
        """The newest commits, up to a page; for a sub-folder, those that touch it; none in an empty repository."""
        try:
            return github_records.commits(await self.json(self.commits_url(source)))
        except UpstreamFailed as error:
            if error.status == _EMPTY_REPOSITORY:
                return ()
            raise

    async def tree(self, source: Source) -> Tree:
        """All files, or those of the sub-folder; none in an empty repository."""
        try:
            answer = mapping(await self.json(self.tree_url(source)))
        except UpstreamFailed as error:
            if error.status == _EMPTY_REPOSITORY:
                return Tree((), truncated=False)
            raise
        return Tree(github_records.tree(answer, source.path), truncated=answer.get("truncated") is True)

    async def readme(self, source: Source) -> str:
        """The README of the sub-folder, else of the repository."""
        try:
            return await self._readme(source)
        except NotFound:
            if not source.path:
                raise
            return await self._readme(replace(source, path=""))

    @asynccontextmanager
    async def archive(self, source: Source, commit: str, max_bytes: int = _ARCHIVE_BYTES) -> AsyncIterator[Archive]:
        """The tarball of a commit, spooled to a temporary file.

        Raises:
            OverCap: it is larger than `max_bytes`.
        """
        url = f"{self.repo_url(source)}/tarball/{quote(commit, safe='')}"
        with temporary_file() as file:
            async with self._upstream.stream(url) as download:
                size = await spool(download, file, max_bytes)
            yield Archive(file, size, source.path)

    @asynccontextmanager
    async def open_files(self, source: Source, commit: str, files: Sequence[FileEntry]) -> AsyncIterator[OpenedFiles]:
        """See `FileSource.open_files`; in the order of the repository's tarball, which is fetched once."""
        async with self.archive(source, commit) as archive:
            opened = _members(archive, source, files)
            try:
                yield opened
            finally:
                await opened.aclose()

    @asynccontextmanager
    async def open_file(
        self, source: Source, commit: str, entry: FileEntry, start: int = 0
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `FileSource.open_file`."""
        path = quote(f"{source.path}/{entry.path}" if source.path else entry.path)
        url = f"{self.repo_url(source)}/contents/{path}?{urlencode({'ref': commit})}"
        async with self._upstream.stream(url, start=start, accept=RAW) as download:
            yield aiter(download)

    async def json(self, url: str) -> Any:
        """The JSON under a URL of the API; None for an answer without a body, which an empty repository gives."""
        answer = await self._upstream.get(url, accept=JSON)
        if not answer.body:
            return None
        large = len(answer.body) > _LARGE_BYTES
        return await anyio.to_thread.run_sync(answer.json) if large else answer.json()

    def page_url(self, source: Source) -> str:
        """The page a person would look at."""
        return f"https://github.com/{source.repo}"

    def repo_url(self, source: Source) -> str:
        """Where the record comes from."""
        return f"{self._upstream.github_api_url}/repos/{source.repo}"

    def contributors_url(self, source: Source) -> str:
        """Where the contributors come from."""
        return f"{self.repo_url(source)}/contributors?per_page={PAGE}"

    def commits_url(self, source: Source) -> str:
        """Where the commits come from."""
        asked = {"per_page": str(PAGE), "sha": _revision(source), "path": source.path}
        return f"{self.repo_url(source)}/commits?{urlencode({k: v for k, v in asked.items() if v})}"

    def tree_url(self, source: Source) -> str:
        """Where the file list comes from."""
        return f"{self.repo_url(source)}/git/trees/{quote(_revision(source) or 'HEAD', safe='')}?recursive=1"

    def readme_url(self, source: Source) -> str:
        """Where the README comes from."""
        revision = _revision(source)
        folder = f"/{quote(source.path)}" if source.path else ""
        return f"{self.repo_url(source)}/readme{folder}" + (f"?{urlencode({'ref': revision})}" if revision else "")

    async def _readme(self, source: Source) -> str:
        answer = await self._upstream.get(self.readme_url(source), accept=RAW, max_bytes=_TEXT_BYTES)
        return clean(answer.text())


def _revision(source: Source) -> str | None:
    """The revision to ask for; a default branch's name means whatever the repository's own default is."""
    return None if source.revision in DEFAULT_BRANCHES else source.revision


async def _members(archive: Archive, source: Source, files: Sequence[FileEntry]) -> AsyncGenerator[OpenedFile, None]:
    wanted = {entry.path: entry for entry in files}
    with closing(archive.members()) as members:
        while wanted:
            found = await anyio.to_thread.run_sync(next, members, None)
            if found is None:
                missing = ", ".join(sorted(wanted)[:5])
                raise NotFound(f"{missing} is not in the archive of {source.repo}")
            path, size, content = found
            entry = wanted.pop(path, None)
            if entry is not None:
                yield OpenedFile(entry, size, _read(content))


async def _read(content: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await anyio.to_thread.run_sync(content.read, _CHUNK_BYTES):
        yield chunk
