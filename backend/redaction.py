"""Keep secrets out of what is logged: by the names of fields, by the look of values, and those that are configured."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import re2
from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
MAX_CHARACTERS = 8_000
"""Longer texts lose their middle: the ends of a traceback say most."""
MAX_READ = 250_000
"""What is beyond is dropped unread. The middle goes after redaction: a secret without its beginning is not known."""
MAX_DEPTH = 6
MAX_ITEMS = 100
MIN_SECRET = 4
"""A configured secret shorter than this would also be found in the middle of words."""

SECRET_NAMES = re.compile(
    r"authori[sz]ation|token|secret|passw|pwd|passphrase|credential|cookie|session|signature|api[-_ ]?key|"
    r"private[-_ ]?key|access[-_ ]?key|jwt|bearer",
    re.IGNORECASE,
)
"""A field with such a name holds a secret, whatever it looks like."""

_PARAMETERS = (
    "x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|signature|sig|"
    "key-pair-id|policy|awsaccesskeyid|access_token|refresh_token|id_token|token|api[-_]?key|secret|"
    "client_secret|password|passwd|pwd|jwt_secret|admin_password|cookie|set-cookie"
)
_SEPARATOR = r"""\\*["']?\s*(?:=|:|%3d|%3a)\s*"""
_VALUE = r"""(?:\\*"(?:[^"\\]|\\.)*|\\*'(?:[^'\\]|\\.)*|[^\s"'&,;)}\]]+)"""
_LOOKS = (
    rf"""(authorization{_SEPARATOR}\\*["']?(?:[a-z]+\s+)?)[^\s"',;}}\]]+""",
    r"""((?:bearer|basic)(?:\s|%20|\+|:|=)+)[^\s"',;&]{6,}""",
    rf"((?:\b|[?&;_])(?:{_PARAMETERS}){_SEPARATOR}){_VALUE}",
    r"(://)[^\s/@]*:[^\s/@]*@",  # a name and password in a URL
    r"()eyJ[\w-]{6,}(?:\.[\w-]*){0,4}",  # a JSON web token, or its beginning
    r"(\b)hf_\w{8,}",  # Hugging Face
    r"(\b)(?:gh[a-z]_\w{8,}|github_pat_\w{8,})",  # GitHub
    r"(\b)(?:AKIA|ASIA)[A-Z0-9]{12,}",  # AWS access key ids
    r"(\b)(?:sk|xox[a-z]|glpat|pypi)-[\w-]{8,}",  # other services
    r"()-----BEGIN[^-]{0,64}PRIVATE KEY-----(?:[^-]|-[^-])*(?:-----END[^-]*-----)?",
)
"""What secrets look like; the group is what may stay, so that a reader sees what was taken out."""


def _compiled(pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(pattern, options)


class Redaction:
    """A processor for structlog. Linear in the length of what it reads, since that comes from outside."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        known = [re2.escape(secret) for secret in sorted(secrets, key=len, reverse=True) if len(secret) >= MIN_SECRET]
        looks = [f"(){secret}" for secret in known] + list(_LOOKS)
        self._any = _compiled("|".join(f"(?:{look})" for look in looks))
        self._each = [_compiled(look) for look in looks]

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Redact one event."""
        del logger, method
        if self._plainly_harmless(event):
            return event
        return {self.text(str(name)): self._field(str(name), value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """Redact a text."""
        text = text[:MAX_READ]
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be written
        if self._any.search(text):
            for look in self._each:
                text = str(look.sub(rf"\1{REDACTED}", text))
        if len(text) <= MAX_CHARACTERS:
            return text
        return f"{text[: MAX_CHARACTERS // 2]} … {text[-MAX_CHARACTERS // 2 :]}"

    def _plainly_harmless(self, event: EventDict) -> bool:
        """Whether a line has plain values only and no look of a secret: nearly every line, told by one search."""
        texts: list[str] = []
        for name, value in event.items():
            if type(value) is str:
                texts.append(value)
            elif value is not None and not isinstance(value, int | float):
                return False
            if _names_a_secret(name):
                return False
        text = "\n".join(texts)
        return len(text) <= MAX_CHARACTERS and text.isascii() and not self._any.search(text)

    def _field(self, name: str, value: object, depth: int = 0) -> object:
        return REDACTED if _names_a_secret(name) else self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            items = list(value.items())[:MAX_ITEMS]
            return {self.text(str(name)): self._field(str(name), inner, depth + 1) for name, inner in items}
        if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [self._value(inner, depth + 1) for inner in list(value)[:MAX_ITEMS]]
        return self.text(_shown(value))


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _shown(value: object) -> str:
    """A value as text; a failure to log must never become a failure of what was logged."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value[:MAX_READ].decode("utf-8", "replace")
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return "…"
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 -- any class may have any fault in its __repr__
        return f"<{type(value).__name__}>"
