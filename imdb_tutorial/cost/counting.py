"""How long reviews are in tokens: all of them counted, or some drawn at random."""

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imdb_tutorial.encoder.tokens import Tokens, join_chunks, plan_batches, token_chunks

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase


class CountedPool(NamedTuple):
    """A pool of reviews, each of which stands for itself or is stood for by one that was counted.

    Args:
        tokens: Of the counted reviews.
        rows: For each review of the pool, which counted one stands for it, ``[reviews]``.
        seconds: How long the counting took.
    """

    tokens: Tokens
    rows: np.ndarray
    seconds: float

    @property
    def lengths(self) -> np.ndarray:
        """Each review's number of tokens, ``[reviews]``."""
        return self.tokens.lengths()[self.rows]

    @property
    def size(self) -> int:
        """How many reviews were tokenized."""
        return len(self.tokens.starts) - 1

    @property
    def seconds_for_all(self) -> float:
        """How long tokenizing the whole pool takes, at the same speed."""
        return self.seconds / self.size * len(self.rows)

    def batches(self, token_budget: int) -> list[np.ndarray]:
        """Plan batches as ``extract_features`` does; each holds numbers of counted reviews."""
        return [self.rows[batch] for batch in plan_batches(self.lengths, token_budget)]


def count_tokens(
    split: "datasets.Dataset", tokenizer: "PreTrainedTokenizerBase", max_length: int, most: int
) -> CountedPool:
    """Tokenize a pool's reviews, or a random part of them.

    Args:
        split: Reviews with the column ``text``.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.
        most: How many reviews are tokenized at most; the same ones every time.

    Returns:
        Their tokens, and which of them stands for which review: of a pool twice as large, each one
        stands for two.
    """
    if len(split) > most:
        drawn = np.random.default_rng(0).choice(len(split), most, replace=False)
        chosen = split.select(np.sort(drawn))
    else:
        chosen = split
    texts = chosen["text"][:]
    started = time.perf_counter()
    tokens = join_chunks(token_chunks(texts, tokenizer, max_length, bar=False))
    seconds = time.perf_counter() - started
    by_length = np.argsort(tokens.lengths(), kind="stable")  # [counted]
    places = np.arange(len(split)) * len(chosen) // len(split)  # [reviews]
    rows = by_length[places] if len(split) > most else np.arange(len(split))
    return CountedPool(tokens, rows, seconds)
