"""Who is asked: the packaged classifier, and two bags of words, fitted as the ladder's are."""

import functools
import hashlib
import json
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from experiments.bags import BAGS, MIN_REVIEWS
from experiments.behaviour_scores import Ask
from experiments.budget import fits
from experiments.data import labels, reviews
from experiments.ladder_saved import FOLDERS
from imdb_tutorial import load_classifier, predict_proba
from imdb_tutorial.evaluation.recorded_study import load_study


def packaged() -> Ask:
    """Return what asks the packaged classifier."""
    classifier = load_classifier("packaged")
    return lambda texts: predict_proba(classifier, texts)[:, 1].numpy()  # [texts]


def packaged_sha256() -> str:
    """Return what tells this packaged classifier from another: a digest of its weights' digests."""
    manifest = json.loads((FOLDERS["packaged"] / "manifest.json").read_text(encoding="utf-8"))
    weights = {n: d for n, d in manifest["files_sha256"].items() if n != "record.json"}
    described = json.dumps([weights, manifest["encoder_fingerprint"]], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


def bag_of_words(name: str) -> Ask:
    """Fit a bag of words on the whole train pool, with the strength that the ladder chose.

    Args:
        name: ``"NB words"`` or ``"TF-IDF"``.
    """
    ladder = load_study().record["experiments"]["ladder"]
    (strength,) = (row["strength"] for row in ladder if row["model"] == name)
    weigh, _ = BAGS[name]
    truth = labels("train")
    vectorizer, counts = _train_words()
    (fit,) = fits(weigh(counts, truth)[0], truth, [strength])

    def ask(texts: Sequence[str]) -> np.ndarray:
        _, weights = weigh(counts, truth, vectorizer.transform(texts))
        return fit.predict_proba(weights)[:, 1]  # [texts]

    return ask


@functools.cache
def _train_words():
    """Return what counts words and pairs of words, and the counts of the train pool."""
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=MIN_REVIEWS, dtype=np.float32)
    return vectorizer, vectorizer.fit_transform(reviews()["train"]["text"][:])
