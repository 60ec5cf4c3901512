"""Licence: may we use the model and ship it?"""

import re
from collections.abc import Mapping

from metrics.card_text import read_card
from metrics.evidence import Evidence, ModelRecord
from metrics.licenses import Family, compatible, normalise, stated_license, terms_of
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged

ORGANISATION_LICENSE = "LGPL-2.1-only"
"""The licence this organisation ships its own work under; the model has to go with it."""

SCORE_OF: Mapping[Family, float] = {
    Family.PERMISSIVE: 1.0,
    Family.WEAK_COPYLEFT: 1.0,
    Family.SHARE_ALIKE: 0.6,
    Family.USE_RESTRICTED: 0.5,
    Family.CUSTOM: 0.2,
    Family.STRONG_COPYLEFT: 0.0,
    Family.NO_DERIVATIVES: 0.0,
    Family.NON_COMMERCIAL: 0.0,
    Family.NONE: 0.0,
}
"""The score of each family of terms; the order is that of what they restrict.

Weak copyleft goes with LGPL-2.1 as it is of the same kind. Share-alike and use restrictions leave a clear duty that
can be met, so they pass the gate's default threshold. A custom text grants something, but nobody knows what until it
was read. Strong copyleft would take the organisation's own work under its terms, and the rest forbid what we do.
"""

SHARE_OF_REPOSITORY = 0.5
"""What a licence counts when only the code repository states it: it covers the code, and the weights by inference."""

_LABEL_LINE = re.compile(r"\blicen[cs]e\b[\s:*\[]{1,10}([A-Za-z0-9][A-Za-z0-9 .+-]{1,40})", re.IGNORECASE)
_LICENSE_FILE = re.compile(r"^(?:licen[cs]e|copying)(?:\.\w+)?$", re.IGNORECASE)
_REMEDY = "State an open licence in the card's `license:` field; Apache-2.0 and MIT score highest."


def measure(evidence: Evidence) -> MetricResult:
    """Grade the licence that is stated closest to the weights: card metadata, hub tag, card text, then repository.

    The table of scores is `SCORE_OF`; a licence found only at the linked repository counts `SHARE_OF_REPOSITORY`.
    """
    if unjudged(evidence.model) and unjudged(evidence.card):
        return could_not_judge(evidence.model, "the model's licence")
    for expression, where, source in (_from_record(evidence), _from_card(evidence)):
        if expression:
            return _graded(evidence, expression, where, source, share=1.0)
    spdx = normalise(evidence.code.repo.value.license_spdx) if evidence.code.repo.value else None
    if spdx:
        return _graded(evidence, spdx, "only in the linked code repository", evidence.code.url, SHARE_OF_REPOSITORY)
    terms = terms_of(None)
    finding = Finding(Kind.COSTS, f"No licence: {terms.reason}", 0.0, _REMEDY, evidence.model.source or evidence.url)
    return MetricResult(0.0, (finding, *_file_note(evidence)), confidence=_confidence(evidence))


def model_license(evidence: Evidence) -> str | None:
    """The SPDX expression the model itself states, None where it states none."""
    return _from_record(evidence)[0] or _from_card(evidence)[0]


def _from_record(evidence: Evidence) -> tuple[str | None, str, str]:
    record = evidence.model.value
    found = _stated_in(record) if record else None
    return found, "in the card's metadata", evidence.model.source


def _stated_in(record: ModelRecord) -> str | None:
    card = record.card
    if found := stated_license(card.licenses, card.license_name, card.license_link):
        return found
    return stated_license([tag for tag in record.tags if tag.startswith("license:")])


def _from_card(evidence: Evidence) -> tuple[str | None, str, str]:
    where, source = "in the card's text", evidence.card.source
    for section in read_card(evidence.card.otherwise("")).sections:
        if re.search(r"\blicen[cs]", section.title, re.IGNORECASE) and (found := _known_name(section.text)):
            return found, where, source
        for match in _LABEL_LINE.finditer(section.text):
            if found := _known_name(match[1]):
                return found, where, source
    return None, where, source


def _known_name(text: str) -> str | None:
    """The first words of `text` that are a licence this registry knows the terms of."""
    words = re.findall(r"[A-Za-z0-9][A-Za-z0-9.+-]*", text[:400])
    for size in (3, 2, 1):
        for at in range(len(words) - size + 1):
            found = normalise(" ".join(words[at : at + size]).rstrip("."))
            if found and terms_of(found).family is not Family.CUSTOM:
                return found
    return None


def _graded(evidence: Evidence, expression: str, where: str, source: str, share: float) -> MetricResult:
    terms = terms_of(expression)
    score = SCORE_OF[terms.family] * share
    summary = f"{expression}, stated {where}: {terms.reason}"
    remedy = "" if score == 1 else _REMEDY
    finding = Finding(Kind.GIVES if score else Kind.COSTS, summary, score, remedy, source)
    return MetricResult(score, (finding, _fit(expression), *_gate_note(evidence)), confidence=_confidence(evidence))


def _fit(expression: str) -> Finding:
    fit = compatible(expression, ORGANISATION_LICENSE)
    words = "goes" if fit.allowed else "does not go"
    return note(f"{expression} {words} with the organisation's {ORGANISATION_LICENSE}: {fit.reasons[-1]}")


def _gate_note(evidence: Evidence) -> tuple[Finding, ...]:
    record = evidence.model.value
    if record is None or not record.gated:
        return ()
    return (note("Gated: terms have to be accepted at the hub before the files can be had.", source=evidence.url),)


def _file_note(evidence: Evidence) -> tuple[Finding, ...]:
    names = [file.path for file in evidence.files.otherwise(()) if _LICENSE_FILE.match(file.path)]
    return tuple(note(f"{name} is there, but the card does not say which licence it is", _REMEDY) for name in names[:1])


def _confidence(evidence: Evidence) -> float:
    return 1.0 - 0.5 * unjudged(evidence.model) - 0.25 * unjudged(evidence.card) - 0.25 * unjudged(evidence.code.repo)


METRIC = Metric(
    name="license",
    question="May we use it and ship it?",
    weight=0.16,
    measure=measure,
    reads=("model", "card", "files", "code.repo"),
    scale=(
        *(f"{score:.1f}: {family.name.lower().replace('_', ' ')}" for family, score in SCORE_OF.items()),
        f"x {SHARE_OF_REPOSITORY}: stated only by the linked code repository",
    ),
)
