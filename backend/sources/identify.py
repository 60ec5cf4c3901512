"""What a URL points at: a place on a hub, or a plain link; decided from its text alone."""

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType, Host, Source

MAX_URL_CHARACTERS = 2048
_HUGGINGFACE_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co"})
_GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
_PLAIN = re.compile(r"[!-~]+")  # printable ASCII without the space: no control, zero-width or full-width character
_PAIR = 2  # owner and name; name and top-level domain; verb and revision
_MAX_HOST_CHARACTERS = 253  # RFC 1035
_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PRIVATE_DOMAINS = frozenset({"localhost", "local", "internal", "localdomain", "arpa", "onion", "lan", "home"})
_HUB_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_GITHUB_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_GITHUB_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}")
_PATH_PART = re.compile(r"[^\x00-\x1f\x7f\\]{1,255}")
_FOLDER_VERBS = frozenset({"tree"})
_FILE_VERBS = frozenset({"blob", "resolve", "raw", "commit", "commits"})
_HUB_PAGES = frozenset(
    {
        "api",
        "blog",
        "chat",
        "collections",
        "docs",
        "enterprise",
        "join",
        "learn",
        "login",
        "models",
        "new",
        "organizations",
        "papers",
        "posts",
        "pricing",
        "privacy",
        "search",
        "settings",
        "spaces",
        "tasks",
        "terms-of-service",
    }
)
_GITHUB_PAGES = frozenset(
    {
        "about",
        "apps",
        "collections",
        "enterprise",
        "explore",
        "features",
        "login",
        "marketplace",
        "notifications",
        "orgs",
        "pricing",
        "search",
        "security",
        "settings",
        "signup",
        "sponsors",
        "topics",
        "trending",
    }
)
_ACCEPTED = {
    ArtifactType.MODEL: "give a Hugging Face model such as https://huggingface.co/google-bert/bert-base-uncased",
    ArtifactType.DATASET: "give a Hugging Face dataset such as https://huggingface.co/datasets/rajpurkar/squad, "
    "a GitHub repository, or another https link",
    ArtifactType.CODE: "give a GitHub repository such as https://github.com/google-research/bert, or another "
    "https link",
}


def identify(kind: ArtifactType, url: str) -> Source:
    """The place `url` names, for an artifact of this kind.

    A link to a single file stands for its repository at that revision. Query and fragment are dropped.

    Raises:
        InvalidInput: the URL is malformed, or is nothing that an artifact of this kind can be read from.
    """
    parts, host = _split(kind, url)
    if host in _HUGGINGFACE_HOSTS:
        return _on_hub(kind, parts)
    if kind is ArtifactType.MODEL:
        raise _refusal(kind, f"points at {host}, and a model is read from Hugging Face only")
    if host in _GITHUB_HOSTS:
        return _on_github(kind, _segments(kind, parts))
    return _link(kind, host, parts)


def _refusal(kind: ArtifactType, what: str) -> InvalidInput:
    return InvalidInput.field("url", f"{what}; {_ACCEPTED[kind]}")


