"""How much a model can read at once, and the check of everything that asks it to read."""

import sys
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHORTEST = 3  # [CLS], one token, [SEP]


def longest_input(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel | None" = None
) -> int:
    """Return the longest input that a model can read.

    Args:
        tokenizer: The model's tokenizer.
        model: The model itself, where it is at hand: its table of positions is a limit too.

    Returns:
        A number of tokens, [CLS] and [SEP] included; ``sys.maxsize`` where there is no limit.
    """
    limits = [sys.maxsize, tokenizer.model_max_length]
    positions = getattr(model and model.config, "max_position_embeddings", None)
    if model is not None and isinstance(positions, int) and positions > 0:
        limits.append(positions - _unused_positions(model))
    return min(limits)


def require_length(value: object, longest: int = sys.maxsize, name: str = "max_length") -> int:
    """Return a length that a model can read, or refuse it.

    Args:
        value: The length, in tokens.
        longest: The longest input, from ``longest_input``, where the model is at hand.
        name: What the length is called, and where it was read, for the message.

    Returns:
        The value.

    Raises:
        ValueError: No whole number, or too small or too large a one.
    """
    if type(value) is not int or not SHORTEST <= value <= longest:
        to_longest = "or more" if longest == sys.maxsize else f"to {longest}"
        raise ValueError(
            f"{name} is {value!r:.60}: expected {SHORTEST} {to_longest}, the most tokens this "
            "model can read"
        )
    return value


def _unused_positions(model: "PreTrainedModel") -> int:
    """Count the rows at the top of the table of positions that no token of a text ever gets.

    RoBERTa and MPNet number their tokens from behind the padding token's own number.
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0
