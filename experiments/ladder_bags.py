"""The ladder's rungs without BERT: the more frequent label, and two bags of words."""

import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from experiments.bags import BAGS, MIN_REVIEWS, SMOOTHING
from experiments.budget import fit_chosen, fits
from experiments.data import labels, reviews, tfidf, word_counts
from experiments.ladder import ASKED, rung
from experiments.words import STRENGTH, fit_words


def climb_majority(unit: dict) -> tuple[list[dict], dict]:
    """Answer every text with the training reviews' more frequent label; it is a tie: positive."""
    label = 1 if labels("train").mean() >= 0.5 else -1
    row = {"train_size": len(labels("train")), "seconds": 0.0, "megabytes": 0.0}
    return rung(unit, {part: np.full(len(labels(part)), 1e-6 * label) for part in ASKED}, row)


def climb_tfidf(unit: dict) -> tuple[list[dict], dict]:
    """Fit TF-IDF with logistic regression on all training reviews."""
    texts, counts = reviews()["train"]["text"][:], word_counts()
    began = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    fit = fit_words(vectorizer.fit_transform(texts), labels("train"))
    seconds = time.perf_counter() - began
    _, *asked = tfidf(counts["train"], *(counts[part] for part in ASKED))
    row = {
        "train_size": len(texts),
        "seconds": seconds,
        "megabytes": megabytes(vectorizer, fit.coef_, vectorizer.idf_),
        "strength": STRENGTH,
    }
    pairs = zip(ASKED, asked, strict=True)
    return rung(unit, {part: fit.decision_function(weights) for part, weights in pairs}, row)


def climb_naive_bayes(unit: dict) -> tuple[list[dict], dict]:
    """Choose the strength inside the train pool, then fit naive Bayes weights on all of it.

    The seconds are those of one fit with that strength, from the texts on, as TF-IDF's are.
    """
    texts, counts, truth = reviews()["train"]["text"][:], word_counts(), labels("train")
    weigh, strengths = BAGS[unit["model"]]
    began = time.perf_counter()
    _, choice = fit_chosen(weigh, counts["train"], truth, counts["test"], strengths, unit["seed"])
    chosen = time.perf_counter()
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=MIN_REVIEWS, dtype=np.float32)
    (train,) = weigh(vectorizer.fit_transform(texts), truth)
    (fit,) = fits(train, truth, [choice["strength"]])
    row = {
        "train_size": len(texts),
        "seconds": time.perf_counter() - chosen,
        "seconds_to_choose": chosen - began,
        # A word's ratio and its weight are one number once they have been multiplied.
        "megabytes": megabytes(vectorizer, fit.coef_),
        "smoothing": SMOOTHING,
    }
    _, *asked = weigh(counts["train"], truth, *(counts[part] for part in ASKED))
    pairs = zip(ASKED, asked, strict=True)
    answers = {part: fit.decision_function(weights) for part, weights in pairs}
    return rung(unit, answers, row | choice)


def megabytes(vectorizer: CountVectorizer, *weights: np.ndarray) -> float:
    """Return the size of a bag of words: its vocabulary and the weights of its words."""
    vocabulary = sum(len(word.encode()) for word in vectorizer.vocabulary_)
    return (sum(each.nbytes for each in weights) + vocabulary) / 1e6
