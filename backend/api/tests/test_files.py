import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from backend.api.tests.organisation import GRANDCHILD, ORGANISATION, TINY, TOOLS, WORDS
from backend.api.tests.problems import problem_of
from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub

WEIGHTS = "model.safetensors"


def _hub_files(kind: str, name: str) -> dict[str, bytes]:
    items = {"model": ORGANISATION.models, "dataset": ORGANISATION.datasets, "code": ORGANISATION.repositories}
    return {path: content.read() for path, content in items[kind][name].files.items()}


def _unzip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {each.filename: archive.read(each) for each in archive.infolist()}


@pytest.fixture(scope="module")
def streaming(shared_hub: DemoHub) -> Iterator[Live]:
    """A registry that copies nothing."""
    with live_registry(settings_for(shared_hub, mirror="none")) as live:
        yield live


@pytest.fixture(params=["mirrored", "streamed through"])
def served(request: pytest.FixtureRequest, registry: Live, streaming: Live) -> Live:
    if request.param == "mirrored":
        return registry
    streaming.settle()
    return streaming


def _take_in(live: Live, url: str, kind: str = "model") -> str:
    answer = live.client.post(f"/artifact/{kind}", json={"url": url})
    assert answer.status_code == 201, answer.text
    live.idle()
    return str(answer.json()["metadata"]["id"])


def _file(artifact_id: str, path: str = WEIGHTS) -> str:
    return f"/artifact/model/{artifact_id}/files/{quote(path)}"


PLACES = [("model", TINY, "acme/tiny"), ("dataset", WORDS, "acme/words"), ("code", TOOLS, "acme/tools")]


@pytest.mark.parametrize(("kind", "url", "name"), PLACES)
def test_a_download_holds_the_hubs_files_byte_for_byte(served: Live, kind: str, url: str, name: str) -> None:
    artifact_id = _take_in(served, url, kind)

    answer = served.client.get(f"/artifact/{kind}/{artifact_id}/download")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert f"{name.split('/')[1]}.zip" in answer.headers["content-disposition"]
    if kind != "code" or "content-length" in answer.headers:
        assert int(answer.headers["content-length"]) == len(answer.content)
    assert _unzip(answer.content) == _hub_files(kind, name)


@pytest.mark.parametrize(("kind", "url", "name"), PLACES)
def test_files_are_listed_with_sizes_and_whether_they_are_held(served: Live, kind: str, url: str, name: str) -> None:
    artifact_id = _take_in(served, url, kind)
    expected = _hub_files(kind, name)

    listed = served.client.get(f"/artifact/{kind}/{artifact_id}/files").json()

    assert {each["path"]: each["size_bytes"] for each in listed} == {path: len(data) for path, data in expected.items()}
    for each in listed:
        if each["held"]:
            assert each["sha256"] == hashlib.sha256(expected[each["path"]]).hexdigest()
            assert each["verified"] is True
        else:
            assert (each["sha256"], each["verified"]) == (None, None)


@pytest.mark.parametrize("path", ["README.md", "empty.txt", "größe/模型 card.txt", WEIGHTS])
def test_a_single_file_is_the_hubs(served: Live, path: str) -> None:
    artifact_id = _take_in(served, TINY)

    answer = served.client.get(_file(artifact_id, path))

    assert answer.status_code == 200
    assert answer.content == _hub_files("model", "acme/tiny")[path]
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert quote(path.rsplit("/", 1)[-1], safe="") in answer.headers["content-disposition"]


RANGES = [
    ("0-0", 0, 1),
    ("100-199", 100, 200),
    ("29990-", 29_990, 30_000),
    ("-5", 29_995, 30_000),
    ("0-99999", 0, 30_000),
]


