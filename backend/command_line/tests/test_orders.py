from pathlib import Path

import pytest

from backend.command_line.orders import Malformed, Order, Unreadable, parse_orders, read_orders

MODEL = "https://huggingface.co/google-bert/bert-base-uncased"
DATASET = "https://huggingface.co/datasets/bookcorpus/bookcorpus"
CODE = "https://github.com/google-research/bert"


def only(text: str) -> Order:
    (order,) = parse_orders(text)
    assert isinstance(order, Order), order
    return order


@pytest.mark.parametrize(
    "line",
    [f"{CODE},{DATASET},{MODEL}", f"  {CODE} ,\t{DATASET} , {MODEL}  "],
    ids=["without spaces", "with spaces"],
)
def test_a_full_line_names_code_dataset_and_model(line: str) -> None:
    order = only(line)

    assert order.code is not None
    assert order.dataset is not None
    assert (order.code.source.repo, order.dataset.source.repo, order.source.repo) == (
        "google-research/bert",
        "bookcorpus/bookcorpus",
        "google-bert/bert-base-uncased",
    )


@pytest.mark.parametrize("line", [MODEL, f",,{MODEL}", f" , , {MODEL}"], ids=["alone", "empty", "blank"])
def test_code_and_dataset_may_be_left_out(line: str) -> None:
    order = only(line)

    assert (order.code, order.dataset, order.url) == (None, None, MODEL)


def test_a_page_of_a_model_stands_for_the_model() -> None:
    order = only(",,https://huggingface.co/openai/whisper-tiny/tree/main")

    assert (order.source.repo, order.source.short_name) == ("openai/whisper-tiny", "whisper-tiny")


def test_blank_lines_and_comments_ask_for_nothing_and_still_count() -> None:
    assert [order.line for order in parse_orders(f"# models\n\n  \n,,{MODEL}\n  # more\n{MODEL}\n")] == [4, 6]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{DATASET},{MODEL}", "2 fields"),
        (f"{CODE},{DATASET},{MODEL},", "4 fields"),
        (f"{CODE},{DATASET},", "names no model"),
        (f",,{DATASET}", "is a Hugging Face dataset, and was sent as model"),
        (f",{MODEL},{MODEL}", "its dataset"),
        ("bert-base-uncased", "does not start with https://"),
        (f"file:///etc/passwd,,{MODEL}", "its code 'file:///etc/passwd' does not start with https://"),
    ],
    ids=["two", "four", "no model", "dataset as model", "model as dataset", "no URL", "not the web"],
)
def test_a_malformed_line_says_its_number_and_what_is_wrong(line: str, why: str) -> None:
    good, wrong = parse_orders(f"{MODEL}\n{line}")

    assert isinstance(good, Order)
    assert isinstance(wrong, Malformed)
    assert wrong.line == 2
    assert why in wrong.why


def test_a_url_is_an_order_by_itself() -> None:
    assert [order.line for order in read_orders(MODEL)] == [1]


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "models.txt"
    file.write_text(f"{MODEL}\r\n{MODEL}\r\n", encoding="utf-8-sig", newline="")

    assert [type(order) for order in read_orders(str(file))] == [Order, Order]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"nowhere\.txt does not exist: give"):
        read_orders(str(tmp_path / "nowhere.txt"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: Is a directory"):
        read_orders(str(tmp_path))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"\x80\xff\x00")

    with pytest.raises(Unreadable, match="not text in UTF-8"):
        read_orders(str(tmp_path / "weights.bin"))
