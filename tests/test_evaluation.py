"""Evaluation against formulas and loops written here, torch, SciPy and published values."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.stats import norm

from imdb_tutorial import (
    accuracy_interval,
    by_slice,
    calibration_error,
    compare,
    confusion_matrix,
    fit_temperature,
    grouped_interval,
    hardest,
    is_right,
    load_official_split,
    reliability,
    review_slices,
    spread,
    without_ratings,
    written_rating,
)


def wilson(right, count, confidence=0.95):
    """The closed form: where the true share is so far from the seen one that it just fits."""
    z = norm.ppf(0.5 + confidence / 2)
    share = right / count
    middle = share + z**2 / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return (middle - half) / (1 + z**2 / count), (middle + half) / (1 + z**2 / count)


def flags(both, only_a, only_b, neither):
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array(a), np.array(b)


def made_up(count, seed=0, too_sure=1.0):
    """Return logits that are right when divided by ``too_sure``, and labels."""
    rng = np.random.default_rng(seed)
    margin = 2.5 * rng.standard_normal(count)
    labels = (rng.random(count) < 1 / (1 + np.exp(-margin))).astype(int)
    shift = rng.standard_normal(count)
    return too_sure * np.stack([shift, shift + margin], axis=1), labels


def softmax(logits, temperature=1.0):
    return torch.softmax(torch.from_numpy(logits / temperature), dim=1).numpy()


def published():
    a, b = flags(59, 6, 16, 80)
    return compare(a, baseline=b)


@pytest.mark.parametrize(
    "right, count, confidence", [(0, 1, 0.95), (1, 1, 0.5), (5, 10, 0.99), (3_999, 4_000, 0.95)]
)
def test_an_interval_is_the_closed_form(right, count, confidence):
    interval = accuracy_interval(right, count, confidence=confidence)
    assert interval.value == pytest.approx(right / count)
    assert interval[1:3] == pytest.approx(wilson(right, count, confidence))
    assert interval.reviews == count
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    rows = np.random.default_rng(0).permutation(count) < right
    assert accuracy_interval(rows, confidence=confidence) == interval
    assert accuracy_interval(rows.tolist(), confidence=confidence) == interval


def test_an_interval_reads_well():
    assert str(accuracy_interval(815, 1_000)) == "81.5 % (79.0 to 83.8)"
    assert f"{accuracy_interval([True])}" == "100.0 % (20.7 to 100.0)"
    assert str(published()) == "-6.2 points (-11.9 to -0.5), p = 0.052"


def newcombe(both, only_a, only_b, neither):
    """Method 10 of Newcombe 1998, in the paper's own letters."""
    e, f, g, h = both, only_a, only_b, neither
    n = e + f + g + h
    p1, p2 = (e + f) / n, (e + g) / n
    (l1, u1), (l2, u2) = wilson(e + f, n), wilson(e + g, n)
    phi = 0.0
    if (e + f) * (g + h) * (e + g) * (f + h) > 0:
        numerator = e * h - f * g
        if numerator > n / 2:
            numerator -= n / 2
        elif numerator >= 0:
            numerator = 0
        phi = numerator / math.sqrt((e + f) * (g + h) * (e + g) * (f + h))
    delta = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    epsilon = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return p1 - p2 - delta, p1 - p2 + epsilon


TABLES = [
    (59, 6, 16, 80),
    (1, 1, 7, 12),  # hardly correlated: taken for not at all
    (3, 30, 40, 2),  # negatively correlated
    (0, 9, 0, 0),  # a margin that is empty
    (900, 0, 0, 100),  # never apart
    (1, 0, 0, 0),
]


@pytest.mark.parametrize("table", TABLES)
def test_a_paired_difference_is_newcombes_with_mcnemars_p_value(table):
    a, b = flags(*table)
    found = compare(a, baseline=b)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert (found.low, found.high) == pytest.approx(newcombe(*table))
    assert (found.only_model, found.only_baseline) == table[1:3]
    assert -1 <= found.low <= found.difference <= found.high <= 1
    apart, fewer = sum(table[1:3]), min(table[1:3])
    tail = sum(math.comb(apart, k) for k in range(fewer + 1)) / 2**apart
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))
    assert found.includes_zero == (found.low <= 0 <= found.high)
    order = np.random.default_rng(1).permutation(len(a))
    assert compare(a[order], baseline=b[order]) == found


