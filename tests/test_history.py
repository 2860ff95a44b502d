"""The table of what was tried, as csv: nothing in it is taken for a formula."""

import csv
import unicodedata

import pytest
import torch

from imdb_tutorial.explorer.cards import Answer, Card
from imdb_tutorial.explorer.history import Tried, table_html
from imdb_tutorial.explorer.reading import Reading
from imdb_tutorial.explorer.spreadsheet import as_text_cell
from imdb_tutorial.explorer.verdict import Verdict
from tests.parsed_page import ParsedPage, assert_harmless

FORMULAS = {
    "ascii": [*"=+-@|%"],
    "fullwidth": [*"＝＋－＠｜％"],
    "small": [*"﹢﹣﹦﹫﹪"],
    "raised": [*"⁺⁻⁼"],
    "lowered": [*"₊₋₌"],
    "minus": ["−"],
}
HIDDEN_BEHIND = {
    "nothing": "",
    "spaces": "  ",
    "no-break and wide spaces": "\xa0\u3000",
    "a vertical tab": "\v",
    "zero width": "\u200b\ufeff",
    "overrides": "\u202e\u2066",
    "controls": "\x00\x1b",
    "quotes": "\"'`",
    "other quotes": "“‘«‹„‚",
    "fullwidth quotes": "＂＇",
    "an accent": "\u0301",
    "brackets": "([",
    "all of it": " \u200b\"\u0301'\xa0",
}
FORMULA_STARTS = [start for starts in FORMULAS.values() for start in starts]
HARMLESS = [
    "A good film",
    "'Tis a good film",
    '"Good", he said',
    "10/10 = perfect",
    "<br />Not good",
    "(a) good",
    "这部电影",
    "\U0001f600",
    "é",
    "",
]


def verdict(label="NEGATIVE"):
    inputs = {"input_ids": torch.ones(1, 3)}
    reading = Reading("good", (4, 4), ((0, 4),), (None, 0, None), inputs, 0, 24)
    return Verdict(label=label, probability=0.85, margin=-1.1, reading=reading)


def saved_cells(tmp_path, text, model="model", label="NEGATIVE"):
    tried = Tried()
    tried.add(Answer(text, (Card(model, verdict(label)),), true_label=label))
    with tried.save(tmp_path).open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return row


@pytest.mark.parametrize("before", HIDDEN_BEHIND.values(), ids=HIDDEN_BEHIND)
@pytest.mark.parametrize("start", FORMULA_STARTS, ids=map(unicodedata.name, FORMULA_STARTS))
def test_a_formula_is_found_behind_whatever_hides_it(start, before):
    text = f"{before}{start}1+1"
    assert as_text_cell(text) == f"'{text}"


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\t=", "\n+"])
def test_a_control_character_at_the_start_is_kept_from_the_spreadsheet(start):
    assert as_text_cell(f"{start}good") == f"'{start}good"


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_texts_stay_as_they_are(text):
    assert as_text_cell(text) == text


def test_no_column_of_the_csv_holds_a_formula(tmp_path):
    row = saved_cells(tmp_path, '"=1+1"', model="|calc", label="\u2212x")
    assert row["text"] == '\'"=1+1"'
    assert row["model"] == "'|calc"
    assert row["verdict"] == row["true label"] == "'\u2212x"
    assert row["probability"] == "0.85"


def test_half_pairs_in_names_are_saved_as_question_marks(tmp_path):
    assert saved_cells(tmp_path, "good", model="a \ud83d model")["model"] == "a ? model"


def test_markup_in_a_name_or_a_label_is_shown_as_text():
    tried = Tried()
    tried.add(Answer("<b>good</b>", (Card("<i>model</i>", verdict("<u>label</u>")),)))
    page = ParsedPage(table_html(tried.rows))
    assert_harmless(page)
    for shown in ("<b>good</b>", "<i>model</i>", "<u>label</u>"):
        assert shown in page.text
