"""Ramp-up time: how fast can an engineer start with the model?"""

import re

from metrics.card_text import CardText, read_card
from metrics.demonstration import parsed_python
from metrics.evidence import Evidence
from metrics.metric import Metric, MetricResult
from metrics.points import Row, log_share, tally, unjudged, why_missing
from metrics.second_opinion import SCALE, hear

WORDS_OF_A_FULL_CARD = 300
"""About a page, which is what the card guides of the hubs ask for; more text does not start anyone faster."""

DOWNLOADS_FULL = 1_000_000
LIKES_FULL = 1_000
"""Adoption at which answers to any question are a search away; both are on a logarithmic scale."""

WORTH_LENGTH = 0.10
WORTH_USAGE = 0.15
WORTH_EXAMPLE = 0.15
WORTH_LIMITS = 0.10
WORTH_TRAINING = 0.10
WORTH_CITATION = 0.05
WORTH_LIBRARY = 0.08
WORTH_TASK = 0.07
WORTH_CONFIG = 0.05
WORTH_PROCESSOR = 0.05
WORTH_DOWNLOADS = 0.06
WORTH_LIKES = 0.04

_PROCESSOR = re.compile(
    r"(?:^|/)(?:tokenizer|tokenizer_config|vocab|merges|spiece|sentencepiece|preprocessor_config|processor_config"
    r"|image_processor|feature_extractor)[^/]*$"
)
_CONFIG = re.compile(r"(?:^|/)(?:config\.(?:json|ya?ml)|adapter_config\.json|model_index\.json|params\.json)$")


def measure(evidence: Evidence) -> MetricResult:
    """Add up what shortens the way from finding the model to calling it.

    Half of the points are for what the card explains, a seventh for an example, a quarter for what tools need to load
    it without reading. Adoption is a tenth, so that a small and well documented model can still reach 0.9.
    """
    own = tally([*_card_rows(evidence), *_loading_rows(evidence), *_adoption_rows(evidence)])
    return hear(own, evidence, "ramp_up_time")


def _card_rows(evidence: Evidence) -> list[Row]:
    source = evidence.card.source
    worths = (WORTH_LENGTH, WORTH_USAGE, WORTH_EXAMPLE, WORTH_LIMITS, WORTH_TRAINING, WORTH_CITATION)
    if unjudged(evidence.card):
        saw = f"The card could not be read ({why_missing(evidence.card)})"
        return [Row(worth, None, saw, source=source) for worth in worths]
    card = read_card(evidence.card.otherwise(""))
    words = card.words
    return [
        Row(WORTH_LENGTH, words / WORDS_OF_A_FULL_CARD, f"The card has {words} words", "Describe the model.", source),
        _section_row(
            card,
            WORTH_USAGE,
            "how to use it",
            evidence,
            "usage",
            "use\\b",
            "how to",
            "get started",
            "quick ?start",
            "example",
            "download",
        ),
        _example_row(card, source),
        _section_row(
            card,
            WORTH_LIMITS,
            "intended uses and limits",
            evidence,
            "limit",
            "intended",
            "bias",
            "risk",
            "out-of-scope",
            "uses",
            "evaluated use",
        ),
        _section_row(
            card, WORTH_TRAINING, "training", evidence, "train", "pre-?train", "fine-?tun", "hyperparameter", "data"
        ),
        _citation_row(card, source),
    ]


def _section_row(card: CardText, worth: float, what: str, evidence: Evidence, *topics: str) -> Row:
    source = evidence.card.source
    record = evidence.model.value
    section = card.section_about(*topics, titled=(record.id if record else evidence.name).rpartition("/")[2])
    saw = f"A section on {what}: “{section.title[:60]}”" if section else f"No section on {what}"
    return Row(worth, float(section is not None), saw, f"Add a section on {what}.", source)


def _example_row(card: CardText, source: str) -> Row:
    parsed = sum(parsed_python(block) is not None for block in card.code)
    share = 1.0 if parsed else 0.5 * bool(card.code)
    saw = f"{len(card.code)} code block(s), {parsed} of them Python that parses"
    return Row(WORTH_EXAMPLE, share, saw, "Show a few lines of Python that load the model and call it.", source)


