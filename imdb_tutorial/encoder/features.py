"""BERT once: every review's features, computed in one pass and kept."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from imdb_tutorial.encoder.extraction import compute_features
from imdb_tutorial.encoder.features_key import features_key
from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.tokens import require_texts
from imdb_tutorial.machine import cache
from imdb_tutorial.machine.device import choose_dtype
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.shards import kept_batches
from imdb_tutorial.presets import MAX_LENGTH, POOLING, POOLINGS

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@overload
def extract_features(
    reviews: "Sequence[str] | datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    pooling: str = ...,
    max_length: int = ...,
    dtype: torch.dtype | None = ...,
    use_cache: bool = ...,
) -> torch.Tensor: ...


@overload
def extract_features(
    reviews: "Sequence[str] | datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    pooling: list[str] | tuple[str, ...],
    max_length: int = ...,
    dtype: torch.dtype | None = ...,
    use_cache: bool = ...,
) -> dict[str, torch.Tensor]: ...


def extract_features(
    reviews: "Sequence[str] | datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    pooling: str | Sequence[str] = POOLING,
    max_length: int = MAX_LENGTH,
    dtype: torch.dtype | None = None,
    use_cache: bool = True,
) -> torch.Tensor | dict[str, torch.Tensor]:
    """Compute every review's features with one pass of a frozen BERT, or read them from the cache.

    What is computed is kept every half a minute: a run that was killed goes on where it was, and
    its result is the same, bit for bit. Of several processes, started by ``accelerate launch`` or
    ``torchrun``, all must call this; each computes its share, and all get the same result.

    Args:
        reviews: Texts, or a data set with the column ``text``.
        tokenizer: The encoder's tokenizer.
        encoder: A model from ``load_encoder``.
        pooling: ``"cls"``, ``"mean"`` or ``"pooler"``; or several of them, made in the same pass.
        max_length: Longest input, in tokens; what is longer is cut.
        dtype: Precision of the arithmetic; without it, what ``choose_dtype`` says.
        use_cache: Read and keep the features on disk.

    Returns:
        float32 ``[reviews, hidden]`` on the CPU; a dict of them by pooling where several were asked
        for.

    Raises:
        TypeError: One text instead of a list, or a review that is not a text; the message names its
            row.
        ValueError: An unknown pooling, a length the model cannot read, or a review whose features
            are not finite.
        LostProcessError: One of several processes is gone; the next start goes on.
    """
    poolings = (pooling,) if isinstance(pooling, str) else tuple(pooling)
    texts = _texts(reviews)
    dtype = dtype or choose_dtype(encoder.device)
    _check(texts, tokenizer, encoder, poolings, max_length)
    with processes().together():
        features = _of_all(texts, tokenizer, encoder, poolings, max_length, dtype, use_cache)
    return features[pooling] if isinstance(pooling, str) else {p: features[p] for p in poolings}


def _of_all(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    poolings: Sequence[str],
    max_length: int,
    dtype: torch.dtype,
    use_cache: bool,
) -> dict[str, torch.Tensor]:
    everyone = processes()
    if not use_cache and everyone.count == 1:
        return compute_features(texts, tokenizer, encoder, poolings, max_length, dtype, None)
    key = features_key(texts, tokenizer, encoder, max_length, dtype)
    _require_same(everyone.gather((key, poolings, use_cache)))
    if not use_cache:
        return compute_features(texts, tokenizer, encoder, poolings, max_length, dtype, None)
    shape = (len(texts), encoder.config.hidden_size)
    features = _read(key, poolings, shape)
    if _missing(poolings, everyone.gather([*features])):
        with cache.locked(key) if everyone.is_main else contextlib.nullcontext():
            everyone.gather(None)  # now the main process has it
            features |= _read(key, [p for p in poolings if p not in features], shape)
            if missing := _missing(poolings, everyone.gather([*features])):
                features |= compute_features(
                    texts, tokenizer, encoder, missing, max_length, dtype, key
                )
    return features


def share_kept(
    reviews: "Sequence[str] | datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    poolings: Sequence[str],
    max_length: int,
    dtype: torch.dtype,
    work: np.ndarray,
) -> float:
    """Say how much of an extraction the cache holds already; nothing is computed or changed.

    Args:
        reviews: Texts, or a data set with the column ``text``.
        tokenizer: The encoder's tokenizer.
        encoder: A model from ``load_encoder``.
        poolings: Which features.
        max_length: Longest input, in tokens.
        dtype: Precision of the arithmetic.
        work: How much of it each batch of the plan is, ``[batches]``.

    Returns:
        A share of the work, 0 to 1.
    """
    info = cache.cache_info()
    if info.files + info.shards == 0:
        return 0.0  # without reading all texts and weights for the key
    key = features_key(_texts(reviews), tokenizer, encoder, max_length, dtype)
    missing = [name for name in poolings if not cache.is_stored(f"{key}-{name}")]
    if not missing:
        return 1.0
    kept = [number for number in kept_batches(key, missing) if number < len(work)]
    return float(work[kept].sum() / work.sum())


def _require_same(asked: list) -> None:
    if any(other != asked[0] for other in asked):
        raise ValueError(
            f"{len(asked)} processes were asked for the features of different reviews, or by "
            "different settings: expected the same call in all of them"
        )


def _missing(poolings: Sequence[str], found: list[list[str]]) -> list[str]:
    """Name the poolings that one process at least has not found."""
    return [pooling for pooling in poolings if not all(pooling in names for names in found)]


def _texts(reviews: "Sequence[str] | datasets.Dataset") -> Sequence[str]:
    column: Any = reviews
    if hasattr(column, "column_names"):
        column = column["text"]  # which stays on disk
    elif not isinstance(column, str):
        column = list(column)
    require_texts(column)
    return column


def _check(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    poolings: Sequence[str],
    max_length: int,
) -> None:
    if len(texts) == 0:
        raise ValueError("no reviews to compute features of: expected at least one")
    if not poolings or set(poolings) - set(POOLINGS):
        raise ValueError(f"pooling is {poolings!r}: expected one or more of {', '.join(POOLINGS)}")
    require_length(max_length, longest_input(tokenizer, encoder))


def _read(key: str, poolings: Sequence[str], shape: tuple[int, int]) -> dict[str, torch.Tensor]:
    found = {name: cache.read(f"{key}-{name}", shape) for name in poolings}
    return {name: tensor for name, tensor in found.items() if tensor is not None}