def test_a_paired_interval_as_published():
    # Complete response, Cavo et al. 2012: Fagerland, Lydersen and Laake, Statistical Analysis of
    # Contingency Tables, chapter 8, as in the tests of their R package contingencytables.
    found = published()
    assert (found.difference, found.low, found.high) == pytest.approx(
        (-0.0621, -0.1186, -0.0046), abs=5e-5
    )


def test_confusion_counts_every_review_once():
    rng = np.random.default_rng(2)
    truth, said = rng.integers(0, 2, 300), rng.integers(0, 2, 300) > 0
    table = confusion_matrix(y_true=truth, y_pred=said)
    for i, row in enumerate(("NEGATIVE", "POSITIVE")):
        for j, column in enumerate(("NEGATIVE", "POSITIVE")):
            pairs = zip(truth, said, strict=True)
            assert table.loc[row, column] == sum((x, y) == (i, j) for x, y in pairs)
    assert (table.index.name, table.columns.name) == ("label", "predicted")
    assert confusion_matrix(y_true=[1, 1], y_pred=[1, 1]).to_numpy().tolist() == [[0, 0], [0, 2]]


@pytest.mark.parametrize(
    "function",
    [is_right, confusion_matrix, reliability, calibration_error, hardest, fit_temperature, compare],
)
def test_two_arrays_that_could_be_swapped_must_be_named(function):
    with pytest.raises(TypeError, match="positional argument"):
        function([0, 1], [1, 1])


def slow_calibration_error(probabilities, labels, bins):
    total = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for low, high in itertools.pairwise(edges):
        sure, right = [], []
        for row, label in zip(probabilities, labels, strict=True):
            verdict = 1 if row[1] > row[0] else 0
            tie = row[verdict] == 0.5 and bins % 2 == 0
            if low == 0.5 if tie else low < row[verdict] <= high:
                sure.append(row[verdict])
                right.append(verdict == label)
        if sure:
            gap = abs(sum(right) / len(right) - sum(sure) / len(sure))
            total += len(sure) / len(labels) * gap
    return total


@pytest.mark.parametrize("bins, too_sure", [(1, 1.0), (15, 3.0), (1_000, 1.0)])
def test_calibration_error_is_the_slow_loop(bins, too_sure):
    logits, labels = made_up(400, seed=bins, too_sure=too_sure)
    both = softmax(logits)
    expected = pytest.approx(slow_calibration_error(both, labels, bins))
    assert calibration_error(y_true=labels, y_proba=both, n_bins=bins) == expected
    assert calibration_error(y_true=labels, y_proba=both[:, 1], n_bins=bins) == expected


def test_calibration_error_on_the_edges_of_bins():
    positive = np.array([0.0, 0.1, 0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 1.0, 1.0])
    labels = np.array([0, 0, 1, 0, 1, 1, 0, 1, 1, 0])
    rows = np.stack([1 - positive, positive], axis=1)
    for bins in (1, 10):
        expected = slow_calibration_error(rows, labels, bins)
        found = calibration_error(y_true=labels, y_proba=positive, n_bins=bins)
        assert found == pytest.approx(expected)


def test_a_tie_is_counted_with_the_least_sure_and_makes_no_bin_of_its_own():
    table = reliability(y_true=[0, 1, 0], y_proba=[0.5, 0.52, 0.5], n_bins=20)
    assert table[["from", "to", "count"]].to_numpy().tolist() == [[0.5, pytest.approx(0.55), 3]]


def test_reliability_has_every_review_in_one_bin():
    logits, labels = made_up(500)
    probabilities = softmax(logits)
    table = reliability(y_true=labels, y_proba=probabilities)
    assert table["count"].sum() == 500
    assert (table["count"] > 0).all()
    assert ((table["from"] < table["confidence"]) & (table["confidence"] <= table["to"])).all()
    right = probabilities.argmax(axis=1) == labels
    assert (table["accuracy"] * table["count"]).sum() == pytest.approx(right.sum())
    for row in table.to_dict("records"):
        ends = wilson(round(row["accuracy"] * row["count"]), row["count"])
        assert (row["low"], row["high"]) == pytest.approx(ends)


