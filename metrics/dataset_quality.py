"""Dataset quality: is the training data any good?"""

import re

from metrics.card_text import CardText, read_card
from metrics.evidence import DatasetEvidence, DatasetRecord, Evidence
from metrics.licenses import Family, stated_license, terms_of
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import Row, could_not_judge, log_share, tally, unjudged, why_missing
from metrics.time_spans import years_between

WORTH_STRUCTURE = 0.20
WORTH_ADOPTION = 0.20
WORTH_SIZE = 0.10
WORTH_PROVENANCE = 0.10
WORTH_ACCESS = 0.10
WORTH_CARD = 0.10
WORTH_LICENSE = 0.10
WORTH_LIMITS = 0.05
WORTH_FRESHNESS = 0.05

DOWNLOADS_FULL = 10_000
LIKES_FULL = 100
"""A month's downloads and likes of a dataset that many eyes are on; faults in it would have been found."""

WORDS_OF_A_FULL_CARD = 300
FRESH_YEARS = 2.0
STALE_YEARS = 8.0
"""Data stays useful for long: full points for two years after the last change, none after eight."""

_TABULAR = re.compile(r"\.(?:parquet|arrow|jsonl?|csv|tsv|tar|zip|gz|txt|mp4|png|jpg)$", re.IGNORECASE)
_SPLIT = re.compile(r"\b(?:train|validation|valid|dev|test)\b", re.IGNORECASE)
_INFO_FILE = re.compile(r"(?:^|/)(?:dataset_infos?\.json|meta/info\.json|croissant\.json)$")


def measure(evidence: Evidence) -> MetricResult:
    """Add up what is known of the data itself, of who uses it, and of how it is explained.

    What the data consist of and who has used them weigh most: they can be checked. The licence weighs a tenth, as the
    model's own licence has a metric of its own. Without a linked dataset the score is 0.
    """
    data = evidence.dataset
    if not data.name:
        remedy = "Name the training data under `datasets:` in the card's metadata."
        return MetricResult(0.0, (Finding(Kind.COSTS, "No dataset is linked", 0.0, remedy, evidence.url),))
    if unjudged(data.record):
        return could_not_judge(data.record, f"The dataset {data.name}")
    if data.record.value is None:
        saw = f"{data.name} does not resolve ({why_missing(data.record)})"
        remedy = "Link a dataset that can be opened."
        return MetricResult(0.0, (Finding(Kind.COSTS, saw, 0.0, remedy, data.record.source),))
    return tally([*_data_rows(data, data.record.value), *_use_rows(evidence, data.record.value), *_card_rows(data)])


def _data_rows(data: DatasetEvidence, record: DatasetRecord) -> list[Row]:
    return [_structure_row(data, record), _size_row(data, record), _provenance_row(data, record)]


def _structure_row(data: DatasetEvidence, record: DatasetRecord) -> Row:
    paths = [file.path for file in data.files.otherwise(())]
    card = _card(data)
    described = any(_INFO_FILE.search(path) for path in paths)
    splits = bool(record.splits) or described or any(_SPLIT.search(p) for p in paths) or _has(card, "split")
    features = bool(record.features) or described or _has(card, "data fields", "features", "structure")
    saw = f"Splits {'known' if splits else 'not stated'}, fields {'known' if features else 'not stated'}"
    return Row(
        WORTH_STRUCTURE, (splits + features) / 2, saw, "State splits and fields in the card.", data.record.source
    )


def _size_row(data: DatasetEvidence, record: DatasetRecord) -> Row:
    held = sum(file.size_bytes for file in data.files.otherwise(()) if _TABULAR.search(file.path))
    if record.rows is not None or record.size_categories:
        size = f"{record.rows:,} rows" if record.rows is not None else ", ".join(record.size_categories)
        return Row(WORTH_SIZE, 1.0, f"Size stated: {size}", source=data.record.source)
    saw = f"Size not stated; {held / 10**6:,.0f} MB of data files"
    return Row(WORTH_SIZE, 0.5 if held else 0.0, saw, "State `size_categories` in the card.", data.record.source)


def _provenance_row(data: DatasetEvidence, record: DatasetRecord) -> Row:
    kinds = ("annotations_creators:", "language_creators:", "source_datasets:")
    tags = [tag for tag in record.tags if tag.startswith(kinds)]
    told = _has(_card(data), "source", "collection", "curat", "annotat", "created")
    cited = _has(_card(data), "cit", "paper")
    share = 1.0 if tags or told else 0.5 * cited
    words = "told in the card" if told else "only a citation" if cited else "not told"
    saw = f"Where it comes from: {', '.join(tags[:3]) if tags else words}"
    return Row(WORTH_PROVENANCE, share, saw, "Say where the data come from and who annotated them.", data.record.source)


