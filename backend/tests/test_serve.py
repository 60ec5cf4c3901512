"""`python -m backend.serve` as an operator meets it: a process, its address, its refusals, its end."""

import signal
import socket
from pathlib import Path

import httpx2
import pytest

from backend.tests.live import Registry

KAGGLE = "https://www.kaggle.com/datasets/acme/birds"


def _take_in(registry: Registry) -> str:
    answer = registry.client.post("/artifact/dataset", json={"url": KAGGLE})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["metadata"]["id"])


def test_it_says_where_it_listens_and_ends_when_asked(tmp_path: Path) -> None:
    with Registry(tmp_path) as registry:
        assert registry.client.get("/health").json()["status"] == "ok"

        registry.stop()

        assert registry.process.returncode in {0, -signal.SIGTERM}
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{registry.base}/health")


@pytest.mark.parametrize("end", [Registry.kill, Registry.stop], ids=["power cut", "asked to end"])
def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path, end: object) -> None:
    with Registry(tmp_path) as first:
        artifact_id = _take_in(first)
        end(first)  # type: ignore[operator]

    with Registry(tmp_path) as second:
        assert second.client.get(f"/artifacts/dataset/{artifact_id}").json()["data"]["url"] == KAGGLE
        assert second.client.post("/artifact/dataset", json={"url": KAGGLE}).status_code == 409


def test_a_process_on_loopback_runs_open(tmp_path: Path) -> None:
    with Registry(tmp_path, METADATA_URL="memory://") as registry:
        assert registry.client.get("/artifacts/model").json() == []
        assert registry.client.put("/authenticate", json={}).status_code == 400


def test_base_url_is_what_links_begin_with(tmp_path: Path) -> None:
    with Registry(tmp_path, METADATA_URL="memory://", BASE_URL="https://registry.example/api/") as registry:
        made = registry.client.post("/artifact/dataset", json={"url": KAGGLE})

    artifact_id = made.json()["metadata"]["id"]
    expected = f"https://registry.example/api/artifact/dataset/{artifact_id}/download"
    assert made.json()["data"]["download_url"] == expected


SECRETS = {"ADMIN_PASSWORD": "a-password-nobody-guesses", "HF_TOKEN": "hf_secretsecret"}


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"HOST": "0.0.0.0", **SECRETS}, "set JWT_SECRET"),  # noqa: S104 - it is refused before anything is bound
        ({"AUTH": "required"}, "set ADMIN_PASSWORD"),
        ({"METADATA_URL": "mongodb://x"}, "names no metadata store"),
        ({"BLOB_URL": "ftp://x"}, "names no blob store"),
        ({"CRASH_POINT": "nowhere"}, "is no step"),
        ({"GATE": "most"}, "GATE: Input should be 'off', 'net' or 'all'"),
    ],
    ids=["no key", "no password", "unknown store", "unknown blob store", "unknown step", "unknown gate"],
)
def test_settings_it_cannot_run_with_end_it_with_a_sentence_and_no_secret(
    tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(AssertionError, match=r"did not start \(2\)") as refused:
        Registry(tmp_path, **environment)

    said = str(refused.value)
    assert "the registry does not start: " in said
    assert reason in said
    assert "Traceback" not in said
    assert [secret for secret in SECRETS.values() if secret in said] == []


def test_a_port_that_is_taken_ends_it_with_a_sentence_and_opens_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(AssertionError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            Registry(tmp_path, PORT=str(port))

    assert [path.name for path in tmp_path.iterdir()] == ["registry.log"]