def torch_temperature(logits, labels):
    logits, labels = torch.from_numpy(logits), torch.from_numpy(labels)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_temperature.exp(), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_temperature.exp().item()


@pytest.mark.parametrize("too_sure", [0.05, 1.0, 20.0])
def test_temperature_is_the_one_that_torch_finds(too_sure):
    logits, labels = made_up(600, seed=4, too_sure=too_sure)
    expected = pytest.approx(torch_temperature(logits, labels), rel=1e-3)
    assert fit_temperature(y_true=labels, logits=logits) == expected
    assert fit_temperature(y_true=labels, logits=logits[:, 1] - logits[:, 0]) == expected


def test_a_temperature_from_validation_mends_test():
    logits, labels = made_up(3_000, seed=1, too_sure=2.5)
    temperature = fit_temperature(y_true=labels, logits=logits)
    assert temperature == pytest.approx(2.5, rel=0.1)
    logits, labels = made_up(4_000, seed=2, too_sure=2.5)
    before, after = (
        calibration_error(y_true=labels, y_proba=softmax(logits, t)) for t in (1, temperature)
    )
    assert after < 0.3 * before


def test_a_temperature_where_none_is_best():
    assert fit_temperature(y_true=[1, 0], logits=[2.0, -3.0]) < 0.2
    assert fit_temperature(y_true=[0, 1], logits=[2.0, -3.0]) == pytest.approx(100, rel=1e-3)
    assert fit_temperature(y_true=[0, 1], logits=[[0.4, 0.4], [1.0, 1.0]]) == 1.0
    always_positive = fit_temperature(y_true=[1] * 7 + [0] * 3, logits=[[0.0, 1.5]] * 10)
    assert always_positive == pytest.approx(1.5 / math.log(7 / 3), rel=1e-4)


def test_the_hardest_reviews_are_those_with_the_highest_loss():
    logits, labels = made_up(200)
    losses = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(labels), reduction="none"
    ).numpy()
    table = hardest(y_true=labels, y_proba=softmax(logits), count=7)
    assert table.index.tolist() == np.argsort(-losses)[:7].tolist()
    assert table["loss"].to_numpy() == pytest.approx(losses[table.index])
    assert np.exp(-table["loss"]).to_numpy() == pytest.approx(table["probability"].to_numpy())
    assert table["label"].tolist() == labels[table.index].tolist()
    assert table["predicted"].tolist() == logits[table.index].argmax(axis=1).tolist()
    assert len(hardest(y_true=labels, y_proba=softmax(logits), count=1_000)) == 200


def test_a_model_that_is_sure_and_wrong_has_an_infinite_loss(recwarn):
    table = hardest(y_true=[1, 0, 0, 1], y_proba=[0.5, 1.0, 0.5, 0.0])
    assert table.index.tolist() == [1, 3, 0, 2]
    assert table["loss"].tolist() == pytest.approx([math.inf, math.inf, math.log(2), math.log(2)])
    assert not recwarn


def test_slices_have_the_counts_and_intervals_of_their_reviews():
    rng = np.random.default_rng(6)
    right, first = rng.random(300) < 0.8, np.arange(300) < 90
    table = by_slice(right, {"first": first, "rest": ~first, "none": np.zeros(300, dtype=bool)})
    assert table.index.tolist() == ["all", "first", "rest", "none"]
    assert table["count"].tolist() == [300, 90, 210, 0]
    for name, rows in {"all": right, "first": right[:90], "rest": right[90:]}.items():
        expected = (len(rows), rows.mean(), *wilson(rows.sum(), len(rows)))
        assert tuple(table.loc[name]) == pytest.approx(expected)
    assert table.loc["none", ["accuracy", "low", "high"]].isna().all()
    assert by_slice(right, {}).index.tolist() == ["all"]


