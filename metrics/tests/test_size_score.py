"""Size score: budgets of devices against the smallest complete weights."""

import pytest

from metrics.evidence import CardData, Evidence, Missing
from metrics.size_score import METRIC
from metrics.tests.factories import evidence, files, known, lacking, model


@pytest.mark.parametrize(
    ("size_mb", "parts"),
    [
        (440, (0.26, 0.53, 1.0, 1.0)),
        (268, (0.73, 0.82, 1.0, 1.0)),
        (151, (0.91, 0.94, 1.0, 1.0)),
        (20_000, (0, 0, 0, 0.98)),
    ],
)
def test_devices(size_mb: int, parts: tuple[float, ...]) -> None:
    result = METRIC.measure(evidence(files=files(("model.safetensors", size_mb * 10**6))))

    assert [round(score, 2) for score in result.parts.values()] == list(parts)
    assert result.score == pytest.approx(sum(result.parts.values()) / 4)


def adapter(base: str) -> Evidence:
    config = known({"base_model_name_or_path": base})
    listed = files(("adapter_model.safetensors", 17 * 10**6))
    return evidence(files=listed, config=config, model=model(card=CardData()))


def test_an_adapter_weighs_as_much_as_its_base_and_itself() -> None:
    result = METRIC.measure(adapter("acme/llama-7b-hf"))

    assert result.parts["raspberry_pi"] == 0
    assert result.parts["desktop_pc"] == pytest.approx(1 - (14.017 / 16) ** 2)


def test_an_adapter_whose_base_is_of_unknown_size_is_judged_with_less_confidence() -> None:
    result = METRIC.measure(adapter("acme/llama"))

    assert result.confidence == 0.5
    assert "not known" in result.findings[0].summary


def test_no_weights_fit_nowhere() -> None:
    result = METRIC.measure(evidence(files=files("README.md")))

    assert (result.score, set(result.parts.values()), result.confidence) == (0.0, {0.0}, 1.0)


def test_an_unread_file_list_is_told_apart_from_an_empty_one() -> None:
    result = METRIC.measure(evidence(files=lacking(Missing.RATE_LIMITED)))

    assert (result.score, result.confidence) == (0.0, 0.0)
