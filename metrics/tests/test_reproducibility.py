"""Reproducibility: demonstrations of cards, judged without running them."""

import pytest

from metrics.evidence import DemonstrationRun, Missing, RunOutcome
from metrics.metric import MetricResult
from metrics.reproducibility import METRIC, code_to_run
from metrics.tests.factories import code, evidence, files, known, lacking

LOADS = 'from transformers import pipeline\nrun = pipeline("fill-mask", model="acme/tiny-bert")\nprint(run("x"))'


def shown(*blocks: str, language: str = "python", text: str = "") -> MetricResult:
    card = f"# M\n\n{text}\n\n" + "\n\n".join(f"```{language}\n{block}\n```" for block in blocks)
    return METRIC.measure(evidence(card=known(card)))


@pytest.mark.parametrize(
    ("blocks", "score"),
    [
        pytest.param([LOADS], 1.0, id="sound"),
        pytest.param([LOADS, 'print(run("y"))'], 1.0, id="a block goes on where the last ended"),
        pytest.param([">>> " + LOADS.replace("\n", "\n>>> ") + "\n[{'score': 0.1}]"], 1.0, id="a session with answers"),
        pytest.param(["!pip install farm\nimport farm\n" + LOADS], 1.0, id="declared in a notebook"),
        pytest.param([LOADS.replace("acme/tiny-bert", "tiny-bert")], 1.0, id="its bare name"),
        pytest.param([LOADS.replace("acme/tiny-bert", "acme/other")], 0.5, id="another model"),
        pytest.param(["import farm\n" + LOADS], 0.5, id="nobody says what farm is"),
        pytest.param([LOADS + "\nprint(result)"], 0.5, id="a name out of nowhere"),
        pytest.param(['key = "YOUR_API_KEY"\n' + LOADS], 0.5, id="a placeholder"),
        pytest.param([LOADS + '\nopen("image.png")'], 0.5, id="a file that is not there"),
        pytest.param([LOADS, "print("], 0.5, id="one block of two does not parse"),
        pytest.param(["pipeline("], 0.0, id="no block parses"),
        pytest.param(["import a1\n" + LOADS + "\nprint(b)", 'open("c.png")', "d = YOUR_TOKEN"], 0.0, id="a ruin"),
        pytest.param([], 0.0, id="nothing"),
    ],
)
def test_python(blocks: list[str], score: float) -> None:
    result = shown(*blocks)

    assert result.score == score, [finding.summary for finding in result.findings]


@pytest.mark.parametrize(
    ("block", "score"),
    [
        pytest.param("vllm serve acme/tiny-bert", 1.0, id="serves this model"),
        pytest.param("hf download acme/tiny-bert", 0.5, id="only fetches it"),
        pytest.param("python train.py", 0.5, id="a script that is elsewhere"),
        pytest.param("npm i something", 0.0, id="has nothing to do with it"),
    ],
)
def test_shell(block: str, score: float) -> None:
    assert shown(block, language="bash").score == score


def test_install_lines_anywhere_in_the_card_declare_a_module() -> None:
    assert shown("import farm\n" + LOADS, text="First run `pip install farm`.").score == 1.0


def test_a_file_of_the_repository_may_be_read() -> None:
    card = known(f'```python\n{LOADS}\nopen("cats.png")\n```')
    listed = files(("model.safetensors", 5), "cats.png")

    assert METRIC.measure(evidence(card=card, files=listed)).score == 1.0


def test_a_script_of_the_linked_code_counts_as_there() -> None:
    card = known("```bash\npython run.py --model acme/tiny-bert\n```")

    assert METRIC.measure(evidence(card=card, code=code(tree=files("run.py")))).score == 1.0


def test_a_demonstration_without_weights_to_load_cannot_run() -> None:
    assert METRIC.measure(evidence(files=files("config.json"))).score == 0.0


def test_each_repair_is_named() -> None:
    summaries = [finding.summary for finding in shown("import farm\n" + LOADS).findings]

    assert any("`farm` is imported" in summary for summary in summaries)


def test_an_unread_card_is_not_judged() -> None:
    assert METRIC.measure(evidence(card=lacking(Missing.RATE_LIMITED))).confidence == 0


def run(outcome: RunOutcome, *blocks: str, last_lines: str = "") -> MetricResult:
    card = known("\n\n".join(f"```python\n{block}\n```" for block in blocks))
    fact = known(DemonstrationRun(outcome, 1, 2.0, "a sandbox", last_lines))
    return METRIC.measure(evidence(card=card, demonstration=fact))


FAULTY = "import farm\n" + LOADS


@pytest.mark.parametrize(
    ("block", "outcome", "score"),
    [
        pytest.param(LOADS, RunOutcome.CLEAN, 1.0, id="sound and clean"),
        pytest.param(FAULTY, RunOutcome.CLEAN, 1.0, id="a fault that only seemed to be one"),
        pytest.param('print("hello")', RunOutcome.CLEAN, 0.5, id="clean, without this model"),
        pytest.param("print(", RunOutcome.CLEAN, 0.0, id="clean, though it does not parse"),
        pytest.param(LOADS, RunOutcome.FAILED, 0.5, id="sound, but failed"),
        pytest.param("print(", RunOutcome.FAILED, 0.0, id="failed as its text said"),
        pytest.param(LOADS, RunOutcome.LACKED, 1.0, id="sound, the sandbox in its way"),
        pytest.param(FAULTY, RunOutcome.LACKED, 0.5, id="faulty, the sandbox in its way"),
        pytest.param(LOADS, RunOutcome.STOPPED, 1.0, id="sound, but slow"),
    ],
)
def test_a_run(block: str, outcome: RunOutcome, score: float) -> None:
    assert run(outcome, block).score == score


def test_what_the_code_printed_is_shown_as_one_line() -> None:
    told = " ".join(finding.summary for finding in run(RunOutcome.FAILED, LOADS, last_lines="a\n\x1b[2Jb").findings)

    assert "printed last: “a [2Jb”" in told


def test_a_run_that_was_refused_is_told() -> None:
    result = METRIC.measure(evidence(demonstration=lacking(Missing.UNAVAILABLE)))

    assert any("was not run (unavailable: as the test wants it)" in finding.summary for finding in result.findings)


@pytest.mark.parametrize(
    ("card", "blocks"),
    [
        pytest.param(f"```python\n{LOADS}\n```\n\n```py\nrun('y')\n```", 2, id="each block in order"),
        pytest.param(f"```python\n{LOADS}\n```\n\n```python\nprint(\n```", 0, id="one that does not parse"),
        pytest.param("```bash\nvllm serve acme/tiny-bert\n```", 0, id="a shell's"),
        pytest.param("# Nothing", 0, id="none"),
        pytest.param("```python\n" + LOADS + "\nx = 1" * 4_000 + "\n```", 0, id="too long to read"),
    ],
)
def test_only_code_that_looks_sound_is_run(card: str, blocks: int) -> None:
    assert len(code_to_run(evidence(card=known(card)))) == blocks


def test_prompts_and_magics_are_not_run() -> None:
    card = known("```python\n!pip install farm\n>>> " + LOADS.replace("\n", "\n>>> ") + "\n[{'score': 1}]\n```")

    assert code_to_run(evidence(card=card)) == (LOADS.replace('"', "'"),)
