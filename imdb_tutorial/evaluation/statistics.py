"""How good a model is, how sure that is, and where it goes wrong.

Everywhere here: ``labels`` and ``predictions`` are 0 (negative) or 1 (positive) per review;
``right`` is True or False per review; ``probabilities`` are ``[reviews, 2]``, or ``[reviews]`` of
being positive. What is none of that, empty, or of another length is a ValueError that names it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.evaluation.inputs import (
    read_column,
    read_flags,
    read_margins,
    read_pair,
    read_probabilities,
)
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    import pandas as pd

NEGATION = re.compile(
    r"\b(no|not|never|none|nobody|nothing|nowhere|neither|nor|cannot)\b|n['’]t\b", re.IGNORECASE
)


class Interval(NamedTuple):
    """A share of ``count`` reviews, 0 to 1, and the range in which its true value is expected."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value * 100:.1f} % ({self.low * 100:.1f} to {self.high * 100:.1f})"


class PairedDifference(NamedTuple):
    """Accuracy of A minus accuracy of B on the same reviews, -1 to 1, and its interval.

    ``only_a`` and ``only_b`` count the reviews that one of them alone gets right; ``p_value`` says
    how often equally good models would share those out at least as unevenly.
    """

    difference: float
    low: float
    high: float
    only_a: int
    only_b: int
    p_value: float

    def __str__(self) -> str:
        difference, low, high = (f"{share * 100:+.1f}" for share in self[:3])
        return f"{difference} points ({low} to {high}), p = {self.p_value:.2g}"


class Spread(NamedTuple):
    """The mean of a difference over ``count`` seeds, -1 to 1, and the range of its true mean."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_none(self) -> bool:
        """Whether the interval holds zero, so that no effect is shown."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        mean, low, high = (f"{share * 100:+.1f}" for share in self[:3])
        return f"{mean} points ({low} to {high}, {self.count} seeds)"


def spread(values: Sequence[float], confidence: float = 0.95) -> Spread:
    """Return the mean of what several seeds gave, with Student's interval for it.

    It tells how much the random choices matter that the seeds vary. The reviews on which all of
    them were tested stay the same, so what these reviews leave open is not in it.

    Args:
        values: One number a seed, such as a difference of two accuracies.
        confidence: How often such an interval holds the true mean.

    Raises:
        ValueError: Fewer than two values, or one that is not finite.
    """
    from scipy import stats

    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(
            f"values are {np.array2string(values, threshold=5)}: expected two or more finite "
            "numbers, one a seed"
        )
    _check_confidence(confidence)
    mean, error = values.mean(), values.std(ddof=1) / len(values) ** 0.5
    reach = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error
    return Spread(float(mean), float(mean - reach), float(mean + reach), len(values))


def is_right(predictions: Sequence[int], labels: Sequence[int]) -> np.ndarray:
    """Return True or False per review; refuse floats and another number of labels."""
    pair = read_pair(predictions, labels)
    return pair["predictions"] == pair["references"]


def accuracy_interval(
    right: Sequence[bool] | int, count: int | None = None, confidence: float = 0.95
) -> Interval:
    """Return an accuracy with its score interval (Wilson 1927).

    Args:
        right: True or False per review; or, with ``count``, how many reviews were right.
        count: Number of reviews.
        confidence: How often such an interval holds the true value.
    """
    from scipy.stats import binomtest

    if count is None:
        flags = read_flags(right, "right")
        right, count = np.count_nonzero(flags), len(flags)
    if count < 1:
        raise ValueError(f"count is {count}: expected at least one review to have an accuracy")
    if not isinstance(right, int | np.integer) or not 0 <= right <= count:
        raise ValueError(f"right is {right!r:.60}: expected a whole number from 0 to {count}")
    _check_confidence(confidence)
    low, high = binomtest(int(right), int(count)).proportion_ci(confidence, method="wilson")
    return Interval(float(right / count), float(low), float(high), int(count))


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: expected a share such as 0.95")