def _citation_row(card: CardText, source: str) -> Row:
    found = card.section_about("cit", "bibtex", "reference") or any("bibtex" in block.language for block in card.code)
    saw = "Says how to cite it" if found else "Does not say how to cite it"
    return Row(WORTH_CITATION, float(bool(found)), saw, "Add a citation.", source)


def _loading_rows(evidence: Evidence) -> list[Row]:
    return [*_metadata_rows(evidence), *_file_rows(evidence)]


def _metadata_rows(evidence: Evidence) -> list[Row]:
    fact = evidence.model
    if unjudged(fact):
        saw = f"The hub's record could not be read ({why_missing(fact)})"
        return [Row(worth, None, saw, source=fact.source) for worth in (WORTH_LIBRARY, WORTH_TASK)]
    library = fact.value.library_name if fact.value else None
    task = fact.value.pipeline_tag if fact.value else None
    return [
        Row(
            WORTH_LIBRARY,
            float(bool(library)),
            f"Library: {library or 'not stated'}",
            "Set `library_name`.",
            fact.source,
        ),
        Row(WORTH_TASK, float(bool(task)), f"Task: {task or 'not stated'}", "Set `pipeline_tag`.", fact.source),
    ]


def _file_rows(evidence: Evidence) -> list[Row]:
    fact = evidence.files
    if unjudged(fact):
        saw = f"The file list could not be read ({why_missing(fact)})"
        return [Row(worth, None, saw, source=fact.source) for worth in (WORTH_CONFIG, WORTH_PROCESSOR)]
    paths = sorted(file.path for file in fact.otherwise(()))
    return [
        _file_row(WORTH_CONFIG, "configuration", paths, _CONFIG, fact.source),
        _file_row(WORTH_PROCESSOR, "tokenizer or processor", paths, _PROCESSOR, fact.source),
    ]


def _file_row(worth: float, what: str, paths: list[str], pattern: re.Pattern[str], source: str) -> Row:
    found = next((path for path in paths if pattern.search(path)), None)
    saw = f"{what.capitalize()}: {found or 'no such file'}"
    return Row(worth, float(found is not None), saw, f"Add the {what} files.", source)


def _adoption_rows(evidence: Evidence) -> list[Row]:
    fact = evidence.model
    if unjudged(fact):
        saw = f"Adoption could not be read ({why_missing(fact)})"
        return [Row(worth, None, saw, source=fact.source) for worth in (WORTH_DOWNLOADS, WORTH_LIKES)]
    downloads = fact.value.downloads if fact.value else 0
    likes = fact.value.likes if fact.value else 0
    return [
        Row(WORTH_DOWNLOADS, log_share(downloads, DOWNLOADS_FULL), f"{downloads:,} downloads", source=fact.source),
        Row(WORTH_LIKES, log_share(likes, LIKES_FULL), f"{likes:,} likes", source=fact.source),
    ]


METRIC = Metric(
    name="ramp_up_time",
    question="How fast can an engineer start?",
    weight=0.16,
    measure=measure,
    reads=("card", "model", "files", "second_reading"),
    scale=(
        f"{WORTH_LENGTH}: length of the card, full at {WORDS_OF_A_FULL_CARD} words",
        f"{WORTH_USAGE}: a section on how to use it",
        f"{WORTH_EXAMPLE}: an example that parses as Python; half for any other code",
        f"{WORTH_LIMITS}: a section on intended uses and limits",
        f"{WORTH_TRAINING}: a section on training",
        f"{WORTH_CITATION}: a citation",
        f"{WORTH_LIBRARY}: the library is stated",
        f"{WORTH_TASK}: the task is stated",
        f"{WORTH_CONFIG}: a configuration file",
        f"{WORTH_PROCESSOR}: a tokenizer or processor file",
        f"{WORTH_DOWNLOADS}: downloads, logarithmic, full at {DOWNLOADS_FULL:,}",
        f"{WORTH_LIKES}: likes, logarithmic, full at {LIKES_FULL:,}",
        SCALE,
    ),
)
