"""One vector a review, made of its token vectors."""

import torch


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
        return hidden[:, 0].float()
    if pooling == "mean":
        weights = attention_mask.to(hidden.device).unsqueeze(-1).float()
        return (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
    if pooling == "pooler":
        if pooler_output is None:
            raise ValueError("this encoder has no pooler: use pooling='cls' or pooling='mean'")
        return pooler_output.float()
    raise ValueError(f"pooling is {pooling!r}: expected 'cls', 'mean' or 'pooler'")