def compare(
    right_a: Sequence[bool], right_b: Sequence[bool], confidence: float = 0.95
) -> PairedDifference:
    """Compare two models on the same reviews, in the same order.

    The interval joins the two Wilson intervals by the models' correlation (Newcombe, Statistics in
    Medicine 17, 1998, 2635-2650, method 10). Where they hardly ever differ it is on the wide side.
    The p-value is McNemar's, exact.
    """
    from scipy.stats import binomtest

    a = read_flags(right_a, "right_a")
    b = read_flags(right_b, "right_b", len(a))
    first, second = (accuracy_interval(flags, confidence=confidence) for flags in (a, b))
    cells = (a & b, a & ~b, ~a & b, ~a & ~b)
    both, only_a, only_b, neither = (int(np.count_nonzero(cell)) for cell in cells)
    together = both * neither - only_a * only_b
    if together > 0:
        together = max(0, together - len(a) / 2)
    margins = (both + only_a) * (both + only_b) * (only_a + neither) * (only_b + neither)
    correlation = together / margins**0.5 if margins else 0.0

    def join(one: float, other: float) -> float:
        return (one**2 - 2 * correlation * one * other + other**2) ** 0.5

    difference = (only_a - only_b) / len(a)
    return PairedDifference(
        difference,
        low=difference - join(first.value - first.low, second.high - second.value),
        high=difference + join(first.high - first.value, second.value - second.low),
        only_a=only_a,
        only_b=only_b,
        p_value=float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
    )


def confusion(predictions: Sequence[int], labels: Sequence[int]) -> "pd.DataFrame":
    """Count the reviews by what they are (rows) and by what the model says (columns)."""
    import pandas as pd
    from sklearn.metrics import confusion_matrix

    pair = read_pair(predictions, labels)
    counts = confusion_matrix(pair["references"], pair["predictions"], labels=[0, 1])
    rows, columns = pd.Index(LABELS, name="label"), pd.Index(LABELS, name="predicted")
    return pd.DataFrame(counts, rows, columns)


