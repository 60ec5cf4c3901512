"""One registry in memory and one stand-in for the hubs, shared by the API tests and emptied before each."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from backend.api.tests.organisation import ORGANISATION
from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub


@pytest.fixture(scope="session")
def shared_hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: DemoHub) -> DemoHub:
    shared_hub.clear()
    return shared_hub


@pytest.fixture(scope="session")
def shared_registry(shared_hub: DemoHub) -> Iterator[Live]:
    with live_registry(settings_for(shared_hub)) as live:
        yield live


@pytest.fixture
def registry(shared_registry: Live, shared_hub: DemoHub) -> Live:
    """An empty registry that runs open."""
    shared_registry.settle()
    shared_hub.clear()
    return shared_registry


@pytest.fixture
def client(registry: Live) -> httpx2.Client:
    return registry.client


@pytest.fixture
def take_in(client: httpx2.Client) -> Any:
    """Register a URL that must be taken in; gives the artifact's id."""

    def register(url: str, kind: str = "model", **more: Any) -> str:
        answer = client.post(f"/artifact/{kind}", json={"url": url, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["metadata"]["id"])

    return register
