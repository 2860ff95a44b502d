"""The test of a reason: a text without the words that pushed its verdict most."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings, strategies as st
from transformers import BertForSequenceClassification

from imdb_tutorial import attribute, check_reason, without_words
from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.load import load_tokenizer
from imdb_tutorial.explorer.cards import Card, card_html, reason_html
from imdb_tutorial.explorer.reading import read_text
from imdb_tutorial.explorer.reasons import check_without, strongest_spans
from imdb_tutorial.explorer.safe_text import plain_text
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.what_is_left import left_html, left_line
from tests.hostile.texts import TEXTS
from tests.parsed_page import ParsedPage, assert_harmless

MAX_LENGTH = 24
SHORT = "a good movie, but the ending was good, not awful!"
ATTACK = "<script>alert(1)</script>'\"\u202e$x$"


@pytest.fixture(scope="module")
def pipeline(tiny_bert, tmp_path_factory):
    """Return a random BERT to which every word makes a difference."""
    folder = tmp_path_factory.mktemp("classifier")
    torch.manual_seed(5)
    labels = {0: "NEGATIVE", 1: "POSITIVE"}
    model = BertForSequenceClassification.from_pretrained(tiny_bert, id2label=labels)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 10 if parameter.dim() > 1 else 1
    model.config.max_length_trained = MAX_LENGTH
    model.save_pretrained(folder)
    load_tokenizer(tiny_bert).save_pretrained(folder)
    return load_classifier(folder)


def words_of(pipeline, text):
    reading = read_text(pipeline, text)
    return [reading.text[start:end] for start, end in reading.spans]


def test_takes_out_by_place_and_leaves_the_same_word_elsewhere(pipeline):
    found = attribute(pipeline, SHORT)
    assert found.words[1] == found.words[8] == "good"
    assert without_words(found, [1]) == "a movie, but the ending was good, not awful!"
    assert without_words(found, [8, 0]) == "good movie, but the ending was, not awful!"
    assert without_words(found, []) == SHORT
    assert without_words(found, range(len(found.words))) == ""


@pytest.mark.parametrize("number", [-1, 13])
def test_a_word_that_is_not_there_is_refused(pipeline, number):
    with pytest.raises(IndexError, match=f"number {number}: this text has 13 words"):
        without_words(attribute(pipeline, SHORT), [0, number])


HOSTILE = [text for text in TEXTS.values() if len(text) < 100]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([*HOSTILE, "good", "!", "\n", " "]), max_size=4).map(" ".join),
    st.sets(st.integers(0, MAX_LENGTH), max_size=6),
)
def test_the_model_reads_the_other_words_as_before(pipeline, text, chosen):
    """The tokenizer finds the words that are left, and no others."""
    reading = read_text(pipeline, text)
    chosen = {number for number in chosen if number < len(reading.spans)}
    left = without_words(SimpleNamespace(reading=reading), chosen)
    words = [reading.text[start:end] for start, end in reading.spans]
    assert words_of(pipeline, left) == [w for n, w in enumerate(words) if n not in chosen]


def test_the_strongest_push_towards_the_verdict(pipeline):
    found = attribute(pipeline, "one two three four five")
    found = dataclasses.replace(found, pushes=(0.5, -3.0, 2.0, 0.0, 1.0))

    def named(label, count=3):
        text = found.reading.text
        return [text[start:end] for start, end in strongest_spans(found, label, count)]

    assert named("POSITIVE") == ["one", "three", "five"]
    assert named("POSITIVE", 2) == ["three", "five"]
    assert named("NEGATIVE") == ["two"]


def test_the_verdicts_before_and_after_are_the_pipelines(pipeline):
    check = check_reason(pipeline, SHORT, count=2)
    found, before = attribute(pipeline, SHORT), judge(pipeline, SHORT)
    sign = 1 if before.label == "POSITIVE" else -1
    towards = [n for n, push in enumerate(found.pushes) if sign * push > 0]
    order = sorted(towards, key=lambda n: -sign * found.pushes[n])
    assert order and list(check.words) == [found.words[n] for n in sorted(order[:2])]
    assert check.text == without_words(found, order[:2])
    (now,) = pipeline(check.text)
    assert (check.before.label, check.after.label) == (before.label, now["label"])
    assert check.after.probability == pytest.approx(now["score"], abs=1e-6)
    assert check.turns == (now["label"] != before.label)


def test_words_behind_the_end_do_not_move_up(pipeline):
    text = "a good movie and a bad one. " * 40
    before = judge(pipeline, text)
    check = check_without(pipeline, before, [before.reading.spans[1], (len(text) - 5, len(text))])
    assert check.words == ("good",)
    assert len(check.after.reading.spans) == len(before.reading.spans) - 1
    assert not check.after.reading.is_cut


def test_one_forward_pass_and_no_more(pipeline):
    before, passes = judge(pipeline, SHORT), []
    with pipeline.model.register_forward_pre_hook(lambda *_: passes.append(1)):
        check_without(pipeline, before, before.reading.spans[:3])
    assert len(passes) == 1


@pytest.mark.parametrize("text", ["good", "good bad"])
def test_where_nothing_is_left_it_says_what_to_do(pipeline, text):
    before = judge(pipeline, text)
    check = check_without(pipeline, before, before.reading.spans)
    assert (check.text, check.after, check.turns) == ("", None, False)
    page = ParsedPage(reason_html(check))
    assert "nothing is left to read" in page.text
    assert "Put a word back, or type a longer text" in page.text


def test_where_no_word_pushed_towards_the_verdict_it_says_so(pipeline):
    check = check_without(pipeline, judge(pipeline, SHORT), [])
    assert f"No word pushed towards {check.before.label}" in ParsedPage(reason_html(check)).text


@pytest.mark.parametrize("count", [0, -3])
def test_a_count_below_one_is_refused(pipeline, count):
    with pytest.raises(ValueError, match=f"count is {count}: expected at least 1"):
        check_reason(pipeline, SHORT, count)


def test_the_line_has_both_verdicts_and_both_margins(pipeline):
    check = check_reason(pipeline, SHORT)
    now = dataclasses.replace(check.after, label="NEGATIVE", probability=0.912, margin=-0.906)
    old = dataclasses.replace(check.before, label="POSITIVE", probability=0.9999, margin=9.21)
    check = dataclasses.replace(check, words=("not", "so", "good"), before=old, after=now)
    assert ParsedPage(reason_html(check)).text == (
        "Without “not”, “so” and “good”: NEGATIVE 91.2 % (before: POSITIVE > 99.9 %). The verdict "
        "turns; the margin goes from +9.21 to −0.91 logits."
    )
    same = dataclasses.replace(check, after=old)
    assert "The verdict stays;" in ParsedPage(reason_html(same)).text


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (("POSITIVE", 0.99), ("POSITIVE", 0.61), "not sure, leans POSITIVE 61.0 %|is open now"),
        (("POSITIVE", 0.99), ("NEGATIVE", 0.8), "not sure, leans NEGATIVE 80.0 %|is open now"),
        (("POSITIVE", 0.51), ("NEGATIVE", 0.52), "not sure, leans NEGATIVE 52.0 %|stays open"),
        (("POSITIVE", 0.51), ("POSITIVE", 0.81), "POSITIVE 81.0 %|is sure now"),
        (("POSITIVE", 0.51), ("NEGATIVE", 0.81), "NEGATIVE 81.0 %|turns"),
    ],
    ids=str,
)
def test_what_is_not_sure_cannot_turn(pipeline, before, after, shown):
    check = check_reason(pipeline, SHORT)
    old, now = (
        dataclasses.replace(check.before, label=label, probability=probability)
        for label, probability in (before, after)
    )
    line = ParsedPage(reason_html(dataclasses.replace(check, before=old, after=now))).text
    verdict, change = shown.split("|")
    assert f": {verdict} (before: " in line and f"The verdict {change};" in line
    unsure = before[1] <= 0.8
    assert f"(before: {'not sure, leans ' * unsure}{before[0]} {100 * before[1]:.1f} %)" in line


def test_typed_words_labels_names_and_errors_are_text(pipeline):
    check = check_reason(pipeline, SHORT)
    verdict = dataclasses.replace(check.before, label=ATTACK)
    hostile = dataclasses.replace(
        check, words=(ATTACK, "<b>"), text=f"{ATTACK} left", before=verdict, after=verdict
    )
    for check in (hostile, dataclasses.replace(hostile, after=None)):
        card = Card(ATTACK, verdict=verdict, attribution=attribute(pipeline, SHORT), reason=check)
        for markup in (card_html(card), left_html([(ATTACK, check), ("other", ATTACK)])):
            page = ParsedPage(markup)
            assert_harmless(page)
            assert page.text.count("<script>alert(1)</script>") >= 2
        assert "\u202e" not in reason_html(check) + left_html([(ATTACK, check), ("other", ATTACK)])
    assert "<script>alert(1)</script>" in left_line([(ATTACK, hostile)])
    assert "\u202e" not in left_line([("model", hostile)])


def test_many_words_are_counted_not_listed(pipeline):
    check = check_reason(pipeline, SHORT)
    check = dataclasses.replace(check, words=("good",) * 300)
    page = ParsedPage(reason_html(check))
    assert page.text.count("good") == 8
    assert "and 292 more:" in page.text


def test_a_readers_text_and_the_markup_of_a_place_that_takes_text():
    assert plain_text("<p>a <bdi>&lt;b&gt; &amp;amp;</bdi></p>") == "a <b> &amp;"