def test_slices_of_groups_have_the_intervals_of_their_groups():
    rng = np.random.default_rng(7)
    films = np.repeat([f"film {n}" for n in range(40)], 5)
    right = np.repeat(rng.random(40) < 0.7, 5) ^ (rng.random(200) < 0.1)
    parts = {"even": np.arange(200) % 2 == 0, "one film": films == "film 3", "none": right & ~right}
    table = by_slice(right, parts, films)
    assert table["count"].tolist() == [200, 100, 5, 0]
    for name, inside in {"all": np.ones(200, dtype=bool), "even": parts["even"]}.items():
        expected = grouped_interval(right[inside], films[inside])
        assert tuple(table.loc[name])[1:] == (expected.value, expected.low, expected.high)
    plain = by_slice(right, parts)
    assert table.high["all"] - table.low["all"] > 1.3 * (plain.high["all"] - plain.low["all"])
    assert table.accuracy["one film"] == plain.accuracy["one film"]
    assert table.loc["one film", ["low", "high"]].isna().all()
    assert table.loc["none", ["accuracy", "low", "high"]].isna().all()


TEXTS = [
    ("I liked it. <br /><br />Notable, and you know it: nothingness!", 20, False),
    ("I DON'T know", 500, True),
    ("It isn’t bad " * 60, 501, True),
    ("Nobody knows " * 150, 400, True),
    ("great " * 301, 303, False),
    ("", 2, False),
    ("No.", 4, True),
]


def test_slices_of_reviews():
    texts, tokens, negation = zip(*TEXTS, strict=True)
    slices = review_slices(texts, tokens)
    lengths = [name for name in slices if "words" in name]
    assert [np.flatnonzero(slices[name]).tolist() for name in lengths] == [
        [0, 1, 5, 6],
        [2, 3],
        [4],
    ]
    assert slices["with a negation"].tolist() == list(negation)
    assert np.flatnonzero(slices["with <br />"]).tolist() == [0]
    assert np.flatnonzero(slices["cut at 500 tokens"]).tolist() == [2]
    assert review_slices(texts, tokens, 300)["cut at 300 tokens"].sum() == 4
    pairs = [("with a negation", "without a negation"), ("with <br />", "without <br />")]
    for name, other in [*pairs, ("cut at 500 tokens", "whole, up to 500 tokens")]:
        assert (slices[name] ^ slices[other]).all()
    table = by_slice([True] * len(texts), slices)
    assert table["count"].iloc[1:4].sum() == len(texts)


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("A waste of time. 3/10", 3),
        ("(7.5/10) and 9/10 for the music", 7.5),
        ("my rating: 10 / 10!", 10),
        ("Overall 6,5/10.<br /><br />", 6.5),
        ("0/10", 0),
        ("9 1/2/10", None),
        ("in the 9/10/2001 edition", None),
        ("110/10", None),
        ("3/100", None),
        ("8 out of 10", None),
        ("", None),
    ],
)
def test_a_rating_written_into_a_review(text, rating):
    assert written_rating(text) == rating
    bare = without_ratings(text)
    assert written_rating(bare) is None
    assert (bare == text) == (rating is None)


def test_every_rating_is_taken_out_and_nothing_else():
    text = "Acting 8/10, plot 2/10 in 24/7 style"
    assert without_ratings(text) == "Acting , plot  in 24/7 style"


def test_is_right():
    assert is_right(y_true=[0, 1, 1], y_pred=np.array([0, 1, 0])).tolist() == [True, True, False]


