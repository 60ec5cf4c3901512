"""Performance claims: are the model's claims backed by evidence?"""

import math
import re

from metrics.card_text import CardText, Table, read_card
from metrics.evidence import CardData, ClaimedResult, Evidence
from metrics.metric import Finding, Metric, MetricResult
from metrics.points import Row, note, tally, unjudged, why_missing
from metrics.second_opinion import SCALE, hear

CLAIMS_SCALE = 3.0
"""Claims at which 63 % of their points are reached (1 - e^(-n/3)): the first few matter, the twentieth does not."""

WEIGHT_VERIFIED = 1.5
WEIGHT_MACHINE_READABLE = 1.0
WEIGHT_CARD = 0.75
WEIGHT_WITHOUT_DATASET = 0.25
"""What a claim counts: checked by a third party, machine-readable, in the card, in the card without its data."""

WORTH_CLAIMS = 0.50
WORTH_MACHINE_READABLE = 0.05
WORTH_VERIFIED = 0.05
WORTH_SECTION = 0.10
WORTH_DATASET = 0.15
WORTH_PAPER = 0.15

_METRIC = re.compile(
    r"\b(?:accuracy|acc(?:@\d)?|f1|precision|recall|bleu|sacrebleu|rouge|meteor|chrf|wer|cer|perplexity|ppl|bpb|bpc|(?-i:mAP|MAP)"
    r"|m?iou|auc|auroc|mse|rmse|mae|r2|pearson\w*|spearman\w*|matthews|mcc|exact[ _]match|(?-i:EM|em)|pass@\d+|fid|psnr"
    r"|ssim|ndcg|mrr|hits@\d+|top-?[15]|success rate|reward|elo|win rate|error rate)\b",
    re.IGNORECASE,
)
_BENCHMARK = re.compile(
    r"\b(?:(?:super)?glue|mnli|qnli|qqp|sst-?2|cola|mrpc|rte|sts-?b|mmlu(?:-pro)?|hellaswag|winogrande|arc(?:-[ce])?|gsm-?8k"
    r"|humaneval|mbpp|truthfulqa|squad|boolq|piqa|lambada|wikitext\w*|ptb|enwiki8|text8|1bw|cbt-\w+|bbh|agieval"
    r"|triviaqa|imagenet|cifar-?100?|f?mnist|fashion-mnist|coco|ade20k|pascal voc|librispeech|common voice|fleurs"
    r"|mteb|beir|ms ?marco|xnli|wmt\d*|flores\w*|conll\w*|imdb|pusht|openbookqa|bigbench)\b",
    re.IGNORECASE,
)
"""Benchmarks that fix both their data and their metric, so naming one names both."""

_SCORE_CELL = re.compile(r"[-+]?\d{1,3}(?:\.\d+)?(?: ?[/±] ?\d{1,3}(?:\.\d+)?)* ?%?")
"""A cell that holds scores and nothing else: neither a count in thousands nor a size with its unit."""

_PROSE_CLAIM = re.compile(_METRIC.pattern + r"[\"'`*_]*[^.\n|\d]{0,40}?(?<![\w.])(\d{1,3}(?:\.\d+)?)", re.IGNORECASE)
_LOG_COLUMN = re.compile(r"\b(?:epoch|step)\b", re.IGNORECASE)
_PAPER = re.compile(
    r"arxiv[.:/]|doi\.org/|\bdoi\s*[:=]|aclanthology|openaccess\.thecvf|proceedings|nature\.com/articles", re.IGNORECASE
)
_TEMPLATE_PAPER = "1910.09700"
"""The paper on carbon footprints that the hub's card template cites; it says nothing of the model."""

_MOST_COUNTED = 30
"""Claims of one kind that are counted; the curve is flat long before."""

_MOST_OF_TABLE = 4_000
_MOST_OF_CONTEXT = 400
_SHORTEST_NAME = 3


def measure(evidence: Evidence) -> MetricResult:
    """Add up claims that name a metric, a value and the data, and the sources a reader could check them with.

    Praise without a number moves nothing. Tables of a training log count as one claim, their last row.
    """
    if unjudged(evidence.card) and unjudged(evidence.model):
        saw = f"Neither card nor record could be read ({why_missing(evidence.card)})"
        return tally([Row(1.0, None, saw, source=evidence.card.source)])
    card = read_card(evidence.card.otherwise(""))
    stated = evidence.model.value.card if evidence.model.value else CardData()
    own = tally(
        [*_claim_rows(evidence, card, stated), *_backing_rows(evidence, card, stated)],
        _praise(card, evidence.card.source),
    )
    return hear(own, evidence, "performance_claims")


def _claim_rows(evidence: Evidence, card: CardText, stated: CardData) -> list[Row]:
    results = [result for result in stated.results if _is_complete(result)]
    verified = sum(result.verified for result in results)
    with_data, without_data = _claims_in(card, stated)
    count = (
        WEIGHT_VERIFIED * verified
        + WEIGHT_MACHINE_READABLE * (len(results) - verified)
        + WEIGHT_CARD * with_data
        + WEIGHT_WITHOUT_DATASET * without_data
    )
    saw = f"{len(results)} machine-readable claim(s), {with_data} in the card with their data, {without_data} without"
    source = evidence.card.source
    no_record = unjudged(evidence.model)
    return [
        Row(
            WORTH_CLAIMS,
            1 - math.exp(-count / CLAIMS_SCALE),
            saw,
            "State metric, value and dataset of each result.",
            source,
        ),
        Row(
            WORTH_MACHINE_READABLE,
            None if no_record else float(bool(results)),
            f"{len(results)} result(s) in the card's `model-index`",
            "List the results in the card's `model-index`.",
            evidence.model.source,
        ),
        Row(
            WORTH_VERIFIED,
            None if no_record else float(verified > 0),
            f"{verified} of them verified by a third party",
            "Have the results verified, for instance by the hub's evaluation service.",
            evidence.model.source,
        ),
    ]


