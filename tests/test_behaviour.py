"""Short and odd texts and pairs: the lists, what counts as expected, and the record."""

import json
import math
import re
from collections import Counter

import numpy as np
import pytest

from experiments import behaviour_rules
from experiments.behaviour_lists import TESTS, Lists, Text, read_lists
from experiments.behaviour_rules import CHANGES, OPPOSITES, STATEMENTS, Pair, pairs_by_rule
from experiments.behaviour_scores import (
    Answers,
    answer_lists,
    pair_passes,
    rate_pairs,
    rate_texts,
    text_passes,
)
from experiments.behaviour_sentences import calibrate, first_sentences
from imdb_tutorial import accuracy_interval, calibration_error
from tests.hostile.texts import MARKUP

LISTS = read_lists()
GOOD, BAD = (set(words) for words in zip(*OPPOSITES, strict=True))


def test_there_are_enough_and_none_is_there_twice():
    assert len(LISTS.texts) >= 70 and len(LISTS.pairs) >= 100
    assert Counter(row.text for row in LISTS.texts).most_common(1)[0][1] == 1
    pairs = [frozenset((row.first, row.second)) for row in LISTS.pairs]
    assert Counter(pairs).most_common(1)[0][1] == 1  # nor the other way round
    assert all(row.first != row.second for row in LISTS.pairs)
    by_hand = [row for row in LISTS.pairs if "by hand" in row.source]
    assert min(len(by_hand), len(LISTS.pairs) - len(by_hand)) >= 40


def test_the_lists_favour_neither_verdict():
    of_texts = Counter((row.kind, row.expected) for row in LISTS.texts)
    for kind in {row.kind for row in LISTS.texts}:
        assert of_texts[kind, "positive"] == of_texts[kind, "negative"], kind
    assert Counter(row.expected for row in LISTS.texts)["unsure"] >= 60
    of_pairs = Counter((row.kind, row.expected) for row in LISTS.pairs)
    assert of_pairs["clauses swapped", "higher"] == of_pairs["clauses swapped", "lower"]
    assert of_pairs["intensifier", "not higher"] == of_pairs["intensifier", "not lower"]
    assert len(STATEMENTS["positive"]) == len(STATEMENTS["negative"])


def test_all_three_kinds_of_test_are_there_and_their_sentences_are_many():
    assert {TESTS[row.expected] for row in LISTS.pairs} == set(TESTS.values())
    for kind in {row.kind for row in LISTS.pairs}:
        assert len({row.source for row in LISTS.pairs if row.kind == kind}) >= 4, kind


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def of_kind(kind):
    return [row for row in pairs_by_rule() if row.kind == kind]


def test_rules_fill_every_gap_and_speak_english():
    assert pairs_by_rule() == pairs_by_rule()
    for row in pairs_by_rule():
        for text in (row.first, row.second):
            assert not re.search(r"[{}]", text)
            assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", text), text


def test_vocabulary_differs_in_one_word_and_its_opposite():
    opposite = dict(OPPOSITES)
    for row in of_kind("vocabulary"):
        changed = [
            (a, b)
            for a, b in zip(words(row.first), words(row.second), strict=True)
            if a != b and {a, b} != {"a", "an"}
        ]
        assert changed and all(opposite[a] == b for a, b in changed)


@pytest.mark.parametrize(
    ("kind", "vocabulary", "expected"),
    [("negation", GOOD, "positive, negative"), ("negated negative", BAD, "higher")],
)
def test_negation_keeps_the_word_and_adds_a_not(kind, vocabulary, expected):
    no = {"not", "isn't", "never", "nobody", "can't"}
    for row in of_kind(kind):
        first, second = set(words(row.first)), set(words(row.second))
        assert row.expected == expected
        assert first & vocabulary == second & vocabulary and len(first & vocabulary) == 1
        assert not first & no and len(second & no) == 1


def test_contrast_puts_the_wholes_word_where_the_verdict_is():
    for row in of_kind("contrast"):
        for text, verdict in ((row.first, BAD), (row.second, GOOD)):
            (whole,) = re.findall(r"film (?:as a whole )?is (\w+)", text)
            assert whole in verdict
            assert len(set(words(text)) & (GOOD | BAD)) == 2
        assert sorted(words(row.first)) == sorted(words(row.second))


def test_swapped_clauses_have_the_same_words_and_the_expected_one_weighs_more():
    for row in of_kind("clauses swapped"):
        order = [word for word in words(row.first) if word in GOOD | BAD]
        assert sorted(words(row.first)) == sorted(words(row.second))
        assert [word for word in words(row.second) if word in GOOD | BAD] == order[::-1]
        # The clause that weighs more comes last in each text, so it is the good one of the second.
        assert row.expected == ("higher" if order[0] in GOOD else "lower")


