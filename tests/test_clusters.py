"""Intervals that count films and not reviews, and several comparisons at once."""

import itertools
import random
import statistics
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from imdb_tutorial import (
    accuracy_interval,
    compare,
    compare_grouped,
    grouped_interval,
    holm,
)


def clustered(groups, true=0.85, alike=3.0, seed=0):
    """Reviews of films that are unlike each other: the smaller ``alike``, the more so."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 14, size=groups)
    chance = rng.beta(true * alike, (1 - true) * alike, size=groups)
    films = np.repeat(np.arange(groups), sizes)
    return rng.random(len(films)) < chance[films], films


def by_hand(values, films, draws, seed):
    """The bootstrap over films, film by film and review by review, with another generator."""
    rng = random.Random(seed)
    reviews = {film: [v for v, f in zip(values, films, strict=True) if f == film] for film in films}
    found = []
    for _ in range(draws):
        films_drawn = rng.choices(list(reviews), k=len(reviews))
        drawn = [review for film in films_drawn for review in reviews[film]]
        found.append(sum(drawn) / len(drawn))
    return found


@pytest.fixture(scope="module")
def answers():
    right, films = clustered(60)
    other = np.where(np.random.default_rng(1).random(len(right)) < 0.85, right, ~right)
    return right, other, films


def test_an_interval_over_films_is_that_of_a_slow_bootstrap(answers):
    right, _, films = answers
    found = grouped_interval(right, films)
    draws = sorted(by_hand(right.tolist(), films.tolist(), 4_000, seed=7))
    spread = statistics.stdev(draws)
    assert found.value == right.mean()
    assert found.low == pytest.approx(draws[100], abs=spread / 8)
    assert found.high == pytest.approx(draws[3_900], abs=spread / 8)
    independent = right.mean() * (1 - right.mean()) / len(right)
    assert found.design_effect == pytest.approx(statistics.variance(draws) / independent, rel=0.1)
    assert (found.reviews, found.groups) == (len(right), 60)


def test_a_difference_over_films_is_that_of_a_slow_bootstrap(answers):
    right, other, films = answers
    found = compare_grouped(right, other, films)
    apart = right.astype(int) - other.astype(int)
    draws = sorted(by_hand(apart.tolist(), films.tolist(), 4_000, seed=8))
    spread = statistics.stdev(draws)
    assert found.difference == pytest.approx(apart.mean())
    assert found.low == pytest.approx(draws[100], abs=spread / 8)
    assert found.high == pytest.approx(draws[3_900], abs=spread / 8)
    tail = sum(draw <= 0 for draw in draws) / len(draws)
    assert found.p_value == pytest.approx(2 * min(tail, 1 - tail), abs=0.02)
    assert found.design_effect == pytest.approx(
        statistics.variance(draws) / (apart.var() / len(apart)), rel=0.1
    )


def test_design_effect_is_that_of_the_textbook():
    right, films = clustered(400, seed=3)
    table = pd.DataFrame({"right": right, "film": films}).groupby("film").right.agg(["sum", "size"])
    residuals = table["sum"] - right.mean() * table["size"]  # of the ratio of two sums
    over_films = (residuals**2).sum() / len(right) ** 2
    independent = right.mean() * (1 - right.mean()) / len(right)
    found = grouped_interval(right, films)
    assert found.design_effect == pytest.approx(over_films / independent, rel=0.06)


def test_all_draws_of_three_films_by_hand():
    right = [True, True, False, True, False, False]
    films = ["a", "a", "a", "b", "c", "c"]
    ways = [
        Fraction(sum(s for s, _ in drawn), sum(n for _, n in drawn))
        for drawn in itertools.product([(2, 3), (1, 1), (0, 2)], repeat=3)
    ]
    found = grouped_interval(right, films, confidence=0.5, draws=100_000)
    ordered = sorted(ways)  # 27 equally likely ones
    assert found.low == pytest.approx(float(ordered[6]))
    assert found.high == pytest.approx(float(ordered[20]))


def test_where_every_review_is_its_own_film_films_change_nothing():
    rng = np.random.default_rng(0)
    right, other = rng.random(1_500) < 0.85, rng.random(1_500) < 0.8
    found, plain = grouped_interval(right, np.arange(1_500)), accuracy_interval(right)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.002)
    assert found.design_effect == pytest.approx(1, abs=0.06)
    apart, paired = compare_grouped(right, other, np.arange(1_500)), compare(right, baseline=other)
    assert (apart.low, apart.high) == pytest.approx((paired.low, paired.high), abs=0.003)
    assert apart.p_value == pytest.approx(paired.p_value, abs=0.01)


def test_where_a_film_is_only_repeated_nothing_is_gained():
    rng = np.random.default_rng(2)
    right = rng.random(200) < 0.8
    once = grouped_interval(right, np.arange(200))
    ten = grouped_interval(np.repeat(right, 10), np.repeat(np.arange(200), 10))
    assert ten[:3] == pytest.approx(once[:3])  # the same draws
    assert ten.design_effect == pytest.approx(10 * once.design_effect)


def test_coverage_on_reviews_that_belong_together():
    """The plain interval holds the true accuracy far too seldom, that over films about as said."""
    held = {"plain": 0, "over films": 0}
    for seed in range(400):
        right, films = clustered(150, true=0.85, seed=seed)
        plain, grouped = accuracy_interval(right), grouped_interval(right, films, draws=800)
        held["plain"] += plain.low <= 0.85 <= plain.high
        held["over films"] += grouped.low <= 0.85 <= grouped.high
    assert held["plain"] < 0.85 * 400
    assert 0.915 * 400 < held["over films"] < 0.985 * 400


def test_equally_good_models_seldom_differ_over_films_but_often_over_reviews():
    """One draw for a film decides which model suits it: reviews of a film agree on the winner."""
    shown = {"plain": 0, "over films": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        films = np.repeat(np.arange(120), rng.integers(1, 14, size=120))
        suits_one = rng.random(120) < 0.5
        one = rng.random(len(films)) < np.where(suits_one, 0.95, 0.75)[films]
        other = rng.random(len(films)) < np.where(suits_one, 0.75, 0.95)[films]
        shown["plain"] += compare(one, baseline=other).p_value < 0.05
        shown["over films"] += compare_grouped(one, other, films, draws=600).p_value < 0.05
    assert shown["plain"] > 0.1 * 300
    assert shown["over films"] < 0.095 * 300


def test_the_p_value_agrees_with_the_interval():
    seen = set()
    for seed in range(60):
        right, films = clustered(40, seed=seed)
        other, _ = clustered(40, true=0.75, seed=seed)
        found = compare_grouped(right, other, films, draws=1_000)
        if not 0.045 < found.p_value < 0.055:
            assert found.includes_zero == (found.p_value > 0.05)
            seen.add(found.includes_zero)
    assert seen == {True, False}


def test_swapped_models_have_the_opposite_difference(answers):
    right, other, films = answers
    there, back = compare_grouped(right, other, films), compare_grouped(other, right, films)
    assert back.difference == -there.difference
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == there.p_value and back.design_effect == there.design_effect


def test_the_same_seed_gives_the_same_interval_and_another_nearly_the_same(answers):
    right, _, films = answers
    found = grouped_interval(right, films)
    assert grouped_interval(right, films) == found
    other = grouped_interval(right, films, seed=1)
    assert other != found and other[:3] == pytest.approx(found[:3], abs=0.003)


def test_more_confidence_is_wider_and_more_films_are_narrower(answers):
    right, _, films = answers
    usual, sure = grouped_interval(right, films), grouped_interval(right, films, confidence=0.99)
    assert sure.low < usual.low < usual.high < sure.high
    many, their_films = clustered(960)
    found = grouped_interval(many, their_films)
    assert 3 < (usual.high - usual.low) / (found.high - found.low) < 5.3  # 16 times the films


def test_names_of_films_do_not_matter_nor_the_order_of_reviews(answers):
    right, other, films = answers
    found = grouped_interval(right, films)
    for names in (
        [f"tt{film:07}" for film in films],
        films.tolist(),
        pd.Series(films).astype("category"),
        torch.tensor(films),
        films.astype(float),
    ):
        assert grouped_interval(right.tolist(), names) == found
    order = np.random.default_rng(0).permutation(len(right))
    shuffled = compare_grouped(right[order], other[order], films[order])
    assert shuffled.difference == compare_grouped(right, other, films).difference
    assert shuffled[1:3] == pytest.approx(compare_grouped(right, other, films)[1:3], abs=0.004)


def test_a_number_and_its_name_are_two_films():
    assert grouped_interval([True, False, True], [1, "1", 2]).groups == 3


@pytest.mark.parametrize(("flags", "value"), [([True] * 7, 1), ([False] * 7, 0)])
def test_where_all_films_agree_each_of_them_counts_as_one_review(flags, value):
    found = grouped_interval(flags, list("aabbccc"))
    assert found[:3] == accuracy_interval(3 * value, 3)[:3]
    assert np.isnan(found.design_effect)


def test_models_that_never_differ_are_not_shown_to_be_equal():
    found = compare_grouped([True, False, True], [True, False, True], list("abc"))
    assert found.difference == 0 and found.p_value == 1 and found.includes_zero
    assert found.high == -found.low == pytest.approx(accuracy_interval(0, 3).high)


def test_three_films_that_all_say_the_same_show_nothing():
    found = compare_grouped([True] * 6, [False] * 6, list("aabbcc"))
    assert found.difference == found.high == 1 and found.includes_zero
    assert found.p_value == 0.25  # as three coins


def test_no_number_of_draws_shows_that_something_never_happens():
    rng = np.random.default_rng(0)
    films, one = np.repeat(np.arange(80), 5), rng.random(400) < 0.95
    found = compare_grouped(one, rng.random(400) < 0.3, films, draws=999)
    assert found.low > 0.5 and found.p_value == pytest.approx(2 / 1_000)


def test_films_with_one_label_each_are_fine():
    labels = np.repeat([0, 1], 50)
    films = np.repeat(np.arange(20), 5)
    found = grouped_interval(labels == 1, films)
    assert found.value == 0.5 and found.low < 0.35 and found.high > 0.65
    assert found.design_effect == pytest.approx(5, rel=0.06)


def test_what_it_prints():
    right, films = np.tile([True, True, True, False], 50), np.arange(200)
    assert str(grouped_interval(right, films)).startswith("75.0 % (69.0 to 8")
    text = str(compare_grouped(right, np.roll(right, 2), films))
    assert text.startswith("+0.0 points (-") and text.endswith(", p = 1")


FLAGS = [True, False, True, True]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "groups are None: expected one for each of 4 reviews"),
        ([], r"groups are of the shape \(0,\): expected one for each of 4"),
        (list("abc"), r"groups are of the shape \(3,\): expected one for each of 4"),
        (list("abcde"), r"groups are of the shape \(5,\): expected one for each of 4"),
        ("abcd", "groups are 'abcd': expected one for each of 4"),
        ({"a", "b"}, "expected one for each of 4"),
        ([["a", "b"]] * 4, r"of the shape \(4, 2\)"),
        ([["a"], ["b", "c"], ["a"], ["b"]], "groups hold what is no name: unhashable"),
        (["a", None, "b", "b"], "row 1 has the group None: expected a name"),
        (["a", "b", float("nan"), "b"], "row 2 has the group nan"),
        ([1.0, 2.0, 2.0, float("nan")], "row 3 has the group nan"),
        (["a", "b", pd.NA, "b"], "row 2 has the group <NA>"),
        (["", "a", "b", "b"], "row 0 has the group ''"),
        (["a", "b", "b", " \n"], r"row 3 has the group ' \\n'"),
        (["a"] * 4, r"all 4 reviews are of one group \('a'\): expected two or more"),
    ],
)
def test_groups_that_are_none_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        grouped_interval(FLAGS, groups)
    with pytest.raises(ValueError, match=message):
        compare_grouped(FLAGS, FLAGS[::-1], groups)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(right=[]), r"right has the shape \(0,\)"),
        (dict(right=[1, 0, 1, 1]), "right holds int64: expected True or False"),
        (dict(confidence=95), "confidence is 95"),
        (dict(confidence=float("nan")), "confidence is nan"),
        (dict(draws=10), "draws is 10: expected a whole number from 100"),
        (dict(draws=1e4), r"draws is 10000\.0: expected a whole number"),
        (dict(draws=True), "draws is True"),
        (dict(seed=None), "seed is None: expected a whole number from 0"),
        (dict(seed=-1), "seed is -1"),
    ],
)
def test_other_wrong_input_is_refused(wrong, message):
    given = {"right": FLAGS, "groups": list("aabb")} | wrong
    with pytest.raises(ValueError, match=message):
        grouped_interval(**given)
    with pytest.raises(ValueError, match=message):
        compare_grouped(baseline=given["right"], **given)


def test_another_number_of_answers_is_refused():
    with pytest.raises(ValueError, match=r"baseline has the shape \(3,\).*4"):
        compare_grouped(FLAGS, FLAGS[:3], list("aabb"))


def test_holm_by_hand():
    """Four comparisons: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04, which may not fall below 0.06."""
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.7, 0.6]), [1, 1])
    np.testing.assert_allclose(holm([0.2]), [0.2])
    np.testing.assert_allclose(holm([0, 1]), [0, 1])


def rejected(p_values, level):
    """Holm's procedure as the paper tells it: step down until one is too large."""
    found = [False] * len(p_values)
    for step, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] > level / (len(p_values) - step):
            break
        found[place] = True
    return found