@pytest.mark.parametrize(("header", "start", "stop"), RANGES)
def test_a_range_of_a_file_is_206_with_those_bytes(served: Live, header: str, start: int, stop: int) -> None:
    artifact_id = _take_in(served, TINY)

    answer = served.client.get(_file(artifact_id), headers={"Range": f"bytes={header}"})

    assert answer.status_code == 206
    assert answer.content == _hub_files("model", "acme/tiny")[WEIGHTS][start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/30000"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("header", ["lines=1-2", "bytes=5-2", "bytes=0-1,3-4", "bytes=x", "bytes=-", "nonsense"])
def test_a_range_that_is_not_understood_gives_the_whole(served: Live, header: str) -> None:
    artifact_id = _take_in(served, TINY)

    answer = served.client.get(_file(artifact_id), headers={"Range": header})

    assert answer.status_code == 200
    assert len(answer.content) == 30_000


@pytest.mark.parametrize(
    ("path", "header"), [(WEIGHTS, "bytes=30000-"), (WEIGHTS, "bytes=-0"), ("empty.txt", "bytes=0-")]
)
def test_a_range_outside_the_file_is_416_with_the_size(served: Live, path: str, header: str) -> None:
    artifact_id = _take_in(served, TINY)

    answer = served.client.get(_file(artifact_id, path), headers={"Range": header})

    problem_of(answer, 416)
    assert answer.headers["content-range"] == f"bytes */{len(_hub_files('model', 'acme/tiny')[path])}"


def test_head_tells_size_and_tag_without_the_bytes_and_without_asking_the_source(served: Live, hub: DemoHub) -> None:
    artifact_id = _take_in(served, TINY)
    hub.clear()

    answer = served.client.head(_file(artifact_id))

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "30000"
    assert answer.headers["etag"]
    assert hub.requests == []


@pytest.mark.parametrize("asked", ["{}", "W/{}", '"other", {}', "*"])
def test_a_file_that_the_client_has_is_304(served: Live, asked: str) -> None:
    artifact_id = _take_in(served, TINY)
    tag = served.client.head(_file(artifact_id)).headers["etag"]

    answer = served.client.get(_file(artifact_id), headers={"If-None-Match": asked.format(tag)})

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


def test_a_file_that_the_client_has_otherwise_is_sent(served: Live) -> None:
    artifact_id = _take_in(served, TINY)

    assert served.client.get(_file(artifact_id), headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_what_has_changed_since_gives_the_whole(served: Live) -> None:
    artifact_id = _take_in(served, TINY)
    tag = served.client.head(_file(artifact_id)).headers["etag"]

    same, changed = (
        served.client.get(_file(artifact_id), headers={"Range": "bytes=0-9", "If-Range": each})
        for each in (tag, '"old"')
    )

    assert (same.status_code, len(same.content)) == (206, 10)
    assert (changed.status_code, len(changed.content)) == (200, 30_000)


TRAVERSALS = [
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "README.md/",
    "readme.md",
    "%00",
    "README.md%00",
    "..\\..\\etc",
    "x" * 1_024,
    "%252e%252e%252f",
    "~",
    "con",
    "größe",
    "\u202e",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_a_path_that_is_not_a_listed_file_is_404(served: Live, path: str) -> None:
    artifact_id = _take_in(served, TINY)
    raw = served.client.build_request("GET", served.base)
    raw.url = raw.url.copy_with(raw_path=f"/artifact/model/{artifact_id}/files/{quote(path, safe='%/.')}".encode())

    problem_of(served.client.send(raw), 404)


def test_a_path_longer_than_any_is_400(client: httpx2.Client, take_in: Any) -> None:
    problem_of(client.get(_file(take_in(TINY), "x" * 1_025)), 400)


def test_what_is_held_is_served_while_the_source_is_away(registry: Live, hub: DemoHub) -> None:
    artifact_id = _take_in(registry, TINY)
    hub.clear()
    hub.fail(times=99, status=500)

    answer = registry.client.get(f"/artifact/model/{artifact_id}/download")

    assert _unzip(answer.content) == _hub_files("model", "acme/tiny")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"status": 500}, 502), ({"drop": True}, 502), ({"status": 429, "headers": {"Retry-After": "60"}}, 503)],
    ids=["500", "reset", "429"],
)
@pytest.mark.parametrize("what", ["download", f"files/{WEIGHTS}"])
def test_what_is_not_held_cannot_be_had_while_the_source_is_away(
    streaming: Live, hub: DemoHub, what: str, fault: dict[str, Any], status: int
) -> None:
    streaming.settle()
    artifact_id = _take_in(streaming, GRANDCHILD)
    hub.fail("/resolve/", times=99, **fault)

    problem_of(streaming.client.get(f"/artifact/model/{artifact_id}/{what}"), status)

    trail = streaming.client.get(f"/artifact/model/{artifact_id}/audit").json()
    assert [entry["action"] for entry in trail] == ["CREATE"]


def test_a_name_of_any_characters_makes_a_header_that_can_be_sent(client: httpx2.Client, take_in: Any) -> None:
    name = "größe \"模型\" 🤗 a/b;c='d' \\ %"
    artifact_id = take_in(WORDS, "dataset", name=name)

    answer = client.get(f"/artifact/dataset/{artifact_id}/download")

    assert answer.status_code == 200
    assert f"filename*=UTF-8''{quote(name + '.zip', safe='')}" in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].isascii()


def test_blobs_of_a_removed_artifact_are_swept_by_a_reset(registry: Live) -> None:
    artifact_id = _take_in(registry, TINY)
    registry.client.delete(f"/artifacts/model/{artifact_id}")

    registry.client.delete("/reset")

    assert registry.blobs() == []
