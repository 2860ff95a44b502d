"""What every experiment reads: the reviews, their features, their words; and a sample of them."""

import functools
from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np
import scipy.sparse
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from imdb_tutorial import (
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_sentences,
    load_tokenizer,
)
from imdb_tutorial.presets import POOLINGS

PRESET = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
PARTS = ("train", "validation", "test", "sentences")
CUTS = ("rows", "blocks of 500", "films")
COUNTS = Path("build/study/word_counts.npz")


class Cut(NamedTuple):
    """Row numbers of ``everything()`` to learn from and to test on."""

    train: np.ndarray
    test: np.ndarray


@functools.cache
def reviews() -> datasets.DatasetDict:
    """Return all reviews of the three pools, and the one-line sentences."""
    return datasets.DatasetDict({**load_reviews(PRESET), "sentences": load_sentences()})


@functools.cache
def labels(part: str) -> np.ndarray:
    """Return a part's labels, 0 or 1."""
    return np.array(reviews()[part]["label"][:])


@functools.cache
def features(part: str) -> dict[str, torch.Tensor]:
    """Return a part's features ``[reviews, hidden]`` by pooling."""
    texts = reviews()[part]["text"][:]
    return extract_features(texts, load_tokenizer(), load_encoder(device="cpu"), POOLINGS)


@functools.cache
def word_counts() -> dict[str, scipy.sparse.csr_matrix]:
    """Count words and pairs of words, once for every part; a fit takes the columns it may know."""
    texts = [text for part in PARTS for text in reviews()[part]["text"]]
    if COUNTS.is_file():
        counts = scipy.sparse.load_npz(COUNTS)
    else:
        counts = CountVectorizer(ngram_range=(1, 2), dtype=np.float32).fit_transform(texts)
        COUNTS.parent.mkdir(parents=True, exist_ok=True)
        partial = COUNTS.with_suffix(".part.npz")
        scipy.sparse.save_npz(partial, counts, compressed=False)
        partial.replace(COUNTS)
    ends = np.cumsum([0, *(len(reviews()[part]) for part in PARTS)])
    return {part: counts[ends[n] : ends[n + 1]] for n, part in enumerate(PARTS)}


def tfidf(train: scipy.sparse.csr_matrix, *others: scipy.sparse.csr_matrix) -> list:
    """Weigh word counts by TF-IDF, fitted on the train rows alone.

    The same as ``TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)`` fitted on the
    train texts, without reading them again for every sample (a test compares the two).
    """
    known = np.flatnonzero(train.getnnz(axis=0) >= 2)
    train = train[:, known]
    weights = TfidfTransformer(sublinear_tf=True).fit(train)
    return [weights.transform(counts) for counts in (train, *(o[:, known] for o in others))]


def sample(seed: int, size: int | None) -> np.ndarray:
    """Return row numbers of the train pool: another sample, in another order, for every seed."""
    order = np.random.default_rng(seed).permutation(len(labels("train")))
    return order[:size]


@functools.cache
def everything() -> tuple[np.ndarray, np.ndarray]:
    """Return all reviews of the three pools in the file's order: place in the pools, and label."""
    pools = PARTS[:3]
    ids = [name for part in pools for name in reviews()[part]["id"]]
    rows = np.array([int(name.partition("/")[2]) for name in ids])
    order = np.argsort(rows)
    return order, np.concatenate([labels(part) for part in pools])[order]


@functools.cache
def films() -> np.ndarray:
    """Return the film of each review of ``everything()``."""
    order, _ = everything()
    return np.array([film for part in PARTS[:3] for film in reviews()[part]["film"]])[order]


def cut(seed: int, by: str, held_back_per_label: int) -> Cut:
    """Hold back reviews of each label: single rows, blocks of neighbours, or whole films."""
    _, truth = everything()
    random = np.random.default_rng([seed, CUTS.index(by)])
    block = {"rows": 1, "blocks of 500": 500, "films": None}[by]
    return hold_back(random, truth, films(), block, held_back_per_label)


def hold_back(
    random: np.random.Generator,
    truth: np.ndarray,
    films: np.ndarray,
    block: int | None,
    per_label: int,
) -> Cut:
    """Hold back reviews of each label.

    Args:
        random: Chooses them.
        truth: The label of each review, in the file's order.
        films: The film of each review.
        block: So many neighbours are held back together; ``None`` holds back whole films.
        per_label: So many reviews of each label.

    Returns:
        What is left to learn from, and what is held back.
    """
    if block is None:
        place = random.permutation(len(np.unique(films)))
        place = place[np.unique(films, return_inverse=True)[1]]  # one number a film
        order = np.argsort(place, kind="stable")
        enough = [order[truth[order] == label][:per_label] for label in (0, 1)]
        test = np.concatenate(enough)
        # The rest of a film that is held back is in neither part.
        return Cut(np.flatnonzero(~np.isin(films, films[test])), test)
    test = []
    for label in (0, 1):
        rows = np.flatnonzero(truth == label)
        blocks = np.split(rows[: len(rows) // block * block], len(rows) // block)
        chosen = random.permutation(len(blocks))[: per_label // block]
        test += [blocks[n] for n in chosen]
    held = np.concatenate(test)
    return Cut(np.setdiff1d(np.arange(len(truth)), held), held)


def quantise(probabilities: np.ndarray) -> np.ndarray:
    """Keep probabilities of being positive in a byte each; from 128 on the verdict is positive."""
    return np.clip(np.floor(np.asarray(probabilities) * 256), 0, 255).astype(np.uint8)


def accuracy(quantised: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of quantised probabilities on the right side."""
    return float(np.mean((quantised >= 128) == truth))
