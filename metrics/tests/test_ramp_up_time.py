"""Ramp-up time: what a card and its metadata spare the reader."""

import pytest

from metrics.evidence import Missing
from metrics.ramp_up_time import METRIC
from metrics.tests.factories import FULL_CARD, evidence, files, known, lacking, model

TEMPLATE = """# Model Card for Model ID

## Uses

### Direct Use

<!-- How the model is meant to be used, at length, in many words that are a comment and not a card. -->

[More Information Needed]

## Bias, Risks, and Limitations

[More Information Needed]

## How to Get Started with the Model

Use the code below to get started with the model.

[More Information Needed]
"""


def score(**fields: object) -> float:
    return METRIC.measure(evidence(**fields)).score


def test_a_small_well_documented_model_reaches_nine_tenths_without_any_adoption() -> None:
    assert score(model=model(downloads=0, likes=0)) == pytest.approx(0.9)


def test_adoption_fills_up_the_last_tenth() -> None:
    assert score(model=model(downloads=10**8, likes=10**5)) == pytest.approx(1.0)


def test_a_template_that_was_not_filled_in_gives_next_to_nothing() -> None:
    bare = score(card=lacking(Missing.NOT_STATED))

    assert bare <= score(card=known(TEMPLATE)) < bare + 0.05


@pytest.mark.parametrize(
    ("without", "worth"),
    [
        pytest.param({"card": known(FULL_CARD.replace("```python", "```text"))}, 0.075, id="no Python example"),
        pytest.param({"card": known(FULL_CARD.replace("## Limitations", "## Words"))}, 0.10, id="no limits"),
        pytest.param({"files": files("model.safetensors", "tokenizer.json")}, 0.05, id="no configuration"),
        pytest.param({"files": files("model.safetensors", "config.json")}, 0.05, id="no tokenizer"),
        pytest.param({"model": model(library_name=None)}, 0.08, id="no library"),
        pytest.param({"model": model(pipeline_tag=None)}, 0.07, id="no task"),
    ],
)
def test_what_each_thing_is_worth(without: dict[str, object], worth: float) -> None:
    assert score() - score(**without) == pytest.approx(worth)


def test_a_section_counts_when_what_is_nested_in_it_says_something() -> None:
    nested = FULL_CARD.replace("## How to use\n", "## How to use\n\n### In Python\n")

    assert score(card=known(nested)) == score()


def test_an_unread_card_is_left_out_rather_than_counted_as_empty() -> None:
    result = METRIC.measure(evidence(card=lacking(Missing.UNAVAILABLE)))

    assert result.score > METRIC.measure(evidence(card=known(""))).score
    assert result.confidence == pytest.approx(0.35)


def test_a_title_that_is_the_models_own_name_is_no_section() -> None:
    card = known("# tiny-training\n\n" + "It is a small model for sentences in English, made for fun. " * 5)
    titled = METRIC.measure(evidence(card=card, model=model(id="acme/tiny-training")))
    on_training = METRIC.measure(evidence(card=card, model=model(id="acme/tiny-bert")))

    assert on_training.score - titled.score == pytest.approx(0.10)
