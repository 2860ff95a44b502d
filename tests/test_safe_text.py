"""Text as HTML: what a reader sees is what stands there, and nothing in it does anything."""

import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial.explorer.safe_text import is_blank, show_text
from imdb_tutorial.machine.text import clean_text
from tests.hostile.texts import BLANK, TEXTS
from tests.parsed_page import ParsedPage

PIECES = st.one_of(
    st.sampled_from([text for text in TEXTS.values() if len(text) < 100]),
    st.text(max_size=20),
    st.builds(str.__mul__, st.characters(), st.integers(1, 30)),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=6).map("".join))
@example("a\u0301" * 100)
@example("\u0301" * 9 + "<b>")
def test_what_is_shown_can_be_read_back(text):
    """Marks stand for what is invisible, by its number; all else stands there as it is."""
    page = ParsedPage(show_text(text))
    assert page.tags <= {"span"}
    assert page.is_shortened or page.typed == text


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=30).map("".join), st.integers(1, 60))
@example("good evil film" * 40, 1)
def test_no_more_is_shown_than_was_asked_for(text, longest):
    assert len(show_text(text, longest)) < 100 * (longest + 3)
    if len(text) <= longest:
        assert show_text(text, longest) == show_text(text)


@pytest.mark.parametrize("marks", ["\u0301" * 9, "\u0301\u0302\u0316" * 5, "\u0489" * 500])
def test_a_tower_of_accents_does_not_stand_in_other_lines(marks):
    page = ParsedPage(show_text(f"g{marks}ood"))
    assert sum(page.text.count(mark) for mark in set(marks)) <= 8
    assert f"U+{ord(marks[-1]):04X}" in page.text
    assert page.text.endswith("ood")


def test_many_invisible_characters_in_a_row_are_one_mark():
    shown = show_text("good" + "\u200b\u200e\u2060" * 1_000 + "film")
    assert shown.count("<span") == 1
    text = ParsedPage(shown).text
    assert text.startswith("goodU+200B U+200E U+2060 U+200B")
    assert text.endswith("… 2,992 morefilm")
    assert show_text("\u200b" * 500).count("<span") == 1
    assert "U+200B × 500" in show_text("\u200b" * 500)


def test_what_belongs_to_writing_is_kept():
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    for text in ("\U0001f468\u200d\U0001f469", persian, "é\n\t\u4e2d"):
        assert show_text(text) == text


def test_the_middle_of_a_long_text_is_left_out():
    shown_text = ParsedPage(show_text("<" * 1_000, 90)).text
    assert shown_text == f"{'<' * 60}[… 910 characters …]{'<' * 30}"


def test_blank_is_what_shows_nothing():
    assert {name for name, text in TEXTS.items() if is_blank(clean_text(text))} == set(BLANK)
