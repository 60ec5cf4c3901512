"""Cards taken apart: sections, code, tables and links, without what a template left open."""

import time

import pytest

from metrics.card_text import LONGEST_READ, read_card

CARD = """Intro with a [link](https://arxiv.org/abs/2001.00001).

# Title

## Use <!-- hidden words -->

- **Developed by:** [More Information Needed]
- **Language:** English

```Python title
x = 1
```

## Results

| a | b |
|---|---|
| 1 | 2 |
"""


def test_sections_code_tables_and_links_are_found() -> None:
    card = read_card(CARD)

    assert [(section.title, section.level) for section in card.sections] == [
        ("", 0),
        ("Title", 1),
        ("Use", 2),
        ("Results", 2),
    ]
    assert [(block.language, block.code, block.section) for block in card.code] == [("python", "x = 1\n", "Use")]
    assert card.tables[0].rows == (("a", "b"), ("1", "2"))
    assert card.links == ("https://arxiv.org/abs/2001.00001",)


def test_comments_and_unfilled_lines_say_nothing() -> None:
    prose = read_card(CARD).prose

    assert "hidden" not in prose
    assert "Developed by" not in prose
    assert "English" in prose


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 30_000,
        "> " * 60_000,
        "|" * 120_000,
        "license" + " " * 120_000,
        "- " * 60_000,
        "[" * 120_000,
        "`" * 120_000,
    ],
    ids=["comments", "quotes", "pipes", "spaces", "lists", "brackets", "ticks"],
)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    started = time.process_time()

    read_card(text)

    assert len(text) > LONGEST_READ
    assert time.process_time() - started < 1
