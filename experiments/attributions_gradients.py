"""Attributions from gradients, with captum: along the way from a baseline, and at the text itself.

Baselines are texts of as many blanks between the same markers. What is exchanged are word vectors,
so a baseline need not be a word: the mean of all word vectors is one, too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from captum.attr import InputXGradient, IntegratedGradients

from experiments.attributions_asked import Asked
from imdb_tutorial.explorer.attributions import (
    ABSOLUTE_ERROR,
    RELATIVE_ERROR,
    STEPS,
    TOKENS_AT_ONCE,
)
from imdb_tutorial.explorer.reading import Reading

PAD, MASK, MEAN = "[PAD]", "[MASK]", "the mean word vector"


class Shares(NamedTuple):
    """How far each word pushed, in logits: above 0 towards POSITIVE.

    Args:
        pushes: One number a word.
        other: What belongs to no word, such as the markers' share.
        reached: What pushes and other should add up to: the margin of the text less that of the
            blank; not a number where no sum is promised.
        blank: The margin of what the method starts from; not a number where it starts from nothing.
    """

    pushes: np.ndarray
    other: float = 0.0
    reached: float = np.nan
    blank: float = np.nan


class Vectors:
    """A text's word vectors, and what a classifier says when others stand in their place.

    Args:
        asked: The classifier.
        reading: The text.
    """

    def __init__(self, asked: Asked, reading: Reading):
        self._asked, self._model, self._reading = asked, asked.exact, reading
        self._table = self._model.get_input_embeddings()
        self._tokenizer = asked.pipeline.tokenizer
        self.text = self._table(reading.inputs["input_ids"]).detach()  # [1, tokens, hidden]

    def margin(self, vectors: torch.Tensor) -> torch.Tensor:
        """Ask about word vectors ``[steps, tokens, hidden]``, and return ``[steps]``."""
        inputs = {n: x.expand(len(vectors), -1) for n, x in self._reading.inputs.items()}
        # Only the vectors are exchanged: RoBERTa would number its positions by the ids.
        with self._table.register_forward_hook(lambda *_: vectors):
            return self._asked.margin_of(self._model, self._model(**inputs).logits)

    def blank(self, name: str) -> torch.Tensor:
        """Put a blank in every word's place, and leave the markers where they are."""
        numbers = {PAD: self._tokenizer.pad_token_id, MASK: self._tokenizer.mask_token_id}
        weights = self._table.weight  # [vocabulary, hidden]
        vector = weights.mean(dim=0) if name == MEAN else weights[numbers[name]]  # [hidden]
        is_marker = torch.tensor([word is None for word in self._reading.word_of_token])
        return torch.where(is_marker[None, :, None], self.text, vector)  # [1, tokens, hidden]

    def by_word(self, shares: torch.Tensor) -> tuple[np.ndarray, float]:
        """Add ``[1, tokens, hidden]`` up to ``[words]``, and the markers' part to one number."""
        of_token = shares.detach().double().sum(dim=-1)[0].numpy()  # [tokens]
        words = len(self._reading.spans)
        number = [words if word is None else word for word in self._reading.word_of_token]
        sums = np.bincount(number, weights=of_token, minlength=words + 1)  # [words + 1]
        return sums[:words], float(sums[words])


def integrated_gradients(asked: Asked, reading: Reading, baseline: str) -> Shares:
    """Integrate gradients from a baseline, as the explorer does from [MASK].

    The steps are repeated with more of them until the sum is right within 5 %, or 0.02 if that is
    more (Sundararajan et al., 2017).

    Args:
        asked: The classifier.
        reading: The text.
        baseline: ``PAD``, ``MASK`` or ``MEAN``.
    """
    vectors = Vectors(asked, reading)
    start = vectors.blank(baseline)  # [1, tokens, hidden]
    with torch.no_grad():
        ends = [float(vectors.margin(end)) for end in (start, vectors.text)]
    reached = ends[1] - ends[0]
    for steps in STEPS:
        shares = IntegratedGradients(vectors.margin).attribute(
            vectors.text,
            baselines=start,
            n_steps=steps,
            method="riemann_middle",
            internal_batch_size=max(1, TOKENS_AT_ONCE // vectors.text.shape[1]),
        )  # [1, tokens, hidden]
        pushes, other = vectors.by_word(shares)
        error = abs(pushes.sum() + other - reached)
        if error <= max(RELATIVE_ERROR * abs(reached), ABSOLUTE_ERROR):
            break
    return Shares(pushes, other, reached, ends[0])


def averaged(shares: Sequence[Shares]) -> Shares:
    """Average what several baselines gave: sums and blanks are averages, too."""
    return Shares(*(sum(parts) / len(shares) for parts in zip(*shares, strict=True)))


def gradient_times_input(asked: Asked, reading: Reading) -> Shares:
    """Multiply each word vector by the gradient at the text (Shrikumar et al., 2017)."""
    vectors = Vectors(asked, reading)
    text = vectors.text.requires_grad_()
    pushes, other = vectors.by_word(InputXGradient(vectors.margin).attribute(text))
    return Shares(pushes, other)
