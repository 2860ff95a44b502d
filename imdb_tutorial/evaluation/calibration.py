"""Whether a model is right as often as it thinks.

Everywhere here ``y_true`` is 0 (negative) or 1 (positive) per review, and ``y_proba`` is
``[reviews, 2]``, or ``[reviews]`` of being positive: scikit-learn's names. Both must be named in a
call, so that they cannot be swapped. What is none of that, empty, or of another length is a
ValueError that names it.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.evaluation.inputs import read_margins, read_probabilities
from imdb_tutorial.evaluation.intervals import accuracy_interval

if TYPE_CHECKING:
    import pandas as pd


def reliability(*, y_true: ArrayLike, y_proba: ArrayLike, n_bins: int = 20) -> "pd.DataFrame":
    """Sort reviews by how sure the model is of its verdict, and see how often it is right.

    scikit-learn's ``calibration_curve`` asks about the positive label; this asks about the verdict.

    Args:
        y_true: The labels.
        y_proba: The probabilities of both labels, or of the positive one.
        n_bins: Number of equally wide bins between 0 and 1, each with its upper end. A verdict is
            the more probable of two labels, so only the upper half of them can fill; the lowest of
            these holds a tie, at exactly one half, too.

    Returns:
        One row per bin that is not empty: ``from``, ``to``, ``count``, ``confidence`` (the mean
        probability of the verdict), ``accuracy``, and its interval ``low`` and ``high``.

    Raises:
        ValueError: No reviews, what is no probability, another number of labels, or no bins.
    """
    import pandas as pd

    if n_bins < 1:
        raise ValueError(f"n_bins is {n_bins}: expected 1 or more")
    table, labels = read_probabilities(y_proba=y_proba, y_true=y_true)  # [reviews, 2], [reviews]
    sure, right = table.max(axis=1), table.argmax(axis=1) == labels  # [reviews] each
    edges = np.linspace(0, 1, n_bins + 1)
    lowest = np.searchsorted(edges, 0.5, side="right") - 1
    number = np.maximum(np.searchsorted(edges, sure) - 1, lowest)  # [reviews]: in which bin
    rows = []
    for n in np.unique(number):
        accuracy, low, high, count = accuracy_interval(right[number == n])
        confidence = sure[number == n].mean()
        rows.append((edges[n], edges[n + 1], count, confidence, accuracy, low, high))
    columns = ["from", "to", "count", "confidence", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def calibration_error(*, y_true: ArrayLike, y_proba: ArrayLike, n_bins: int = 20) -> float:
    """Return how far confidence and accuracy lie apart in the bins of ``reliability``, 0 to 1.

    This is the expected calibration error, each bin with the weight of its reviews (Guo et al.
    2017, arXiv:1706.04599).

    Args:
        y_true: The labels.
        y_proba: The probabilities of both labels, or of the positive one.
        n_bins: Number of equally wide bins between 0 and 1.

    Raises:
        ValueError: No reviews, what is no probability, another number of labels, or no bins.
    """
    table = reliability(y_true=y_true, y_proba=y_proba, n_bins=n_bins)
    return float(np.average((table.confidence - table.accuracy).abs(), weights=table["count"]))


def fit_temperature(*, y_true: ArrayLike, logits: ArrayLike) -> float:
    """Find what to divide logits by so that their softmax fits best (Guo et al. 2017).

    Args:
        y_true: The labels.
        logits: ``[reviews, 2]``, or ``[reviews]`` of positive minus negative; of validation
            reviews, never of those the model is tested on.

    Returns:
        The temperature with the lowest cross-entropy, between 0.01 and 100. Above 1, the model was
        too sure of itself; 1 if it never prefers either label.

    Raises:
        ValueError: No reviews, logits that are not finite, or another number of labels.
    """
    from scipy.optimize import minimize_scalar

    margins, labels = read_margins(logits=logits, y_true=y_true)  # [reviews] each
    for_the_truth = np.where(labels == 1, margins, -margins)  # [reviews]

    def loss(log_temperature: float) -> float:
        return np.logaddexp(0, -for_the_truth / np.exp(log_temperature)).mean()

    if not margins.any():
        return 1.0
    bounds = np.log([0.01, 100])
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))
