"""How long a registration takes, counted in round trips to its sources rather than in seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.tests.live import Registry
from demo.hub import DemoHub
from demo.items import Organisation, dataset, model, repository

DELAY_S = 0.1
WAVES_ALLOWED = 7
"""Fewer than eight of those delays."""

CARD = """---
license: apache-2.0
datasets: [acme/corpus]
base_model: acme/parent
---
# Child

## Code
Trained with https://github.com/acme/child-training.
"""


@pytest.fixture
def slow_hub() -> Iterator[DemoHub]:
    organisation = Organisation.of(
        model("acme/child", readme=CARD, files={"config.json": "{}"}),
        model("acme/parent", readme="---\nlicense: mit\n---\n# Parent\n", files={"config.json": "{}"}),
        dataset("acme/corpus", readme="---\nlicense: mit\n---\n# Corpus\n", files={"a.csv": "a,b\n1,2\n"}),
        repository("acme/child-training", license="Apache-2.0", files={"train.py": "print('train')\n"}),
    )
    with DemoHub(organisation, latency_s=DELAY_S) as hub:
        yield hub


def test_a_model_with_code_data_and_a_parent_is_rated_in_few_waves_of_requests(
    slow_hub: DemoHub, tmp_path: Path
) -> None:
    hubs = {"HF_ENDPOINT": slow_hub.url, "GITHUB_API_URL": slow_hub.github_url}
    with Registry(tmp_path, MIRROR="none", **hubs) as registry:
        slow_hub.clear()
        answer = registry.client.post("/artifact/model", json={"url": "https://huggingface.co/acme/child"})
        asked, waves = len(slow_hub.requests), slow_hub.waves()

    assert answer.status_code == 201, answer.text
    assert {"/api/models/acme/child", "/api/models/acme/parent", "/api/datasets/acme/corpus"} <= {
        seen.path for seen in slow_hub.requests
    }
    assert waves <= WAVES_ALLOWED < asked, f"{asked} requests in {waves} waves"
