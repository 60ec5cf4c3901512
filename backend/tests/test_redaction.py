import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from backend import logs
from backend.redaction import MAX_CHARACTERS, Redaction
from backend.services.health import Logbook, Part
from backend.settings import Settings

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"
CONFIGURED = "correct horse;battery(staple)"

HOSTILE = {
    "a bearer token": (f"X-Authorization: bearer {JWT}", JWT),
    "a token without its scheme": (f"got {JWT}", "c2lnbmF0dXJl"),
    "a token that was cut": (f"got {JWT[:30]}", JWT[:30]),
    "percent-encoded": ("header=bearer%20s3cr3tt0ken", "s3cr3tt0ken"),
    "basic": ("Authorization: Basic YWRtaW46YWRtaW4=", "YWRtaW46YWRtaW4"),
    "another scheme": ("authorization: token s3cr3t", "s3cr3t"),
    "headers as Python shows them": (str({"Authorization": "Bearer s3cr3t-t0ken"}), "s3cr3t-t0ken"),
    "a presigned link of AWS": ("https://b.s3/x?X-Amz-Credential=AKIAX&X-Amz-Signature=abc123def&a=1", "abc123def"),
    "a presigned link of CloudFront": ("https://cdn/x?Policy=eyJ9&Signature=abc~def_&Key-Pair-Id=K2", "abc~def_"),
    "an escaped presigned link": ("x-amz-signature%3Dabc123def", "abc123def"),
    "a password in a URL": ("postgresql://registry:hunter2@db/registry", "hunter2"),
    "an encoded password in a URL": ("cannot reach postgresql://u:p%40ss%2Fw@db:5432/x", "p%40ss"),
    "JSON": ('{"user": "a", "password": "hunter2 two"}', "hunter2"),
    "JSON with an escaped quote": (r'{"password": "hun\"ter2"}', "ter2"),
    "JSON within JSON": (r'{"body": "{\"password\": \"hunter2\"}"}', "hunter2"),
    "keyword arguments": ("login(name='a', password='hunter2 two')", "hunter2"),
    "a form": ("user=a&password=hunter2&x=1", "hunter2"),
    "Hugging Face": ("using hf_abcdefghijklmnop", "hf_abcdefghijklmnop"),
    "GitHub": ("using ghp_abcdefghijklmnop", "ghp_abcdefghijklmnop"),
    "a fine-grained one of GitHub": ("github_pat_11ABC_defghijklmnop", "11ABC_defghijklmnop"),
    "an access key": ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    "a private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc+/=\n-----END RSA PRIVATE KEY-----", "MIIEabc"),
    "half a private key": ("-----BEGIN PRIVATE KEY-----\nMIIEabc", "MIIEabc"),
    "what is configured": (f"could not use {CONFIGURED!r}", "battery"),
    "in capitals": ("AUTHORIZATION: BEARER S3CR3T-T0KEN", "S3CR3T"),
    "beside a lone surrogate": ("\ud800 password=hunter2", "hunter2"),
    "between control characters": ("\x00\x1b[2J\r\npassword=hunter2\n", "hunter2"),
}

HARMLESS = [
    "https://huggingface.co/acme/bearer-of-news",
    "GET /artifacts/model/0193c0de-7000-7000-8000-0123456789ab",
    "the token is not one that this registry gave out",
    "model-00001-of-00002.safetensors",
    "3 files, 12.5 MB, sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]


class Opaque:
    def __repr__(self) -> str:
        return "Opaque(password='hunter2')"


@pytest.fixture
def redaction() -> Redaction:
    return Redaction([CONFIGURED, "abc"])


@pytest.mark.parametrize(("text", "secret"), HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize(
    "wrap",
    [str, lambda text: [text], lambda text: {"deep": [{"er": text}]}, str.encode],
    ids=["text", "in a list", "deep down", "as bytes"],
)
def test_a_secret_is_nowhere_in_a_line(redaction: Redaction, text: str, secret: str, wrap: Any) -> None:
    if wrap is str.encode and "\ud800" in text:
        wrap = str
    line = json.dumps(redaction(None, "info", {"event": "request", "value": wrap(text)}))

    assert secret not in line
    assert "[redacted]" in line


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "X-Authorization",
        "hf_token",
        "JWT_SECRET",
        "cookie",
        "apiKey",
        "aws_secret_access_key",
        "sig_signature",
    ],
)
def test_a_field_with_a_secret_name_is_redacted_whatever_it_holds(redaction: Redaction, name: str) -> None:
    for value in ("abc def", 12345, ["x"], None, {"a": 1}, b"bytes"):
        event = redaction(None, "info", {"event": "x", "more": {name: value}, name: value})
        assert event[name] == event["more"][name] == "[redacted]"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(redaction: Redaction, text: str) -> None:
    assert redaction(None, "info", {"event": "x", "value": text, "status": 200})["value"] == text


