import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.ranges import RangeOutside, parse_range


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=2-4", (2, 5)),
        ("bytes=5-", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=4-99", (4, 10)),
        ("bytes = 1 - 2", (1, 3)),
        ("bytes=-", None),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=1-2-3", None),
        ("bytes=--1", None),
        ("bytes=99999999999999999999-", None),
    ],
)
def test_header_means_this_span_of_ten_bytes(header: str | None, span: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == span


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_range_beyond_the_file_is_outside(header: str, size: int) -> None:
    with pytest.raises(RangeOutside):
        parse_range(header, size)


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,19}-\d{0,19}", fullmatch=True), st.integers(0, 1 << 40))
def test_any_header_gives_a_span_within_the_file_or_none(header: str, size: int) -> None:
    try:
        span = parse_range(header, size)
    except RangeOutside:
        return
    assert span is None or 0 <= span[0] < span[1] <= size


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 500))
def test_a_span_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    expected = content[first : last + 1]

    if first <= last and expected:
        start, stop = parse_range(f"bytes={first}-{last}", size) or (0, 0)
        assert content[start:stop] == expected
