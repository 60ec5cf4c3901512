"""What is sent by those who mean harm: each case is refused with its status, and none of them is a 5xx."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from backend.api.middleware import check_json
from backend.api.tests.organisation import TINY, WORDS
from backend.api.tests.problems import problem_of
from backend.domain.errors import InvalidInput
from backend.tests.live import Live, Registry, until
from demo.hub import DemoHub

JSON = {"content-type": "application/json"}
FINE = b'{"regex": "x"}'


def _send(client: httpx2.Client, body: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
    return client.post("/artifact/byRegEx", content=body, headers=JSON if headers is None else headers)


# -- bodies ------------------------------------------------------------------------------------------------------------

BODIES: dict[str, bytes] = {
    "NaN": b'{"regex": NaN}',
    "Infinity": b'{"regex": "x", "more": Infinity}',
    "minus Infinity": b"[-Infinity]",
    "1e999": b'{"regex": 1e999}',
    "-1e999 in a list": b"[[-1e999]]",
    "lone surrogate": b'{"regex": "\\ud800"}',
    "lone low surrogate": b'{"regex": "a\\udc00"}',
    "surrogates the wrong way round": b'{"regex": "\\udc00\\ud800"}',
    "surrogate in a key": b'{"\\ud800": 1, "regex": "x"}',
    "surrogate encoded as UTF-8": b'{"regex": "\xed\xa0\x80"}',
    "NUL escaped": b'{"regex": "\\u0000"}',
    "NUL as it is": b'{"regex": "\x00"}',
    "NUL in a key": b'{"a\\u0000b": 1, "regex": "x"}',
    "nothing but NUL": b"\0" * 100,
    "900 deep arrays": b'{"regex": ' + b"[" * 900 + b"]" * 900 + b"}",
    "900 deep objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "100,000 deep": b"[" * 100_000,
    "deep behind a string of brackets": b'{"x": "]]]]}}}}", "y": ' + b"[" * 50 + b"]" * 50 + b"}",
    "duplicate keys": b'{"regex": "x", "regex": "y"}',
    "duplicate keys, one escaped": b'{"regex": "x", "reg\\u0065x": "y"}',
    "UTF-16": '{"regex": "x"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"regex": "x"}'.encode("utf-16-le"),
    "UTF-32": '{"regex": "x"}'.encode("utf-32"),
    "UTF-8 with a byte order mark": b"\xef\xbb\xbf" + FINE,
    "invalid UTF-8": b'{"regex": "\xff\xfe"}',
    "overlong UTF-8": b'{"regex": "\xc0\xaf"}',
    "cut UTF-8": b'{"regex": "\xf0\x9f',
    "empty": b"",
    "spaces": b" \r\n\t ",
    "not JSON": b"regex=x",
    "cut JSON": b'{"regex": "x',
    "two values": FINE + FINE,
    "trailing comma": b'{"regex": "x",}',
    "single quotes": b"{'regex': 'x'}",
    "comment": b'{"regex": "x"} // nothing',
    "array for object": b'[{"regex": "x"}]',
    "string for object": b'"x"',
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "huge integer": b'{"regex": ' + b"9" * 5_000 + b"}",
    "integer of a hundred thousand digits": b"[" + b"1" * 100_000 + b"]",
    "number with a huge exponent": b'{"regex": 1E+4300}',
    "integer for string": b'{"regex": 5}',
    "object for string": b'{"regex": {"$ne": null}}',
    "array for string": b'{"regex": ["x"]}',
    "null for string": b'{"regex": null}',
    "missing field": b'{"Regex": "x"}',
    "control character in a string": b'{"regex": "a\nb"}',
    "form": b"--x\r\nContent-Disposition: form-data; name=regex\r\n\r\nx\r\n--x--",
    "XML with an entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "pickle": b"\x80\x04\x95\x00\x00\x00\x00",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_not_what_was_asked_for_is_400(client: httpx2.Client, body: bytes) -> None:
    problem = problem_of(_send(client, body), 400)

    assert problem["errors"]
    assert len(json.dumps(problem)) < 2_000, "the body is not repeated"


@pytest.mark.parametrize("path", ["/artifacts", "/artifact/model", "/artifact/byRegEx"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_no_route_fails_at_such_a_body(client: httpx2.Client, path: str, body: bytes) -> None:
    problem_of(client.post(path, content=body, headers=JSON), 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "garbage",
        "text/html",
        "application/octet-stream",
        "image/png; charset=\"'",
    ],
)
def test_a_body_of_another_content_type_is_400(client: httpx2.Client, content_type: str) -> None:
    problem_of(_send(client, FINE, {"content-type": content_type}), 400)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_is_taken_under_each_spelling_of_its_type(client: httpx2.Client, content_type: str) -> None:
    problem_of(_send(client, FINE, {"content-type": content_type}), 404)


SIXTY_MEGABYTES = 60_000_000


def _chunks(size: int) -> Iterator[bytes]:
    yield b'{"regex": "'
    for _ in range(size // 1_000_000):
        yield b"x" * 1_000_000
    yield b'"}'


def test_sixty_megabytes_that_are_announced_are_413_at_once(registry: Live) -> None:
    host, port = registry.base.removeprefix("http://").split(":")
    request = (
        f"POST /artifact/byRegEx HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {SIXTY_MEGABYTES}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


def test_sixty_megabytes_in_chunks_are_413_when_the_cap_is_reached(registry: Live) -> None:
    host, port = registry.base.removeprefix("http://").split(":")
    head = (
        "POST /artifact/byRegEx HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        for chunk in _chunks(2_000_000):
            connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_sixty_megabytes_sent_to_the_end_are_413(client: httpx2.Client) -> None:
    problem_of(client.post("/artifact/byRegEx", content=_chunks(SIXTY_MEGABYTES), headers=JSON), 413)


def test_a_body_just_under_the_cap_is_read(client: httpx2.Client) -> None:
    body = b'{"regex": "' + b"x" * 999_000 + b'"}'

    problem_of(_send(client, body), 400)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + b"\\" * 999_000 + b'"}',
        b'"' * 999_000,
        b"[],".join([b"["] + [b""] * 300_000) + b"1]",
        b'{"a":' + b"{}," * 10,
        b"[" * 999_000,
        b"[" + b'"\\u0041",' * 100_000 + b"1]",
    ],
    ids=["backslashes", "quotes", "empty arrays", "objects", "brackets", "escapes"],
)
def test_a_megabyte_of_anything_is_judged_in_a_moment(body: bytes) -> None:
    began = time.perf_counter()

    with contextlib.suppress(InvalidInput):
        check_json(body)

    assert time.perf_counter() - began < 2.0


def test_a_client_that_goes_away_within_its_body_disturbs_nobody(registry: Live) -> None:
    host, port = registry.base.removeprefix("http://").split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"POST /artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n[")

    assert registry.client.get("/health").json()["status"] == "ok"


# -- headers -----------------------------------------------------------------------------------------------------------


def _raw(registry: Live, request: bytes) -> bytes:
    host, port = registry.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


HEADERS = {
    "no host": b"GET /nothing HTTP/1.1\r\n\r\n",
    "open bracket as host": b"GET /nothing HTTP/1.1\r\nHost: [\r\n\r\n",
    "half an IPv6 host": b"GET /nothing HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "host with a path": b"GET /nothing HTTP/1.1\r\nHost: a/b?c#d\r\n\r\n",
    "host with a bad port": b"GET /nothing HTTP/1.1\r\nHost: a:99999999\r\n\r\n",
    "host with spaces": b"GET /nothing HTTP/1.1\r\nHost: a b c\r\n\r\n",
    "host that is not ASCII": b"GET /nothing HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    "two hosts": b"GET /nothing HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "header that is not ASCII": b"GET /nothing HTTP/1.1\r\nHost: x\r\nX-Authorization: \xff\xf0\r\n\r\n",
    "line break in a header": b"GET /nothing HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\tc\r\n\r\n",
    "bare line feed": b"GET /nothing HTTP/1.1\nHost: x\n\n",
    "huge header": b"GET /nothing HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 60_000 + b"\r\n\r\n",
    "many headers": b"GET /nothing HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    "absolute target": b"GET http://elsewhere/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    "invalid percent": b"GET /%zz%f0%28 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "length that is no number": b"POST /artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "negative length": b"POST /artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST /artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n[]",
    "length and chunks": b"POST /artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST /artifacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "unknown method": b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "upgrade": b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("request_", HEADERS.values(), ids=HEADERS.keys())
def test_a_broken_request_is_refused_or_answered_and_never_breaks_the_registry(registry: Live, request_: bytes) -> None:
    answer = _raw(registry, request_)

    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:300]
    assert registry.client.get("/tracks").status_code == 200


@pytest.mark.parametrize("host", ["[", "a b", 'x"y', "<script>", "[::1]:x"])
def test_a_host_of_ones_own_making_never_breaks_a_read(registry: Live, take_in: Any, host: str) -> None:
    artifact_id = take_in(WORDS, "dataset")

    answer = registry.client.get(f"/artifacts/dataset/{artifact_id}", headers={"Host": host})

    assert answer.status_code < 500, answer.text


INJECTED = [
    "x" * 7,
    "x" * 65,
    "has space",
    "a\tb-c-d-e-f",
    '"},{"level":"error',
    "${jndi:ldap://x}",
    "../../../x",
    "ünïcödé-id",
    "",
]


@pytest.mark.parametrize("offered", INJECTED)
def test_a_correlation_id_that_could_forge_a_log_line_is_replaced(client: httpx2.Client, offered: str) -> None:
    answer = client.get("/tracks", headers={"X-Correlation-ID": offered.encode("latin-1")})

    assert answer.headers["x-correlation-id"] != offered
    assert len(answer.headers["x-correlation-id"]) == 36


def test_a_correlation_id_that_is_plain_comes_back(client: httpx2.Client) -> None:
    answer = client.get("/nothing", headers={"X-Correlation-ID": "build-42_step.7"})

    assert problem_of(answer, 404)["correlation_id"] == "build-42_step.7"


def test_forwarded_headers_change_nothing_but_the_link_of_a_trusted_proxy(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(WORDS, "dataset")

    answer = client.get(
        f"/artifacts/dataset/{artifact_id}", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}
    )

    assert "evil" not in answer.text


@pytest.mark.parametrize("path", ["/tracks", "/nothing", "/health"])
def test_no_answer_is_guessed_to_be_something_else(client: httpx2.Client, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"
    assert "server" not in client.get(path).headers


# -- patterns ----------------------------------------------------------------------------------------------------------

EVIL = {
    "nested plus": "(a+)+$",
    "nested star": "(a*)*b",
    "alternatives that overlap": "(a|aa)+$",
    "alternatives that repeat": "(a|a?)+$",
    "counted": "(.*a){20}",
    "word run": r"(\w+\s?)*$",
    "long alternation": "|".join(f"a{n}" for n in range(150)),
    "dots": ".*.*.*.*.*.*.*.*=.*",
}
REFUSED = {
    "back reference": r"(a)\1",
    "look ahead": "(?=a)",
    "look behind": "(?<=a)b",
    "counted too far": "(a{1000}){1000}",
    "nested counts": "((a{100}){100}){100}",
    "open group": "(a",
    "open class": "[a",
    "nothing to repeat": "*a",
    "bad escape": r"\8",
    "bad range": "[z-a]",
    "unknown class": r"\p{Nothing}",
    "recursion": "(?R)",
    "too long": "a" * 1_001,
    "empty": "",
}


@pytest.mark.parametrize("pattern", EVIL.values(), ids=EVIL.keys())
def test_a_pattern_built_to_hang_an_engine_is_answered_at_once(
    client: httpx2.Client, take_in: Any, pattern: str
) -> None:
    take_in("https://example.org/" + "a" * 1_000, "dataset", name="a" * 500 + "!")
    began = time.perf_counter()

    answer = client.post("/artifact/byRegEx", json={"regex": pattern})

    assert answer.status_code in {200, 404}
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("pattern", REFUSED.values(), ids=REFUSED.keys())
def test_a_pattern_that_the_engine_does_not_take_is_400_and_says_why(client: httpx2.Client, pattern: str) -> None:
    body = problem_of(client.post("/artifact/byRegEx", json={"regex": pattern}), 400)

    assert [each["field"] for each in body["errors"]] == ["regex"]


# -- addresses ---------------------------------------------------------------------------------------------------------

SSRF = [
    "http://127.0.0.1/x",
    "https://127.0.0.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://0/x",
    "https://0.0.0.0/x",
    "https://localhost/x",
    "https://LOCALHOST./x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[fc00::1]/x",
    "https://[::]/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/latest",
    "https://100.100.100.200/x",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://10.0.0.1/x",
    "https://172.16.0.1/x",
    "https://192.168.0.1/x",
    "https://100.64.0.1/x",
    "https://198.18.0.1/x",
    "https://224.0.0.1/x",
    "https://255.255.255.255/x",
    "https://\uff11\uff12\uff17.0.0.1/x",
    "https://\u2460\u2461\u2466.0.0.1/x",
    "https://huggingface.co@127.0.0.1/x",
    "https://user:pw@huggingface.co/acme/tiny",
    "https://huggingface.co:8443/acme/tiny",
    "https://huggingface.co\\@127.0.0.1/x",
    "https://huggingface.co%2f@127.0.0.1/x",
    "https://huggingface.co#@127.0.0.1/x",
    "https://huggingface.co?@127.0.0.1/x",
    "https:///127.0.0.1/x",
    "https://127.0.0.1:80#huggingface.co/x",
    "//127.0.0.1/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1/x",
    "ftp://huggingface.co/acme/tiny",
    "dict://127.0.0.1:11211/x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "ldap://127.0.0.1/x",
    "jar:https://huggingface.co!/x",
    "https://huggingface.co\r\nHost: x/a/b",
    "https://huggingface.co\t/acme/tiny",
    "https://huggingface\u200b.co/acme/tiny",
    "https://huggingf\u0430\u0441e.co/acme/tiny",
    "https://huggingface.co\u3002evil.com/acme/tiny",
    "https://huggingface.co.evil.example/acme/tiny",
    "https://evilhuggingface.co/acme/tiny",
    "https://printer.local/x",
    "https://intranet/x",
    "https://x.internal/y",
    "https://huggingface.co/../../etc/passwd",
    "https://huggingface.co/acme/..%2f..%2fapi",
    "https://huggingface.co/acme/tiny%00",
    "https://huggingface.co/acme/tiny\x00",
    " https://huggingface.co/acme/tiny",
]


@pytest.mark.parametrize("url", SSRF, ids=lambda url: ascii(url)[:60])
def test_an_address_that_leads_inside_is_400_for_a_model_and_nobody_is_contacted(
    client: httpx2.Client, hub: DemoHub, url: str
) -> None:
    problem_of(client.post("/artifact/model", json={"url": url}), 400)

    assert hub.requests == []
    assert client.post("/artifacts", json=[{"name": "*"}]).json() == []


@pytest.mark.parametrize("kind", ["dataset", "code"])
@pytest.mark.parametrize("url", SSRF, ids=lambda url: ascii(url)[:60])
def test_an_address_that_leads_inside_is_never_contacted_for_data_or_code(
    client: httpx2.Client, hub: DemoHub, kind: str, url: str
) -> None:
    answer = client.post(f"/artifact/{kind}", json={"url": url})

    assert answer.status_code == (201 if "evil" in url and url.isascii() else 400), answer.text
    assert hub.requests == []


@pytest.mark.parametrize("field", ["dataset_url", "code_url"])
@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "file:///etc/passwd", "https://169.254.169.254/", "x" * 3_000])
def test_a_link_that_leads_inside_is_400(client: httpx2.Client, hub: DemoHub, field: str, url: str) -> None:
    problem_of(client.post("/artifact/model", json={"url": TINY, field: url}), 400)

    assert hub.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://evil.example/x",
        "//[",
        "gopher://x",
    ],
)
def test_a_source_that_redirects_inside_is_502(client: httpx2.Client, hub: DemoHub, location: str) -> None:
    hub.fail("GET /api/models/acme/tiny", times=20, status=302, headers={"Location": location})

    problem_of(client.post("/artifact/model", json={"url": TINY}), 502)


def test_a_source_that_redirects_in_a_circle_is_502(client: httpx2.Client, hub: DemoHub) -> None:
    hub.fail("GET /api/models/acme/tiny", times=99, status=302, headers={"Location": "/api/models/acme/tiny"})

    problem_of(client.post("/artifact/model", json={"url": TINY}), 502)


# -- mass assignment ---------------------------------------------------------------------------------------------------


def test_fields_that_are_not_the_callers_to_set_are_not_taken(client: httpx2.Client) -> None:
    body = {
        "url": "https://example.org/x",
        "id": "mine",
        "owner": "root",
        "type": "model",
        "version": 99,
        "__class__": "x",
    }

    made = client.post("/artifact/dataset", json=body).json()

    assert made["metadata"]["id"] != "mine"
    assert made["metadata"]["type"] == "dataset"
    assert client.get("/artifacts/dataset/mine").status_code == 404


# -- logs --------------------------------------------------------------------------------------------------------------

PASSWORD = "a-password-nobody-guesses"
SECRET = "a-signing-key-of-more-than-32-characters"


def test_log_lines_stay_one_json_object_each_and_hold_no_secret(tmp_path: Any) -> None:
    environment = {
        "AUTH": "required",
        "ADMIN_PASSWORD": PASSWORD,
        "JWT_SECRET": SECRET,
        "METADATA_URL": "memory://",
        "HF_TOKEN": "hf_secretsecret",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "LOG_LEVEL": "debug",
    }
    with Registry(tmp_path, **environment) as registry:
        client = registry.client
        credentials = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
        token = client.put("/authenticate", json=credentials).json()
        client.put("/authenticate", json={**credentials, "secret": {"password": "wrong-but-secret"}})
        headers = {"X-Authorization": token}
        client.get("/artifacts/model", headers=headers)
        client.get("/artifacts/model?token=query-secret", headers={"X-Authorization": "bearer stolen.token.value"})
        for path in ("/%0d%0a%7b%22level%22:%22forged%22%7d", "/\u2028line", "/%1b[31mred", "/" + "x" * 5_000):
            client.get(path, headers={**headers, "X-Correlation-ID": '{"forged": 1}'})
        client.post("/artifact/byRegEx", content=b'{"regex": "body-secret"', headers=headers)
        client.post("/artifact/model", json={"url": TINY, "name": "evil\u2028name"}, headers=headers)
        until(lambda: registry.log.count('"event": "request"') >= 10, "the log to be written")
        log = registry.log

    lines = log.splitlines() if "\u2028" not in log else log.split("\n")
    assert len([json.loads(line) for line in lines if line]) >= 10
    assert all(len(line) < 4_000 for line in lines)
    hidden = [PASSWORD, SECRET, "hf_secretsecret", "wrong-but-secret", "stolen.token", "query-secret", "body-secret"]
    assert [secret for secret in [*hidden, token.removeprefix("bearer ")] if secret in log] == []
    assert "\x1b" not in log
