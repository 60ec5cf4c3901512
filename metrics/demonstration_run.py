"""What a run of the card's demonstration adds to the judgement of its text, and which code is worth running."""

import ast

from metrics.card_text import CardText
from metrics.demonstration import parsed_python
from metrics.evidence import DemonstrationRun, Fact, Missing, RunOutcome
from metrics.metric import Finding
from metrics.points import note, why_missing
from metrics.quoting import one_line
from metrics.rehearsal import Rehearsal

RUN_CLEAN = 1.0
RUN_FAILED = 0.5
"""What a clean run gives, and the most a demonstration scores that was run and failed by an error of its own."""

MOST_RUN = 100_000
"""Characters of code that are run; more is a program, not a demonstration."""

LONGEST_QUOTED = 200


def session(card: CardText, seen: Rehearsal) -> tuple[str, ...]:
    """The Python blocks of a card in order, without prompts and notebook magics; none where a block is missing.

    A session with a block that does not parse would only show what its text shows already.
    """
    if seen.unparsable or not seen.python_blocks:
        return ()
    try:
        blocks = tuple(ast.unparse(code.tree) for code in map(parsed_python, card.code) if code is not None)
    except RecursionError:
        return ()
    return blocks if sum(map(len, blocks)) <= MOST_RUN else ()


def with_run(score: float, seen: Rehearsal, fact: Fact[DemonstrationRun]) -> tuple[float, str, list[Finding]]:
    """The score after a run, how it was judged, and notes on the run.

    A clean run outweighs faults that only seemed to be there, but not that the code never loads this model. Where the
    run says nothing of the code, the judgement of its text stands.
    """
    if fact.value is None:
        return score, "judged without running it", _silence(fact)
    run = fact.value
    match run.outcome:
        case RunOutcome.CLEAN if score and seen.loads_this:
            score, how = RUN_CLEAN, "it was run and ended without an error"
        case RunOutcome.CLEAN:
            how = "it was run and ended without an error, which does not show that it uses this model"
        case RunOutcome.FAILED:
            score, how = min(score, RUN_FAILED), f"it was run and failed with exit status {run.exit_status}"
        case RunOutcome.LACKED:
            how = "it was run and needed what the sandbox does not give, so its text was judged"
        case RunOutcome.STOPPED:
            how = "it was run and stopped by a limit, so its text was judged"
    return score, how, _about(run)


def _silence(fact: Fact[DemonstrationRun]) -> list[Finding]:
    if fact.missing is Missing.NOT_ASKED and not fact.note:
        return []
    return [note(f"It was not run ({one_line(why_missing(fact), LONGEST_QUOTED)})")]


def _about(run: DemonstrationRun) -> list[Finding]:
    saw = f"Run for {run.seconds:.1f} s in {one_line(run.sandbox, LONGEST_QUOTED)}"
    said = one_line(run.last_lines.strip()[-LONGEST_QUOTED:], LONGEST_QUOTED)
    return [note(f"{saw}; it printed last: “{said}”" if said else f"{saw}; it printed nothing")]