def _backing_rows(evidence: Evidence, card: CardText, stated: CardData) -> list[Row]:
    source = evidence.card.source
    section = card.section_about("evaluat", "result", "performance", "benchmark", "metrics")
    data = _evaluation_data(card, stated)
    paper = _paper(evidence, card)
    return [
        Row(
            WORTH_SECTION,
            float(section is not None),
            f"Evaluation is described under “{section.title[:60]}”" if section else "No section on evaluation",
            "Describe how the model was evaluated.",
            source,
        ),
        Row(
            WORTH_DATASET,
            float(bool(data)),
            f"Evaluation data named: {data}" if data else "No evaluation data named",
            "Name the dataset of each result.",
            source,
        ),
        Row(
            WORTH_PAPER,
            float(bool(paper)),
            f"A paper to check: {paper}" if paper else "No paper linked",
            "Link the paper (arXiv or DOI).",
            source,
        ),
    ]


def _is_complete(result: ClaimedResult) -> bool:
    return bool(result.metric and result.dataset and result.value not in {None, ""})


def _claims_in(card: CardText, stated: CardData) -> tuple[int, int]:
    """Claims of the card's tables and text: those whose data are named, and those whose are not."""
    names = [name for name in stated.datasets if len(name) >= _SHORTEST_NAME]
    with_data = without = 0
    for table in card.tables:
        count, has_data = _claims_of(table, names)
        with_data += count * has_data
        without += count * (not has_data)
    prose = "\n".join(section.text for section in card.sections if not section.has_table)
    code = "\n".join(block.code for block in card.code if not block.language)
    for text in (prose, code):
        found = min(len(_PROSE_CLAIM.findall(text)), _MOST_COUNTED)
        has_data = _names_data(f"{text}\n{prose}", names)
        with_data += found * has_data
        without += found * (not has_data)
    return min(with_data, _MOST_COUNTED), min(without, _MOST_COUNTED)


def _claims_of(table: Table, names: list[str]) -> tuple[int, bool]:
    head = " ".join(cell for row in table.rows for cell in row)[:_MOST_OF_TABLE]
    about = head + "\n" + table.context[-_MOST_OF_CONTEXT:]
    if not (_METRIC.search(about) or _BENCHMARK.search(head)):
        return 0, False
    has_data = _names_data(about, names)
    if table.rows and _LOG_COLUMN.search(" ".join(table.rows[0])):
        return 1, has_data
    numbers = sum(bool(_SCORE_CELL.fullmatch(cell.strip("*_` "))) for row in table.rows[1:] for cell in row[1:])
    return min(numbers, _MOST_COUNTED), has_data


def _names_data(text: str, names: list[str]) -> bool:
    return bool(_BENCHMARK.search(text)) or any(name.rpartition("/")[2].casefold() in text.casefold() for name in names)


def _evaluation_data(card: CardText, stated: CardData) -> str:
    named = next((result.dataset for result in stated.results if result.dataset), None)
    if named:
        return named
    match = _BENCHMARK.search(card.prose)
    if match:
        return match[0]
    return next((name for name in stated.datasets if card.words and _names_data(card.prose, [name])), "")


def _paper(evidence: Evidence, card: CardText) -> str:
    record = evidence.model.value
    tags = [tag for tag in (record.tags if record else ()) if tag.startswith(("arxiv:", "doi:"))]
    # A paper in a table is one of the data's or of another model's in nearly every card.
    tabled = " ".join(cell for table in card.tables for row in table.rows for cell in row)
    links = [link for link in card.links if _PAPER.search(link) and link not in tabled]
    found = next((text for text in [*tags, *links] if _TEMPLATE_PAPER not in text), "")
    if found:
        return found
    cited = any(_PAPER.search(block.code) for block in card.code if block.language in {"bibtex", "latex", ""})
    return "the citation in the card" if cited else ""


def _praise(card: CardText, source: str) -> list[Finding]:
    match = re.search(
        r"state[- ]of[- ]the[- ]art|\bSOTA\b|outperform\w*|best[- ]in[- ]class", card.prose, re.IGNORECASE
    )
    return [note(f"“{match[0]}” moves nothing by itself; numbers do", source=source)] if match else []


METRIC = Metric(
    name="performance_claims",
    question="Are its claims backed by evidence?",
    weight=0.10,
    measure=measure,
    reads=("card", "model", "second_reading"),
    scale=(
        f"{WORTH_CLAIMS}: claims that name metric, value and data, 1 - e^(-n/{CLAIMS_SCALE:g})",
        (
            f"n counts {WEIGHT_VERIFIED} for a verified claim, {WEIGHT_MACHINE_READABLE} for a machine-readable one,"
            f" {WEIGHT_CARD} for one in the card, {WEIGHT_WITHOUT_DATASET} for one without its data"
        ),
        f"{WORTH_MACHINE_READABLE}: results in the card's `model-index`",
        f"{WORTH_VERIFIED}: a verified result",
        f"{WORTH_SECTION}: a section on evaluation",
        f"{WORTH_DATASET}: evaluation data named",
        f"{WORTH_PAPER}: a paper linked",
        SCALE,
    ),
)
