"""Bags of words: TF-IDF, and the stronger one weighted by naive Bayes log-count ratios."""

import numpy as np
import scipy.sparse

from experiments.budget import balanced_sample, fit_chosen
from experiments.data import accuracy, labels, quantise, tfidf, word_counts

SMOOTHING, MIN_REVIEWS = 1, 2


def naive_bayes(train: scipy.sparse.csr_matrix, truth: np.ndarray, *others) -> list:
    """Weigh words by how much more often positive reviews have them (Wang and Manning, 2012).

    Args:
        train: Word counts to learn from, ``[reviews, words]``.
        truth: Their labels, 0 or 1.
        others: Word counts to weigh in the same way.

    Returns:
        Train and the others: whether a word occurs, times its ratio; ``[reviews, known words]``.
    """
    known = np.flatnonzero(train.getnnz(axis=0) >= MIN_REVIEWS)
    train, *others = (counts[:, known].sign() for counts in (train, *others))
    ratio = log_count_ratio(train, truth)
    return [binary.multiply(ratio).tocsr() for binary in (train, *others)]


def log_count_ratio(binary: scipy.sparse.csr_matrix, truth: np.ndarray) -> np.ndarray:
    """Return each word's weight: how much more often positive reviews have it, as a logarithm.

    Args:
        binary: Whether a word occurs, 0 or 1, ``[reviews, words]``.
        truth: The reviews' labels, 0 or 1.
    """
    positive, negative = (
        np.asarray(binary[truth == label].sum(axis=0)).ravel() + SMOOTHING for label in (1, 0)
    )
    return np.log((positive / positive.sum()) / (negative / negative.sum()))


def weigh_tfidf(train: scipy.sparse.csr_matrix, truth: np.ndarray, *others) -> list:
    """Weigh words by TF-IDF, which does not look at the labels."""
    return tfidf(train, *others)


# Both in steps of about three. TF-IDF makes every review as long as any other, so it wants more.
BAGS = {
    "TF-IDF": (weigh_tfidf, (1, 3, 10, 30, 100, 300, 1_000, 3_000)),
    "NB words": (naive_bayes, (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)),
}


def fit_bags(unit: dict) -> tuple[list[dict], dict]:
    """Fit both bags of words on one sample; ask each final model the test pool once."""
    rows = balanced_sample(unit["seed"], unit["size"])
    truth, counts = labels("train")[rows], word_counts()
    found, answers = [], []
    for name, (weigh, strengths) in BAGS.items():
        probabilities, choice = fit_chosen(
            weigh, counts["train"][rows], truth, counts["test"], strengths, unit["seed"]
        )
        answers.append(quantise(probabilities))
        found.append(
            unit
            | {"model": name, "size": len(rows), "min_reviews": MIN_REVIEWS}
            | ({"smoothing": SMOOTHING} if weigh is naive_bayes else {})
            | choice
            | {"test_accuracy": accuracy(answers[-1], labels("test"))}
        )
    return found, {"test": np.stack(answers)}
