"""Which labels are probably wrong: suspects, by cleanlab on probabilities out of the sample."""

from typing import NamedTuple

import numpy as np
import scipy.sparse
from sklearn.model_selection import StratifiedGroupKFold

from experiments.data import PARTS, labels, reviews, tfidf, word_counts
from experiments.words import fit_words

POOLS = PARTS[:3]
FOLDS = 5


class Suspects(NamedTuple):
    """What a finder says of each review.

    Args:
        flags: Whether its label is a suspect, ``[reviews]``.
        quality: How well label and probabilities agree, 0 to 1, ``[reviews]``.
    """

    flags: np.ndarray
    quality: np.ndarray


def find_suspects(truth: np.ndarray, probabilities: np.ndarray) -> Suspects:
    """Ask cleanlab which labels are probably wrong (Northcutt et al. 2021, arXiv:1911.00068).

    Args:
        truth: The labels as they stand, ``[reviews]``.
        probabilities: Of the positive label, by a model that did not learn from the review,
            ``[reviews]``.
    """
    # Only this study needs it, so the rest runs where it is not installed.
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    both = np.stack([1 - probabilities, probabilities], axis=1)  # [reviews, 2]
    return Suspects(find_label_issues(truth, both, n_jobs=1), get_label_quality_scores(truth, both))


def out_of_sample(
    counts: scipy.sparse.csr_matrix, truth: np.ndarray, films: np.ndarray, folds: int = FOLDS
) -> np.ndarray:
    """Return each review's probability of being positive, by a bag of words that knows no review
    of its film, ``[reviews]``.
    """
    found = np.full(len(truth), np.nan)
    by_film = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for learnt, asked in by_film.split(truth, truth, films):
        weights, others = tfidf(counts[learnt], counts[asked])
        found[asked] = fit_words(weights, truth[learnt]).predict_proba(others)[:, 1]
    return found


class Everything(NamedTuple):
    """The reviews of the three pools, one after another: train, validation, test."""

    pool: np.ndarray
    ids: np.ndarray
    texts: list[str]
    labels: np.ndarray
    films: np.ndarray
    stars: np.ndarray


def everything() -> Everything:
    """Return all reviews of the three pools, each pool in its own order."""

    def column(name: str) -> list:
        return [value for pool in POOLS for value in reviews()[pool][name]]

    pool = [name for name in POOLS for _ in range(len(reviews()[name]))]
    return Everything(
        np.array(pool),
        np.array(column("id")),
        column("text"),
        np.concatenate([labels(name) for name in POOLS]),
        np.array(column("film")),
        np.array(column("stars")),
    )


def bag_of_words() -> np.ndarray:
    """Return the probabilities of being positive that decide who is a suspect, ``[reviews]``."""
    counts = scipy.sparse.vstack([word_counts()[name] for name in POOLS]).tocsr()
    data = everything()
    return out_of_sample(counts, data.labels, data.films)
