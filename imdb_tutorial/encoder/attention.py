"""Where a BERT looks: how each word of a text divides its attention between the words."""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def attention_shares(
    text: str, encoder: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", layer: int = 3
) -> tuple[list[str], torch.Tensor]:
    """Return how each token of a text divides its attention between the tokens.

    [CLS] and [SEP] get the larger part of it, for no reason that a reader could see; they are left
    out, and what remains is scaled to 1.

    Args:
        text: A short text.
        encoder: A BERT from ``load_encoder``.
        tokenizer: Its tokenizer.
        layer: Which of its layers, counted from 1; the mean over the layer's attention heads.

    Returns:
        The tokens, and their shares ``[tokens, tokens]``: row i is what token i looks at.

    Raises:
        ValueError: A layer that the encoder has not, or a text without tokens.
    """
    layers = encoder.config.num_hidden_layers
    if not 1 <= layer <= layers:
        raise ValueError(f"layer is {layer}: expected 1 to {layers}")
    inputs = tokenizer(text, truncation=True, max_length=64, return_tensors="pt").to(encoder.device)
    way = encoder.config._attn_implementation
    encoder.set_attn_implementation("eager")  # the fast ways do not say where they look
    try:
        with torch.no_grad():
            weights = encoder(**inputs, output_attentions=True).attentions[layer - 1]
    finally:
        encoder.set_attn_implementation(way)
    shares = weights[0].mean(dim=0)[1:-1, 1:-1].float().cpu()  # [tokens, tokens]
    ids = inputs["input_ids"][0, 1:-1]  # [tokens]
    tokens = [str(tokenizer.convert_ids_to_tokens(number)) for number in ids.tolist()]
    if not tokens:
        raise ValueError(f"the text {text!r} has no tokens: expected at least one word")
    return tokens, shares / shares.sum(dim=1, keepdim=True)
