import json
import re
from pathlib import Path

import pytest
from pydantic import AliasChoices, ValidationError

from backend.settings import GEN_AI_STUDIO, GRADER_PASSWORDS, MirrorPolicy, Settings

PASSWORD = "a-password-nobody-guesses"
SECRET = "a-signing-key-of-more-than-32-characters"
SIGN_IN = {"ADMIN_PASSWORD": PASSWORD, "JWT_SECRET": SECRET}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away whatever the machine that runs the tests has set."""
    for name, field in Settings.model_fields.items():
        spelt = field.validation_alias
        for alias in spelt.choices if isinstance(spelt, AliasChoices) else [name.upper()]:
            monkeypatch.delenv(str(alias), raising=False)


def _read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_nothing_set_gives_an_open_registry_on_loopback() -> None:
    settings = Settings()

    assert settings.on_loopback
    assert not settings.sign_in_required
    assert settings.metadata_place == f"sqlite:///{Path('data').absolute() / 'registry.db'}"
    assert settings.blob_place == f"file://{Path('data').absolute() / 'blobs'}"


ANYWHERE = {"HOST": "0.0.0.0"}  # noqa: S104 - nothing is bound
UNSAFE = {
    "reachable by others without a password": (ANYWHERE, "set ADMIN_PASSWORD"),
    "reachable by others with an empty password": ({**ANYWHERE, **SIGN_IN, "ADMIN_PASSWORD": ""}, "set ADMIN_PASSWORD"),
    "reachable by others without a key": ({**ANYWHERE, "ADMIN_PASSWORD": PASSWORD}, "set JWT_SECRET"),
    "reachable by others with a short key": ({**ANYWHERE, **SIGN_IN, "JWT_SECRET": "short-key"}, "32 characters"),
    "every IPv6 address": ({"HOST": "::"}, "set ADMIN_PASSWORD"),
    "a private address": ({"HOST": "192.168.1.5"}, "set ADMIN_PASSWORD"),
    "a name that looks like loopback": ({"HOST": "localhost.example.org"}, "set ADMIN_PASSWORD"),
    "an empty host": ({"HOST": ""}, "set ADMIN_PASSWORD"),
    "sign-in asked for, no password": ({"AUTH": "required"}, "set ADMIN_PASSWORD"),
    "sign-in asked for, no key": ({"AUTH": "required", "ADMIN_PASSWORD": PASSWORD}, "set JWT_SECRET"),
    "published password where others can reach it": (
        {**ANYWHERE, **SIGN_IN, "GRADER_DEFAULTS": "1"},
        "GRADER_DEFAULTS_ANYWHERE=1",
    ),
    "weights that do not sum to one": ({"METRIC_WEIGHTS": '{"license": 0.5}'}, "sum to 1"),
    "a weight below zero": ({"METRIC_WEIGHTS": '{"license": 2, "bus_factor": -1}'}, "at least 0"),
    "no weights at all": ({"METRIC_WEIGHTS": "{}"}, "sum to 1"),
    "a hub that is no web address": ({"HF_ENDPOINT": "file:///etc/passwd"}, "not an http or https address"),
    "a GitHub that is no web address": ({"GITHUB_API_URL": "api.github.com"}, "not an http or https address"),
    "a port that does not exist": ({"PORT": "65536"}, "65535"),
    "a threshold above one": ({"GATE_THRESHOLD": "1.5"}, "less than or equal to 1"),
    "a gate that does not exist": ({"GATE": "most"}, "'off', 'net' or 'all'"),
    "a lease of no time": ({"LEASE_SECONDS": "0"}, "greater than"),
    "no place for workers": ({"WORKER_CONCURRENCY": "0"}, "greater than"),
    "tokens that never end": ({"TOKEN_HOURS": "100000"}, "less than or equal"),
    "a key for a language model nobody named": ({"LLM_API_KEY": SECRET}, "set LLM_URL"),
    "a language model without TLS": ({"LLM_URL": "http://llm.example/v1"}, "must be an https address"),
    "a language model by a look-alike of loopback": ({"LLM_URL": "http://localhost.example/v1"}, "must be an https"),
    "a language model with a password in its URL": ({"LLM_URL": "https://me:short-key@llm.example"}, "no credentials"),
    "a language model behind a query": ({"LLM_URL": "https://llm.example/v1?key=1"}, "no query"),
    "a language model waited for for ever": ({"LLM_TIMEOUT_SECONDS": "1e9"}, "less than or equal to 300"),
    "bodies without a bound": ({"MAX_BODY_BYTES": "0"}, "greater than"),
}


@pytest.mark.parametrize(("environment", "reason"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unsafe_combination_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(reason)):
        _read(monkeypatch, **environment)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_only_this_machine_reaches_a_loopback_bind(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    settings = _read(monkeypatch, HOST=host)

    assert settings.on_loopback
    assert not settings.sign_in_required


@pytest.mark.parametrize(
    "environment",
    [ANYWHERE | SIGN_IN, SIGN_IN | {"AUTH": "required"}, {"GRADER_DEFAULTS": "1"}],
    ids=["reachable by others", "asked for", "public test account"],
)
def test_sign_in_is_on(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    assert _read(monkeypatch, **environment).sign_in_required


def test_the_public_account_needs_a_second_yes_outside_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(monkeypatch, **ANYWHERE, GRADER_DEFAULTS="1", GRADER_DEFAULTS_ANYWHERE="1")

    assert settings.sign_in_required
    assert len(set(GRADER_PASSWORDS)) == 2


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("METADATA_URL", "metadata_url", "memory://"),
        ("DATABASE_URL", "metadata_url", "memory://"),
        ("INGEST_WAIT_SECONDS", "ingest_wait_seconds", 3.0),
        ("RATING_WAIT_TIMEOUT_SECONDS", "ingest_wait_seconds", 3.0),
        ("LOG_LEVEL", "log_level", "WARNING"),
        ("MIRROR", "mirror", "none"),
        ("DATA_DIR", "data_dir", Path("/var/lib/registry")),
    ],
)
def test_a_setting_is_read_from_each_of_its_names(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str, value: object
) -> None:
    found = getattr(_read(monkeypatch, **{name: str(value)}), field)

    assert str(found).lower() == str(value).lower()


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGINGFACE_HUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "JWT_SECRET_KEY"])
def test_a_secret_is_read_from_each_of_its_names_and_never_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    settings = _read(monkeypatch, **{name: SECRET})

    held = [settings.hf_token, settings.github_token, settings.jwt_secret]
    assert [each.get_secret_value() for each in held if each] == [SECRET]
    for shown in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        json.dumps(settings.model_dump(mode="json")),
    ):
        assert SECRET not in shown


@pytest.mark.parametrize(("environment", "reason"), UNSAFE.values(), ids=UNSAFE.keys())
def test_what_a_refusal_prints_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    secrets = {"HF_TOKEN": "hf_aaaaaaaaaa", "GITHUB_TOKEN": "ghp_bbbbbbbbbb", "ADMIN_PASSWORD": PASSWORD}
    values = {**secrets, **environment}

    with pytest.raises(ValidationError) as refused:
        _read(monkeypatch, **values)

    said = str(refused.value) + repr(refused.value)
    hidden = {*secrets.values(), "short-key", *SIGN_IN.values()}
    assert not [secret for secret in hidden if secret in said], reason


def test_settings_never_change_after_they_were_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_a_trailing_slash_of_a_hub_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, HF_ENDPOINT="http://127.0.0.1:9/").hf_endpoint == "http://127.0.0.1:9"


def test_mirroring_is_bounded_by_default() -> None:
    settings = Settings()

    assert settings.mirror is MirrorPolicy.UP_TO
    assert settings.mirror_max_bytes == 2_000_000_000


def test_nobody_reads_second_and_nothing_is_run_unless_asked_for() -> None:
    assert Settings().llm_place is None
    assert not Settings().run_demonstrations


@pytest.mark.parametrize(
    ("environment", "place", "key"),
    [
        ({"GEN_AI_STUDIO_API_KEY": "gen"}, GEN_AI_STUDIO, "gen"),
        ({"GEN_AI_STUDIO_API_KEY": "gen", "LLM_API_KEY": "own"}, GEN_AI_STUDIO, "gen"),
        ({"LLM_URL": "https://llm.example/v1/", "LLM_API_KEY": "own"}, "https://llm.example/v1", "own"),
        ({"LLM_URL": "https://llm.example/v1", "GEN_AI_STUDIO_API_KEY": "gen"}, "https://llm.example/v1", "gen"),
        ({"LLM_URL": "http://[::1]:11434/v1"}, "http://[::1]:11434/v1", None),
        ({"LLM_URL": "", "GEN_AI_STUDIO_API_KEY": ""}, None, None),
    ],
    ids=[
        "studio",
        "a key of its own goes nowhere else",
        "another",
        "another by the studio's key",
        "local",
        "left empty",
    ],
)
def test_the_second_reader_is_where_it_was_set_up(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], place: str | None, key: str | None
) -> None:
    settings = _read(monkeypatch, **environment)

    assert settings.llm_place == place
    assert (settings.llm_key.get_secret_value() if settings.llm_key else "") == (key or "")


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
