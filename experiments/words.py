"""Experiments with a bag of words beside the probe: three ways to cut, learning curves."""

import numpy as np
import scipy.sparse
import torch
from sklearn.linear_model import LogisticRegression

from experiments.data import (
    accuracy,
    cut,
    everything,
    features,
    films,
    quantise,
    tfidf,
    word_counts,
)
from experiments.probes import standardise

STRENGTH = 10  # chosen on the validation pool: see the ladder
STRENGTHS = (1, 3, 10, 30, 100)
PROBE_STRENGTH = 0.01
HELD_BACK_PER_LABEL = 2_000
AT_ONCE = 250


def fit_words(train, truth, strength: float = STRENGTH) -> LogisticRegression:
    """Fit logistic regression on TF-IDF weights."""
    return LogisticRegression(C=strength, max_iter=1_000).fit(train, truth)


def cut_reviews(unit: dict) -> tuple[list[dict], dict]:
    """Hold reviews back in one of three ways; test both models on them, look at neighbours."""
    order, truth = everything()
    train, test = cut(unit["seed"], unit["by"], HELD_BACK_PER_LABEL)
    counts = scipy.sparse.vstack([word_counts()[p] for p in ("train", "validation", "test")])
    counts = counts.tocsr()[order]
    weights, held = tfidf(counts[train], counts[test])
    bag = quantise(fit_words(weights, truth[train]).predict_proba(held)[:, 1])
    means = torch.cat([features(part)["mean"] for part in ("train", "validation", "test")])[order]
    learnt, asked = (x.numpy() for x in standardise(means[train], means[test]))
    probe = LogisticRegression(C=PROBE_STRENGTH, max_iter=1_000).fit(learnt, truth[train])
    probe = quantise(probe.predict_proba(asked)[:, 1])
    nearest, likeness = neighbours(weights, held)
    same = truth[train][nearest] == truth[test]
    close = likeness >= np.quantile(likeness, 0.75)
    row = unit | {
        "train_size": len(train),
        **film_mates(train, test),
        "tfidf": accuracy(bag, truth[test]),
        "probe": accuracy(probe, truth[test]),
        "nearest_has_same_label": float(same.mean()),
        "close": int(close.sum()),
        "close_has_same_label": float(same[close].mean()),
    }
    for name, answers in (("tfidf", bag), ("probe", probe)):
        right = (answers >= 128) == truth[test]
        row[f"{name}_close"] = float(right[close].mean())
        row[f"{name}_far"] = float(right[~close].mean())
    return [row], {"rows": test[None].astype(np.int32), "tfidf": bag[None], "probe": probe[None]}


def film_mates(train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Return the shares of test reviews with their film in train: with their label, or without."""
    _, truth = everything()
    same = set(zip(films()[train], truth[train], strict=True))
    has_same = np.array([pair in same for pair in zip(films()[test], truth[test], strict=True)])
    has_other = np.array(
        [pair in same for pair in zip(films()[test], 1 - truth[test], strict=True)]
    )
    return {
        "film_in_train_with_same_label": float(has_same.mean()),
        "film_in_train_with_other_label_only": float((has_other & ~has_same).mean()),
    }


def neighbours(train: scipy.sparse.csr_matrix, test: scipy.sparse.csr_matrix):
    """Return for each test row the train row with the largest cosine, and that cosine."""
    nearest, likeness = [], []
    for start in range(0, test.shape[0], AT_ONCE):
        cosines = (test[start : start + AT_ONCE] @ train.T).toarray()
        nearest.append(cosines.argmax(axis=1))
        likeness.append(cosines.max(axis=1))
    return np.concatenate(nearest), np.concatenate(likeness)
