"""What a licence lets an organisation do, by family, with the reason in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from metrics.words import words


class Family(IntEnum):
    """Families of terms in order of how much they restrict; a larger value never permits more."""

    PERMISSIVE = 0
    WEAK_COPYLEFT = 1
    SHARE_ALIKE = 2
    USE_RESTRICTED = 3
    CUSTOM = 4
    STRONG_COPYLEFT = 5
    NO_DERIVATIVES = 6
    NON_COMMERCIAL = 7
    NONE = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """The family of a licence expression and why; `key` is the licence that decides, empty where there is none."""

    key: str
    family: Family
    reason: str


REASONS: Mapping[Family, str] = {
    Family.PERMISSIVE: "may be used, changed and shipped for any purpose if its notices are kept",
    Family.WEAK_COPYLEFT: "changes to it must stay under its terms; works that merely use it are free",
    Family.SHARE_ALIKE: "may be used commercially; what is derived from it must be shared under the same terms",
    Family.USE_RESTRICTED: "may be used commercially, but forbids some uses and passes that duty on",
    Family.CUSTOM: "a licence text of its own, which a person has to read",
    Family.STRONG_COPYLEFT: "a work that combines with it must as a whole be under its terms",
    Family.NO_DERIVATIVES: "may not be changed, so it cannot be fine-tuned and shared",
    Family.NON_COMMERCIAL: "may not be used commercially",
    Family.NONE: "no licence is stated, so nothing is granted beyond looking at it",
}

_TABLE: Mapping[Family, frozenset[str]] = {
    Family.PERMISSIVE: words(
        "0BSD AFL-3.0 Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 CC-BY-2.0 "
        "CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 ECL-2.0 ISC "
        "LicenseRef-Public-Domain MIT MIT-0 MIT-Modern-Variant MS-PL NCSA ODC-By-1.0 OFL-1.1 PDDL-1.0 "
        "PostgreSQL PSF-2.0 Python-2.0 Unlicense UPL-1.0 WTFPL X11 Zlib"
    ),
    Family.WEAK_COPYLEFT: words(
        "CDDL-1.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only "
        "LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later LGPLLR MPL-2.0"
    ),
    Family.SHARE_ALIKE: words(
        "CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0 CC-BY-SA-4.0 CDLA-Sharing-1.0 GFDL-1.2-or-later GFDL-1.3-only "
        "GFDL-1.3-or-later ODbL-1.0"
    ),
    Family.USE_RESTRICTED: words(
        "LicenseRef-BigCode-OpenRAIL-M LicenseRef-BigScience-BLOOM-RAIL-1.0 LicenseRef-BigScience-OpenRAIL-M "
        "LicenseRef-CreativeML-OpenRAIL-M LicenseRef-DeepSeek LicenseRef-Falcon-LLM LicenseRef-Gemma "
        "LicenseRef-Llama-2 LicenseRef-Llama-3 LicenseRef-Llama-3.1 LicenseRef-Llama-3.2 LicenseRef-Llama-3.3 "
        "LicenseRef-Llama-4 LicenseRef-OpenRAIL LicenseRef-OpenRAIL++ LicenseRef-Qwen LicenseRef-"
        "Stability-Community"
    ),
    Family.STRONG_COPYLEFT: words(
        "AGPL-3.0-only AGPL-3.0-or-later GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only "
        "GPL-3.0-or-later OSL-3.0 SSPL-1.0"
    ),
    Family.NO_DERIVATIVES: frozenset(["CC-BY-ND-2.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0"]),
    Family.NON_COMMERCIAL: words(
        "LicenseRef-Apple-AMLR LicenseRef-DeepFloyd-IF LicenseRef-FAIR-Noncommercial LicenseRef-FLUX-Dev-Non-"
        "Commercial LicenseRef-H-Research LicenseRef-Intel-Research LicenseRef-Non-Commercial LicenseRef-"
        "Qwen-Research LicenseRef-Stability-NC-Research"
    ),
}
_FAMILY_OF: Mapping[str, Family] = {key: family for family, keys in _TABLE.items() for key in keys}


def terms_of(expression: str | None) -> Terms:
    """Judge an SPDX expression.

    Of `A OR B` the freer one is taken, since the receiver may choose; of `A AND B` the stricter one, since both hold.
    An exception (`WITH`) is not read as freeing anything.
    """
    if not expression:
        return Terms("", Family.NONE, REASONS[Family.NONE])
    choices = [_all_of(choice) for choice in _split(expression, " OR ")]
    return min(choices, key=lambda terms: (terms.family, terms.key))


def _all_of(expression: str) -> Terms:
    inner = _unwrapped(expression)
    if len(_split(inner, " OR ")) > 1:
        return terms_of(inner)
    parts = _split(inner, " AND ")
    if len(parts) > 1:
        return max((_all_of(part) for part in parts), key=lambda terms: (terms.family, terms.key))
    return _single(inner)


def _single(key: str) -> Terms:
    base = key.partition(" WITH ")[0].strip()
    family = _FAMILY_OF.get(base)
    if family is None:
        family = _by_name(base)
    return Terms(base, family, REASONS[family])


def _by_name(key: str) -> Family:
    parts = key.upper().split("-")
    if "NC" in parts or "NONCOMMERCIAL" in key.upper().replace("-", ""):
        return Family.NON_COMMERCIAL
    if "ND" in parts:
        return Family.NO_DERIVATIVES
    return Family.CUSTOM


def _unwrapped(expression: str) -> str:
    text = expression.strip()
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def _split(expression: str, operator: str) -> list[str]:
    """Split at the operator where it stands outside parentheses."""
    text = _unwrapped(expression)
    parts, depth, start, at = [], 0, 0, 0
    while at < len(text):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 and text.startswith(operator, at):
            parts.append(text[start:at])
            start = at = at + len(operator)
            continue
        at += 1
    parts.append(text[start:])
    return parts
