"""What the classifiers learn from: train reviews by head and tail, passages, and fragments."""

import re
from typing import NamedTuple

import numpy as np

from imdb_tutorial import load_tokenizer, tokenize
from imdb_tutorial.classifier.long_texts import ends_of
from imdb_tutorial.encoder.tokens import Tokens, join

SENTENCE_ENDS = re.compile(r"(?:<br\s*/?>\s*)+|(?<=[.!?])\s+")
MOST_SENTENCES = 3
MOST_WORDS = 12
SCRAMBLED = 0.2  # of the fragments: they stand for words that no English reader knows
WHOLE = 10**6  # no review has so many tokens


class Texts(NamedTuple):
    """Texts to learn from: reviews, then passages out of some of them, then fragments.

    Args:
        texts: All of them.
        labels: The label of each, int64 ``[texts]``; a passage or fragment has its review's.
        sources: Which review each comes from, int64 ``[texts]``.
        reviews: How many of them are reviews.
        fragments: How many of them are fragments.
    """

    texts: list[str]
    labels: np.ndarray
    sources: np.ndarray
    reviews: int
    fragments: int = 0

    @property
    def readable(self) -> list[str]:
        """Return those that a teacher knows such texts as: all but the fragments."""
        return self.texts[: len(self.texts) - self.fragments]

    def sentences(self) -> np.ndarray:
        """Count the sentences of each passage, int64 ``[texts]``; 0 for all other texts."""
        counts = np.zeros(len(self.texts), dtype=np.int64)
        for row in range(self.reviews, len(self.readable)):
            counts[row] = min(len(sentences_of(self.texts[row])), MOST_SENTENCES)
        return counts


def teaching_texts(
    texts: list[str], labels: np.ndarray, passages: float, fragments: float = 0.0, seed: int = 0
) -> Texts:
    """Put reviews, and passages and fragments out of some of them, together.

    Args:
        texts: Reviews of the train pool.
        labels: Their labels, ``[reviews]``.
        passages: For which share of the reviews there is a passage.
        fragments: For which share there is a fragment.
        seed: Chooses them.
    """
    random = np.random.default_rng(seed)
    every, rows = list(texts), [np.arange(len(texts))]
    for share, cut in ((passages, passage_of), (fragments, fragment_of)):
        rows.append(np.sort(random.permutation(len(texts))[: round(share * len(texts))]))
        every += [cut(texts[row], random) for row in rows[-1]]
    sources = np.concatenate(rows)
    return Texts(every, labels[sources].astype(np.int64), sources, len(texts), len(rows[-1]))


def sentences_of(text: str) -> list[str]:
    """Cut a text into sentences, at what ends one and at line breaks."""
    return [part for part in SENTENCE_ENDS.split(text) if part.strip()] or [text]


def passage_of(text: str, random: np.random.Generator) -> str:
    """Cut one to three sentences that follow each other out of a text.

    Half of them come from anywhere in it, the others from its beginning or its end: people begin
    with what says little, and end with their verdict.
    """
    sentences = sentences_of(text)
    count = min(int(random.integers(1, MOST_SENTENCES + 1)), len(sentences))
    last = len(sentences) - count
    anywhere = int(random.integers(last + 1))
    start = (0, last, anywhere, anywhere)[int(random.integers(4))]
    return " ".join(sentences[start : start + count])


def fragment_of(text: str, random: np.random.Generator) -> str:
    """Cut a few words that follow each other out of a text; some have their letters shuffled.

    So little says next to nothing, and what learns from many of them learns to be unsure.
    """
    words = text.replace("<br />", " ").split() or [text]
    count = min(int(random.integers(1, MOST_WORDS + 1)), len(words))
    start = int(random.integers(len(words) - count + 1))
    words = words[start : start + count]
    if random.random() < SCRAMBLED:
        words = ["".join(random.permutation(list(word))) for word in words]
    return " ".join(words)


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
