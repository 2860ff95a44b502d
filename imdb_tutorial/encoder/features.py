"""BERT once: every review's features, computed in one pass and kept."""

import contextlib
import copy
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.pooling import encode_and_pool
from imdb_tutorial.encoder.tokens import (
    TOKENIZER_CHUNK,
    Tokens,
    TokenSource,
    pad,
    plan_batches,
    require_texts,
)
from imdb_tutorial.machine import cache
from imdb_tutorial.machine.device import choose_dtype
from imdb_tutorial.machine.memory import WithinMemory
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.shards import Shards, kept_batches
from imdb_tutorial.presets import MAX_LENGTH, POOLING, POOLINGS

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# How texts are read is not in the tokenizer's settings alone: raise this with any change of it in
# tokens.py or beginning.py, so that no older cache answers.
READING = 2
# On a processor small batches stay in its caches; a GPU wants to be filled.
TOKEN_BUDGET = {"cpu": 1_024, "mps": 16_384, "cuda": 65_536}


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
        return _compute(texts, tokenizer, encoder, poolings, max_length, dtype, None)
    key = _key(texts, tokenizer, encoder, max_length, dtype)
    _require_same(everyone.gather((key, poolings, use_cache)))
    if not use_cache:
        return _compute(texts, tokenizer, encoder, poolings, max_length, dtype, None)
    shape = (len(texts), encoder.config.hidden_size)
    features = _read(key, poolings, shape)
    if _missing(poolings, everyone.gather([*features])):
        with cache.locked(key) if everyone.is_main else contextlib.nullcontext():
            everyone.gather(None)  # now the main process has it
            features |= _read(key, [p for p in poolings if p not in features], shape)
            if missing := _missing(poolings, everyone.gather([*features])):
                features |= _compute(texts, tokenizer, encoder, missing, max_length, dtype, key)
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
    key = _key(_texts(reviews), tokenizer, encoder, max_length, dtype)
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


def _compute(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    poolings: Sequence[str],
    max_length: int,
    dtype: torch.dtype,
    key: str | None,
) -> dict[str, torch.Tensor]:
    if dtype != encoder.dtype or encoder.training:
        encoder = copy.deepcopy(encoder).to(dtype).eval()  # type: ignore[arg-type]
    source = TokenSource(texts, tokenizer, max_length)
    # Planned over all reviews: what a row becomes depends on those beside it, in the last bits.
    batches = list(plan_batches(source.lengths, TOKEN_BUDGET[encoder.device.type]))
    shards = Shards(key, poolings, batches, encoder.config.hidden_size)
    memory = WithinMemory()

    @torch.inference_mode()
    def encode(batch: tuple[int, tuple[Tokens, np.ndarray]]) -> tuple[int, dict[str, np.ndarray]]:
        number, (tokens, rows) = batch

        def pooled_of(some: np.ndarray) -> list[torch.Tensor]:
            inputs = pad(tokens, some, tokenizer.pad_token_id, encoder.device)  # [batch, tokens]
            # Copies: [CLS] is a view, which would keep every token's vector as long as its own.
            return [v.cpu().clone() for v in encode_and_pool(encoder, inputs, *poolings)]

        pooled = memory.compute(pooled_of, rows, tokens.lengths())
        for vectors in pooled:  # each [batch, hidden]
            _check_finite(vectors, batches[number])
        return number, {name: v.numpy() for name, v in zip(poolings, pooled, strict=True)}

    everyone = processes()
    reviews = np.array([len(rows) for rows in batches])  # [batches]
    tokens = np.array([source.lengths[rows].sum() for rows in batches])  # [batches]
    # With several processes the bar is that of the main one: its share of what is to be done.
    desc = "BERT" if everyone.count == 1 else f"BERT, process 1 of {everyone.count}"
    with progress_bar(total=int(tokens.sum()), desc=desc, unit="tok", unit_scale=True) as bar:
        while (tables := shards.tables()) is None:
            missing = shards.missing()
            mine = everyone.share(missing)
            done = len(texts) - int(reviews[missing].sum())
            if done:
                bar.write(f"{done:,} of {len(texts):,} reviews were there already: going on")
            in_all = done + int(reviews[mine].sum())
            done_tokens = int(tokens.sum() - tokens[missing].sum())
            bar.reset(done_tokens + int(tokens[mine].sum()))
            bar.update(done_tokens)
            work = zip(mine, source.take([batches[n] for n in mine]), strict=True)
            try:
                for number, vectors in in_parallel(encode, work, encoder.device):
                    shards.add(number, vectors)
                    done += len(batches[number])
                    bar.set_postfix_str(f"{done:,} of {in_all:,} reviews", refresh=False)
                    bar.update(int(tokens[number]))
                    everyone.check()
            except BaseException:
                shards.keep()
                raise
    return tables


def _check_finite(vectors: torch.Tensor, rows: np.ndarray) -> None:
    finite = vectors.isfinite().all(dim=1).numpy()  # [batch]
    if not finite.all():
        raise ValueError(
            f"the features of row {int(rows[~finite].min())} are not finite: use "
            "dtype=torch.float32"
        )


def _read(key: str, poolings: Sequence[str], shape: tuple[int, int]) -> dict[str, torch.Tensor]:
    found = {name: cache.read(f"{key}-{name}", shape) for name in poolings}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _key(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    max_length: int,
    dtype: torch.dtype,
) -> str:
    """Digest everything that changes the answer."""
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
