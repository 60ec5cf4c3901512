"""The hosts that may be contacted, and which credential each one, and no other, is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from backend.domain.errors import UpstreamFailed

HUGGINGFACE = "https://huggingface.co"
GITHUB_API = "https://api.github.com"
# Where the two hubs send a download on to; reached without credentials, and only over https.
_STORAGE_HOSTS = (
    "huggingface.co",
    "codeload.github.com",
    "raw.githubusercontent.com",
    "objects.githubusercontent.com",
    "media.githubusercontent.com",
    "github-cloud.githubusercontent.com",
)
_STORAGE_SUFFIXES = (".huggingface.co", ".hf.co")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in one spelling: `https://huggingface.co`, `http://127.0.0.1:9100`.

    Raises:
        UpstreamFailed: the URL has no host, holds credentials, or is malformed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UpstreamFailed("was sent on to a URL that is malformed") from None
    if not parts.hostname or "@" in parts.netloc or parts.scheme not in {"http", "https"}:
        raise UpstreamFailed("was sent on to a URL that is not plain http or https")
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")


@dataclass(frozen=True, slots=True)
class Origins:
    """The table of allowed origins.

    `configured` maps each origin of an API to its base paths and the credential each is sent; one that the operator put
    in a hub's place may be on a private address and without TLS. Storage hosts of the hubs are reached by redirect.
    """

    configured: Mapping[str, Mapping[str, str]] = field(repr=False)

    @classmethod
    def of(cls, hf_endpoint: str, github_api_url: str, hf_token: str | None, github_token: str | None) -> "Origins":
        """Build the table; where both APIs share an origin, each credential goes to its own base path only."""
        table: dict[str, dict[str, str]] = {}
        for url, token in ((hf_endpoint, hf_token), (github_api_url, github_token)):
            table.setdefault(origin_of(url), {})
            if token:
                table[origin_of(url)][_prefix(url)] = f"Bearer {token}"
        return cls(table)

    def private_endpoints(self) -> frozenset[tuple[str, int]]:
        """Host and port of each origin that the operator put in a hub's place; its address needs no vetting."""
        custom = (urlsplit(origin) for origin in self.configured if origin not in {HUGGINGFACE, GITHUB_API})
        return frozenset((p.hostname or "", p.port or {"http": 80, "https": 443}[p.scheme]) for p in custom)

    def headers_for(self, url: str) -> dict[str, str]:
        """Credentials for exactly this URL.

        Raises:
            UpstreamFailed: the URL's origin is not in the table.
        """
        origin = origin_of(url)
        if origin in self.configured:
            return self._credential(origin, url)
        parts = urlsplit(url)
        host = parts.hostname or ""
        known = host in _STORAGE_HOSTS or host.endswith(_STORAGE_SUFFIXES)
        if parts.scheme == "https" and parts.port in {None, 443} and known:
            return {}
        raise UpstreamFailed(f"was sent on to {origin}, which is not a host this registry reads from")

    def _credential(self, origin: str, url: str) -> dict[str, str]:
        """The token of the API whose base is the longest that the URL starts with."""
        path = urlsplit(url).path
        bases = self.configured[origin]
        base = max((base for base in bases if path.startswith(base)), key=len, default=None)
        return {} if base is None else {"Authorization": bases[base]}


def _prefix(url: str) -> str:
    return urlsplit(url).path.rstrip("/") + "/"