def _use_rows(evidence: Evidence, record: DatasetRecord) -> list[Row]:
    source = evidence.dataset.record.source
    used = 0.6 * log_share(record.downloads, DOWNLOADS_FULL) + 0.4 * log_share(record.likes, LIKES_FULL)
    saw = f"{record.downloads:,} downloads, {record.likes:,} likes"
    return [
        Row(WORTH_ADOPTION, used, saw, source=source),
        Row(
            WORTH_ACCESS,
            0.5 if record.gated else 1.0,
            "Gated: terms have to be accepted first" if record.gated else "Open to everyone",
            "Publish the data without a gate.",
            source,
        ),
        _license_row(record, source),
        _freshness_row(evidence, record, source),
    ]


def _license_row(record: DatasetRecord, source: str) -> Row:
    stated = list(record.licenses) or [tag for tag in record.tags if tag.startswith("license:")]
    expression = stated_license(stated)
    terms = terms_of(expression)
    if terms.family is Family.NONE:
        words = ", ".join(stated) or "nothing"
        return Row(
            WORTH_LICENSE, 0.0, f"No licence that can be identified: {words}", "State the data's licence.", source
        )
    share = 0.5 if terms.family in {Family.NON_COMMERCIAL, Family.NO_DERIVATIVES, Family.CUSTOM} else 1.0
    return Row(WORTH_LICENSE, share, f"{expression}: {terms.reason}", "Choose an open licence for the data.", source)


def _freshness_row(evidence: Evidence, record: DatasetRecord, source: str) -> Row:
    age = years_between(record.last_modified, evidence.gathered_at)
    if age is None:
        return Row(WORTH_FRESHNESS, 0.0, "Date of the last change not stated", source=source)
    share = (STALE_YEARS - age) / (STALE_YEARS - FRESH_YEARS)
    return Row(
        WORTH_FRESHNESS, min(1.0, max(0.0, share)), f"Last changed {age:.1f} years ago", "Keep the data up.", source
    )


def _card_rows(data: DatasetEvidence) -> list[Row]:
    if unjudged(data.card):
        saw = f"Its card could not be read ({why_missing(data.card)})"
        return [Row(worth, None, saw, source=data.card.source) for worth in (WORTH_CARD, WORTH_LIMITS)]
    card = _card(data)
    limits = _has(card, "limit", "bias", "risk", "social impact", "sensitive")
    return [
        Row(
            WORTH_CARD,
            card.words / WORDS_OF_A_FULL_CARD,
            f"Its card has {card.words} words",
            "Describe the data.",
            data.card.source,
        ),
        Row(
            WORTH_LIMITS,
            float(limits),
            "Limits and biases are told" if limits else "Limits and biases are not told",
            "Tell limits and biases of the data.",
            data.card.source,
        ),
    ]


def _card(data: DatasetEvidence) -> CardText:
    return read_card(data.card.otherwise(""))


def _has(card: CardText, *topics: str) -> bool:
    return card.section_about(*topics) is not None


METRIC = Metric(
    name="dataset_quality",
    question="Is the training data any good?",
    weight=0.05,
    measure=measure,
    reads=("dataset.record", "dataset.card", "dataset.files"),
    scale=(
        f"{WORTH_STRUCTURE}: splits and fields are known, half each",
        f"{WORTH_ADOPTION}: downloads (full at {DOWNLOADS_FULL:,}) and likes (full at {LIKES_FULL:,}), logarithmic",
        f"{WORTH_SIZE}: size stated; half where only the files tell",
        f"{WORTH_PROVENANCE}: says where it comes from; half for a citation",
        f"{WORTH_ACCESS}: open; half where gated",
        f"{WORTH_CARD}: length of its card, full at {WORDS_OF_A_FULL_CARD} words",
        f"{WORTH_LICENSE}: licence; half where it restricts use",
        f"{WORTH_LIMITS}: limits and biases told",
        f"{WORTH_FRESHNESS}: changed within {FRESH_YEARS:g} years, falling to 0 at {STALE_YEARS:g}",
        "0: no dataset is linked, or it does not resolve",
    ),
)
