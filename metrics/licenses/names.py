"""Licence names as hubs, cards and repositories spell them, turned into SPDX expressions."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from license_expression import Licensing

_NOT_A_LICENSE = frozenset(
    {"", "unknown", "none", "noassertion", "other", "n/a", "na", "tbd", "unlicensed", "no-license"}
)

HUB_TAGS: Mapping[str, str] = {
    "agpl-3.0": "AGPL-3.0-only",
    "apache license 2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "apache": "Apache-2.0",
    "apple-amlr": "LicenseRef-Apple-AMLR",
    "apple-ascl": "LicenseRef-Apple-Sample-Code",
    "bigcode-openrail-m": "LicenseRef-BigCode-OpenRAIL-M",
    "bigscience-bloom-rail-1.0": "LicenseRef-BigScience-BLOOM-RAIL-1.0",
    "bigscience-openrail-m": "LicenseRef-BigScience-OpenRAIL-M",
    "bsd": "BSD-3-Clause",
    "cc": "LicenseRef-Creative-Commons",
    "cc-by": "CC-BY-4.0",
    "cc-by-nc": "CC-BY-NC-4.0",
    "cc-by-sa": "CC-BY-SA-4.0",
    "cc0": "CC0-1.0",
    "creativeml-openrail-m": "LicenseRef-CreativeML-OpenRAIL-M",
    "deepfloyd-if-license": "LicenseRef-DeepFloyd-IF",
    "deepseek": "LicenseRef-DeepSeek",
    "fair-noncommercial-research-license": "LicenseRef-FAIR-Noncommercial",
    "flux-1-dev-non-commercial-license": "LicenseRef-FLUX-Dev-Non-Commercial",
    "gemma": "LicenseRef-Gemma",
    "gfdl": "GFDL-1.3-or-later",
    "gpl": "GPL-3.0-or-later",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only",
    "h-research": "LicenseRef-H-Research",
    "intel-research": "LicenseRef-Intel-Research",
    "lgpl": "LGPL-3.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "lgpl-lr": "LGPLLR",
    "lgplv2.1": "LGPL-2.1-only",
    "llama2": "LicenseRef-Llama-2",
    "llama3": "LicenseRef-Llama-3",
    "llama3.1": "LicenseRef-Llama-3.1",
    "llama3.2": "LicenseRef-Llama-3.2",
    "llama3.3": "LicenseRef-Llama-3.3",
    "llama4": "LicenseRef-Llama-4",
    "mit license": "MIT",
    "openrail": "LicenseRef-OpenRAIL",
    "openrail++": "LicenseRef-OpenRAIL++",
    "pddl": "PDDL-1.0",
    "public domain": "LicenseRef-Public-Domain",
    "qwen": "LicenseRef-Qwen",
    "qwen-research": "LicenseRef-Qwen-Research",
    "stabilityai-ai-community": "LicenseRef-Stability-Community",
    "stabilityai-nc-research-community": "LicenseRef-Stability-NC-Research",
    "tii-falcon-llm": "LicenseRef-Falcon-LLM",
}
"""The hub's own tags and common spellings that SPDX does not know under that name.

A tag that leaves "only" or "or later" open is read as the narrower one: nobody may be given more than was granted.
"""

_NAME_HINTS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.IGNORECASE), spdx)
    for pattern, spdx in (
        (r"non-?commercial|\bnc\b|research[- ]only|academic", "LicenseRef-Non-Commercial"),
        (r"llama[- ]?([234](?:\.\d)?)", r"LicenseRef-Llama-\1"),
        (r"gemma", "LicenseRef-Gemma"),
        (r"open-?rail", "LicenseRef-OpenRAIL"),
        (r"qwen.*research", "LicenseRef-Qwen-Research"),
        (r"qwen|tongyi", "LicenseRef-Qwen"),
        (r"deepseek", "LicenseRef-DeepSeek"),
        (r"stability|stable[- ]diffusion", "LicenseRef-Stability-Community"),
        (r"apache", "Apache-2.0"),
        (r"\bmit\b", "MIT"),
    )
)
_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")
_LONGEST_NAME = 200


def normalise(name: str | None) -> str | None:
    """Turn one spelling of a licence into an SPDX expression; None where it names no licence.

    A name SPDX does not know becomes a `LicenseRef-…`, so that a custom licence stays visible as what it is.
    """
    if name is None:
        return None
    text = " ".join(name[:_LONGEST_NAME].split())
    key = text.lower().removeprefix("license:").strip()
    if key in _NOT_A_LICENSE:
        return None
    if key in HUB_TAGS:
        return HUB_TAGS[key]
    return _spdx(key if text.lower().startswith("license:") else text) or _custom(text)


def stated_license(names: Sequence[str], name: str | None = None, link: str | None = None) -> str | None:
    """Combine what a card states into one expression; None where it states none.

    Several licences hold together, as the parts of a model may have one each. `name` and `link` count where the tag
    is `other`.
    """
    found = sorted({spdx for one in names if (spdx := normalise(one))})
    if found:
        return " AND ".join(f"({one})" if " " in one and len(found) > 1 else one for one in found)
    if any(one.strip().lower() == "other" for one in names) or name:
        return _by_hint(f"{name or ''} {link or ''}") or normalise(name) or _custom_link(link)
    return None


def _custom_link(link: str | None) -> str | None:
    return "LicenseRef-Custom" if link else None


def _by_hint(text: str) -> str | None:
    for pattern, spdx in _NAME_HINTS:
        if match := pattern.search(text):
            return match.expand(spdx)
    return None


def _custom(text: str) -> str | None:
    ref = _UNSAFE.sub("-", text).strip("-.+")
    if not ref:
        return None
    return ref if ref.startswith("LicenseRef-") else f"LicenseRef-{ref}"


@lru_cache(maxsize=256)
def _spdx(text: str) -> str | None:
    from license_expression import ExpressionError  # noqa: PLC0415 - slow to import, and many processes never rate

    try:
        parsed = _licensing().parse(text, validate=False)
    except (ExpressionError, AttributeError, TypeError, ValueError):
        return None
    if parsed is None or _licensing().unknown_license_keys(parsed):
        return None
    return str(parsed.render())


@lru_cache(maxsize=1)
def _licensing() -> "Licensing":
    from license_expression import get_spdx_licensing  # noqa: PLC0415 - as above, and its index is slow to build

    return get_spdx_licensing()
