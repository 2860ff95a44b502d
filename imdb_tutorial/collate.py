"""From a list of reviews to one padded batch of tensors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

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
            reviews: Pairs of a text and its label.

        Returns:
            ``inputs``, a dict of ``input_ids``, ``attention_mask`` and, where the model has them,
            ``token_type_ids``, each int64 ``[batch, tokens]``; and ``labels``, int64 ``[batch]``.
        """
        texts, labels = zip(*reviews, strict=True)
        inputs = encode(
            texts, self.tokenizer, self.max_length, padding=self.padding, return_tensors="pt"
        )
        return dict(inputs), torch.tensor(labels, dtype=torch.long)
