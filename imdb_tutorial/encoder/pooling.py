"""One vector a review, made of its token vectors."""

import torch
from torch import nn


def encode_and_pool(
    encoder: nn.Module, inputs: dict[str, torch.Tensor], *poolings: str
) -> list[torch.Tensor]:
    """Send a batch through an encoder once and make features of its token vectors.

    Args:
        encoder: A model from ``load_encoder``.
        inputs: ``input_ids``, ``attention_mask`` and, where the encoder has them,
            ``token_type_ids``, each ``[batch, tokens]``.
        poolings: One or more of ``"cls"``, ``"mean"`` and ``"pooler"``; see ``pool``.

    Returns:
        For each pooling float32 ``[batch, hidden]``.

    Raises:
        ValueError: An unknown pooling, or a pooler asked of a model that has none.
    """
    outputs = encoder(**inputs)
    hidden = outputs.last_hidden_state  # [batch, tokens, hidden]
    pooler_output = getattr(outputs, "pooler_output", None)  # [batch, hidden], or None
    return [pool(hidden, inputs["attention_mask"], name, pooler_output) for name in poolings]


def pool(
    hidden: torch.Tensor,
    attention_mask: torch.Tensor,
    pooling: str,
    pooler_output: torch.Tensor | None = None,
) -> torch.Tensor:
    """Make one vector of a review's token vectors.

    Args:
        hidden: BERT's last hidden state, ``[batch, tokens, hidden]``.
        attention_mask: 1 for text, 0 for padding, ``[batch, tokens]``.
        pooling: ``"cls"``, the first token's vector; ``"mean"``, the average over the text's tokens
            (Reimers and Gurevych, 2019); ``"pooler"``, BERT's own layer on top of [CLS].
        pooler_output: What that layer gave, ``[batch, hidden]``.

    Returns:
        float32 ``[batch, hidden]``.

    Raises:
        ValueError: An unknown pooling, or a pooler asked of a model that has none.
    """
    if pooling == "cls":
        return hidden[:, 0].float()  # [batch, hidden]
    if pooling == "mean":
        weights = attention_mask.to(hidden.device).unsqueeze(-1).float()  # [batch, tokens, 1]
        total = (hidden.float() * weights).sum(dim=1)  # [batch, hidden]
        return total / weights.sum(dim=1).clamp(min=1)  # [batch, hidden] / [batch, 1]
    if pooling == "pooler":
        if pooler_output is None:
            raise ValueError("this encoder has no pooler: use pooling='cls' or pooling='mean'")
        return pooler_output.float()  # [batch, hidden]
    raise ValueError(f"pooling is {pooling!r}: expected 'cls', 'mean' or 'pooler'")