def test_an_intensifier_is_one_word_more():
    for row in of_kind("intensifier"):
        more = set(words(row.second)) - set(words(row.first)) - {"an"}
        assert len(more) == 1
        good = bool(set(words(row.first)) & GOOD)
        assert row.expected == ("not lower" if good else "not higher")


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("another name", behaviour_rules.NAMES),
        ("another place", behaviour_rules.PLACES),
        ("another number", behaviour_rules.NUMBERS),
    ],
)
def test_another_name_changes_that_alone(kind, table):
    for row in of_kind(kind):
        (one,) = [pair for pair in table if re.search(rf"\b{pair[0]}\b", row.first)]
        assert row.first.replace(*one) == row.second and row.expected == "same"


def test_what_must_not_matter_leaves_the_words_as_they_were():
    for kind in CHANGES:
        assert len(of_kind(kind)) == 12
        for row in of_kind(kind):
            assert row.expected == "same" and row.first == row.source
            plain = re.sub(r"<br />|\s+", " ", row.second).lower().rstrip(" !.")
            before = row.first.lower().rstrip(".")
            if kind == "typing error":
                places = [n for n in range(len(before)) if before[n] != plain[n]]
                assert len(plain) == len(before) and places[1] == places[0] + 1
                assert plain[places[0]] + plain[places[1]] == before[places[1]] + before[places[0]]
                assert len(places) == 2
            elif kind == "a sentence of no opinion":
                assert plain == f"{before}. it runs for two hours"
            else:
                assert " ".join(plain.split()) == before, kind


@pytest.mark.parametrize(
    ("expected", "passing", "failing"),
    [
        ("positive", [0.51, 1.0], [0.5, 0.49, 0.0]),
        ("negative", [0.49, 0.0], [0.5, 0.51, 1.0]),
        ("unsure", [0.2, 0.5, 0.8], [0.19, 0.81, 0.0, 1.0]),
    ],
)
def test_what_is_expected_of_a_text(expected, passing, failing):
    assert all(text_passes(expected, value) for value in passing)
    assert not any(text_passes(expected, value) for value in failing)


@pytest.mark.parametrize(
    ("expected", "passing", "failing"),
    [
        ("positive, negative", [(0.9, 0.1)], [(0.9, 0.6), (0.4, 0.1), (0.1, 0.9), (0.5, 0.1)]),
        ("negative, positive", [(0.1, 0.9)], [(0.6, 0.9), (0.1, 0.4), (0.9, 0.1)]),
        ("same", [(0.9, 0.6), (0.1, 0.4), (0.5, 0.5)], [(0.51, 0.49), (0.1, 0.9)]),
        ("higher", [(0.1, 0.2), (0.0, 1.0)], [(0.1, 0.19), (0.5, 0.5), (0.9, 0.1)]),
        ("lower", [(0.3, 0.2), (1.0, 0.0)], [(0.2, 0.11), (0.5, 0.5), (0.1, 0.9)]),
        ("not higher", [(0.9, 0.1), (0.5, 0.5), (0.3, 0.4)], [(0.3, 0.41), (0.1, 0.9)]),
        ("not lower", [(0.1, 0.9), (0.5, 0.5), (0.4, 0.3)], [(0.41, 0.3), (0.9, 0.1)]),
    ],
)
def test_what_is_expected_of_a_pair(expected, passing, failing):
    assert all(pair_passes(expected, *values) for values in passing)
    assert not any(pair_passes(expected, *values) for values in failing)


TOY = Lists(
    texts=[
        Text("one word", "positive", "great"),
        Text("one word", "negative", "awful"),
        Text("title", "unsure", "The Great Dictator"),
        Text("recipe", "unsure", "Beat two eggs."),
    ],
    pairs=[
        Pair("negation", "positive, negative", "a", "great", "not great"),
        Pair("negation", "positive, negative", "a", "great!", "not great!"),
        Pair("negation", "positive, negative", "b", "fine", "unfine"),
        Pair("capital letters", "same", "c", "great", "GREAT"),
        Pair("capital letters", "same", "d", "awful", "AWFUL"),
    ],
)


def sees_great(texts):
    """A model with known answers: it looks for one word, and knows no "not"."""
    return np.array([0.97 if "great" in text.lower() else 0.3 for text in texts])


def test_a_model_with_known_answers_gets_its_rates():
    answers = answer_lists(sees_great, TOY)
    texts = {(row["kind"], row["expected"]): row for row in rate_texts(TOY, answers)}
    assert texts["all", "all"]["rate"] == 0.75  # the title is taken for praise
    assert texts["all", "positive"]["rate"] == texts["all", "negative"]["rate"] == 1
    assert texts["all", "unsure"]["rate"] == 0.5 and texts["title", "unsure"]["rate"] == 0
    assert texts["all", "unsure"]["share_sure"] == texts["all", "unsure"]["share_positive"] == 0.5
    assert texts["all", "unsure"]["mean_confidence"] == pytest.approx((0.97 + 0.7) / 2)
    assert texts["all", "all"]["low"] == pytest.approx(accuracy_interval(3, 4).low, abs=1e-4)
    pairs = {(row["test"], row["kind"]): row for row in rate_pairs(TOY, answers)}
    assert pairs["minimum functionality", "negation"]["rate"] == 0
    assert pairs["invariance", "capital letters"]["rate"] == 1
    assert pairs["all", "all"]["rate"] == 0.4
    assert pairs["minimum functionality", "negation"]["sentences"] == 2
    # Of three pairs two are from one sentence: as much is known as of two, not of three.
    wide = pairs["minimum functionality", "negation"]
    assert wide["high"] == pytest.approx(1 - accuracy_interval(2, 2).low, abs=1e-4)


