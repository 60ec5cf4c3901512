"""Reads models and datasets from the Hugging Face hub."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backend.domain.artifact import FileEntry
from backend.domain.errors import NotFound, UpstreamFailed
from backend.domain.source import DEFAULT_BRANCHES, ArtifactType, Source
from backend.sources import hub_records
from backend.sources.base import OpenedFile, OpenedFiles
from backend.sources.http import Upstream
from backend.sources.hub_client import HubClient
from backend.sources.loose import clean
from metrics.evidence import DatasetRecord, HubCommit, ModelRecord, RepoFile

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?", re.ASCII)
_TEXT_BYTES = 2_000_000
_CONFIG_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model's record and files; `source` has the id that the hub uses now."""

    source: Source
    record: ModelRecord
    files: tuple[RepoFile, ...]


@dataclass(frozen=True, slots=True)
class HubDataset:
    """A dataset's record and files; `source` has the id that the hub uses now."""

    source: Source
    record: DatasetRecord
    files: tuple[RepoFile, ...]


class HuggingFace:
    """The hub's API, read only.

    Every method raises `NotFound` for what does not exist, `UpstreamRefused` for what is gated or private, and
    `UpstreamFailed` for the rest. An id that moved is followed.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._hub = HubClient(upstream)

    async def model(self, source: Source) -> HubModel:
        """A model's record with its file list."""

        def ask(api: "HfApi") -> HubModel:
            info = api.model_info(source.repo, revision=_revision(source), files_metadata=True)
            moved = replace(source, repo=_checked(info.id))
            return HubModel(moved, hub_records.model_record(info), hub_records.files(info.siblings, source.path))

        return await self._hub.call(ask)

    async def dataset(self, source: Source) -> HubDataset:
        """A dataset's record with its file list."""

        def ask(api: "HfApi") -> HubDataset:
            info = api.dataset_info(source.repo, revision=_revision(source), files_metadata=True)
            moved = replace(source, repo=_checked(info.id))
            return HubDataset(moved, hub_records.dataset_record(info), hub_records.files(info.siblings, source.path))

        return await self._hub.call(ask)

    async def readme(self, source: Source) -> str:
        """The card as it is written, YAML head included; that of the sub-folder, else of the repository."""
        try:
            return await self._readme(source)
        except NotFound:
            if not source.path:
                raise
            return await self._readme(replace(source, path=""))

    async def _readme(self, source: Source) -> str:
        answer = await self._upstream.get(self.file_url(source, "README.md"), accept="*/*", max_bytes=_TEXT_BYTES)
        return clean(answer.text())

    async def config(self, source: Source, name: str = "config.json") -> Mapping[str, Any]:
        """A configuration file as the object it holds."""
        url = self.file_url(source, name)
        held = (await self._upstream.get(url, accept="*/*", max_bytes=_CONFIG_BYTES)).json()
        if not isinstance(held, dict):
            raise UpstreamFailed(f"{name} of {source.repo} is not a JSON object")
        return held

    async def commits(self, source: Source) -> tuple[HubCommit, ...]:
        """The newest commits, one page of them."""
        return hub_records.hub_commits((await self._upstream.get(self.commits_url(source))).json())

    @asynccontextmanager
    async def open_files(self, source: Source, commit: str, files: Sequence[FileEntry]) -> AsyncIterator[OpenedFiles]:
        """See `FileSource.open_files`; each file is a download of its own."""
        opened = self._each(source, commit, files)
        try:
            yield opened
        finally:
            await opened.aclose()

    @asynccontextmanager
    async def open_file(
        self, source: Source, commit: str, entry: FileEntry, start: int = 0
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `FileSource.open_file`."""
        async with self._upstream.stream(self.file_url(source, entry.path, commit), start=start) as download:
            yield aiter(download)

    async def _each(self, source: Source, commit: str, files: Sequence[FileEntry]) -> AsyncGenerator[OpenedFile, None]:
        for entry in files:
            try:
                async with self._upstream.stream(self.file_url(source, entry.path, commit)) as download:
                    size = entry.size_bytes if download.size_bytes is None else download.size_bytes
                    yield OpenedFile(entry, size, aiter(download))
            except NotFound:
                raise NotFound(f"{entry.path} is no longer in {source.repo} at {commit}") from None

    def page_url(self, source: Source) -> str:
        """The page a person would look at."""
        return f"{self._upstream.hf_endpoint}{_prefix(source)}/{source.repo}"

    def record_url(self, source: Source) -> str:
        """Where the record comes from."""
        return f"{self._upstream.hf_endpoint}/api/{source.space}s/{source.repo}"

    def commits_url(self, source: Source) -> str:
        """Where the commits come from."""
        return f"{self.record_url(source)}/commits/{quote(_revision(source) or 'main', safe='')}"

    def file_url(self, source: Source, path: str, commit: str | None = None) -> str:
        """Where a file's bytes come from, `path` counted from the source's folder."""
        revision = quote(commit or _revision(source) or "main", safe="")
        whole = quote(f"{source.path}/{path}" if source.path else path)
        return f"{self.page_url(source)}/resolve/{revision}/{whole}"


def _checked(repo_id: str) -> str:
    """The id a record states, which further requests are made of.

    Raises:
        ValueError: it is none.
    """
    if not _ID.fullmatch(repo_id) or ".." in repo_id:
        raise ValueError(repo_id)
    return repo_id


def _revision(source: Source) -> str | None:
    """The revision to ask for; a default branch's name means whatever the repository's own default is."""
    return None if source.revision in DEFAULT_BRANCHES else source.revision


def _prefix(source: Source) -> str:
    return "/datasets" if source.space is ArtifactType.DATASET else ""
