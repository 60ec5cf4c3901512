"""Static analyses that many models share: one commit's sources are fetched and analysed once."""

import asyncio
from collections import Counter, OrderedDict

from backend.domain.source import Source
from backend.sources.github import GitHub
from backend.sources.static_analysis import MAX_ARCHIVE_BYTES, analyse
from metrics.evidence import CodeAnalysis

_KEPT = 1_000

_Place = tuple[str, str]


class Analyses:
    """Figures of repositories by commit.

    Those who ask while an analysis is under way wait for it; it is given up when the last of them is cancelled. What
    came of it is kept for as long as it is among the last thousand asked for, since a commit never changes; a failure
    is not kept.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Place, CodeAnalysis] = OrderedDict()
        self._under_way: dict[_Place, asyncio.Task[CodeAnalysis]] = {}
        self._waiting: Counter[_Place] = Counter()

    async def of(self, github: GitHub, source: Source, commit: str) -> CodeAnalysis:
        """Analyse the Python sources of a commit.

        Raises:
            AnalyserMissing: there is no linter here.
            NotFound, UpstreamRefused, UpstreamFailed: the sources cannot be had or analysed.
        """
        place = (source.key, commit)
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        if place not in self._under_way:
            self._under_way[place] = asyncio.create_task(self._analysed(github, source, commit))
        found = await self._join(place, self._under_way[place])
        self._keep(place, found)
        return found

    async def _join(self, place: _Place, task: asyncio.Task[CodeAnalysis]) -> CodeAnalysis:
        self._waiting[place] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place], self._under_way[place]
                task.cancel()

    def _keep(self, place: _Place, found: CodeAnalysis) -> None:
        self._kept[place] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _analysed(self, github: GitHub, source: Source, commit: str) -> CodeAnalysis:
        async with github.archive(source, commit, MAX_ARCHIVE_BYTES) as archive:
            return await analyse(archive)
