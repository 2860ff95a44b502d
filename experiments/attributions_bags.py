"""What single words weigh in a bag of words: a control that knows no classifier."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from experiments.bags import MIN_REVIEWS, log_count_ratio, naive_bayes, weigh_tfidf
from experiments.budget import fits
from experiments.data import labels, reviews
from imdb_tutorial.evaluation.recorded_study import load_study


@functools.cache
def word_weights(name: str) -> Callable[[Sequence[str]], np.ndarray]:
    """Fit a bag of single words on the whole train pool.

    The strength is the one that the ladder chose for words and pairs of words.

    Args:
        name: ``"NB words"`` or ``"TF-IDF"``.

    Returns:
        Words in, weights out: above 0 towards POSITIVE; 0 for what the bag does not know.
    """
    vectorizer, counts = _train_words()
    return weights_from(name, vectorizer, counts, labels("train"), _strength(name))


def weights_from(
    name: str, vectorizer: CountVectorizer, counts, truth: np.ndarray, strength: float
) -> Callable[[Sequence[str]], np.ndarray]:
    """Fit a bag of words on counts, and return what gives each word's weight.

    Args:
        name: ``"NB words"`` or ``"TF-IDF"``.
        vectorizer: What counted.
        counts: What it counted, ``[reviews, words]``.
        truth: The reviews' labels, 0 or 1.
        strength: The C of the logistic regression.
    """
    weigh = {"NB words": naive_bayes, "TF-IDF": weigh_tfidf}[name]
    (fit,) = fits(weigh(counts, truth)[0], truth, [strength])
    known = np.flatnonzero(counts.getnnz(axis=0) >= MIN_REVIEWS)
    if name == "NB words":
        scale = log_count_ratio(counts[:, known].sign(), truth)
    else:
        scale = TfidfTransformer(sublinear_tf=True).fit(counts[:, known]).idf_
    weights = np.zeros(counts.shape[1])  # [words]
    weights[known] = fit.coef_[0] * scale
    analyse, number = vectorizer.build_analyzer(), vectorizer.vocabulary_

    def of_words(words: Sequence[str]) -> np.ndarray:
        parts = ([number[part] for part in analyse(word) if part in number] for word in words)
        return np.array([weights[some].sum() for some in parts], dtype=float)  # [words]

    return of_words


def _strength(name: str) -> float:
    ladder = load_study().record["experiments"]["ladder"]
    (strength,) = (row["strength"] for row in ladder if row["model"] == name)
    return strength


@functools.cache
def _train_words():
    vectorizer = CountVectorizer(min_df=MIN_REVIEWS, dtype=np.float32)
    return vectorizer, vectorizer.fit_transform(reviews()["train"]["text"][:])
