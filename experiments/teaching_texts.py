"""What the classifiers learn from: train reviews by head and tail, and passages out of them."""

import re
from typing import NamedTuple

import numpy as np

from imdb_tutorial import load_tokenizer, tokenize
from imdb_tutorial.classifier.long_texts import ends_of
from imdb_tutorial.encoder.tokens import Tokens, join

SENTENCE_ENDS = re.compile(r"(?:<br\s*/?>\s*)+|(?<=[.!?])\s+")
MOST_SENTENCES = 3
WHOLE = 10**6  # no review has so many tokens


class Texts(NamedTuple):
    """Texts to learn from: reviews first, then passages out of some of them.

    Args:
        texts: All of them.
        labels: The label of each, int64 ``[texts]``; a passage has its review's.
        reviews: How many of them are reviews.
    """

    texts: list[str]
    labels: np.ndarray
    reviews: int


def teaching_texts(texts: list[str], labels: np.ndarray, passages: float, seed: int = 0) -> Texts:
    """Put reviews and passages out of some of them together.

    Args:
        texts: Reviews of the train pool.
        labels: Their labels, ``[reviews]``.
        passages: For which share of the reviews there is a passage.
        seed: Chooses them.
    """
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(len(texts))[: round(passages * len(texts))])
    cut = [passage_of(texts[row], random) for row in rows]
    return Texts(
        [*texts, *cut], np.concatenate([labels, labels[rows]]).astype(np.int64), len(texts)
    )


def passage_of(text: str, random: np.random.Generator) -> str:
    """Cut one to three sentences that follow each other out of a text, anywhere in it."""
    sentences = [part for part in SENTENCE_ENDS.split(text) if part.strip()] or [text]
    count = min(int(random.integers(1, MOST_SENTENCES + 1)), len(sentences))
    start = int(random.integers(len(sentences) - count + 1))
    return " ".join(sentences[start : start + count])


def read(texts: list[str], encoder: str, size: int) -> Tokens:
    """Tokenize texts; of a longer one its head and its tail are read, half of the tokens each.

    Args:
        texts: Any texts.
        encoder: Whose tokenizer.
        size: Most tokens, [CLS] and [SEP] included.
    """
    return head_and_tail(tokenize(texts, load_tokenizer(encoder), WHOLE), size)


def head_and_tail(tokens: Tokens, size: int) -> Tokens:
    """Keep the first and the last tokens of every text that has more than ``size``."""
    pieces = [
        np.concatenate([ids[end] for end in ends_of(len(ids), size)])
        for ids in np.split(tokens.ids, tokens.starts[1:-1])
    ]
    return join(pieces, [np.array([len(ids) for ids in pieces], dtype=np.int64)])
