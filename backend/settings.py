"""What an operator can set, read once from the environment and handed down; refuses combinations that are not safe."""

import ipaddress
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from metrics.rating import GatePolicy

GRADER_NAME = "ece30861defaultadminuser"
GRADER_PASSWORDS = tuple(
    f"correcthorsebatterystaple123(!__+@**(A'\"`;DROP TABLE {table};" for table in ("artifacts", "packages")
)
"""The well-known account that public test clients sign in with; both published spellings of its password."""


class MirrorPolicy(StrEnum):
    """How much of an artifact's files the registry copies."""

    ALL = "all"
    UP_TO = "up-to"
    NONE = "none"


GEN_AI_STUDIO = "https://genai.rcac.purdue.edu/api"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host: `localhost`, or an address that loops back."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseSettings):
    """The registry's settings, each from the environment variable of its name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # a refusal would print every value that was set, passwords included
    )

    host: str = "127.0.0.1"
    """Address to bind. Anything but a loopback address turns sign-in on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to bind; 0 takes a free one and prints it."""
    base_url: str | None = None
    """Absolute address that clients reach the registry under, for links in answers; the request's own when unset."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses, comma separated, whose `X-Forwarded-*` headers are believed."""

    data_dir: Path = Path("data")
    """Folder for the default SQLite file and the default blob folder."""
    metadata_url: str | None = Field(None, validation_alias=_named("METADATA_URL", "DATABASE_URL"))
    """Where artifacts, ratings and jobs are kept: `memory://`, `sqlite:///path`; SQLite in DATA_DIR when unset."""
    blob_url: str | None = None
    """Where file contents are kept: `memory://` or `file:///path`; a folder in DATA_DIR when unset."""

    auth: Literal["auto", "required"] = "auto"
    """`auto` runs open on a loopback bind and asks for sign-in on any other; `required` always asks."""
    admin_name: str = "admin"
    """Name of the administrator."""
    admin_password: SecretStr | None = None
    """Password of the administrator; needed wherever sign-in is on."""
    jwt_secret: SecretStr | None = Field(None, validation_alias=_named("JWT_SECRET", "JWT_SECRET_KEY"))
    """Key that signs access tokens, at least 32 characters; needed wherever sign-in is on."""
    token_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 10
    """How long an access token is valid, in hours."""
    grader_defaults: bool = False
    """Turn sign-in on with the well-known public test account; for a loopback bind."""
    grader_defaults_anywhere: bool = False
    """The second yes that GRADER_DEFAULTS needs outside a loopback bind, where anyone may know that password."""

    hf_endpoint: str = "https://huggingface.co"
    """Where the Hugging Face Hub is reached, a mirror or a stand-in included."""
    github_api_url: str = "https://api.github.com"
    """Where the GitHub REST API is reached."""
    hf_token: SecretStr | None = Field(None, validation_alias=_named("HF_TOKEN", "HUGGINGFACE_HUB_TOKEN"))
    """Token for gated and private repositories on the hub; sent to HF_ENDPOINT only."""
    github_token: SecretStr | None = Field(None, validation_alias=_named("GITHUB_TOKEN", "GH_TOKEN"))
    """Token that raises GitHub's rate limit and the review sample; sent to GITHUB_API_URL only."""

    llm_url: str | None = None
    """Base URL of an OpenAI-compatible chat API, https or loopback, whose model reads cards as a second reader."""
    llm_api_key: SecretStr | None = None
    """Key for LLM_URL, and sent nowhere else; GEN_AI_STUDIO_API_KEY when unset."""
    gen_ai_studio_api_key: SecretStr | None = None
    """Key for Purdue's GenAI Studio; without an LLM_URL it makes that the second reader."""
    llm_model: str = "llama3.1:latest"
    """Name of the model at LLM_URL; the default is one that GenAI Studio has."""
    llm_timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    """How long a rating waits for the second reader before it goes without, in seconds."""
    run_demonstrations: bool = False
    """Run the Python that model cards show, locked in without network; Linux only, read docs/security.md first."""

    gate: GatePolicy = GatePolicy.OFF
    """Which scores a model needs to be taken in: `off` admits all, `net` asks the net score, `all` asks each score."""
    gate_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The least score that passes the gate."""
    metric_weights: dict[str, float] | None = None
    """Weights of the net score as a JSON object over metric names; they must sum to 1. The catalogue's when unset."""

    mirror: MirrorPolicy = MirrorPolicy.UP_TO
    """How much is copied: `all`, `up-to` MIRROR_MAX_BYTES an artifact, or `none`; the rest is streamed through."""
    mirror_max_bytes: Annotated[int, Field(ge=0)] = 2_000_000_000
    """Budget for `MIRROR=up-to`, bytes an artifact; texts and the smallest complete set of weights come first."""

    ingest_wait_seconds: Annotated[float, Field(ge=0, le=900)] = Field(
        60, validation_alias=_named("INGEST_WAIT_SECONDS", "RATING_WAIT_TIMEOUT_SECONDS")
    )
    """How long a registration waits for its rating before it answers 202, in seconds."""
    worker: bool = True
    """Run jobs inside this process; turn off where `python -m backend.worker` runs beside it."""
    worker_concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """How many ingests run at once; mirroring has two places of its own."""
    lease_seconds: Annotated[float, Field(gt=0.5, le=300)] = 5
    """How long a job stays with a worker that has gone silent, in seconds."""

    metrics_token: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Token of at least 16 characters that opens /metrics to a scraper, and nothing else; administrators need none."""
    benchmark_targets: str = ""
    """Origins, comma separated, that a download benchmark may be aimed at besides this registry itself."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_000_000
    """Largest JSON body that is read, in bytes."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""
    log_file: Path | None = None
    """File to log to; standard error when unset."""
    crash_point: str | None = None
    """Name of a step at which the process kills itself, for recovery tests; never set it otherwise."""

    @field_validator("hf_endpoint", "github_api_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{url!r} is not an http or https address")
        return url.rstrip("/")

    @field_validator("benchmark_targets")
    @classmethod
    def _are_origins(cls, targets: str) -> str:
        for target in filter(None, map(str.strip, targets.split(","))):
            parts = urlsplit(target)
            if (
                parts.scheme not in {"http", "https"}
                or not parts.hostname
                or f"{parts.scheme}://{parts.netloc}" != target
            ):
                raise ValueError(
                    f"BENCHMARK_TARGETS has {target!r}, which is not an origin such as https://example.org"
                )
        return targets

    @field_validator("llm_url")
    @classmethod
    def _keeps_a_key_safe(cls, url: str | None) -> str | None:
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("LLM_URL must be an https address, or http on a loopback one")
        if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("LLM_URL must be a plain base URL: no credentials, no query, no fragment")
        return url.rstrip("/")

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: str) -> str:
        return level.lower()

    @field_validator("metric_weights")
    @classmethod
    def _sums_to_one(cls, weights: dict[str, float] | None) -> dict[str, float] | None:
        if weights is not None and (
            min(weights.values(), default=-1) < 0 or not math.isclose(sum(weights.values()), 1)
        ):
            raise ValueError("METRIC_WEIGHTS must be at least 0 each and sum to 1")
        return weights

    @model_validator(mode="after")
    def _says_where_a_key_belongs(self) -> Self:
        if self.llm_api_key and self.llm_place is None:
            raise ValueError("LLM_API_KEY is set without an LLM_URL to send it to: set LLM_URL as well")
        return self

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.grader_defaults:
            if not self.on_loopback and not self.grader_defaults_anywhere:
                raise ValueError(
                    f"GRADER_DEFAULTS uses a published password, and HOST={self.host} can be reached by others: "
                    "bind 127.0.0.1, or set GRADER_DEFAULTS_ANYWHERE=1 as well"
                )
            return self
        if not self.sign_in_required:
            return self
        if self.admin_password is None or not self.admin_password.get_secret_value():
            raise ValueError("sign-in is on (AUTH=required, or HOST is not loopback): set ADMIN_PASSWORD")
        if self.jwt_secret is None or len(self.jwt_secret.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(
                "sign-in is on (AUTH=required, or HOST is not loopback): "
                f"set JWT_SECRET, {MIN_SECRET_LENGTH} characters or more"
            )
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the bind address."""
        return is_loopback(self.host)

    @property
    def sign_in_required(self) -> bool:
        """Whether callers must present a token."""
        return self.auth == "required" or self.grader_defaults or not self.on_loopback

    @property
    def llm_place(self) -> str | None:
        """LLM_URL, or GenAI Studio's where only its key is set; None where there is no second reader."""
        return self.llm_url or (GEN_AI_STUDIO if self.gen_ai_studio_api_key else None)

    @property
    def llm_key(self) -> SecretStr | None:
        """The key for `llm_place`; its own before the one for GenAI Studio."""
        return self.llm_api_key if self.llm_url and self.llm_api_key else self.gen_ai_studio_api_key

    @property
    def benchmark_origins(self) -> list[str]:
        """BENCHMARK_TARGETS one by one."""
        return [target for target in map(str.strip, self.benchmark_targets.split(",")) if target]

    @property
    def metadata_place(self) -> str:
        """METADATA_URL, or the default in DATA_DIR."""
        return self.metadata_url or f"sqlite:///{self.data_dir.absolute() / 'registry.db'}"

    @property
    def blob_place(self) -> str:
        """BLOB_URL, or the default in DATA_DIR."""
        return self.blob_url or f"file://{self.data_dir.absolute() / 'blobs'}"


MIN_SECRET_LENGTH = 32
"""An HMAC-SHA-256 key shorter than its hash weakens it (RFC 7518, section 3.2)."""
