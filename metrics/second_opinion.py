"""What a second reader's suggestion does to a score: little, and never without saying so."""

import math
from dataclasses import replace

from metrics.evidence import Evidence, Fact, Missing, SecondReading, Suggestion
from metrics.metric import Finding, Kind, MetricResult
from metrics.points import note, why_missing
from metrics.quoting import one_line

MOST_MOVED = 0.1
"""The most a second reader moves a score: the card it reads may have been written to sway it."""

LONGEST_REASON = 200
"""Characters of its reason that are shown."""

SCALE = f"up to {MOST_MOVED} either way: towards what a second reader suggests, where one is set up"
"""The line of a metric's scale."""


def hear(result: MetricResult, evidence: Evidence, metric: str) -> MetricResult:
    """Move a result towards what the second reader suggests for `metric`, by `MOST_MOVED` at most.

    Nothing moves where nobody was asked, where the reader failed, and where the metric itself could not be judged.
    """
    fact = evidence.second_reading
    if fact.value is None:
        return _with(result, 0.0, _silence(fact))
    suggestion: Suggestion = getattr(fact.value, metric)
    if not 0 <= suggestion.score <= 1 or not result.confidence:
        return _with(result, 0.0, note("What the second reader suggests is left aside", source=fact.source))
    moved = min(MOST_MOVED, max(-MOST_MOVED, suggestion.score - result.score))
    return _with(result, moved, _finding(suggestion, moved, fact, fact.value.reader))


def _with(result: MetricResult, moved: float, finding: Finding | None) -> MetricResult:
    if finding is None:
        return result
    score = math.fsum((result.score, moved))
    return replace(result, score=min(1.0, max(0.0, score)), findings=(*result.findings, finding))


def _silence(fact: Fact[SecondReading]) -> Finding | None:
    if fact.missing is Missing.NOT_ASKED:
        return None
    why = one_line(why_missing(fact), LONGEST_REASON)
    return note(f"A second reader was asked, and its answer is not there ({why}); nothing moves", source=fact.source)


def _finding(suggestion: Suggestion, moved: float, fact: Fact[SecondReading], reader: str) -> Finding:
    kind = Kind.GIVES if moved > 0 else Kind.COSTS if moved < 0 else Kind.NOTES
    reason = one_line(suggestion.reason, LONGEST_REASON)
    saw = f"A second reader ({one_line(reader, 60)}) suggests {suggestion.score:.2f}: “{reason}”"
    return Finding(kind, f"{saw} ({moved:+.2f}, at most {MOST_MOVED:.2f} either way)", moved, source=fact.source)
