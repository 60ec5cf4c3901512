import threading
from typing import Any

import httpx2
import pytest

from backend.api.tests.organisation import (
    BARE,
    CHILD,
    KAGGLE,
    NOWHERE,
    TINY,
    TOOLS,
    WORDS,
)
from backend.api.tests.problems import problem_of
from backend.domain.ids import new_id
from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub

UNKNOWN = new_id()


def _envelope(artifact_id: str, name: str, url: str, kind: str = "model") -> dict[str, Any]:
    return {"metadata": {"id": artifact_id, "name": name, "type": kind}, "data": {"url": url}}


def _links(client: httpx2.Client, count: int, kind: str = "dataset") -> list[str]:
    """Register plain links, which cost nothing; their ids in order."""
    answers = [client.post(f"/artifact/{kind}", json={"url": f"https://example.org/{kind}/{n}"}) for n in range(count)]
    return [answer.json()["metadata"]["id"] for answer in answers]


# -- read, replace, remove ---------------------------------------------------------------------------------------------

READS = [
    "/artifacts/{kind}/{id}",
    "/artifact/{kind}/{id}/download",
    "/artifact/{kind}/{id}/files",
    "/artifact/{kind}/{id}/files/README.md",
    "/artifact/{kind}/{id}/cost",
    "/artifact/{kind}/{id}/audit",
]
MODEL_READS = ["/artifact/model/{id}/rate", "/artifact/model/{id}/rate/explain", "/artifact/model/{id}/lineage"]


@pytest.mark.parametrize("path", READS)
def test_an_unknown_id_is_404_wherever_it_is_read(client: httpx2.Client, path: str) -> None:
    for kind in ("model", "dataset", "code"):
        problem_of(client.get(path.format(kind=kind, id=UNKNOWN)), 404)


@pytest.mark.parametrize("path", MODEL_READS)
def test_an_unknown_model_is_404(client: httpx2.Client, path: str) -> None:
    problem_of(client.get(path.format(id=UNKNOWN)), 404)


@pytest.mark.parametrize("path", READS)
def test_an_id_under_another_type_is_404(client: httpx2.Client, take_in: Any, path: str) -> None:
    artifact_id = take_in(WORDS, "dataset")

    problem_of(client.get(path.format(kind="code", id=artifact_id)), 404)


@pytest.mark.parametrize("path", [*READS, *MODEL_READS, "/ingest/jobs/{id}"])
@pytest.mark.parametrize("bad", ["a.b", "a_b", "ü", "a%20b", "a%00b", "a" * 129, "%0d%0a", "..%2f.."])
def test_a_malformed_id_is_400_or_leads_nowhere(client: httpx2.Client, path: str, bad: str) -> None:
    answer = client.get(path.format(kind="model", id=bad))

    problem_of(answer, 404 if "%2f" in bad else 400)


@pytest.mark.parametrize("path", READS)
def test_a_wrong_type_in_the_path_is_400(client: httpx2.Client, path: str) -> None:
    problem_of(client.get(path.format(kind="models", id=UNKNOWN)), 400)


@pytest.mark.parametrize(("url", "kind"), [(TINY, "model"), (WORDS, "dataset"), (TOOLS, "code"), (KAGGLE, "dataset")])
def test_what_was_removed_is_gone_and_can_be_taken_in_again(
    client: httpx2.Client, take_in: Any, url: str, kind: str
) -> None:
    artifact_id = take_in(url, kind)

    assert client.delete(f"/artifacts/{kind}/{artifact_id}").status_code == 200

    problem_of(client.get(f"/artifacts/{kind}/{artifact_id}"), 404)
    problem_of(client.delete(f"/artifacts/{kind}/{artifact_id}"), 404)
    assert take_in(url, kind) != artifact_id