def test_pairs_of_one_sentence_make_the_interval_wider():
    def rows(source):
        pairs = [Pair("x", "same", source(n), f"one {n}", f"two {n}") for n in range(40)]
        first = np.full(40, 0.9)
        second = np.where(np.arange(40) // 10 < 2, 0.9, 0.1)  # whole sentences pass, or fail
        return rate_pairs(Lists([], pairs), Answers(np.array([]), first, second))[0]

    alike, apart = rows(lambda n: f"{n // 10}"), rows(str)
    assert alike["rate"] == apart["rate"] == 0.5
    assert alike["high"] - alike["low"] > 1.5 * (apart["high"] - apart["low"])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda texts: np.full(len(texts), math.nan), "no probability"),
        (lambda texts: np.full(len(texts), 1.5), "no probability"),
        (lambda texts: np.full(len(texts), -0.1), "no probability"),
        (lambda texts: np.full(len(texts) - 1, 0.5), "14 texts were asked"),
        (lambda texts: np.full((len(texts), 2), 0.5), "14 texts were asked"),
    ],
)
def test_answers_that_are_none_are_refused(ask, said):
    with pytest.raises(ValueError, match=said):
        answer_lists(ask, TOY)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[texts.x]\nperhaps = ["a"]\n[pairs]', "expects 'perhaps'"),
        ("[texts.x]\nunsure = [7]\n[pairs]", "holds 7"),
        ('[texts]\n[pairs.x]\nequal = [["a", "b"]]', "expects 'equal'"),
        ('[texts]\n[pairs.x]\nsame = [["a", 1]]', "holds 1"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(tmp_path, written, said):
    file = tmp_path / "list.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_lists(file)


def test_hostile_texts_are_kept_as_they_are_and_change_the_digest(tmp_path):
    file = tmp_path / "list.toml"
    quoted = ", ".join(json.dumps(text) for text in MARKUP if "\x00" not in text)
    file.write_text(f"[texts.x]\nunsure = [{quoted}]\n[pairs]", encoding="utf-8")
    lists = read_lists(file)
    assert [row.text for row in lists.texts] == [text for text in MARKUP if "\x00" not in text]
    assert lists.sha256 != read_lists().sha256 == LISTS.sha256
    moved = lists._replace(texts=[*lists.texts[1:], lists.texts[0]])
    assert moved.sha256 != lists.sha256  # answers are kept by place
    assert re.fullmatch(r"[0-9a-f]{64}", lists.sha256)


@pytest.mark.parametrize(
    ("text", "by_count"),
    [
        ("One. Two! Three? Four.", ["One.", "One. Two!", "One. Two! Three?"]),
        ("Mr. Smith met J. Doe. Then I. Then he left.", ["Mr. Smith met J. Doe."]),
        ("It cost 3.50 dollars... not bad. Really.", ["It cost 3.50 dollars... not bad."]),
        ('He said "Stop." She did.', ['He said "Stop."']),
        ("So good!<br /><br />So bad.", ["So good!", "So good! So bad."]),
        ("no end in sight", ["no end in sight"] * 3),
        ("", [""] * 3),
        ("<b", ["<b"]),
    ],
)
def test_the_first_sentences_of_a_text(text, by_count):
    assert [first_sentences(text, n + 1) for n in range(len(by_count))] == by_count


@pytest.mark.parametrize("text", [*MARKUP, "." * 50_000, "A. " * 20_000, "<" * 50_000])
def test_the_first_sentence_of_a_hostile_text_is_a_part_of_it(text):
    first = first_sentences(text, 1)
    assert len(first) <= len(text)


def test_confidence_on_short_texts_is_compared_with_the_labels():
    random = np.random.default_rng(0)
    probabilities = random.uniform(size=4_000)
    truth = (random.uniform(size=4_000) < probabilities).astype(int)
    groups = np.arange(4_000) // 8

    def ask(texts):
        return probabilities[[int(text) for text in texts]]

    texts = [str(n) for n in range(4_000)]
    honest = calibrate(ask, texts, truth, groups)
    assert honest["error"][0] == pytest.approx(
        calibration_error(y_true=truth, y_proba=probabilities), abs=1e-4
    )
    assert honest["error"][0] < 0.03 and honest["groups"] == 500
    low, high = honest["confidence_less_accuracy"][1:]
    assert low < 0 < high
    boast = calibrate(lambda texts: (ask(texts) > 0.5) * 0.98 + 0.01, texts, truth, groups)
    assert boast["accuracy"] == honest["accuracy"]
    # All sure alike: error and gap are one number, and so are the ends of their intervals.
    assert boast["error"] == boast["confidence_less_accuracy"]
    # Both are kept with four digits.
    assert boast["error"][0] == pytest.approx(0.99 - boast["accuracy"][0], abs=2e-4)
    assert boast["error"][1] < boast["error"][0] < boast["error"][2] and boast["share_sure"] == 1
