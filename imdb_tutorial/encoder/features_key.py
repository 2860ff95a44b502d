"""The name under which features are kept: a digest of everything that they depend on."""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.encoder.tokens import TOKENIZER_CHUNK

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# How texts are read is not in the tokenizer's settings alone: raise this with any change of it in
# tokens.py or beginning.py, so that no older cache answers.
READING = 2


def features_key(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    max_length: int,
    dtype: torch.dtype,
) -> str:
    """Digest what changes the answer: texts, tokenizer, weights, length, precision."""
    digest = hashlib.sha256()
    for start in range(0, len(texts), TOKENIZER_CHUNK):
        for text in texts[start : start + TOKENIZER_CHUNK]:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
    digest.update(json.dumps(_settings(tokenizer), sort_keys=True, default=str).encode())
    digest.update(encoder.config.to_json_string(use_diff=False).encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy())
    digest.update(f"{READING} {max_length} {dtype} {torch.__version__}".encode())
    return digest.hexdigest()[:32]


def _settings(tokenizer: "PreTrainedTokenizerBase") -> dict:
    """Return what a tokenizer makes tokens by; what was last asked of it plays no part."""
    settings = {
        "truncation": tokenizer.truncation_side,
        "padding": None,
        "split_special_tokens": tokenizer.split_special_tokens,
    }
    if tokenizer.is_fast:
        return json.loads(tokenizer.backend_tokenizer.to_str()) | settings
    kind = {"class": type(tokenizer).__name__, "vocabulary": tokenizer.get_vocab()}
    return tokenizer.init_kwargs | kind | settings