def test_replacing_keeps_id_and_name_and_takes_the_new_source(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(TINY, name="mine")

    answer = client.put(f"/artifacts/model/{artifact_id}", json=_envelope(artifact_id, "mine", CHILD))

    assert answer.status_code == 200, answer.text
    found = client.get(f"/artifacts/model/{artifact_id}").json()
    assert (found["metadata"]["name"], found["data"]["url"]) == ("mine", CHILD)
    paths = [each["path"] for each in client.get(f"/artifact/model/{artifact_id}/files").json()]
    assert paths == ["README.md", "model.safetensors"]


def test_replacing_by_the_same_source_is_allowed(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(TINY)

    answer = client.put(f"/artifacts/model/{artifact_id}", json=_envelope(artifact_id, "tiny", TINY + "/tree/main"))

    assert answer.status_code == 200
    assert answer.json()["data"]["url"] == TINY + "/tree/main"


def test_a_dataset_can_become_a_plain_link_and_back(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(WORDS, "dataset")

    for url, files in ((KAGGLE, 0), (WORDS, 2)):
        body = _envelope(artifact_id, "words", url, "dataset")
        assert client.put(f"/artifacts/dataset/{artifact_id}", json=body).status_code == 200
        assert len(client.get(f"/artifact/dataset/{artifact_id}/files").json()) == files


REPLACEMENTS = {
    "another name": ({"name": "other"}, {}, 400),
    "another id": ({"id": UNKNOWN}, {}, 400),
    "another type": ({"type": "code"}, {}, 400),
    "a bad url": ({}, {"url": "https://127.0.0.1/x"}, 400),
    "a url of another kind": ({}, {"url": WORDS}, 400),
    "a source that does not exist": ({}, {"url": NOWHERE}, 404),
    "a source that is registered": ({}, {"url": CHILD}, 409),
}


@pytest.mark.parametrize(("metadata", "data", "status"), REPLACEMENTS.values(), ids=REPLACEMENTS.keys())
def test_a_replacement_that_is_refused_changes_nothing(
    client: httpx2.Client, take_in: Any, metadata: dict[str, str], data: dict[str, str], status: int
) -> None:
    take_in(CHILD)
    artifact_id = take_in(TINY)
    before = client.get(f"/artifacts/model/{artifact_id}").json()
    body = _envelope(artifact_id, "tiny", BARE)
    body["metadata"] |= metadata
    body["data"] |= data

    problem_of(client.put(f"/artifacts/model/{artifact_id}", json=body), status)

    assert client.get(f"/artifacts/model/{artifact_id}").json() == before


@pytest.mark.parametrize("body", [{}, {"metadata": {}}, [], "x", None, {"metadata": None, "data": None}])
def test_a_replacement_that_is_no_artifact_is_400(client: httpx2.Client, take_in: Any, body: Any) -> None:
    problem_of(client.put(f"/artifacts/model/{take_in(BARE)}", json=body), 400)


def test_replacing_what_does_not_exist_is_404(client: httpx2.Client) -> None:
    problem_of(client.put(f"/artifacts/model/{UNKNOWN}", json=_envelope(UNKNOWN, "tiny", TINY)), 404)


def test_a_replacement_that_the_gate_refuses_keeps_the_old_version(hub: DemoHub) -> None:
    with live_registry(settings_for(hub, gate="net", gate_threshold=0.2)) as live:
        client = live.client
        artifact_id = client.post("/artifact/model", json={"url": TINY}).json()["metadata"]["id"]
        live.idle()
        before = [client.get(f"/artifact/model/{artifact_id}/{what}").json() for what in ("rate", "files", "audit")]

        answer = client.put(f"/artifacts/model/{artifact_id}", json=_envelope(artifact_id, "tiny", BARE))

        assert problem_of(answer, 424)["shortfalls"][0]["metric"] == "net_score"
        after = [client.get(f"/artifact/model/{artifact_id}/{what}").json() for what in ("rate", "files", "audit")]
        assert after == before
        assert client.get(f"/artifacts/model/{artifact_id}").json()["data"]["url"] == TINY


# -- listing -----------------------------------------------------------------------------------------------------------


def _all_pages(client: httpx2.Client, queries: list[Any], limit: int) -> list[str]:
    found: list[str] = []
    offset: str | None = None
    while True:
        more = {"offset": offset} if offset else {}
        answer = client.post("/artifacts", json=queries, params={"limit": limit, **more})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) <= limit
        found += [each["id"] for each in answer.json()]
        offset = answer.headers.get("offset")
        if offset is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 10, 11, 1000])
def test_pages_add_up_to_everything_in_order_of_id(client: httpx2.Client, limit: int) -> None:
    ids = _links(client, 10)

    assert _all_pages(client, [{"name": "*"}], limit) == ids == sorted(ids)