def test_holm_rejects_what_the_stepwise_procedure_rejects():
    rng = np.random.default_rng(0)
    for _ in range(300):
        p_values = (rng.random(rng.integers(1, 9)) ** 3).round(2).tolist()  # with ties
        corrected = holm(p_values)
        for level in (0.0301, 0.0501, 0.2003):
            assert (corrected <= level).tolist() == rejected(p_values, level)


def test_holm_keeps_the_chance_of_any_false_alarm():
    rng = np.random.default_rng(0)
    games = [rng.random(7) for _ in range(4_000)]  # nothing to find
    assert np.mean([min(p) < 0.05 for p in games]) > 0.25
    assert np.mean([min(holm(p)) < 0.05 for p in games]) < 0.06


@pytest.mark.parametrize(
    ("p_values", "message"),
    [
        ([], r"shape \(0,\): expected a list of numbers"),
        (None, r"object of shape \(\)"),
        (0.5, r"shape \(\)"),
        ("0.5", "expected a list of numbers"),
        (["0.5"], "expected a list of numbers"),
        ([0.1, None], "expected a list of numbers"),
        ([True], "bool of shape"),
        ([[0.1]], r"shape \(1, 1\)"),
        ([[0.1], [0.1, 0.2]], "cannot be read as a list"),
        ({"a": 0.1}, "expected a list of numbers"),
        ([0.1, float("nan")], "p-value 1 is nan: expected a number from 0 to 1"),
        ([1.01], r"p-value 0 is 1\.01"),
        ([0.5, -0.01], r"p-value 1 is -0\.01"),
    ],
)
def test_what_is_no_p_value_is_refused(p_values, message):
    with pytest.raises(ValueError, match=message):
        holm(p_values)
