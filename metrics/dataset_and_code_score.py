"""Dataset and code: are training data and example code at hand?"""

from metrics.card_text import read_card
from metrics.demonstration import parsed_python
from metrics.evidence import Evidence
from metrics.metric import Metric, MetricResult
from metrics.points import Row, tally, unjudged, why_missing

WORTH_DATA_NAMED = 0.15
WORTH_DATA_RESOLVES = 0.20
WORTH_DATA_DOCUMENTED = 0.15
WORTH_CODE_NAMED = 0.10
WORTH_CODE_RESOLVES = 0.15
WORTH_CODE_DOCUMENTED = 0.10
WORTH_EXAMPLE = 0.15

DOCUMENTED_CHARACTERS = 500
"""Length from which a README or data card is more than a title."""


def measure(evidence: Evidence) -> MetricResult:
    """Give half of the points for the data and half for the code; being there counts most, then being explained.

    An example in the card is part of the code half: it is code at hand even where no repository is linked.
    """
    return tally([*_data_rows(evidence), *_code_rows(evidence)])


def _data_rows(evidence: Evidence) -> list[Row]:
    data = evidence.dataset
    remedy = "Name the training data under `datasets:` in the card's metadata."
    named = Row(
        WORTH_DATA_NAMED,
        float(bool(data.name)),
        f"Data named: {data.name}" if data.name else "No dataset is linked",
        remedy,
        evidence.url,
    )
    if not data.name:
        return [
            named,
            Row(WORTH_DATA_RESOLVES, 0.0, "No dataset to open", remedy),
            Row(WORTH_DATA_DOCUMENTED, 0.0, "No dataset card", remedy),
        ]
    if unjudged(data.record):
        saw = f"{data.name} could not be looked up ({why_missing(data.record)})"
        return [
            named,
            Row(WORTH_DATA_RESOLVES, None, saw, source=data.record.source),
            Row(WORTH_DATA_DOCUMENTED, None, saw),
        ]
    there = data.record.known
    saw = f"{data.name} is there" if there else f"{data.name} does not resolve ({why_missing(data.record)})"
    return [named, Row(WORTH_DATA_RESOLVES, float(there), saw, remedy, data.record.source), _data_card_row(evidence)]


def _data_card_row(evidence: Evidence) -> Row:
    card = evidence.dataset.card
    if unjudged(card):
        return Row(WORTH_DATA_DOCUMENTED, None, f"Its card could not be read ({why_missing(card)})", source=card.source)
    record = evidence.dataset.record.value
    length = len(card.otherwise("")) or len(record.description if record else "")
    saw = f"Its card has {length:,} characters"
    return Row(
        WORTH_DATA_DOCUMENTED, length / DOCUMENTED_CHARACTERS, saw, "Describe the data in its card.", card.source
    )


def _code_rows(evidence: Evidence) -> list[Row]:
    return [*_repository_rows(evidence), _example_row(evidence)]


def _repository_rows(evidence: Evidence) -> list[Row]:
    code = evidence.code
    remedy = "Link the code repository in the card."
    named = Row(
        WORTH_CODE_NAMED,
        float(bool(code.url)),
        f"Code: {code.url}" if code.url else "No code repository is linked",
        remedy,
        code.url,
    )
    if not code.url:
        return [
            named,
            Row(WORTH_CODE_RESOLVES, 0.0, "No repository to open", remedy),
            Row(WORTH_CODE_DOCUMENTED, 0.0, "No README", remedy),
        ]
    if unjudged(code.repo):
        saw = f"The repository could not be looked up ({why_missing(code.repo)})"
        return [
            named,
            Row(WORTH_CODE_RESOLVES, None, saw, source=code.repo.source),
            Row(WORTH_CODE_DOCUMENTED, None, saw),
        ]
    there = code.repo.known
    saw = "The repository is there" if there else f"The repository does not resolve ({why_missing(code.repo)})"
    return [named, Row(WORTH_CODE_RESOLVES, float(there), saw, remedy, code.repo.source), _readme_row(evidence)]


def _readme_row(evidence: Evidence) -> Row:
    readme = evidence.code.readme
    if unjudged(readme):
        return Row(
            WORTH_CODE_DOCUMENTED, None, f"Its README could not be read ({why_missing(readme)})", source=readme.source
        )
    length = len(readme.otherwise(""))
    saw = f"Its README has {length:,} characters"
    return Row(
        WORTH_CODE_DOCUMENTED, length / DOCUMENTED_CHARACTERS, saw, "Explain the code in its README.", readme.source
    )


def _example_row(evidence: Evidence) -> Row:
    card = evidence.card
    if unjudged(card):
        return Row(WORTH_EXAMPLE, None, f"The card could not be read ({why_missing(card)})", source=card.source)
    parsed = sum(parsed_python(block) is not None for block in read_card(card.otherwise("")).code)
    saw = f"{parsed} example(s) in Python in the card"
    return Row(WORTH_EXAMPLE, float(parsed > 0), saw, "Show how to load and call the model in Python.", card.source)


METRIC = Metric(
    name="dataset_and_code_score",
    question="Are training data and example code at hand?",
    weight=0.05,
    measure=measure,
    reads=("dataset.record", "dataset.card", "code.repo", "code.readme", "card"),
    scale=(
        f"{WORTH_DATA_NAMED}: a dataset is named",
        f"{WORTH_DATA_RESOLVES}: it can be opened",
        f"{WORTH_DATA_DOCUMENTED}: it has a card, full at {DOCUMENTED_CHARACTERS} characters",
        f"{WORTH_CODE_NAMED}: a code repository is named",
        f"{WORTH_CODE_RESOLVES}: it can be opened",
        f"{WORTH_CODE_DOCUMENTED}: it has a README, full at {DOCUMENTED_CHARACTERS} characters",
        f"{WORTH_EXAMPLE}: the card shows an example in Python",
    ),
)
