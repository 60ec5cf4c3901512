"""Reproducibility: does the card's own demonstration run?"""

from metrics.card_text import read_card
from metrics.demonstration_run import RUN_CLEAN, RUN_FAILED, session, with_run
from metrics.evidence import Evidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged
from metrics.rehearsal import Rehearsal, rehearse
from metrics.weights import smallest_complete

RUNS = 1.0
RUNS_AFTER_REPAIR = 0.5
CANNOT_RUN = 0.0

SMALL_REPAIRS = 3
"""Faults up to which mending is small: each takes a minute with the card at hand. Beyond it is a rewrite."""


def measure(evidence: Evidence) -> MetricResult:
    """Judge the demonstration by its text: 1 runs as it stands, 0.5 after small repairs, 0 not or not there.

    Python blocks are read in order as one session. Each has to parse, use only names that are defined, import only
    modules that are well known, declared or part of the repository, and read only files that are there; one of them
    has to load this very model, whose weights have to be complete; nothing may be left to fill in. Where the code was
    run in a sandbox, how that ended counts as well.
    """
    if unjudged(evidence.card):
        return could_not_judge(evidence.card, "The card")
    card = read_card(evidence.card.otherwise(""))
    rehearsal = rehearse(card, evidence)
    score, saw = _verdict(rehearsal, evidence, len(card.code))
    return _explained(score, saw, rehearsal, evidence)


def code_to_run(evidence: Evidence) -> tuple[str, ...]:
    """The demonstration's Python, block by block, where its text looks sound enough to run it; else none."""
    card = read_card(evidence.card.otherwise(""))
    rehearsal = rehearse(card, evidence)
    score, _ = _verdict(rehearsal, evidence, len(card.code))
    return session(card, rehearsal) if score > CANNOT_RUN else ()


def _verdict(seen: Rehearsal, evidence: Evidence, blocks: int) -> tuple[float, str]:
    if not (seen.python_blocks or seen.runs_something or seen.loads_this):
        return CANNOT_RUN, f"{blocks} code block(s), none of which uses the model"
    if seen.python_blocks and seen.unparsable == seen.python_blocks:
        return CANNOT_RUN, "No block of the demonstration parses"
    if not unjudged(evidence.files) and smallest_complete(evidence.files.otherwise(())) is None:
        return CANNOT_RUN, "The repository holds no complete set of weights to load"
    faults = len(seen.faults)
    if not faults:
        return RUNS, f"{seen.python_blocks} Python block(s), sound as they stand"
    if faults > SMALL_REPAIRS:
        return CANNOT_RUN, f"{faults} faults, too many to mend in passing"
    return RUNS_AFTER_REPAIR, f"Would run after {faults} small repair(s)"


def _explained(score: float, saw: str, seen: Rehearsal, evidence: Evidence) -> MetricResult:
    source = evidence.card.source
    score, how, run = with_run(score, seen, evidence.demonstration)
    remedy = "" if score == RUNS else "Show complete code that loads this model by its id and can be pasted and run."
    head = Finding(Kind.GIVES if score else Kind.COSTS, f"{saw}; {how}", score, remedy, source)
    repairs = (note(f"To repair: {fault}", source=source) for fault in seen.faults)
    return MetricResult(score, (head, *run, *repairs), confidence=0.5 if unjudged(evidence.files) else 1.0)


METRIC = Metric(
    name="reproducibility",
    question="Does the card's own demonstration run?",
    weight=0.13,
    measure=measure,
    reads=("card", "files", "model", "code.tree", "demonstration"),
    scale=(
        f"{RUNS:g}: every step is there and checks out without a change",
        f"{RUNS_AFTER_REPAIR:g}: would run after at most {SMALL_REPAIRS} small repairs",
        f"{CANNOT_RUN:g}: there is none, or it cannot run",
        (
            f"with RUN_DEMONSTRATIONS, where it is run in a sandbox: {RUN_CLEAN:g} for a clean run of code that loads"
            f" this model, at most {RUN_FAILED:g} for one that fails by itself; else its text decides"
        ),
    ),
)
