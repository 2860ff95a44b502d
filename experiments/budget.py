"""A budget of labels: a balanced sample of the train pool, and every choice made inside it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from experiments.data import labels

SIZES = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, None)
# Few labels: every one of them counts. Many: three folds say the same at less cost.
FEW, FOLDS_OF_FEW, FOLDS = 1_000, 5, 3
CHOSEN_ON = "cross-validation inside the sample"
# Makes numbers of what is learnt from, and of others in the same way: (train, truth, *others).
Weigh = Callable[..., list]


def balanced_sample(seed: int, size: int | None) -> np.ndarray:
    """Return row numbers of the train pool, as many of either label; without a size, all rows.

    A larger sample of the same seed holds the smaller ones.
    """
    truth = labels("train")
    order = np.random.default_rng(seed).permutation(len(truth))
    if size is None:
        return np.sort(order)
    halves = [order[truth[order] == label][: size // 2] for label in (0, 1)]
    if any(len(half) < size // 2 for half in halves):
        raise ValueError(
            f"a sample of {size:,} reviews needs {size // 2:,} of either label: the train pool has "
            f"{np.sum(truth == 0):,} negative and {np.sum(truth == 1):,} positive ones"
        )
    return np.stack(halves, axis=1).ravel()  # the labels take turns


def fits(train, truth: np.ndarray, strengths: Sequence[float]) -> Iterator[LogisticRegression]:
    """Fit one logistic regression a strength, each from where the one before it ended."""
    fit = LogisticRegression(max_iter=1_000, warm_start=True)
    for strength in strengths:
        yield fit.set_params(C=strength).fit(train, truth)


def fit_chosen(
    weigh: Weigh, inputs, truth: np.ndarray, asked, strengths: Sequence[float], seed: int
) -> tuple[np.ndarray, dict]:
    """Choose the strength by cross-validation, fit the whole sample with it, ask others once.

    Args:
        weigh: Called with the inputs and labels to learn from, and with other inputs; it learns
            from the former alone, so that nothing of a fold that is held back is seen.
        inputs: The sample, one row a review.
        truth: Its labels, 0 or 1.
        asked: What the final model is asked, one row a review.
        strengths: Values of C to choose from, rising.
        seed: Cuts the folds.

    Returns:
        The probabilities of being positive of what was asked, and how the choice was made.
    """
    folds = FOLDS_OF_FEW if len(truth) <= FEW else FOLDS
    right = np.zeros(len(strengths))
    for learnt, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(truth, truth):
        train, checked = weigh(inputs[learnt], truth[learnt], inputs[held])
        for n, fit in enumerate(fits(train, truth[learnt], strengths)):
            right[n] += np.sum(fit.predict(checked) == truth[held])
    best = int(right.argmax())  # of equals the simplest
    train, asked = weigh(inputs, truth, asked)
    (fit,) = fits(train, truth, strengths[best : best + 1])
    return fit.predict_proba(asked)[:, 1], {
        "strength": strengths[best],
        "strengths": list(strengths),
        "chosen_at_edge": best in (0, len(strengths) - 1),
        "folds": folds,
        "chosen_on": CHOSEN_ON,
        "chosen_with_accuracy": round(float(right[best] / len(truth)), 5),
        "asked": "test",
    }
