"""Tests of what the benches make of their measurements; nothing here is timed."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from backend.domain.source import ArtifactType
from backend.storage.factory import open_metadata
from benches import BENCHES, drive, hot, load, rating, seed, served
from benches.__main__ import main
from benches.figures import CannotMeasure, Figure, Machine, percentile
from demo.load import HERE
from tooling import commands


@pytest.mark.parametrize(
    ("value", "target", "missed"),
    [(49.0, 50.0, False), (50.0, 50.0, False), (50.1, 50.0, True), (1e9, None, False)],
    ids=["under", "at", "over", "without a target"],
)
def test_a_figure_over_its_target_is_missed(value: float, target: float | None, missed: bool) -> None:
    assert Figure("rating", value, "ms", target).missed is missed


def test_targets_in_time_stretch_with_the_machine() -> None:
    assert Machine(reference_ms=20.0).target_ms(50.0) == 100.0


@pytest.mark.parametrize(
    ("share", "expected"), [(0.9, 9), (0.5, 5), (1.0, 10), (0.01, 1)], ids=["p90", "median", "most", "least"]
)
def test_percentiles_are_values_that_were_measured(share: float, expected: int) -> None:
    assert percentile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], share) == expected


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A bench called `sample` whose figures a test sets."""
    module = ModuleType("benches.sample")
    module.add_options = lambda _parser: None
    module.figures = []

    def measure(_options: Namespace, _machine: Machine) -> Sequence[Figure]:
        return module.figures

    module.measure = measure
    monkeypatch.setitem(sys.modules, "benches.sample", module)
    for name in list(BENCHES):
        monkeypatch.delitem(BENCHES, name)
    monkeypatch.setitem(BENCHES, "sample", "a sample")
    return module


def test_all_benches_run_when_none_is_named(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    bench.figures = [Figure("things", 3.0, "", 5.0)]

    assert main([]) == 0

    shown = capsys.readouterr().out
    assert "sample: a sample" in shown
    assert "<= 5" in shown


def test_a_missed_target_ends_with_1_and_is_named(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    bench.figures = [Figure("waves", 7.0, "", 6.0), Figure("requests", 11.0, "", 12.0)]

    assert main(["sample"]) == 1

    assert capsys.readouterr().err == "missed: waves\n"


def test_every_bench_has_its_module() -> None:
    folder = Path(rating.__file__).parent

    assert [name for name in BENCHES if not (folder / f"{name}.py").exists()] == []


def test_a_model_is_gathered_first_in_full_and_then_revalidated(capsys: pytest.CaptureFixture[str]) -> None:
    figures = rating.measure(Namespace(models=None, organisation=HERE), Machine(10.0))

    counted = {figure.name: figure for figure in figures if not figure.unit}
    assert 2 <= counted["waves of requests, most"].value <= rating.WAVES
    assert 6 <= counted["requests for a model with data and code, most"].value <= rating.REQUESTS
    shown = capsys.readouterr().out
    assert "birdnote-small" in shown


def test_models_that_cannot_be_read_stop_a_bench(tmp_path: Path) -> None:
    (tmp_path / "models.txt").write_text("nonsense\n")

    with pytest.raises(CannotMeasure, match="line 1: its model 'nonsense'"):
        rating.measure(Namespace(models=str(tmp_path / "models.txt"), organisation=HERE), Machine(10.0))


def test_rating_without_saying_what_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["rate"]) == 1

    assert "URL_FILE | URL" in capsys.readouterr().err


async def test_made_up_artifacts_are_the_ones_that_requests_ask_for() -> None:
    store = open_metadata("memory://")
    await seed.fill(store, 40)

    spelling = hot.Spelling(40, "bearer x")
    paths = {request.split()[1] for request in spelling.sampled("{type}/{id}")}
    stored = [await store.get(seed.OWNER, seed.kind_of(at), seed.artifact_id(at)) for at in range(40)]

    assert None not in stored
    assert paths <= {f"{each.type}/{each.id}" for each in stored if each}
    assert [each.id for each in stored if each] == sorted(each.id for each in stored if each)
    rated = [at for at in range(40) if await store.scores(seed.artifact_id(at)) is not None]
    assert {seed.kind_of(at) for at in rated} == {ArtifactType.MODEL}


def test_the_client_counts_every_answer_of_the_real_server(tmp_path: Path) -> None:
    with served.registry(tmp_path) as (registry, token):
        asked = hot.Spelling(0, token).request("GET", "/tracks")
        outcome = drive.drive(drive.Load(registry.port, [asked], connections=3, count=50))
        cost = served.measure(registry, drive.Load(registry.port, [asked], connections=2, count=20))

    assert outcome.answers == {"200": 50}
    assert 0 < outcome.p50_ms <= outcome.p99_ms
    assert cost.per_second > 0


def test_an_answer_that_was_not_expected_stops_the_bench(tmp_path: Path) -> None:
    with served.registry(tmp_path) as (registry, token):
        asked = hot.Spelling(0, token).request("GET", "/artifacts/model/none")

        with pytest.raises(CannotMeasure, match=r"expected 200 .* got \{'404': 5\}"):
            served.measure(registry, drive.Load(registry.port, [asked], connections=1, count=5))


def test_a_registry_is_filled_where_it_is_told_to_be(tmp_path: Path) -> None:
    figures = load.measure(Namespace(artifacts=20, data_dir=tmp_path), Machine(10.0))

    assert (tmp_path / "registry.db").stat().st_size > 20 * seed.README_BYTES
    assert [figure.unit for figure in figures] == ["us", "MB", "kB"]
