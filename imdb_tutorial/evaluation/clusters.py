"""How sure a number is when reviews come in groups: a bootstrap over films, not over reviews.

Reviews of one film are alike, so many of them say less than as many of different films would. An
interval that counts reviews as if each stood for itself is too narrow. Here whole films are drawn.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.evaluation.inputs import check_confidence, read_flags, read_groups
from imdb_tutorial.evaluation.intervals import accuracy_interval

DRAWS = 10_000
_AT_ONCE = 2_000_000  # drawn numbers that are held at one time: 16 MB


class GroupedInterval(NamedTuple):
    """An accuracy, 0 to 1, and the range in which it is expected on other groups of reviews.

    ``design_effect`` is the variance over groups divided by what it would be if each review stood
    for itself: 2 means that the reviews say as much as half as many independent ones. It is not a
    number (nan) where all reviews are right, or all wrong.
    """

    value: float
    low: float
    high: float
    reviews: int
    groups: int
    design_effect: float

    def __str__(self) -> str:
        return f"{self.value * 100:.1f} % ({self.low * 100:.1f} to {self.high * 100:.1f})"


class GroupedDifference(NamedTuple):
    """Accuracy of a model minus that of a baseline on the same reviews, and its interval.

    ``p_value`` is twice the share of draws on the rarer side of zero, so it agrees with the
    interval; of few groups it is at least twice one half to the power of their number.
    ``design_effect`` is that of ``GroupedInterval``, for the paired differences.
    """

    difference: float
    low: float
    high: float
    p_value: float
    reviews: int
    groups: int
    design_effect: float

    @property
    def includes_zero(self) -> bool:
        """Whether the interval holds zero, so that no difference is shown."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        difference, low, high = (f"{share * 100:+.1f}" for share in self[:3])
        return f"{difference} points ({low} to {high}), p = {self.p_value:.2g}"


def grouped_interval(
    right: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> GroupedInterval:
    """Return an accuracy with an interval that counts groups, such as films, and not reviews.

    As many groups as there are, are drawn with repetition, each with all its reviews, again and
    again; the interval is the middle 95 % of their accuracies (the percentile bootstrap over
    clusters: Davison and Hinkley, Bootstrap Methods and their Application, 1997, 3.8). With fewer
    than about thirty groups it is on the narrow side. Where every group has the same accuracy,
    draws cannot differ: there each group counts as one review, with Wilson's interval.

    Args:
        right: True or False per review, ``[reviews]``.
        groups: What each review belongs to, such as its film, ``[reviews]``: numbers or names.
        confidence: How often such an interval holds the true value.
        draws: How many times groups are drawn.
        seed: The same seed gives the same draws.

    Returns:
        The accuracy, its interval, how many reviews and groups, and the design effect.

    Raises:
        ValueError: No reviews or groups, groups of another length, a review without a group, one
            group for all, or a confidence, draws or a seed that is none.
    """
    flags = read_flags(right, "right")  # [reviews]
    codes = read_groups(groups, len(flags))  # [reviews]
    check_confidence(confidence)
    values, count = flags.astype(float), int(codes.max()) + 1
    drawn = _draw(values, codes, draws, seed)  # [draws]
    low, high = _middle(drawn, confidence, count, lowest=0)
    effect = _design_effect(drawn, values)
    return GroupedInterval(float(values.mean()), low, high, len(flags), count, effect)


def compare_grouped(
    right: ArrayLike,
    baseline: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> GroupedDifference:
    """Compare a model with a baseline on the same reviews, with an interval that counts groups.

    The difference is taken review by review, and whole groups are drawn as ``grouped_interval``
    draws them.

    Args:
        right: True or False per review, for the model, ``[reviews]``.
        baseline: True or False per review, for what it is compared with, ``[reviews]``.
        groups: What each review belongs to, such as its film, ``[reviews]``.
        confidence: How often such an interval holds the true difference.
        draws: How many times groups are drawn; the smallest possible p-value is about 2 / draws.
        seed: The same seed gives the same draws.

    Returns:
        The model's accuracy minus the baseline's.

    Raises:
        ValueError: As ``grouped_interval``, or another number of reviews.
    """
    model = read_flags(right, "right")  # [reviews]
    base = read_flags(baseline, "baseline", len(model))  # [reviews]
    codes = read_groups(groups, len(model))  # [reviews]
    check_confidence(confidence)
    apart, count = model.astype(float) - base, int(codes.max()) + 1  # [reviews]: +1, 0 or -1
    drawn = _draw(apart, codes, draws, seed)  # [draws]
    low, high = _middle(drawn, confidence, count, lowest=-1)
    # One more on each side: no number of draws can show that something never happens.
    rarer = 1 + int(min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0)))
    # Nor can groups that all point one way show more than as many tossed coins.
    p_value = max(min(1.0, 2 * rarer / (draws + 1)), 2 * 0.5**count)
    effect = _design_effect(drawn, apart)
    return GroupedDifference(float(apart.mean()), low, high, p_value, len(apart), count, effect)


def _draw(values: np.ndarray, codes: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the mean of the reviews of drawn groups, one number a draw."""
    for name, number, least in (("draws", draws, 100), ("seed", seed, 0)):
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not whole or number < least:
            raise ValueError(f"{name} is {number!r:.60}: expected a whole number from {least} on")
    count = np.bincount(codes)  # [groups]
    total = np.bincount(codes, weights=values)  # [groups]
    random, rows = np.random.default_rng(seed), max(1, _AT_ONCE // len(count))
    means = np.empty(draws)
    for start in range(0, draws, rows):
        drawn = random.integers(len(count), size=(min(rows, draws - start), len(count)))
        means[start : start + rows] = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return means


def _middle(drawn: np.ndarray, confidence: float, groups: int, lowest: int) -> tuple[float, float]:
    """Return the ends of the middle share of the draws; of equal ones, what groups allow."""
    if np.ptp(drawn) > 1e-12:
        low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)
    # So many groups were all alike: others may be as different as numbers can be.
    alike = accuracy_interval(groups, groups, confidence=confidence).low
    value = drawn[0]
    return float(alike * value + (1 - alike) * lowest), float(alike * value + (1 - alike))


def _design_effect(drawn: np.ndarray, values: np.ndarray) -> float:
    """Divide the variance of the draws by that of a mean of as many independent reviews."""
    independent = values.var() / len(values)
    return float(drawn.var() / independent) if independent else float("nan")
