"""The command line's rating, over HTTP against the stand-in of the hubs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.rate import main
from demo.hub import DemoHub
from demo.items import Account, Organisation, dataset, model, repository

HUB = "https://huggingface.co"
CARD = "---\nlicense: mit\n---\n# Owl\nTrained on the FlightPaths collection.\n"
ORGANISATION = Organisation.of(
    Account("falcon", members=["ada", "bo"]),
    model("falcon/owl", readme=CARD, files={"config.json": {}}, generated_files={"model.safetensors": 4000}),
    model("falcon/hawk", readme="# Hawk \x1b[2J[red]", pipeline_tag="image-classification"),
    model("falcon/shut", readme="# Shut", gated="manual"),
    dataset("falcon/FlightPaths", readme="---\nlicense: cc0-1.0\n---\n# Flight paths"),
    repository("falcon/wings", files={"README.md": "# Wings"}),
)
SCORES = (
    *("ramp_up_time", "bus_factor", "performance_claims", "license", "size_score"),
    *("dataset_and_code_score", "dataset_quality", "code_quality"),
    *("reproducibility", "reviewedness", "tree_score"),
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("GITHUB_API_URL", running.github_url)
        yield running


class Terminal:
    """Runs the command against a hub and keeps what it said."""

    def __init__(self, hub: DemoHub, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.hub = hub
        self._file, self._capsys = folder / "models.txt", capsys
        self.out = self.err = ""

    def rate(self, *lines: str, options: tuple[str, ...] = ()) -> int:
        self._file.write_text("\n".join(lines))
        return self.run(*options, str(self._file))

    def run(self, *arguments: str) -> int:
        status = main(arguments)
        self.out, self.err = self._capsys.readouterr()
        return status

    @property
    def ratings(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def terminal(hub: DemoHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(hub, tmp_path, capsys)


def test_a_line_has_the_published_fields_in_the_published_order(terminal: Terminal) -> None:
    assert terminal.rate(f",,{HUB}/falcon/owl") == 0

    (rating,) = terminal.ratings
    pairs = [field for name in ("net_score", *SCORES) for field in (name, f"{name}_latency")]
    assert list(rating) == ["name", "category", *pairs]
    assert (rating["name"], rating["category"], rating["license"]) == ("owl", "MODEL", 1.0)


def test_scores_have_two_places_and_latencies_are_whole_milliseconds(terminal: Terminal) -> None:
    terminal.rate(f",,{HUB}/falcon/owl")

    (rating,) = terminal.ratings
    assert all(type(rating[f"{name}_latency"]) is int for name in ("net_score", *SCORES))
    sizes = rating["size_score"]
    assert isinstance(sizes, dict)
    assert list(sizes) == ["raspberry_pi", "jetson_nano", "desktop_pc", "aws_server"]
    numbers = [rating[name] for name in ("net_score", *SCORES) if name != "size_score"]
    assert all(
        number == round(number, 2) and (number == -1 or 0 <= number <= 1) for number in [*numbers, *sizes.values()]
    )


def test_ratings_come_in_the_order_of_the_lines(terminal: Terminal) -> None:
    terminal.hub.fail("/api/models/falcon/owl", times=3, delay_s=0.3)

    assert terminal.rate(f"{HUB}/falcon/owl", f"{HUB}/falcon/hawk", f"{HUB}/falcon/owl") == 0

    assert [rating["name"] for rating in terminal.ratings] == ["owl", "hawk", "owl"]


def test_a_dataset_named_on_one_line_is_known_to_the_cards_of_others(terminal: Terminal) -> None:
    terminal.rate(f"{HUB}/falcon/owl")
    (alone,) = terminal.ratings

    terminal.rate(f",{HUB}/datasets/falcon/FlightPaths,{HUB}/falcon/hawk", f"{HUB}/falcon/owl")

    assert alone["dataset_quality"] == 0
    assert all(rating["dataset_quality"] > 0 for rating in terminal.ratings)


def test_code_given_on_a_line_is_the_code_of_its_model(terminal: Terminal) -> None:
    terminal.rate(f"https://github.com/falcon/wings,,{HUB}/falcon/hawk")

    (rating,) = terminal.ratings
    assert rating["code_quality"] > 0
    assert terminal.hub.asked("/repos/falcon/wings")


def test_what_cannot_be_rated_is_told_and_the_others_are_rated(terminal: Terminal) -> None:
    status = terminal.rate("nonsense", f"{HUB}/falcon/gone", f"{HUB}/falcon/shut", f"{HUB}/falcon/owl")

    assert status == 1
    assert [rating["name"] for rating in terminal.ratings] == ["shut", "owl"]
    assert "line 1: its model 'nonsense' does not start with https://" in terminal.err
    assert re.search(r"line 2: \S+/falcon/gone could not be rated: ", terminal.err)


@pytest.mark.parametrize("text", ["", "# nothing yet\n"], ids=["empty", "comment"])
def test_a_file_without_a_model_says_what_to_write(terminal: Terminal, text: str) -> None:
    assert terminal.rate(text) == 1

    assert "write one URL a line" in terminal.err


def test_a_missing_file_says_what_to_give(terminal: Terminal) -> None:
    assert terminal.run("nowhere.txt") == 1

    assert (terminal.out, terminal.err) == (
        "",
        "nowhere.txt does not exist: give a file with one model a line, or a model's URL\n",
    )


def test_a_url_is_rated_by_itself(terminal: Terminal) -> None:
    assert terminal.run(f"{HUB}/falcon/owl") == 0

    assert [rating["name"] for rating in terminal.ratings] == ["owl"]


def test_progress_is_told_on_standard_error(terminal: Terminal) -> None:
    terminal.run(f"{HUB}/falcon/owl")

    began, ended = terminal.err.splitlines()
    assert began == "owl: gathering evidence"
    assert re.fullmatch(r"owl: rated, \d+ requests \(1 of 1\)", ended)


def test_explain_shows_the_findings_instead_of_json(terminal: Terminal) -> None:
    assert terminal.rate(f"{HUB}/falcon/owl", options=("--explain",)) == 0

    assert "owl  net score" in terminal.out
    assert all(name in terminal.out for name in SCORES)
    assert "to raise it: " in terminal.out
    assert "MIT" in terminal.out


def test_explain_hands_no_escape_sequence_of_a_card_to_the_terminal(terminal: Terminal) -> None:
    terminal.rate(f"{HUB}/falcon/hawk", options=("--explain",))

    assert "\x1b" not in terminal.out


def test_settings_that_make_no_sense_are_refused(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRIC_WEIGHTS", '{"license": 2}')

    assert terminal.run(f"{HUB}/falcon/owl") == 1

    assert terminal.err == "METRIC_WEIGHTS must be at least 0 each and sum to 1\n"


def test_an_address_to_serve_on_asks_for_no_password_here(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104 -- nothing is bound

    assert terminal.run(f"{HUB}/falcon/owl") == 0
