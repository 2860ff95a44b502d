"""From a list of reviews to one padded batch of tensors."""

import numbers
import reprlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.loaders import Batch
from imdb_tutorial.encoder.tokens import encode
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ReviewCollator:
    """Turn ``(text, label)`` pairs into one batch; give it to a ``DataLoader`` as ``collate_fn``.

    Args:
        tokenizer: The tokenizer of the model that will read the batch.
        max_length: Longest input, in tokens with [CLS] and [SEP]; what is longer is cut at its end.
        padding: ``"max_length"`` pads every review to ``max_length``, the classic way;
            ``"longest"`` pads to the longest review of the batch.

    Raises:
        ValueError: An unknown padding, or a length that the model cannot read.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        max_length: int = MAX_LENGTH,
        padding: Literal["max_length", "longest"] = "max_length",
    ):
        if padding not in ("max_length", "longest"):
            raise ValueError(f"padding is {padding!r}: expected 'max_length' or 'longest'")
        self.tokenizer = tokenizer
        self.max_length = require_length(max_length, longest_input(tokenizer))
        self.padding = padding

    def __call__(self, reviews: Sequence[tuple[str, int]]) -> Batch:
        """Return the batch ``(inputs, labels)``.

        Args:
            reviews: Pairs of a text and its label, 0 or 1.

        Returns:
            ``inputs``, a dict of ``input_ids``, ``attention_mask`` and, where the model has them,
            ``token_type_ids``, each int64 ``[batch, tokens]``; and ``labels``, int64 ``[batch]``.

        Raises:
            ValueError: A review that is no pair of a text and a label, or no review at all.
        """
        if len(reviews) == 0:
            raise ValueError("the batch is empty: expected at least one pair (text, label)")
        for row, review in enumerate(reviews):
            _check_review(review, row)
        texts = [text for text, _ in reviews]
        labels = torch.tensor([int(label) for _, label in reviews], dtype=torch.long)  # [batch]
        inputs = encode(
            texts, self.tokenizer, self.max_length, padding=self.padding, return_tensors="pt"
        )  # each [batch, tokens]
        return dict(inputs), labels


def _check_review(review: object, row: int) -> None:
    where = f"review {row} of the batch (counted from 0)"
    if not isinstance(review, (tuple, list)) or len(review) != 2:
        raise ValueError(
            f"{where} is of type {type(review).__name__}: expected a pair (text, label), as "
            "ReviewDataset gives them"
        )
    text, label = review
    if not isinstance(text, str):
        raise ValueError(f"{where} has a text of type {type(text).__name__}: expected one string")
    if not _is_label(label):
        raise ValueError(f"{where} has the label {reprlib.repr(label)}: expected 0 or 1")


def _is_label(label: object) -> bool:
    if isinstance(label, torch.Tensor) and label.ndim == 0:
        label = label.item()
    return isinstance(label, (numbers.Real, np.bool_)) and label in (0, 1)
