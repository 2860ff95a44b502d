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


def open_saved(name: str) -> Answer:
    """Open one of the two classifiers that come with the package."""
    from imdb_tutorial import load_classifier, predict_proba

    classifier = load_classifier(name)
    return lambda texts: predict_proba(classifier, texts)


def open_fine_tuned() -> Answer:
    """Open MiniLM as it is fine-tuned for the ladder."""
    from experiments.fine_tuning import FINE_TUNING
    from imdb_tutorial import load_preset, load_tokenizer, predict_proba
    from imdb_tutorial.classifier.pipeline import SentimentPipeline
    from imdb_tutorial.finetuning.run import load_model_for_classification

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
    "NB words": lambda folder: open_bag(folder, "NB words"),
    "classic probe": lambda folder: open_probe("cls"),
    "mended probe": lambda folder: open_probe("mean"),
    "packaged": lambda folder: open_saved("packaged"),
    "base": lambda folder: open_saved("base"),
    "fine-tuned": lambda folder: open_fine_tuned(),
}


def fit_bags(folder: Path) -> dict[str, float]:
    """Fit both bags of words on all training reviews; return the seconds of each."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from experiments.bags import MIN_REVIEWS, log_count_ratio
    from experiments.data import labels, reviews

    texts, truth, seconds = reviews()["train"]["text"][:], labels("train"), {}
    settings = {"ngram_range": (1, 2), "min_df": MIN_REVIEWS}
    bags = {
        "TF-IDF": (TfidfVectorizer(sublinear_tf=True, **settings), 10),
        "NB words": (CountVectorizer(binary=True, **settings), 1),
    }
    for name, (vectorizer, strength) in bags.items():
        began = time.perf_counter()
        weighted, ratio = vectorizer.fit_transform(texts), np.ones(1)
        if name == "NB words":
            ratio = log_count_ratio(weighted, truth)
            weighted = weighted.multiply(ratio).tocsr()
        fit = LogisticRegression(C=strength, max_iter=1_000).fit(weighted, truth)
        seconds[name] = time.perf_counter() - began
        with (folder / f"{name}.pickle").open("wb") as file:
            pickle.dump((vectorizer, fit.coef_[0] * ratio, fit.intercept_[0]), file)
    return seconds


def megabytes_on_disk(name: str, folder: Path) -> float:
    """Return the size of all files that a rung reads to answer, vocabulary included."""
    from experiments.ladder_saved import FOLDERS, files_of
    from imdb_tutorial import model_source

    bag = folder / f"{name}.pickle"
    if name == "majority":
        return 0.0
    encoder = Path(model_source("base" if name == "base" else "packaged").name_or_path)
    files = [bag] if bag.is_file() else [*encoder.rglob("*")]
    files += files_of(name) if name in FOLDERS else ()
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
