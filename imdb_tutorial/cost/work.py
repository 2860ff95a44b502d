"""What there is to do, before anything is measured: reviews, tokens, batches, operations."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imdb_tutorial.cost.counting import CountedPool, count_tokens
from imdb_tutorial.cost.flops import EncoderShape, forward_flops
from imdb_tutorial.encoder.tokens import Tokens

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

MOST_COUNTED = 4_000  # reviews: seconds of work, and a mean that is right to about 1 %


class PoolWork(NamedTuple):
    """One pool's way through BERT, once.

    Args:
        counted: Its reviews' tokens.
        batches: The plan; each batch holds numbers of counted reviews.
        tokens: Of each batch, padding included, ``[batches]``.
        flops: Of each batch, ``[batches]``.
    """

    counted: CountedPool
    batches: list[np.ndarray]
    tokens: np.ndarray
    flops: np.ndarray

    def with_tokens(self) -> list[tuple[Tokens, np.ndarray]]:
        """Return each batch with the tokens that its numbers belong to."""
        return [(self.counted.tokens, rows) for rows in self.batches]


def each_once(
    reviews: "Mapping[str, datasets.Dataset]",
) -> "dict[str, datasets.Dataset]":
    """Leave out a pool that is the same as one before: its features are there by then.

    Args:
        reviews: By pool.

    Returns:
        The pools that BERT has to read.
    """
    texts: dict[str, list[str]] = {}
    for pool, split in reviews.items():
        column = split["text"][:]
        if column not in texts.values():
            texts[pool] = column
    return {pool: reviews[pool] for pool in texts}


def plan_work(
    pools: "Mapping[str, datasets.Dataset]",
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    shape: EncoderShape,
    token_budget: int,
) -> dict[str, PoolWork]:
    """Count tokens and plan one pass, pool by pool.

    Args:
        pools: Reviews by pool.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens.
        shape: The encoder's.
        token_budget: Most tokens in a batch.

    Returns:
        What is to be done, by pool. Of more than 4,000 reviews only so many are tokenized, drawn at
        random; each stands for several.
    """
    total = sum(len(split) for split in pools.values())
    work = {}
    for pool, split in pools.items():
        most = math.ceil(MOST_COUNTED * len(split) / total)
        counted = count_tokens(split, tokenizer, max_length, most)
        batches = counted.batches(token_budget)
        lengths = counted.tokens.lengths()
        rows = np.array([len(batch) for batch in batches])  # [batches]
        longest = np.array([lengths[batch].max() for batch in batches])  # [batches]
        flops = forward_flops(shape, rows, longest)
        work[pool] = PoolWork(counted, batches, rows * longest, flops)
    return work
