"""Gathers what the hub says of one model: record, card, files, configuration and commits, in one wave."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.domain.source import Source
from backend.services.evidence.facts import attempt, part
from backend.sources.budget import branch
from backend.sources.cards import split_card
from backend.sources.huggingface import HubModel, HuggingFace
from metrics.evidence import Fact, HubCommit, Missing

_ADAPTER = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model as the hub describes it; `readme` is the card with its YAML head, `card` without."""

    model: HubModel
    record_url: str
    readme: Fact[str]
    card: Fact[str]
    config: Fact[Mapping[str, Any]]
    commits: Fact[tuple[HubCommit, ...]]


_Texts = tuple[Fact[str], Fact[Mapping[str, Any]], Fact[tuple[HubCommit, ...]]]


async def read_model(hub: HuggingFace, source: Source, at: datetime) -> ModelFacts:
    """Read a model.

    An id with an owner is asked for everything at once; a bare one redirects, so its record comes first and the rest
    is asked under the id it has now.

    Raises:
        NotFound, UpstreamRefused, UpstreamFailed: its record cannot be had; what else is missing becomes a fact.
    """
    if "/" in source.repo:
        model, texts = await asyncio.gather(branch(hub.model(source)), branch(_texts(hub, source, at)))
    else:
        model = await hub.model(source)
        texts = await _texts(hub, model.source, at)
    readme, config, commits = texts
    if config.missing is Missing.NOT_STATED and any(file.path == _ADAPTER for file in model.files):
        config = await _config(hub, model.source, _ADAPTER, at)
    card = part(readme, lambda text: split_card(text)[1])
    return ModelFacts(model, hub.record_url(model.source), readme, card, config, commits)


async def _texts(hub: HuggingFace, source: Source, at: datetime) -> _Texts:
    readme_url = hub.file_url(source, "README.md")
    readme, config, commits = await asyncio.gather(
        attempt(hub.readme(source), readme_url, at, absent=Missing.NOT_STATED),
        _config(hub, source, "config.json", at),
        attempt(hub.commits(source), hub.commits_url(source), at),
    )
    return readme, config, commits


async def _config(hub: HuggingFace, source: Source, name: str, at: datetime) -> Fact[Mapping[str, Any]]:
    return await attempt(hub.config(source, name), hub.file_url(source, name), at, absent=Missing.NOT_STATED)
