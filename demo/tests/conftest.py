"""The demo's own organisation, served once for all its tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, constants

from demo.hub import DemoHub


@pytest.fixture(scope="session")
def shared_hub() -> Iterator[DemoHub]:
    with DemoHub() as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: DemoHub) -> DemoHub:
    shared_hub.clear()
    return shared_hub


@pytest.fixture
def client(hub: DemoHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, follow_redirects=True, timeout=20) as client:
        yield client


@pytest.fixture
def api(hub: DemoHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """The hub's own client, with a cache that is empty and nobody else's."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return HfApi(endpoint=hub.url, token=False)
