import hashlib
import json

import pytest

from demo.content import Content, generated, git_blob, parameters, pointer, sha256, text


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 10), (500, 530), (65_530, 65_550), (1_048_570, 2_100_000), (2_999_990, 3_000_000), (2_999_990, 9_999_999)],
    ids=["head", "seam", "unit's end", "over a chunk", "tail", "past the end"],
)
def test_a_range_is_the_same_bytes_as_in_the_whole(start: int, end: int) -> None:
    content = generated("model.safetensors", 3_000_000)

    assert content.read(start, end) == content.read()[start:end]


def test_the_same_file_has_the_same_bytes_every_time() -> None:
    assert generated("a.bin", 70_000, seed="x").read() == generated("a.bin", 70_000, seed="x").read()


def test_files_of_different_repositories_differ() -> None:
    assert generated("a.bin", 70_000, seed="x").read() != generated("a.bin", 70_000, seed="y").read()


def test_digest_is_that_of_the_bytes() -> None:
    content = generated("model.onnx", 2_345_678)

    assert sha256(content) == hashlib.sha256(content.read()).hexdigest()


def test_a_text_has_the_id_that_git_gives_it() -> None:
    assert git_blob(text("hello\n")) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_git_knows_a_large_file_by_its_pointer() -> None:
    content = generated("model.bin", 1_000_000)

    assert git_blob(content) == git_blob(text(pointer(content)))
    assert f"oid sha256:{sha256(content)}\nsize 1000000\n" in pointer(content).decode()


@pytest.mark.parametrize(("dtype", "width"), [("F32", 4), ("BF16", 2)])
def test_tensors_fill_a_safetensors_file_to_the_last_byte(dtype: str, width: int) -> None:
    content = generated("model.safetensors", 100_003, dtype=dtype)
    length = int.from_bytes(content.read(0, 8), "little")
    header = json.loads(content.read(8, 8 + length))

    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    assert 8 + length + max(ends) == content.size_bytes
    assert parameters(content) == {dtype: max(ends) // width}


def test_a_safetensors_file_that_cannot_hold_its_header_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        generated("model.safetensors", 100)


def test_an_empty_file_has_no_bytes() -> None:
    assert Content(b"", 0).read() == b""
