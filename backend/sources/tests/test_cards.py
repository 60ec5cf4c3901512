import pytest

from backend.sources.cards import card_data, dataset_info, split_card
from metrics.evidence import ClaimedResult


@pytest.mark.parametrize(
    ("readme", "head", "body"),
    [
        ("---\nlicense: mit\n---\n# Owl", {"license": "mit"}, "# Owl"),
        ("\ufeff---\r\nlicense: mit\r\n---\r\n# Owl", {"license": "mit"}, "# Owl"),
        ("---\nlicense: mit\n---", {"license": "mit"}, ""),
        ("# Owl\n---\nx: 1\n---", {}, "# Owl\n---\nx: 1\n---"),
        ("---\nlicense: [unclosed\n---\n# Owl", {}, "# Owl"),
        ("---\n- a list\n---\n# Owl", {}, "# Owl"),
        ("---\n!!python/object/apply:os.system [ls]\n---\n# Owl", {}, "# Owl"),
        ("---\nx: " + "[" * 5000 + "\n---\n# Owl", {}, "# Owl"),
        ("nul\x00and \ud800", {}, "nuland ?"),
        ("", {}, ""),
    ],
    ids=[
        "plain",
        "windows",
        "head only",
        "no head",
        "broken",
        "no mapping",
        "unsafe tag",
        "deep",
        "unstorable",
        "empty",
    ],
)
def test_a_card_is_taken_apart(readme: str, head: dict[str, str], body: str) -> None:
    assert split_card(readme) == (head, body)


def test_a_head_made_to_explode_is_read_in_little_memory() -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]

    head, _ = split_card("---\n" + "\n".join(levels) + "\nlicense: mit\n---\n")

    assert card_data(head).licenses == ("mit",)


def test_one_value_and_a_list_of_values_read_alike() -> None:
    one = card_data({"license": "mit", "language": "en", "datasets": "a", "base_model": "b/c"})
    several = card_data({"license": ["mit"], "language": ["en"], "datasets": ["a"], "base_model": ["b/c"]})

    assert one == several


@pytest.mark.parametrize("nonsense", [7, None, True, {"a": 1}, [1, None, {}], "", " "])
def test_nonsense_in_a_head_is_nothing(nonsense: object) -> None:
    fields = ("license", "language", "datasets", "base_model", "metrics", "model-index", "license_name")

    assert card_data(dict.fromkeys(fields, nonsense)) == card_data({})


def test_each_metric_of_a_model_index_is_a_result() -> None:
    index = [
        {
            "results": [
                {
                    "task": {"type": "automatic-speech-recognition"},
                    "dataset": {"name": "LibriSpeech", "type": "librispeech_asr"},
                    "metrics": [{"type": "wer", "value": 7.5}, {"name": "CER", "value": "2 %", "verified": True}],
                },
                {"metrics": [{"type": "loss", "value": float("inf")}, "nonsense"]},
            ]
        },
        "nonsense",
    ]

    assert card_data({}, index).results == (
        ClaimedResult("automatic-speech-recognition", "LibriSpeech", "wer", 7.5),
        ClaimedResult("automatic-speech-recognition", "LibriSpeech", "CER", "2 %", verified=True),
        ClaimedResult(None, None, "loss", None),
    )


def test_splits_features_and_rows_come_from_every_configuration() -> None:
    head = {
        "dataset_info": [
            {"features": [{"name": "text"}], "splits": [{"name": "train", "num_examples": 90}, {"name": "test"}]},
            {"features": [{"name": "label"}], "splits": [{"name": "train", "num_examples": 40}]},
        ]
    }

    assert dataset_info(head) == (("train", "test"), ("text", "label"), 90)


def test_a_dataset_that_states_no_figures_has_none() -> None:
    assert dataset_info({"dataset_info": "nonsense"}) == ((), (), None)
