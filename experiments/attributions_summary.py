"""What measures of attributions say together: intervals over films, differences, and the best."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from experiments.attributions_measures import COMPREHENSIVENESS, PERCENTS, PROBABILITY, SUFFICIENCY
from imdb_tutorial.evaluation.several_comparisons import holm

DRAWS, SEED = 10_000, 0
SECONDS = 1.5
RULE = (
    "of the methods that ask the classifier and need at most 1.5 seconds for 100 words (median), "
    "the one with the largest comprehensiveness in probability, averaged over both removals; of "
    "those whose paired interval to it includes zero, the one with the lowest sufficiency, "
    "averaged in the same way"
)
Measures = Mapping[tuple[str, str, str], np.ndarray]


class GroupedMean(NamedTuple):
    """A mean, the middle 95 % of its draws, and twice the share of them beyond zero."""

    mean: float
    low: float
    high: float
    p_value: float


def grouped_mean(values: np.ndarray, groups: np.ndarray) -> GroupedMean:
    """Return a mean with an interval that counts groups, such as films (a percentile bootstrap).

    Args:
        values: One a review, ``[reviews]``.
        groups: What each review belongs to, ``[reviews]``.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    found = scipy.stats.bootstrap(
        (np.bincount(codes, weights=values), np.bincount(codes)),
        lambda totals, counts, axis: totals.sum(axis=axis) / counts.sum(axis=axis),
        n_resamples=DRAWS,
        paired=True,
        method="percentile",
        rng=SEED,
    )
    drawn = found.bootstrap_distribution
    # One more on each side: no number of draws can show that something never happens.
    rarer = 1 + min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    p_value = min(1.0, 2 * rarer / (DRAWS + 1))
    return GroupedMean(float(values.mean()), *map(float, found.confidence_interval), p_value)


def summarise(found: Mapping[str, Measures], today: str, groups: np.ndarray) -> list[dict]:
    """Return a row for each method and measure: the area, the curve, the difference to today's.

    Args:
        found: By method, what ``losses`` gives.
        today: The method that the others are compared with.
        groups: The film of each review, ``[reviews]``.

    Returns:
        The rows. The p-values of all their differences are corrected together (Holm).
    """
    rows, compared = [], []
    for name, measures in found.items():
        for (measure, removal, unit), lost in measures.items():
            area = grouped_mean(lost.mean(axis=1), groups)
            row = {
                "method": name,
                "measure": measure,
                "removal": removal,
                "unit": unit,
                **_rounded(mean=area.mean, low=area.low, high=area.high),
                "by_percent": dict(
                    zip(map(str, PERCENTS), lost.mean(axis=0).round(4).tolist(), strict=True)
                ),
                "less_today": None,
            }
            rows.append(row)
            if name == today:
                continue
            apart = lost.mean(axis=1) - found[today][measure, removal, unit].mean(axis=1)
            less = grouped_mean(apart, groups)
            row["less_today"] = _rounded(difference=less.mean, low=less.low, high=less.high)
            compared.append((row["less_today"], less.p_value))
    corrected = holm([p_value for _, p_value in compared])
    for (less, _), p_value in zip(compared, corrected, strict=True):
        less["p_holm"] = float(f"{p_value:.2g}")
    return rows


def choose(found: Mapping[str, Measures], seconds: Mapping[str, float], groups: np.ndarray) -> dict:
    """Name the best method by ``RULE``.

    Args:
        found: By method, what ``losses`` gives; of those that may be chosen.
        seconds: For 100 words, by method.
        groups: The film of each review.

    Returns:
        ``rule``, ``method``, and ``not_worse``: all whose comprehensiveness is not shown to be
        less than the largest. No method is named where none is quick enough.
    """
    quick = [name for name in found if seconds[name] <= SECONDS]
    if not quick:
        return {"rule": RULE, "method": None, "not_worse": []}
    removed = {name: _both(found[name], COMPREHENSIVENESS) for name in quick}
    top = max(quick, key=lambda name: removed[name].mean())
    equal = [
        name
        for name in quick
        if name == top or grouped_mean(removed[top] - removed[name], groups).low <= 0
    ]
    best = min(equal, key=lambda name: _both(found[name], SUFFICIENCY).mean())
    return {"rule": RULE, "method": best, "not_worse": equal}


def is_clearly_better(rows: Sequence[dict], method: str) -> bool:
    """Say whether a method's comprehensiveness in probability beats today's under both removals."""
    less = [
        row["less_today"]
        for row in rows
        if (row["method"], row["measure"], row["unit"]) == (method, COMPREHENSIVENESS, PROBABILITY)
    ]
    return all(one and one["difference"] > 0 and one["p_holm"] < 0.05 for one in less)


def spread(values: np.ndarray) -> dict:
    """Return the median of numbers, and what 5 % of them are below and above."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return _rounded(median=middle, low=low, high=high)


def _both(measures: Measures, wanted: str) -> np.ndarray:
    """Average a measure's areas over both removals, ``[reviews]``."""
    return np.mean(
        [
            lost.mean(axis=1)
            for (measure, _, unit), lost in measures.items()
            if (measure, unit) == (wanted, PROBABILITY)
        ],
        axis=0,
    )


def _rounded(**numbers: float) -> dict:
    return {name: round(float(number), 4) for name, number in numbers.items()}
