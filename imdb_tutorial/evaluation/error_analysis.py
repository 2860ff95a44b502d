"""Where a model goes wrong: which label, which reviews, which kind of reviews.

Everywhere here ``y_true`` and ``y_pred`` are 0 (negative) or 1 (positive) per review and
``y_proba`` is ``[reviews, 2]``, or ``[reviews]`` of being positive: scikit-learn's names. They must
be named in a call, so that they cannot be swapped. What is none of that, empty, or of another
length is a ValueError that names it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.evaluation.clusters import grouped_interval
from imdb_tutorial.evaluation.inputs import (
    read_column,
    read_flags,
    read_groups,
    read_pair,
    read_probabilities,
)
from imdb_tutorial.evaluation.intervals import accuracy_interval
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    import pandas as pd

NEGATION = re.compile(
    r"\b(no|not|never|none|nobody|nothing|nowhere|neither|nor|cannot)\b|n['’]t\b", re.IGNORECASE
)


def is_right(*, y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """Return whether the model is right, per review.

    Args:
        y_true: The labels.
        y_pred: What the model says.

    Returns:
        True or False, ``[reviews]``.

    Raises:
        ValueError: No labels, floats, other labels than 0 and 1, or another number of them.
    """
    truth, said = read_pair(y_true=y_true, y_pred=y_pred).values()
    return truth == said  # [reviews]


def confusion_matrix(*, y_true: ArrayLike, y_pred: ArrayLike) -> "pd.DataFrame":
    """Count the reviews by what they are (rows) and by what the model says (columns).

    Args:
        y_true: The labels.
        y_pred: What the model says.

    Returns:
        scikit-learn's matrix, with the labels' names.

    Raises:
        ValueError: No labels, floats, other labels than 0 and 1, or another number of them.
    """
    import pandas as pd
    from sklearn import metrics

    counts = metrics.confusion_matrix(**read_pair(y_true=y_true, y_pred=y_pred), labels=[0, 1])
    rows, columns = pd.Index(LABELS, name="label"), pd.Index(LABELS, name="predicted")
    return pd.DataFrame(counts, rows, columns)


def hardest(*, y_true: ArrayLike, y_proba: ArrayLike, count: int = 10) -> "pd.DataFrame":
    """Return the reviews with the highest cross-entropy, the hardest first.

    Args:
        y_true: The labels.
        y_proba: The probabilities of both labels, or of the positive one.
        count: How many reviews, at most.

    Returns:
        Under each review's row number: ``label``, ``predicted``, ``probability`` (of the true
        label) and ``loss``.

    Raises:
        ValueError: No reviews, what is no probability, another number of labels, or no ``count``.
    """
    import pandas as pd

    if count < 1:
        raise ValueError(f"count is {count}: expected 1 or more reviews")
    table, labels = read_probabilities(y_proba=y_proba, y_true=y_true)  # [reviews, 2], [reviews]
    of_truth = table[np.arange(len(labels)), labels]  # [reviews]
    with np.errstate(divide="ignore"):
        loss = -np.log(of_truth)
    columns = {"label": labels, "predicted": table.argmax(axis=1)}
    columns |= {"probability": of_truth, "loss": loss}
    everything = pd.DataFrame(columns).rename_axis("row")
    return everything.sort_values("loss", ascending=False, kind="stable").head(count)


def by_slice(
    right: ArrayLike,
    slices: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> "pd.DataFrame":
    """Return the accuracy on all reviews and on parts of them.

    Args:
        right: True or False per review.
        slices: For each part's name, True or False per review; see ``review_slices``.
        groups: What each review belongs to, such as its film: the intervals then count groups, as
            ``grouped_interval`` does. Without it they take each review as standing for itself.
        confidence: How often such an interval holds the true value.

    Returns:
        ``count``, ``accuracy``, ``low`` and ``high``, one row each; NaN for a part without reviews,
        and for the ends of an interval where all reviews of a part belong to one group.

    Raises:
        ValueError: No reviews, a part that does not say True or False of each, or groups of
            another number, or one for all.
    """
    import pandas as pd

    flags = read_flags(right, "right")  # [reviews]
    codes = None if groups is None else read_groups(groups, len(flags))  # [reviews]
    parts = {"all": np.ones(len(flags), dtype=bool)}
    parts |= {name: read_flags(s, f"slice {name!r}", len(flags)) for name, s in slices.items()}
    rows = {}
    for name, inside in parts.items():
        belongs = None if codes is None else codes[inside]
        found = _interval(flags[inside], belongs, confidence)
        rows[name] = {"count": int(inside.sum()), **found}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("slice")


def _interval(right: np.ndarray, groups: np.ndarray | None, confidence: float) -> dict[str, float]:
    """Return a part's accuracy and the ends of its interval, over groups where there are any."""
    if not len(right):
        return {"accuracy": np.nan, "low": np.nan, "high": np.nan}
    if groups is not None and len(np.unique(groups)) == 1:
        return {"accuracy": float(right.mean()), "low": np.nan, "high": np.nan}
    found = (
        accuracy_interval(right, confidence=confidence)
        if groups is None
        else grouped_interval(right, groups, confidence=confidence)
    )
    return {"accuracy": found.value, "low": found.low, "high": found.high}


def review_slices(
    texts: Sequence[str], token_counts: ArrayLike, max_length: int = MAX_LENGTH
) -> dict[str, np.ndarray]:
    """Part reviews by their length, by whether the model sees all of it, and by what they hold.

    Args:
        texts: The reviews.
        token_counts: Each review's number of tokens before any is cut, [CLS] and [SEP] included.
        max_length: Longest input of the model, in tokens.

    Returns:
        For ``by_slice``: True or False per review for each part's name.

    Raises:
        ValueError: What is no text, or another number of token counts.
    """
    texts = list(texts)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"row {row} is {text!r:.60}: expected a text")
    cut = read_column(token_counts, "token_counts", len(texts)) > max_length
    words = np.array([len(text.split()) for text in texts])  # [reviews], as the flags below
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