def _split(kind: ArtifactType, url: str) -> tuple[SplitResult, str]:
    """Take the URL apart, refusing whatever two parsers might read differently."""
    if not url or len(url) > MAX_URL_CHARACTERS:
        raise _refusal(kind, f"must have between 1 and {MAX_URL_CHARACTERS} characters")
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise _refusal(kind, "holds a space, a backslash, or a character that is not printable ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refusal(kind, "is not a well-formed URL") from None
    if parts.scheme != "https":
        hint = "uses http; write https instead" if parts.scheme == "http" else "does not start with https://"
        raise _refusal(kind, hint)
    if "@" in parts.netloc:
        raise _refusal(kind, "holds a user name or password before the host")
    if port is not None or ":" in parts.netloc:
        raise _refusal(kind, "names a port")
    return parts, _host(kind, parts.netloc)


def _host(kind: ArtifactType, netloc: str) -> str:
    """The host in lower case; only a dotted name under a top-level domain passes, an address in no spelling does."""
    host = netloc.lower()
    labels = host.split(".")
    if len(host) > _MAX_HOST_CHARACTERS or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise _refusal(kind, "has no well-formed host name")
    if _is_address(labels):
        raise _refusal(kind, "names an IP address instead of a host")
    if len(labels) < _PAIR or labels[-1] in _PRIVATE_DOMAINS:
        raise _refusal(kind, "names a host that is not on the public internet")
    return host


def _is_address(labels: list[str]) -> bool:
    """Whether a resolver might read the host as a number: `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`."""
    last = labels[-1]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        return True
    try:
        ipaddress.ip_address(".".join(labels))
    except ValueError:
        return False
    return True


def _segments(kind: ArtifactType, parts: SplitResult) -> list[str]:
    """The path's parts, percent-decoded once; a part that climbs or hides a slash in its name is refused."""
    segments = []
    for raw in parts.path.split("/"):
        text = unquote(raw, errors="replace")
        if text in {".", ".."} or not (text == "" or _PATH_PART.fullmatch(text)):
            raise _refusal(kind, "has a path that climbs or holds control characters")
        if text:
            segments.append(text)
    return segments


def _on_hub(kind: ArtifactType, parts: SplitResult) -> Source:
    segments = _segments(kind, parts)
    space = ArtifactType.MODEL
    if segments and segments[0] == "datasets":
        space, segments = ArtifactType.DATASET, segments[1:]
    elif segments[:1] == ["spaces"] and kind is not ArtifactType.MODEL and len(segments) > _PAIR:
        return _link(kind, "huggingface.co", parts)
    elif segments and segments[0] in _HUB_PAGES:
        raise _refusal(kind, "is a page of Hugging Face, not a repository")
    if space is not kind:
        raise _refusal(kind, f"is a Hugging Face {space}, and was sent as {kind}")
    taken = 1 if len(segments) < _PAIR or segments[1] in _FOLDER_VERBS | _FILE_VERBS else 2
    name, rest = segments[:taken], segments[taken:]
    if not name or not all(_hub_part(part) for part in name):
        raise _refusal(kind, "does not name a repository of Hugging Face")
    revision, path = _place(kind, rest)
    return Source(Host.HUGGINGFACE, space, "/".join(name), revision, path)


def _hub_part(part: str) -> bool:
    return bool(_HUB_PART.fullmatch(part)) and "--" not in part and ".." not in part


def _on_github(kind: ArtifactType, segments: list[str]) -> Source:
    if len(segments) < _PAIR or segments[0] in _GITHUB_PAGES:
        raise _refusal(kind, "does not name a repository of GitHub")
    owner, name = segments[0], segments[1].removesuffix(".git")
    if not _GITHUB_OWNER.fullmatch(owner) or not _GITHUB_NAME.fullmatch(name) or name in {".", ".."}:
        raise _refusal(kind, "does not name a repository of GitHub")
    revision, path = _place(kind, segments[2:])
    return Source(Host.GITHUB, ArtifactType.CODE, f"{owner}/{name}", revision, path)


def _place(kind: ArtifactType, rest: list[str]) -> tuple[str | None, str]:
    """Revision and sub-folder after the repository's name; any other page (`issues`) stands for the whole."""
    if len(rest) < _PAIR or rest[0] not in _FOLDER_VERBS | _FILE_VERBS:
        return None, ""
    revision, path = rest[1], "/".join(rest[2:])
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise _refusal(kind, "names a revision that git does not allow")
    return revision, path if rest[0] in _FOLDER_VERBS else ""


def _link(kind: ArtifactType, host: str, parts: SplitResult) -> Source:
    """A link the registry keeps and never follows; its query may be what tells two things apart, so it stays."""
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    query = f"?{parts.query}" if parts.query else ""
    return Source(Host.LINK, kind, f"https://{host}{path}{query}")
