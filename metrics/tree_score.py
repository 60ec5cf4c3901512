"""Tree score: are the model's ancestors trustworthy?"""

from metrics.evidence import Evidence, ParentEvidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import note, unjudged, why_missing

ROOT_SCORE = 0.5
"""What a model without known parents gets: neither good nor bad is known of its ancestry.

1 would reward leaving a base model unstated, 0 would punish the models everything else is built on. The middle is at
the gate's default threshold, and with confidence 0 the net score leaves it out.
"""


def measure(evidence: Evidence) -> MetricResult:
    """Take the mean net score of the parents, each rated by the same rules.

    A parent that does not exist counts 0: what the model was built on can no longer be looked at. One that could not
    be rated for now is left out and lowers the confidence.
    """
    parents = evidence.parents
    if not parents:
        saw = f"No parent model is known, so it counts as a root: {ROOT_SCORE}, left out of the net score"
        return MetricResult(ROOT_SCORE, (note(saw, "State `base_model:` in the card if it has one."),), confidence=0.0)
    judged = sorted((p for p in parents if not unjudged(p.net_score)), key=lambda parent: (parent.name, parent.key))
    missing = tuple(_missing(parent) for parent in parents if unjudged(parent.net_score))
    if not judged:
        return MetricResult(0.0, missing, confidence=0.0)
    scores = [_score_of(parent) for parent in judged]
    findings = tuple(_finding(parent, score, len(judged)) for parent, score in zip(judged, scores, strict=True))
    return MetricResult(sum(scores) / len(scores), (*findings, *missing), confidence=len(judged) / len(parents))


def _score_of(parent: ParentEvidence) -> float:
    return min(1.0, max(0.0, parent.net_score.otherwise(0.0)))


def _finding(parent: ParentEvidence, score: float, count: int) -> Finding:
    seen = f"net score {score:.2f}" if parent.net_score.known else why_missing(parent.net_score)
    summary = f"Parent {parent.name} ({parent.relation.replace('_', ' ')}): {seen}"
    remedy = "" if score > ROOT_SCORE else "Build on a model with a better score."
    return Finding(Kind.GIVES if score else Kind.COSTS, summary, score / count, remedy, parent.net_score.source)


def _missing(parent: ParentEvidence) -> Finding:
    return Finding(Kind.MISSING, f"Parent {parent.name} could not be rated ({why_missing(parent.net_score)})")


METRIC = Metric(
    name="tree_score",
    question="Are its ancestors trustworthy?",
    weight=0.04,
    measure=measure,
    reads=("parents",),
    scale=(
        "mean net score of the parents, each rated by the same rules",
        "0 for a parent that no longer exists",
        f"{ROOT_SCORE}: no parent is known; the net score leaves it out",
    ),
)
