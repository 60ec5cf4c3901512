"""SIGKILL at every step of an ingest: nothing half there, nothing acknowledged lost, nothing written twice."""

import hashlib
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backend.services.crash import STEPS
from backend.tests.live import PATIENCE_S, Registry, until
from demo.hub import DemoHub
from demo.items import Organisation, dataset, model

KILLS_A_STEP = 12
RANDOM_KILLS = 12
"""Together 108 kills: eight steps twelve times, and twelve at moments that nobody chose."""
DRAINED_WITHIN_S = 10.0
LEASE_S = "0.6"

CARD = """---
license: mit
datasets: [acme/corpus]
---
# Victim

Trained on [corpus](https://huggingface.co/datasets/acme/corpus). Accuracy 0.91.
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    models = [
        model(f"acme/victim-{number}", readme=CARD,
              files={"config.json": "{}", "notes.txt": f"victim {number}\n" * 500})
        for number in range(KILLS_A_STEP + RANDOM_KILLS)
    ]  # fmt: skip
    corpus = dataset("acme/corpus", readme="---\nlicense: mit\n---\n# Corpus\n", files={"a.csv": "a,b\n1,2\n"})
    with DemoHub(Organisation.of(*models, corpus)) as started:
        yield started


class Bench:
    """One data folder, and the servers that live and die on it."""

    def __init__(self, folder: Path, hub: DemoHub) -> None:
        self._folder = folder
        self._hub = hub
        self.acknowledged: set[str] = set()

    def start(self, crash_point: str = "") -> Registry:
        crash = {"CRASH_POINT": crash_point} if crash_point else {}
        hubs = {"HF_ENDPOINT": self._hub.url, "GITHUB_API_URL": self._hub.github_url}
        return Registry(self._folder, LEASE_SECONDS=LEASE_S, **hubs, **crash)

    def register(self, server: Registry, name: str) -> None:
        """Register a victim; the server may die under it, and then there is no answer."""
        body = {"name": name, "url": f"https://huggingface.co/acme/{name}"}
        try:
            answer = server.client.post("/artifact/model", json=body)
        except httpx2.TransportError:
            return
        assert answer.status_code == 201, answer.text
        self.acknowledged.add(name)

    def check(self, server: Registry, name: str, *, must_be_there: bool) -> None:
        """Everything of the victim is there once, or nothing of it is."""
        until(lambda: not unfinished_jobs(server), "the jobs to drain", patience_s=DRAINED_WITHIN_S)
        found = server.client.get(f"/artifact/byName/{name}")
        if found.status_code == 404 and not must_be_there and name not in self.acknowledged:
            return
        assert found.status_code == 200, f"{name} is lost: {found.text}"
        (only,) = found.json()
        artifact = f"/artifact/model/{only['id']}"
        assert server.client.get(f"/artifacts/model/{only['id']}").status_code == 200
        assert server.client.get(f"{artifact}/rate").status_code == 200, "half registered: no rating"
        actions = [entry["action"] for entry in server.client.get(f"{artifact}/audit").json()]
        assert actions.count("CREATE") == 1, f"audit says {actions}"
        files = server.client.get(f"{artifact}/files").json()
        assert len(files) == 3
        for file in files:
            assert file["held"], f"{file['path']} was not copied after the restart"
            content = server.client.get(f"{artifact}/files/{file['path']}").content
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
        server.client.delete(f"/artifacts/model/{only['id']}").raise_for_status()


def unfinished_jobs(server: Registry) -> list[dict[str, Any]]:
    """Jobs that are not at an end."""
    states = {"state": ["queued", "running"], "limit": 1000}
    return list(server.client.get("/ingest/jobs", params=states).raise_for_status().json())


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_halves_nothing(step: str, hub: DemoHub, tmp_path: Path) -> None:
    bench = Bench(tmp_path, hub)
    previous = ""
    for number in range(KILLS_A_STEP):
        victim = f"victim-{number}"
        server = bench.start(f"{step}@{victim}")
        if previous:
            bench.check(server, previous, must_be_there=True)
        bench.register(server, victim)
        assert server.process.wait(PATIENCE_S) == -signal.SIGKILL, server.log
        server.stop()
        previous = victim
    server = bench.start()
    bench.check(server, previous, must_be_there=True)
    server.stop()


def test_a_kill_at_a_moment_nobody_chose_loses_and_halves_nothing(hub: DemoHub, tmp_path: Path) -> None:
    bench = Bench(tmp_path, hub)
    moments = random.Random(20260101)
    previous = ""
    for number in range(RANDOM_KILLS):
        victim = f"victim-{KILLS_A_STEP + number}"
        server = bench.start()
        if previous:
            bench.check(server, previous, must_be_there=False)
        caller = threading.Thread(target=bench.register, args=(server, victim))
        caller.start()
        time.sleep(moments.uniform(0.0, 0.25))
        server.kill()
        caller.join()
        previous = victim
    server = bench.start()
    bench.check(server, previous, must_be_there=False)
    server.stop()
