"""The rungs of the ladder, opened so that they answer: what ``cost_at_use.py`` measures.

The weights of a probe's or classifier's head do not change what an answer costs, so the probes and
the fine-tuned model get fresh ones; the bags of words are fitted on all training reviews, for their
vocabulary counts.
"""

import pickle
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Answer = Callable[[Sequence[str]], object]


def open_bag(folder: Path, name: str) -> Answer:
    """Open a fitted bag of words."""
    with (folder / f"{name}.pickle").open("rb") as file:
        vectorizer, weights, bias = pickle.load(file)  # our own file, of this very run
    return lambda texts: vectorizer.transform(texts) @ weights + bias


def open_probe(pooling: str) -> Answer:
    """Open frozen MiniLM with a linear layer on top."""
    import torch

    from imdb_tutorial import extract_features, load_encoder, load_tokenizer

    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
    head = torch.nn.Linear(encoder.config.hidden_size, 2)

    def answer(texts: Sequence[str]) -> object:
        features = extract_features(texts, tokenizer, encoder, pooling, use_cache=False)
        with torch.inference_mode():
            return head(features.float())

    return answer


def open_classifier(packaged: bool) -> Answer:
    """Open the packaged classifier, or MiniLM as it is fine-tuned for the ladder."""
    from experiments.models import FINE_TUNING
    from imdb_tutorial import load_classifier, load_preset, load_tokenizer, predict_proba
    from imdb_tutorial.classifier.pipeline import SentimentPipeline
    from imdb_tutorial.finetuning.run import load_model_for_classification

    if packaged:
        classifier = load_classifier("packaged")
    else:
        classifier = SentimentPipeline(
            model=load_model_for_classification(load_preset("laptop").encoder).eval(),
            tokenizer=load_tokenizer(),
            device="cpu",
            truncation=True,
            max_length=FINE_TUNING["max_length"],
        )
    return lambda texts: predict_proba(classifier, texts)


RUNGS: dict[str, Callable[[Path], Answer]] = {
    "majority": lambda folder: lambda texts: [1] * len(texts),
    "TF-IDF": lambda folder: open_bag(folder, "TF-IDF"),
    "naive Bayes words": lambda folder: open_bag(folder, "naive Bayes words"),
    "classic probe": lambda folder: open_probe("cls"),
    "mended probe": lambda folder: open_probe("mean"),
    "packaged": lambda folder: open_classifier(packaged=True),
    "fine-tuned": lambda folder: open_classifier(packaged=False),
}


def fit_bags(folder: Path) -> dict[str, float]:
    """Fit both bags of words on all training reviews; return the seconds of each."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from experiments.data import labels, reviews

    texts, truth, seconds = reviews()["train"]["text"][:], labels("train"), {}
    bags = {
        "TF-IDF": TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        "naive Bayes words": CountVectorizer(ngram_range=(1, 2), min_df=2, binary=True),
    }
    for name, vectorizer in bags.items():
        began, ratio = time.perf_counter(), np.ones(1)
        counts = vectorizer.fit_transform(texts)
        if name != "TF-IDF":  # log-count ratios: Wang and Manning (2012)
            positive, negative = (counts[truth == label].sum(0).A1 + 1 for label in (1, 0))
            ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        weighted = counts.multiply(ratio).tocsr() if len(ratio) > 1 else counts
        fit = LogisticRegression(C=10 if name == "TF-IDF" else 1, max_iter=1_000)
        fit.fit(weighted, truth)
        seconds[name] = time.perf_counter() - began
        with (folder / f"{name}.pickle").open("wb") as file:
            pickle.dump((vectorizer, fit.coef_[0] * ratio, fit.intercept_[0]), file)
    return seconds


def megabytes_on_disk(name: str, folder: Path) -> float:
    """Return the size of all files that a rung reads to answer, vocabulary included."""
    from imdb_tutorial.machine.sources import packaged_encoder_folder

    bag = folder / f"{name}.pickle"
    if name == "majority":
        return 0.0
    files = [bag] if bag.is_file() else [*packaged_encoder_folder().rglob("*")]
    if name == "packaged":
        files += (ROOT / "imdb_tutorial" / "data" / "packaged_classifier").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