def test_a_page_holds_a_hundred_unless_asked(client: httpx2.Client) -> None:
    ids = _links(client, 101)

    answer = client.post("/artifacts", json=[{"name": "*"}])

    assert [each["id"] for each in answer.json()] == ids[:100]
    rest = client.post("/artifacts", json=[{"name": "*"}], params={"offset": answer.headers["offset"]})
    assert [each["id"] for each in rest.json()] == ids[100:]
    assert "offset" not in rest.headers


def test_an_offset_goes_on_where_it_was_while_rows_come_and_go(client: httpx2.Client) -> None:
    ids = _links(client, 6)
    first = client.post("/artifacts", json=[{"name": "*"}], params={"limit": 3})

    for gone in (ids[0], ids[2], ids[4]):
        client.delete(f"/artifacts/dataset/{gone}")
    added = _links(client, 1, "code")

    rest = client.post("/artifacts", json=[{"name": "*"}], params={"limit": 3, "offset": first.headers["offset"]})
    assert [each["id"] for each in rest.json()] == [ids[3], ids[5], *added]


def test_several_queries_give_each_artifact_once(client: httpx2.Client) -> None:
    ids = _links(client, 3)
    code = _links(client, 2, "code")

    queries = [{"name": "1"}, {"name": "1", "types": ["dataset"]}, {"name": "0", "types": []}, {"name": "nothing"}]
    found = [each["id"] for each in client.post("/artifacts", json=queries).json()]

    assert found == [ids[0], ids[1], code[0], code[1]]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"name": "*"}, {"dataset", "code"}),
        ({"name": "*", "types": []}, {"dataset", "code"}),
        ({"name": "*", "types": None}, {"dataset", "code"}),
        ({"name": "*", "types": ["code"]}, {"code"}),
        ({"name": "*", "types": ["code", "dataset", "code"]}, {"dataset", "code"}),
        ({"name": "*", "types": ["model"]}, set()),
    ],
)
def test_types_narrow_a_listing(client: httpx2.Client, query: dict[str, Any], kinds: set[str]) -> None:
    _links(client, 2)
    _links(client, 2, "code")

    found = client.post("/artifacts", json=[query]).json()

    assert {each["type"] for each in found} == kinds
    assert all(set(each) == {"id", "name", "type"} for each in found)


@pytest.mark.parametrize(
    "queries",
    [
        [],
        {},
        {"name": "*"},
        None,
        "x",
        [{}],
        [{"name": 5}],
        [{"name": ""}],
        [{"name": "*", "types": ["models"]}],
        [{"name": "*", "types": "model"}],
        [[{"name": "*"}]],
        [None],
    ],
)
def test_a_malformed_query_is_400(client: httpx2.Client, queries: Any) -> None:
    assert problem_of(client.post("/artifacts", json=queries), 400)["errors"]


@pytest.mark.parametrize(
    "params", [{"offset": "7"}, {"offset": "x" * 301}, {"limit": 0}, {"limit": 1001}, {"limit": "x"}]
)
def test_a_malformed_page_is_400(client: httpx2.Client, params: dict[str, Any]) -> None:
    for answer in (
        client.post("/artifacts", json=[{"name": "*"}], params=params),
        client.post("/artifact/byRegEx", json={"regex": "."}, params=params),
        client.get("/artifacts/model", params=params),
    ):
        assert problem_of(answer, 400)["errors"]


def test_more_queries_than_a_page_can_ever_answer_are_413(client: httpx2.Client) -> None:
    problem_of(client.post("/artifacts", json=[{"name": "x"}] * 1001), 413)
    assert client.post("/artifacts", json=[{"name": "x"}] * 1000).json() == []


def test_one_type_is_listed_by_pages(client: httpx2.Client) -> None:
    ids = _links(client, 3)
    _links(client, 2, "code")

    first = client.get("/artifacts/dataset", params={"limit": 2})
    rest = client.get("/artifacts/dataset", params={"limit": 2, "offset": first.headers["offset"]})

    assert [each["id"] for each in (*first.json(), *rest.json())] == ids


# -- by name -----------------------------------------------------------------------------------------------------------

