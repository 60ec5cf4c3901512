import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.errors import InvalidInput
from backend.domain.ids import new_id
from backend.domain.page import NameQuery, decode_cursor, encode_cursor
from backend.domain.source import ArtifactType


@pytest.mark.parametrize("offset", [None, "", "0"], ids=["none", "empty", "zero"])
def test_no_offset_is_the_start(offset: str | None) -> None:
    assert decode_cursor(offset) is None


@given(st.from_regex(r"[a-zA-Z0-9\-]{1,60}", fullmatch=True))
def test_an_offset_leads_back_to_the_id_it_was_made_of(after: str) -> None:
    assert decode_cursor(encode_cursor(after)) == after


def test_an_offset_can_stand_in_a_header_and_a_query_as_it_is() -> None:
    assert all(char.isalnum() or char in "-_" for char in encode_cursor(new_id()))


@pytest.mark.parametrize(
    "offset",
    ["1", "100", "-1", "abc", "%00", "ünïcode", "YWZ0ZXI", "a" * 300, " ", "====", "YWZ0ZXI6\n", "////"],
)
def test_an_offset_of_ones_own_making_is_refused_and_named(offset: str) -> None:
    with pytest.raises(InvalidInput, match="offset") as refused:
        decode_cursor(offset)
    assert [field.field for field in refused.value.fields] == ["offset"]


@given(st.text(max_size=60))
def test_any_text_is_an_offset_or_refused(offset: str) -> None:
    try:
        decode_cursor(offset)
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("query", "name", "kind", "matches"),
    [
        (NameQuery(None), "any", ArtifactType.CODE, True),
        (NameQuery("bert"), "bert", ArtifactType.MODEL, True),
        (NameQuery("bert"), "BERT", ArtifactType.MODEL, False),
        (NameQuery("bert", frozenset({ArtifactType.CODE})), "bert", ArtifactType.MODEL, False),
        (NameQuery(None, frozenset({ArtifactType.CODE})), "x", ArtifactType.CODE, True),
    ],
)
def test_a_query_asks_for_an_exact_name_and_for_types(
    query: NameQuery, name: str, kind: ArtifactType, matches: bool
) -> None:
    assert query.matches(name, kind) is matches


def test_ids_are_unique_ordered_and_spelt_as_the_contract_asks() -> None:
    ids = [new_id() for _ in range(2_000)]

    assert ids == sorted(set(ids))
    assert all(char.isalnum() or char == "-" for each in ids for char in each)