def reliability(probabilities: np.ndarray, labels: Sequence[int], bins: int = 20) -> "pd.DataFrame":
    """Sort reviews by how sure the model is of its verdict, and see how often it is right.

    Args:
        probabilities: Those of both labels, or of the positive one.
        labels: The true labels.
        bins: Number of equally wide bins between 0 and 1, each with its upper end. A verdict is the
            more probable of two labels, so only the upper half of them can fill.

    Returns:
        One row per bin that is not empty: ``from``, ``to``, ``count``, ``confidence`` (the mean
        probability of the verdict), ``accuracy``, and its interval ``low`` and ``high``.
    """
    import pandas as pd

    if bins < 1:
        raise ValueError(f"bins is {bins}: expected 1 or more")
    table, labels = read_probabilities(probabilities, labels)
    sure, right = table.max(axis=1), table.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    number = np.searchsorted(edges, sure) - 1
    rows = []
    for n in np.unique(number):
        accuracy, low, high, count = accuracy_interval(right[number == n])
        confidence = sure[number == n].mean()
        rows.append((edges[n], edges[n + 1], count, confidence, accuracy, low, high))
    columns = ["from", "to", "count", "confidence", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def calibration_error(probabilities: np.ndarray, labels: Sequence[int], bins: int = 20) -> float:
    """Return how far confidence and accuracy lie apart in the bins of ``reliability``, 0 to 1.

    This is the expected calibration error, each bin with the weight of its reviews (Guo et al.
    2017, arXiv:1706.04599).
    """
    table = reliability(probabilities, labels, bins)
    return float(np.average((table.confidence - table.accuracy).abs(), weights=table["count"]))


def fit_temperature(logits: np.ndarray, labels: Sequence[int]) -> float:
    """Find what to divide logits by so that their softmax fits best (Guo et al. 2017).

    Args:
        logits: ``[reviews, 2]``, or ``[reviews]`` of positive minus negative; of validation
            reviews, never of those the model is tested on.
        labels: The true labels.

    Returns:
        The temperature with the lowest cross-entropy, between 0.01 and 100. Above 1, the model was
        too sure of itself; 1 if it never prefers either label.
    """
    from scipy.optimize import minimize_scalar

    margins, labels = read_margins(logits, labels)
    for_the_truth = np.where(labels == 1, margins, -margins)

    def loss(log_temperature: float) -> float:
        return np.logaddexp(0, -for_the_truth / np.exp(log_temperature)).mean()

    if not margins.any():
        return 1.0
    bounds = np.log([0.01, 100])
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def hardest(probabilities: np.ndarray, labels: Sequence[int], count: int = 10) -> "pd.DataFrame":
    """Return the reviews with the highest cross-entropy, the hardest first.

    Returns:
        Under each review's row number: ``label``, ``predicted``, ``probability`` (of the true
        label) and ``loss``.
    """
    import pandas as pd

    if count < 1:
        raise ValueError(f"count is {count}: expected 1 or more reviews")
    table, labels = read_probabilities(probabilities, labels)
    of_truth = table[np.arange(len(labels)), labels]
    with np.errstate(divide="ignore"):
        loss = -np.log(of_truth)
    columns = {"label": labels, "predicted": table.argmax(axis=1)}
    columns |= {"probability": of_truth, "loss": loss}
    everything = pd.DataFrame(columns).rename_axis("row")
    return everything.sort_values("loss", ascending=False, kind="stable").head(count)


def by_slice(
    right: Sequence[bool], slices: Mapping[str, Sequence[bool]], confidence: float = 0.95
) -> "pd.DataFrame":
    """Return the accuracy on all reviews and on parts of them.

    Args:
        right: True or False per review.
        slices: For each part's name, True or False per review; see ``review_slices``.
        confidence: How often such an interval holds the true value.

    Returns:
        ``count``, ``accuracy``, ``low`` and ``high``, one row each; NaN for a part without reviews.
    """
    import pandas as pd

    right = read_flags(right, "right")
    rows = {"all": accuracy_interval(right, confidence=confidence)}
    for name, values in slices.items():
        inside = right[read_flags(values, f"slice {name!r}", len(right))]
        nothing = Interval(np.nan, np.nan, np.nan, 0)
        rows[name] = accuracy_interval(inside, confidence=confidence) if len(inside) else nothing
    table = pd.DataFrame(rows.values(), pd.Index(rows, name="slice"), Interval._fields)
    return table.rename(columns={"value": "accuracy"})[["count", "accuracy", "low", "high"]]


def review_slices(
    texts: Sequence[str], token_counts: Sequence[int], max_length: int = MAX_LENGTH
) -> dict[str, np.ndarray]:
    """Part reviews by their length, by whether the model sees all of it, and by what they hold.

    Args:
        texts: The reviews.
        token_counts: Each review's number of tokens before any is cut, [CLS] and [SEP] included.
        max_length: Longest input of the model, in tokens.

    Returns:
        For ``by_slice``: True or False per review for each part's name.
    """
    texts = list(texts)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"row {row} is {text!r:.60}: expected a text")
    cut = read_column(token_counts, "token_counts", len(texts)) > max_length
    words = np.array([len(text.split()) for text in texts])
    negation = np.array([NEGATION.search(text) is not None for text in texts])
    line_break = np.array(["<br />" in text for text in texts])
    return {
        "up to 150 words": words <= 150,
        "151 to 300 words": (words > 150) & (words <= 300),
        "over 300 words": words > 300,
        f"whole, up to {max_length} tokens": ~cut,
        f"cut at {max_length} tokens": cut,
        "with a negation": negation,
        "without a negation": ~negation,
        "with <br />": line_break,
        "without <br />": ~line_break,
    }
