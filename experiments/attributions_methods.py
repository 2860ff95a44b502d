"""The ways to say how far each word pushed a verdict, by name, and their controls."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from captum.attr import FeatureAblation, ShapleyValueSampling

from experiments.attributions_asked import Asked
from experiments.attributions_bags import word_weights
from experiments.attributions_gradients import (
    MASK,
    MEAN,
    PAD,
    Shares,
    averaged,
    gradient_times_input,
    integrated_gradients,
)
from imdb_tutorial.explorer.reading import Reading

# Passes for one text: what two cores with bfloat16 compute in about 1.5 seconds.
PASSES = 400


class Method(NamedTuple):
    """A way to attribute.

    Args:
        find: Given a classifier, what it reads of a text, and random numbers, finds the shares.
        asks: Whether it asks the classifier; controls do not.
        adds_up: Whether it promises that the shares add up.
        mean_of: The methods whose average it is.
    """

    find: Callable[[Asked, Reading, np.random.Generator], Shares]
    asks: bool = True
    adds_up: bool = False
    mean_of: tuple[str, ...] = ()


def leave_each_out(asked: Asked, reading: Reading, random: np.random.Generator) -> Shares:
    """Take each word out by itself, and see what the margin loses."""
    words = len(reading.spans)
    if not words:
        return Shares(np.zeros(0))
    pushes = FeatureAblation(_of_kept(asked, reading)).attribute(
        torch.ones(1, words), baselines=0, perturbations_per_eval=words
    )  # [1, words]
    return Shares(pushes[0].double().numpy())


def shapley_values(asked: Asked, reading: Reading, random: np.random.Generator) -> Shares:
    """Sample Shapley values: put the words back one by one, in random orders and their reverses.

    An order and its reverse err in opposite ways (antithetic sampling: Mitchell et al., Sampling
    Permutations for Shapley Value Estimation, 2022).
    """
    words = len(reading.spans)
    if not words:
        return Shares(np.zeros(0))
    sampler = ShapleyValueSampling(_of_kept(asked, reading))
    sampler.permutation_generator = functools.partial(_orders, random)
    pushes = sampler.attribute(
        torch.ones(1, words),
        baselines=0,
        n_samples=pairs_of_orders(words) * 2,
        perturbations_per_eval=words,
    )  # [1, words]
    nothing, everything = asked.without(reading, np.array([[False], [True]]).repeat(words, axis=1))
    return Shares(pushes[0].double().numpy(), 0.0, everything - nothing, nothing)


def pairs_of_orders(words: int) -> int:
    """Return how many orders, each with its reverse, ``PASSES`` are enough for; one at least."""
    return max(1, PASSES // (2 * words))


def random_order(asked: Asked, reading: Reading, random: np.random.Generator) -> Shares:
    """Push at random."""
    return Shares(random.standard_normal(len(reading.spans)))


def weights_of_bag(name: str) -> Callable[[Asked, Reading, np.random.Generator], Shares]:
    """Return what takes each word's weight in a bag of words, which has never seen a classifier."""

    def find(asked: Asked, reading: Reading, random: np.random.Generator) -> Shares:
        return Shares(word_weights(name)([reading.text[i:j] for i, j in reading.spans]))

    return find


def _of_kept(asked: Asked, reading: Reading) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what asks about ``[versions, words]``, 1 where a word stays and 0 where it is out."""

    def ask(kept: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(asked.without(reading, kept.numpy() > 0.5))  # [versions]

    return ask


def _orders(random: np.random.Generator, words: int, count: int) -> Iterator[list[int]]:
    for _ in range(count // 2):
        order = random.permutation(words).tolist()
        yield order
        yield order[::-1]


def _from(*baselines: str, mean_of: tuple[str, ...] = ()) -> Method:
    def find(asked: Asked, reading: Reading, random: np.random.Generator) -> Shares:
        return averaged([integrated_gradients(asked, reading, name) for name in baselines])

    return Method(find, adds_up=True, mean_of=mean_of)


FROM_PAD, FROM_MASK = (f"integrated gradients from {name}" for name in (PAD, MASK))
METHODS = {
    FROM_PAD: _from(PAD),
    FROM_MASK: _from(MASK),
    "integrated gradients, both averaged": _from(PAD, MASK, mean_of=(FROM_PAD, FROM_MASK)),
    f"integrated gradients from {MEAN}": _from(MEAN),
    "leaving each word out": Method(leave_each_out),
    "sampled Shapley values": Method(shapley_values, adds_up=True),
    "gradient times input": Method(lambda a, r, _: gradient_times_input(a, r)),
    "NB words": Method(weights_of_bag("NB words"), asks=False),
    "TF-IDF": Method(weights_of_bag("TF-IDF"), asks=False),
    "random order": Method(random_order, asks=False),
}