def test_what_cannot_be_rendered_is_shown_without_its_secrets(redaction: Redaction) -> None:
    assert "hunter2" not in str(redaction(None, "info", {"event": "x", "value": Opaque()}))


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_what_cannot_even_be_shown_is_named_by_its_class(redaction: Redaction) -> None:
    assert redaction(None, "info", {"event": "x", "value": Broken()})["value"] == "<Broken>"


@pytest.mark.parametrize("before", range(MAX_CHARACTERS - 40, MAX_CHARACTERS + 40, 7))
def test_a_secret_where_a_long_text_is_shortened_does_not_show(redaction: Redaction, before: int) -> None:
    secret = "0123456789abcdefghij"
    for text in ("x " * (before // 4) + f"bearer {secret}", f"bearer {secret}" + " x" * (before // 2)):
        shown = redaction.text(text + " y" * (MAX_CHARACTERS // 4))
        assert not any(secret[at : at + 8] in shown for at in range(len(secret) - 8))


def test_a_line_is_bounded_and_judged_in_linear_time(redaction: Redaction) -> None:
    nested: Any = "x"
    for _ in range(5_000):
        nested = [nested]
    texts = ["a" * 3_000_000, "password=" * 300_000, '\\"' * 1_000_000, "-----BEGIN " * 200_000, "://" * 900_000]

    began = time.perf_counter()
    for text in texts:
        assert len(redaction.text(text)) <= MAX_CHARACTERS + 100
    redaction(None, "info", {"event": "x", "nested": nested, "many": list(range(1_000_000))})

    assert time.perf_counter() - began < 2


@pytest.fixture
def configured() -> Iterator[tuple[io.StringIO, Logbook]]:
    """Logging as an operator has it, into a buffer, put back afterwards."""
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out, book = io.StringIO(), Logbook()
    structlog.configure(
        processors=logs.pipeline(book, Redaction([CONFIGURED])),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[logs.IntoPipeline()], level=logging.WARNING, force=True)
    yield out, book
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


def test_a_traceback_is_redacted_and_kept_as_one_line_of_json(configured: tuple[io.StringIO, Logbook]) -> None:
    out, book = configured
    try:
        int(f"no connection to postgresql://registry:hunter2@db with {CONFIGURED}")
    except ValueError:
        structlog.get_logger().exception("request.broke", method="GET")

    line = json.loads(out.getvalue())

    assert "ValueError" in line["exception"]
    assert "hunter2" not in out.getvalue()
    assert "battery" not in out.getvalue()
    assert book.tail(Part.API, 9) == [out.getvalue().rstrip("\n")]


def test_what_libraries_log_goes_the_same_way(configured: tuple[io.StringIO, Logbook]) -> None:
    out, _ = configured

    logging.getLogger("uvicorn.error").warning("bad request from %s", "bearer s3cr3t-t0ken")
    logging.getLogger("httpx2").debug("nobody asked for this")

    line = json.loads(out.getvalue())
    assert (line["logger"], line["level"]) == ("uvicorn.error", "warning")
    assert "s3cr3t" not in out.getvalue()


def test_every_secret_setting_is_known_to_the_log() -> None:
    values = {"admin_password": "p" * 20, "jwt_secret": "j" * 32, "hf_token": "h" * 20, "metrics_token": "m" * 20}

    assert set(logs.secrets_of(Settings(_env_file=None, **values))) >= set(values.values())
