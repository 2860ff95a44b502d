"""How sure a number is: the interval of an accuracy, of a difference, of a mean over seeds.

Everywhere here ``right`` is True or False per review. What is none of that, empty, or of another
length is a ValueError that names it.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.evaluation.inputs import check_confidence, read_flags

if TYPE_CHECKING:
    import pandas as pd


class Interval(NamedTuple):
    """A share of so many ``reviews``, 0 to 1, and the range in which its true value is expected."""

    value: float
    low: float
    high: float
    reviews: int

    def __str__(self) -> str:
        return f"{self.value * 100:.1f} % ({self.low * 100:.1f} to {self.high * 100:.1f})"


class PairedDifference(NamedTuple):
    """Accuracy of a model minus that of a baseline on the same reviews, -1 to 1, and its interval.

    ``only_model`` and ``only_baseline`` count the reviews that one of them alone gets right;
    ``p_value`` says how often equally good models would share those out at least as unevenly.
    """

    difference: float
    low: float
    high: float
    only_model: int
    only_baseline: int
    p_value: float

    @property
    def includes_zero(self) -> bool:
        """Whether the interval holds zero, so that no difference is shown."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        difference, low, high = (f"{share * 100:+.1f}" for share in self[:3])
        return f"{difference} points ({low} to {high}), p = {self.p_value:.2g}"


class Spread(NamedTuple):
    """The mean of a difference over so many ``seeds``, -1 to 1, and the range of its true mean."""

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def includes_zero(self) -> bool:
        """Whether the interval holds zero, so that no effect is shown."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        mean, low, high = (f"{share * 100:+.1f}" for share in self[:3])
        return f"{mean} points ({low} to {high}, {self.seeds} seeds)"


def accuracy_interval(
    right: ArrayLike, count: int | None = None, *, confidence: float = 0.95
) -> Interval:
    """Return an accuracy with its score interval (Wilson 1927).

    Args:
        right: True or False per review; or, with ``count``, how many reviews were right.
        count: Number of reviews.
        confidence: How often such an interval holds the true value.

    Returns:
        The share that is right, its interval, and the number of reviews.

    Raises:
        ValueError: No reviews, more right than there are, or a confidence outside 0 to 1.
    """
    from scipy.stats import binomtest

    if count is None:
        flags = read_flags(right, "right")  # [reviews]
        right, count = np.count_nonzero(flags), len(flags)
    if count < 1:
        raise ValueError(f"count is {count}: expected at least one review to have an accuracy")
    if not isinstance(right, int | np.integer) or not 0 <= right <= count:
        raise ValueError(f"right is {right!r:.60}: expected a whole number from 0 to {count}")
    check_confidence(confidence)
    low, high = binomtest(int(right), int(count)).proportion_ci(confidence, method="wilson")
    return Interval(int(right) / int(count), float(low), float(high), int(count))


def compare(right: ArrayLike, *, baseline: ArrayLike, confidence: float = 0.95) -> PairedDifference:
    """Compare a model with a baseline on the same reviews, in the same order.

    The interval joins the two Wilson intervals by the models' correlation (Newcombe, Statistics in
    Medicine 17, 1998, 2635-2650, method 10). Where they hardly ever differ it is on the wide side.
    The p-value is McNemar's, exact.

    Args:
        right: True or False per review, for the model.
        baseline: True or False per review, for what it is compared with.
        confidence: How often such an interval holds the true difference.

    Returns:
        The model's accuracy minus the baseline's.

    Raises:
        ValueError: No reviews, another number of them, or a confidence outside 0 to 1.
    """
    from scipy.stats import binomtest

    a = read_flags(right, "right")  # [reviews]
    b = read_flags(baseline, "baseline", len(a))  # [reviews]
    model, base = (accuracy_interval(flags, confidence=confidence) for flags in (a, b))
    cells = (a & b, a & ~b, ~a & b, ~a & ~b)
    both, only_model, only_baseline, neither = (int(np.count_nonzero(cell)) for cell in cells)
    together: float = both * neither - only_model * only_baseline
    if together > 0:  # the paper's correction for continuity
        together = max(0, together - len(a) / 2)
    in_a, in_b = both + only_model, both + only_baseline
    margins = in_a * in_b * (len(a) - in_a) * (len(a) - in_b)
    correlation = together / margins**0.5 if margins else 0.0

    def join(one: float, other: float) -> float:
        return (one**2 - 2 * correlation * one * other + other**2) ** 0.5

    difference, apart = (only_model - only_baseline) / len(a), only_model + only_baseline
    return PairedDifference(
        difference,
        low=difference - join(model.value - model.low, base.high - base.value),
        high=difference + join(model.high - model.value, base.value - base.low),
        only_model=only_model,
        only_baseline=only_baseline,
        p_value=float(binomtest(only_model, apart).pvalue) if apart else 1.0,
    )


def spread(values: ArrayLike, *, confidence: float = 0.95) -> Spread:
    """Return the mean of what several seeds gave, with Student's interval for it.

    It tells how much the random choices matter that the seeds vary. The reviews on which all of
    them were tested stay the same, so what these reviews leave open is not in it. Nor is a fit that
    leaves nothing to chance more than one value, however many seeds it is given.

    Args:
        values: One number a seed, such as a difference of two accuracies.
        confidence: How often such an interval holds the true mean.

    Returns:
        The mean, its interval, and the number of seeds.

    Raises:
        ValueError: Fewer than two values, or one that is not finite.
    """
    from scipy import stats

    found = np.asarray(values, dtype=float)  # [seeds]
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all():
        raise ValueError(
            f"values are {np.array2string(found, threshold=5)}: expected two or more finite "
            "numbers, one a seed"
        )
    check_confidence(confidence)
    mean, error = found.mean(), found.std(ddof=1) / len(found) ** 0.5
    reach = stats.t.ppf((1 + confidence) / 2, len(found) - 1) * error
    return Spread(float(mean), float(mean - reach), float(mean + reach), len(found))


def spreads(groups: "pd.core.groupby.SeriesGroupBy", name: str) -> "pd.DataFrame":
    """Return the spread of each of several groups of values.

    Args:
        groups: Values by group, such as accuracies by number of labels; one value a seed.
        name: What the groups differ in; the name of the table's index.

    Returns:
        A row for each group, with the columns of a ``Spread``; of a single value, low and high are
        that value.
    """
    import pandas as pd

    rows = {}
    for key, values in groups:
        only = float(values.iloc[0])
        rows[key] = spread(values) if len(values) > 1 else Spread(only, only, only, 1)
    return pd.DataFrame.from_dict(rows, orient="index", columns=Spread._fields).rename_axis(name)