ODD_NAMES = [
    "a/b/c",
    "/",
    "//x//",
    "with space",
    " edges ",
    "\"quotes\" 'and' `ticks`",
    "percent%20 100% %2F %",
    "größe 模型 🤗",
    "q?u#e&r=y+;",
    "back\\slash",
    "<script>alert(1)</script>",
    "a" * 96,
    ".",
    "..",
    "../../etc/passwd",
    "download",
    "x/download",
    "{id}",
    "'; DROP TABLE artifacts;--",
    "%_",
    "e\u0301",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_artifact_is_found_by_any_name_it_may_have(client: httpx2.Client, take_in: Any, name: str) -> None:
    artifact_id = take_in(KAGGLE, "dataset", name=name)
    path = "".join(f"%{byte:02X}" for byte in name.encode())

    answer = client.get(f"/artifact/byName/{path}")

    assert answer.json() == [{"id": artifact_id, "name": name, "type": "dataset"}]
    assert client.post("/artifacts", json=[{"name": name}]).json() == answer.json()


def test_a_name_finds_all_types_and_no_other_spelling(client: httpx2.Client, take_in: Any) -> None:
    ids = [take_in(KAGGLE, "dataset", name="Same"), take_in(TOOLS, "code", name="Same")]
    take_in(WORDS, "dataset", name="same")

    assert [each["id"] for each in client.get("/artifact/byName/Same").json()] == ids


@pytest.mark.parametrize("name", ["nothing", "*", "SAME", "Sam", "S_me", "%25"])
def test_a_name_that_nothing_has_is_404(client: httpx2.Client, take_in: Any, name: str) -> None:
    take_in(KAGGLE, "dataset", name="Same")

    problem_of(client.get(f"/artifact/byName/{name}"), 404)


def test_a_name_longer_than_any_is_400(client: httpx2.Client) -> None:
    problem_of(client.get(f"/artifact/byName/{'x' * 513}"), 400)


# -- by pattern --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regex", "found"),
    [
        ("tiny", True),
        ("^tiny$", True),
        (".*ti.*", True),
        ("zebra", True),
        ("The zebra model", True),
        ("ZEBRA", False),
        ("(?i)ZEBRA", True),
        ("z.b+ra", True),
        ("no-such-word-anywhere", False),
        ("^zebra$", False),
        ("(?m)^# Tiny$", True),
    ],
)
def test_a_pattern_is_looked_for_in_names_and_readmes(
    client: httpx2.Client, take_in: Any, regex: str, found: bool
) -> None:
    artifact_id = take_in(TINY)

    answer = client.post("/artifact/byRegEx", json={"regex": regex})

    if found:
        assert [each["id"] for each in answer.json()] == [artifact_id]
    else:
        problem_of(answer, 404)


def test_matches_are_paged_like_a_listing(client: httpx2.Client) -> None:
    ids = _links(client, 5)

    first = client.post("/artifact/byRegEx", json={"regex": r"^\d$"}, params={"limit": 3})
    rest = client.post(
        "/artifact/byRegEx", json={"regex": r"^\d$"}, params={"limit": 3, "offset": first.headers["offset"]}
    )

    assert [each["id"] for each in (*first.json(), *rest.json())] == ids
    assert "offset" not in rest.headers


# -- 404 and 405 of the app itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nothing", "/artifact", "/artifacts/model/a/b/c", "/artifacts//model", "/%00", "/ü"])
def test_a_path_that_is_not_there_is_a_problem(client: httpx2.Client, path: str) -> None:
    problem_of(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/artifacts"),
        ("PATCH", "/artifacts/model/x"),
        ("POST", "/tracks"),
        ("TRACE", "/health"),
        ("PUT", "/reset"),
    ],
)
def test_a_method_that_is_not_offered_is_405_and_names_those_that_are(
    client: httpx2.Client, method: str, path: str
) -> None:
    answer = client.request(method, path)

    problem_of(answer, 405)
    assert answer.headers["allow"]


def test_readers_see_a_registry_before_or_after_a_reset_and_nothing_between(registry: Live) -> None:
    _links(registry.client, 40)
    seen: set[int] = set()
    over = threading.Event()

    def read() -> None:
        with httpx2.Client(base_url=registry.base) as reader:
            while not over.is_set():
                seen.add(len(reader.post("/artifacts", json=[{"name": "*"}]).json()))

    reader = threading.Thread(target=read)
    reader.start()
    assert registry.client.delete("/reset").status_code == 200
    over.set()
    reader.join()

    assert seen <= {0, 40}
    assert registry.client.post("/artifacts", json=[{"name": "*"}]).json() == []
