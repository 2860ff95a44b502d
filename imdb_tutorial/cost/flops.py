"""How many floating-point operations a BERT needs, from its shape alone."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


class EncoderShape(NamedTuple):
    """What decides how much a BERT has to calculate.

    Args:
        layers: Number of layers.
        hidden: Numbers in a token vector.
        intermediate: Numbers in the wide part of a layer's feed-forward network.
    """

    layers: int
    hidden: int
    intermediate: int


BERT_BASE = EncoderShape(layers=12, hidden=768, intermediate=3_072)


def encoder_shape(config: "PreTrainedConfig") -> EncoderShape:
    """Read a BERT's shape from its config.

    Args:
        config: Of a model whose layers are built like BERT's.

    Returns:
        Layers, hidden and intermediate size.

    Raises:
        ValueError: The config does not name one of them.
    """
    found: dict[str, Any] = {
        "num_hidden_layers": getattr(config, "num_hidden_layers", None),
        "hidden_size": getattr(config, "hidden_size", None),
        # DistilBERT's name for it is the second one.
        "intermediate_size": getattr(config, "intermediate_size", None)
        or getattr(config, "hidden_dim", None),
    }
    for name, value in found.items():
        if type(value) is not int or value < 1:
            raise ValueError(
                f"the config of this {config.model_type} model has no {name}: its operations "
                "cannot be counted; use an encoder with BERT's layers"
            )
    return EncoderShape(*found.values())


def forward_flops(
    shape: EncoderShape, rows: int | np.ndarray, tokens: int | np.ndarray
) -> np.ndarray:
    """Count the floating-point operations of a batch's way through a BERT, padding included.

    In each layer a token meets four square matrices (query, key, value, output) and two wide ones;
    and each token is compared with each other one, twice: for the scores, and for their mean. A
    multiplication and the addition after it are two operations. What is left out (embeddings,
    softmax, norms, the pooler) is less than one in a hundred. Checked against PyTorch's own
    counter, ``torch.utils.flop_counter``.

    Args:
        shape: From ``encoder_shape``.
        rows: Reviews in the batch; or of several batches, ``[batches]``.
        tokens: Tokens in each row, padding included; or of several batches, ``[batches]``.

    Returns:
        Operations: one number, or ``[batches]``.
    """
    length = np.asarray(tokens, dtype=np.float64)  # [] or [batches]
    one_layer = 2 * _weights(shape) * length + 2 * 2 * shape.hidden * length**2
    return np.asarray(rows) * shape.layers * one_layer


def flops_of_another(
    flops: float, tokens: float, shape: EncoderShape, another: EncoderShape
) -> float:
    """Count what batches would need in a BERT of another shape.

    Args:
        flops: What they need in the first one, from ``forward_flops``.
        tokens: Tokens in them, padding included.
        shape: Of the first BERT.
        another: Of the other one, which reads the same tokens.

    Returns:
        Operations in the other one.
    """
    # How long the batches are is in the part that grows with the square of the length.
    squares = (flops / shape.layers - 2 * _weights(shape) * tokens) / (2 * 2 * shape.hidden)
    one_layer = 2 * _weights(another) * tokens + 2 * 2 * another.hidden * squares
    return another.layers * one_layer


def _weights(shape: EncoderShape) -> int:
    return 4 * shape.hidden**2 + 2 * shape.hidden * shape.intermediate
