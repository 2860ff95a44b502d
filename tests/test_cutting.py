"""Words taken out of a text by their place: the rest stays, word for word."""

import re

import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial.explorer.cutting import cut_out


def places(text: str, *pieces: str) -> list[tuple[int, int]]:
    """Return where pieces stand first in a text."""
    return [(text.index(piece), text.index(piece) + len(piece)) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "pieces", "left"),
    [
        ("a wonderful film", ["wonderful"], "a film"),
        ("a wonderful, moving film", ["wonderful"], "a, moving film"),
        ("a very, very good film", ["very"], "a, very good film"),
        ("so very good.", ["very", "good"], "so."),
        ("Good film", ["Good"], "film"),
        ("a film that is good", ["good"], "a film that is"),
        ("it is good\nand long", ["good"], "it is\nand long"),
        ("it is (good fun)", ["good"], "it is (fun)"),
        ("it is (good fun)", ["fun"], "it is (good)"),
        ("dull,boring", [","], "dull boring"),
        ("don't", ["'"], "don t"),
        ("don't", ["don"], "'t"),
        ("a 7/10 film", ["7"], "a /10 film"),
        ("dull , and long", ["and"], "dull , long"),
        ("电影很好", ["很"], "电影好"),
        ("good", ["good"], ""),
        ("<b>good</b> $5", ["good"], "<b></b> $5"),
    ],
)
def test_words_are_taken_out_and_blanks_are_tidy(text, pieces, left):
    assert cut_out(text, places(text, *pieces)) == left


def test_nothing_taken_out_changes_nothing():
    assert cut_out("  a  good\n\nfilm  ", []) == "  a  good\n\nfilm  "


def test_a_place_given_twice_is_taken_out_once():
    assert cut_out("a good film", [(2, 6), (2, 6)]) == "a film"


def test_blanks_elsewhere_stay():
    text = "  two  blanks ,  and\n\nlines  good  "
    assert cut_out(text, places(text, "and")) == "  two  blanks ,\n\nlines  good  "


WORD = re.compile(r"\w+|[^\w\s]")
PIECES = st.sampled_from(
    ["good", "film", "ö", "7", ".", ",", "(", ")", "'", "-", "<b>", "&amp;", " ", "  ", "\n", "\t"]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=20).map("".join), st.sets(st.integers(0, 40)))
@example("good-film", {1})
@example("a,b", {1})
@example("( good )", {1})
def test_the_other_words_stay_word_for_word_and_in_their_order(text, chosen):
    """Seen by a reader of words of its own: none is lost, none is new, none has grown together."""
    found = list(WORD.finditer(text))
    chosen = {number for number in chosen if number < len(found)}
    left = cut_out(text, [found[number].span() for number in chosen])
    kept = [word[0] for number, word in enumerate(found) if number not in chosen]
    assert WORD.findall(left) == kept
    gaps = re.findall(r"\s+", text)
    assert set(re.findall(r"\s+", left)) <= {*gaps, " "}
