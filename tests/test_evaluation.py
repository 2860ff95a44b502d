"""Evaluation against formulas and loops written here, published values, and simulation."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from imdb_tutorial.evaluation.statistics import (
    accuracy_interval,
    by_slice,
    calibration_error,
    compare,
    confusion,
    fit_temperature,
    hardest,
    is_right,
    reliability,
    review_slices,
    spread,
)
from scipy import stats
from scipy.stats import norm
from sklearn.metrics import log_loss


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


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(
    "right, count", [(0, 1), (1, 1), (0, 40), (5, 10), (815, 1_000), (3_999, 4_000)]
)
def test_an_interval_is_the_closed_form(right, count, confidence):
    interval = accuracy_interval(right, count, confidence)
    assert interval[:2] == pytest.approx((right / count, wilson(right, count, confidence)[0]))
    assert interval.high == pytest.approx(wilson(right, count, confidence)[1])
    assert interval.count == count
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    rows = np.random.default_rng(0).permutation(count) < right
    assert accuracy_interval(rows, confidence=confidence) == interval
    assert accuracy_interval(rows.tolist(), confidence=confidence) == interval


def test_an_interval_reads_well():
    assert str(accuracy_interval(815, 1_000)) == "81.5 % (79.0 to 83.8)"
    assert f"{accuracy_interval([True])}" == "100.0 % (20.7 to 100.0)"
    assert str(compare(*flags(59, 6, 16, 80))) == "-6.2 points (-11.9 to -0.5), p = 0.052"


def test_an_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    for truth, count in ((0.82, 1_000), (0.95, 60)):
        found = [accuracy_interval(k, count) for k in rng.binomial(count, truth, 1_000)]
        held = np.mean([interval.low <= truth <= interval.high for interval in found])
        assert 0.93 <= held <= 0.975


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
    (3_300, 200, 150, 350),
    (20, 12, 2, 16),
    (1, 1, 7, 12),
    (3, 30, 40, 2),
    (0, 5, 5, 0),
    (8, 0, 0, 0),
    (0, 0, 0, 8),
    (0, 9, 0, 0),
    (9, 0, 3, 0),
    (900, 0, 0, 100),
    (1, 0, 0, 0),
]


@pytest.mark.parametrize("table", TABLES)
def test_a_paired_interval_is_newcombes(table):
    a, b = flags(*table)
    found = compare(a, b)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert (found.low, found.high) == pytest.approx(newcombe(*table))
    assert (found.only_a, found.only_b) == table[1:3]
    assert -1 <= found.low < found.high <= 1
    assert found.low <= found.difference <= found.high
    order = np.random.default_rng(1).permutation(len(a))
    assert compare(a[order], b[order]) == found


def test_a_paired_interval_as_published():
    # Complete response, Cavo et al. 2012: Fagerland, Lydersen and Laake, Statistical Analysis of
    # Contingency Tables, chapter 8, as in the tests of their R package contingencytables.
    found = compare(*flags(59, 6, 16, 80))
    assert (found.difference, found.low, found.high) == pytest.approx(
        (-0.0621, -0.1186, -0.0046), abs=5e-5
    )


def test_a_paired_interval_agrees_with_a_bootstrap():
    table = np.array([3_300, 200, 150, 350])
    drawn = np.random.default_rng(5).multinomial(4_000, table / 4_000, 20_000)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 2]) / 4_000, [0.025, 0.975])
    found = compare(*flags(*table))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    "table, reviews, most",
    [((0.8, 0.05, 0.04, 0.11), 1_000, 0.975), ((0.9, 0.01, 0.01, 0.08), 200, 1.0)],
)
def test_a_paired_interval_holds_the_truth_as_often_as_it_says(table, reviews, most):
    drawn = np.random.default_rng(7).multinomial(reviews, table, 500)
    found = [compare(*flags(*cells)) for cells in drawn]
    held = np.mean([each.low <= table[1] - table[2] <= each.high for each in found])
    assert 0.93 <= held <= most


@pytest.mark.parametrize("table", TABLES)
def test_the_p_value_is_mcnemars(table):
    b, c = table[1:3]
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert compare(*flags(*table)).p_value == pytest.approx(min(1.0, 2 * tail))


@pytest.mark.parametrize("table", TABLES)
def test_the_other_way_round_only_the_sign_changes(table):
    a, b = flags(*table)
    there, back = compare(a, b), compare(b, a)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert (back.only_a, back.only_b) == (there.only_b, there.only_a)
    assert back.p_value == there.p_value


def test_confusion_counts_every_review_once():
    rng = np.random.default_rng(2)
    labels, said = rng.integers(0, 2, 300), rng.integers(0, 2, 300)
    table = confusion(said, labels)
    for i, row in enumerate(("NEGATIVE", "POSITIVE")):
        for j, column in enumerate(("NEGATIVE", "POSITIVE")):
            pairs = zip(labels, said, strict=True)
            assert table.loc[row, column] == sum((x, y) == (i, j) for x, y in pairs)
    assert (table.index.name, table.columns.name) == ("label", "predicted")
    assert confusion([1, 1], [1, 1]).to_numpy().tolist() == [[0, 0], [0, 2]]
    assert confusion([0, 0, 0], [0, 1, 1]).to_numpy().tolist() == [[1, 0], [2, 0]]


def slow_calibration_error(probabilities, labels, bins):
    total = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for low, high in itertools.pairwise(edges):
        sure, right = [], []
        for row, label in zip(probabilities, labels, strict=True):
            verdict = 1 if row[1] > row[0] else 0
            if low < row[verdict] <= high:
                sure.append(row[verdict])
                right.append(verdict == label)
        if sure:
            gap = abs(sum(right) / len(right) - sum(sure) / len(sure))
            total += len(sure) / len(labels) * gap
    return total


@pytest.mark.parametrize("bins", [1, 2, 10, 15, 20, 1_000])
@pytest.mark.parametrize("too_sure", [0.3, 1.0, 3.0])
def test_calibration_error_is_the_slow_loop(bins, too_sure):
    logits, labels = made_up(400, seed=bins, too_sure=too_sure)
    probabilities = softmax(logits)
    expected = slow_calibration_error(probabilities, labels, bins)
    assert calibration_error(probabilities, labels, bins) == pytest.approx(expected)
    assert calibration_error(probabilities[:, 1], labels, bins) == pytest.approx(expected)
    single = probabilities.astype(np.float32)
    assert calibration_error(single, labels, bins) == pytest.approx(expected, abs=0.02)


def test_calibration_error_on_the_edges_of_bins():
    positive = np.array([0.0, 0.1, 0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 1.0, 1.0])
    labels = np.array([0, 0, 1, 0, 1, 1, 0, 1, 1, 0])
    rows = np.stack([1 - positive, positive], axis=1)
    for bins in (1, 5, 10, 20):
        expected = slow_calibration_error(rows, labels, bins)
        assert calibration_error(positive, labels, bins) == pytest.approx(expected)


def test_reliability_has_every_review_in_one_bin():
    logits, labels = made_up(500)
    probabilities = softmax(logits)
    table = reliability(probabilities, labels)
    assert table["count"].sum() == 500
    assert (table["count"] > 0).all()
    assert ((table["from"] < table["confidence"]) & (table["confidence"] <= table["to"])).all()
    right = probabilities.argmax(axis=1) == labels
    assert (table["accuracy"] * table["count"]).sum() == pytest.approx(right.sum())
    for row in table.to_dict("records"):
        ends = wilson(round(row["accuracy"] * row["count"]), row["count"])
        assert (row["low"], row["high"]) == pytest.approx(ends)


def test_a_model_that_knows_what_it_knows_has_no_calibration_error():
    logits, labels = made_up(40_000)
    assert calibration_error(softmax(logits), labels) < 0.01
    assert calibration_error(softmax(3 * logits), labels) > 0.08


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


@pytest.mark.parametrize("too_sure", [0.05, 0.5, 1.0, 2.5, 20.0])
def test_temperature_against_torch_and_a_grid(too_sure):
    logits, labels = made_up(600, seed=4, too_sure=too_sure)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(torch_temperature(logits, labels), rel=1e-3)
    grid = np.geomspace(0.01, 100, 801)
    losses = [log_loss(labels, softmax(logits, t)[:, 1]) for t in grid]
    assert found == pytest.approx(grid[np.argmin(losses)], rel=0.012)
    assert log_loss(labels, softmax(logits, found)[:, 1]) <= min(losses) + 1e-12
    assert fit_temperature(logits[:, 1] - logits[:, 0], labels) == pytest.approx(found, rel=1e-6)


def test_a_temperature_from_validation_mends_test():
    temperature = fit_temperature(*made_up(3_000, seed=1, too_sure=2.5))
    assert temperature == pytest.approx(2.5, rel=0.1)
    logits, labels = made_up(4_000, seed=2, too_sure=2.5)
    after = softmax(logits, temperature)
    assert calibration_error(after, labels) < 0.3 * calibration_error(softmax(logits), labels)
    assert (after.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_a_temperature_where_none_is_best():
    assert fit_temperature([2.0, -3.0], [1, 0]) < 0.2
    assert fit_temperature([2.0, -3.0], [0, 1]) == pytest.approx(100, rel=1e-3)
    assert fit_temperature([[0.4, 0.4], [1.0, 1.0]], [0, 1]) == 1.0
    always_positive = fit_temperature([[0.0, 1.5]] * 10, [1] * 7 + [0] * 3)
    assert always_positive == pytest.approx(1.5 / math.log(7 / 3), rel=1e-4)


def test_the_hardest_reviews_are_those_with_the_highest_loss():
    logits, labels = made_up(200)
    losses = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(labels), reduction="none"
    ).numpy()
    table = hardest(softmax(logits), labels, 7)
    assert table.index.tolist() == np.argsort(-losses)[:7].tolist()
    assert table["loss"].to_numpy() == pytest.approx(losses[table.index])
    assert np.exp(-table["loss"]).to_numpy() == pytest.approx(table["probability"].to_numpy())
    assert table["label"].tolist() == labels[table.index].tolist()
    assert table["predicted"].tolist() == logits[table.index].argmax(axis=1).tolist()
    assert len(hardest(softmax(logits), labels, 1_000)) == 200


def test_a_model_that_is_sure_and_wrong_has_an_infinite_loss(recwarn):
    table = hardest([0.5, 1.0, 0.5, 0.0], [1, 0, 0, 1])
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


def test_is_right():
    assert is_right([0, 1, 1], np.array([0, 1, 0])).tolist() == [True, True, False]


HOSTILE = {
    "no reviews": (lambda: accuracy_interval([]), r"right has the shape \(0,\)"),
    "zero reviews": (lambda: accuracy_interval(0, 0), "count is 0.*at least one"),
    "more right than reviews": (lambda: accuracy_interval(11, 10), "right is 11.*0 to 10"),
    "a share": (lambda: accuracy_interval(0.8, 10), "right is 0.8"),
    "a number alone": (lambda: accuracy_interval(8), r"right has the shape \(\)"),
    "predictions": (lambda: accuracy_interval([0, 1]), "int64.*True or False"),
    "not a number": (lambda: accuracy_interval([1.0, math.nan]), "float64"),
    "a table": (lambda: accuracy_interval(np.ones((3, 2), bool)), r"\(3, 2\)"),
    "percent": (lambda: accuracy_interval(8, 10, confidence=95), "confidence is 95"),
    "other reviews": (lambda: compare([True] * 3, [True]), r"right_b.*\(1,\).*3 reviews"),
    "no pairs": (lambda: compare([], []), "right_a"),
    "float predictions": (lambda: is_right([0.2, 0.9], [0, 1]), "float64"),
    "too few predictions": (lambda: is_right([1], [1, 0]), "1 predictions for 2"),
    "too few to count": (lambda: confusion([1], [1, 0]), "1 predictions for 2"),
    "a third label": (lambda: confusion([0, 2], [0, 1]), "row 1 is 2: predictions"),
    "above 1": (lambda: calibration_error([0.5, 1.2], [0, 1]), "row 1 is 1.2.*0 to 1"),
    "below 0": (lambda: calibration_error([[-0.1, 1.1]], [0]), "row 0 .*0 to 1"),
    "do not add up": (lambda: reliability([[0.5, 0.5], [0.5, 0.7]], [0, 1]), "row 1 .*add up"),
    "nan": (lambda: hardest([0.5, math.nan], [0, 1]), "row 1 is nan.*finite"),
    "three labels": (lambda: hardest([[0.2, 0.3, 0.5]], [0]), r"\(1, 3\)"),
    "fewer labels": (lambda: reliability([0.5, 0.5], [0]), r"\(2,\) for 1 labels"),
    "no labels": (lambda: calibration_error([], []), "no labels"),
    "float labels": (lambda: hardest([0.5], [1.0]), "labels are float64"),
    "no bins": (lambda: reliability([0.5], [0], bins=0), "bins is 0"),
    "none of the hardest": (lambda: hardest([0.5], [0], 0), "count is 0"),
    "an infinite logit": (lambda: fit_temperature([[0, math.inf]], [0]), "row 0 .*logits"),
    "logits of others": (lambda: fit_temperature([1.0], [0, 1]), "logits .*2 labels"),
    "a slice of others": (lambda: by_slice([True], {"a": [True] * 2}), r"slice 'a'.*\(2,\)"),
    "a slice of rows": (lambda: by_slice([True], {"a": [0]}), "slice 'a' holds int64"),
    "nothing to slice": (lambda: by_slice([], {}), "right"),
    "no text": (lambda: review_slices(["a", None], [3, 3]), "row 1 is None"),
    "tokens of others": (lambda: review_slices(["a"], [3, 3]), r"token_counts.*\(2,\)"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_is_named(name):
    call, message = HOSTILE[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("label", [0, 1])
def test_a_model_that_always_says_the_same(label, recwarn):
    labels = np.array([0, 1] * 50)
    probabilities = np.full(100, float(label))
    right = is_right(np.full(100, label), labels)
    assert accuracy_interval(right).value == 0.5
    assert compare(right, ~right).p_value == 1.0
    assert compare(right, np.ones(100, dtype=bool)).difference == -0.5
    assert calibration_error(probabilities, labels) == 0.5
    assert len(reliability(probabilities, labels)) == 1
    assert confusion(np.full(100, label), labels).to_numpy().sum() == 100
    assert np.isinf(hardest(probabilities, labels, 1)["loss"]).all()
    assert fit_temperature(np.full(100, 3.0 if label else -3.0), labels) > 99
    assert not recwarn


def test_importing_it_is_quick():
    heavy = ("scipy", "sklearn", "pandas", "torch", "evaluate", "datasets")
    code = "import imdb_tutorial.evaluation.statistics, imdb_tutorial.evaluation.metrics, sys\n"
    code += f"print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout == "[]\n", run.stdout + run.stderr


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_spread_is_students_interval(confidence):
    values = np.random.default_rng(1).normal(0.02, 0.01, 10)
    found = spread(values, confidence)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx(tuple(oracle))
    assert found.mean == pytest.approx(values.mean())
    assert found.count == 10


def test_an_effect_inside_its_interval_is_none():
    assert spread([0.01, -0.01, 0.02]).is_none
    assert not spread([0.01, 0.011, 0.012]).is_none
    assert str(spread([0.01, 0.01])) == "+1.0 points (+1.0 to +1.0, 2 seeds)"


@pytest.mark.parametrize("values", [[], [0.1], [[0.1, 0.2]], [0.1, float("nan")]])
def test_a_spread_needs_two_numbers(values):
    with pytest.raises(ValueError, match="expected two or more finite numbers"):
        spread(values)