REFUSED = [
    (accuracy_interval, dict(right=[]), r"right has the shape \(0,\)"),
    (accuracy_interval, dict(right=0, count=0), "count is 0.*at least one"),
    (accuracy_interval, dict(right=11, count=10), "right is 11.*0 to 10"),
    (accuracy_interval, dict(right=0.8, count=10), "right is 0.8"),
    (accuracy_interval, dict(right=[0, 1]), "int64.*True or False"),
    (accuracy_interval, dict(right=np.ones((3, 2), bool)), r"\(3, 2\)"),
    (accuracy_interval, dict(right=8, count=10, confidence=95), "confidence is 95"),
    (compare, dict(right=[True] * 3, baseline=[True]), r"baseline.*\(1,\).*3 reviews"),
    (is_right, dict(y_true=[0, 1], y_pred=[0.2, 0.9]), "y_pred are float64"),
    (is_right, dict(y_true=[1, 0], y_pred=[1]), "2 y_true for 1 y_pred"),
    (confusion_matrix, dict(y_true=[0, 1], y_pred=[0, 2]), "row 1 is 2: y_pred are 0"),
    (calibration_error, dict(y_true=[0, 1], y_proba=[0.5, 1.2]), "row 1 is 1.2.*0 to 1"),
    (calibration_error, dict(y_true=[0], y_proba=[[-0.1, 1.1]]), "row 0 .*0 to 1"),
    (reliability, dict(y_true=[0, 1], y_proba=[[0.5, 0.5], [0.5, 0.7]]), "row 1 .*add up"),
    (reliability, dict(y_true=[0], y_proba=[0.5], n_bins=0), "n_bins is 0"),
    (hardest, dict(y_true=[0, 1], y_proba=[0.5, math.nan]), "row 1 is nan.*finite"),
    (hardest, dict(y_true=[0], y_proba=[[0.2, 0.3, 0.5]]), r"\(1, 3\)"),
    (hardest, dict(y_true=[0], y_proba=[0.5], count=0), "count is 0"),
    (fit_temperature, dict(y_true=[0], logits=[[0, math.inf]]), "row 0 .*logits"),
    (fit_temperature, dict(y_true=[0, 1], logits=[1.0]), "logits .*2 y_true"),
    (by_slice, dict(right=[True], slices={"a": [True] * 2}), r"slice 'a'.*\(2,\)"),
    (by_slice, dict(right=[True], slices={"a": [0]}), "slice 'a' holds int64"),
    (by_slice, dict(right=[True] * 2, slices={}, groups=["a"]), r"\(1,\).*each of 2 reviews"),
    (by_slice, dict(right=[True] * 2, slices={}, groups=["a", "a"]), "one group"),
    (review_slices, dict(texts=["a", None], token_counts=[3, 3]), "row 1 is None"),
    (review_slices, dict(texts=["a"], token_counts=[3, 3]), r"token_counts.*\(2,\)"),
]


@pytest.mark.parametrize("function, given, message", REFUSED)
def test_bad_input_is_named(function, given, message):
    with pytest.raises(ValueError, match=message):
        function(**given)


@pytest.mark.parametrize("label", [0, 1])
def test_a_model_that_always_says_the_same(label, recwarn):
    labels = np.array([0, 1] * 50)
    always = np.full(100, float(label))
    right = is_right(y_true=labels, y_pred=np.full(100, label))
    assert accuracy_interval(right).value == 0.5
    assert compare(right, baseline=np.ones(100, dtype=bool)).difference == -0.5
    assert calibration_error(y_true=labels, y_proba=always) == 0.5
    assert len(reliability(y_true=labels, y_proba=always)) == 1
    assert np.isinf(hardest(y_true=labels, y_proba=always, count=1)["loss"]).all()
    assert fit_temperature(y_true=labels, logits=np.full(100, 3.0 if label else -3.0)) > 99
    assert not recwarn


def test_importing_it_is_quick():
    heavy = ("scipy", "sklearn", "pandas", "torch", "evaluate", "datasets")
    modules = ("intervals", "calibration", "error_analysis", "metrics")
    code = "".join(f"import imdb_tutorial.evaluation.{name}\n" for name in modules)
    code += f"import sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout == "[]\n", run.stdout + run.stderr


def test_spread_is_students_interval():
    values = np.random.default_rng(1).normal(0.02, 0.01, 10)
    found = spread(values, confidence=0.8)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.8)
    assert (found.low, found.high) == pytest.approx(tuple(oracle))
    assert found.mean == pytest.approx(values.mean())
    assert found.seeds == 10


def test_an_interval_says_whether_it_includes_zero():
    assert spread([0.01, -0.01, 0.02]).includes_zero
    assert not spread([0.01, 0.011, 0.012]).includes_zero
    assert str(spread([0.01, 0.01])) == "+1.0 points (+1.0 to +1.0, 2 seeds)"


@pytest.mark.parametrize("values", [[], [0.1], [[0.1, 0.2]], [0.1, float("nan")]])
def test_a_spread_needs_two_numbers(values):
    with pytest.raises(ValueError, match="expected two or more finite numbers"):
        spread(values)


def test_the_official_split_holds_whole_films_held_back():
    films = load_official_split()["films"]
    assert [row["cut"] for row in films] == [1, 2, 3] * 2
    for model in {row["model"] for row in films}:
        apart = [r["held_back"] - r["official_test"] for r in films if r["model"] == model]
        assert -0.01 < np.mean(apart) < 0
