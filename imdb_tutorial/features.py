"""BERT once: every review's features, computed in one pass and kept."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler

from imdb_tutorial import cache
from imdb_tutorial.encoder import choose_dtype, pool
from imdb_tutorial.presets import POOLINGS
from imdb_tutorial.progress import progress_bar

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENIZER_CHUNK = 1_000
# On a processor small batches stay in its caches; a GPU wants to be filled.
TOKEN_BUDGET = {"cpu": 1_024, "mps": 16_384, "cuda": 65_536}


class Tokens(NamedTuple):
    """Tokenized reviews without padding, one after the other.

    Args:
        ids: int32 ``[tokens of all reviews]``.
        starts: Where each review begins, and the end: ``[reviews + 1]``.
    """

    ids: np.ndarray
    starts: np.ndarray

    def lengths(self) -> np.ndarray:
        """Return each review's number of tokens, with [CLS] and [SEP]."""
        return np.diff(self.starts)


def extract_features(
    reviews: "Sequence[str] | datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    pooling: str | Sequence[str] = "cls",
    max_length: int = 500,
    dtype: torch.dtype | None = None,
    use_cache: bool = True,
) -> torch.Tensor | dict[str, torch.Tensor]:
    """Compute every review's features with one pass of a frozen BERT, or read them from the cache.

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
        ValueError: An unknown pooling, a length the model cannot read, a text that cannot be
            tokenized, or a review whose features are not finite.
    """
    poolings = (pooling,) if isinstance(pooling, str) else tuple(pooling)
    texts = reviews if isinstance(reviews, Sequence) else reviews["text"][:]
    dtype = dtype or choose_dtype(encoder.device)
    _check(texts, tokenizer, encoder, poolings, max_length)
    shape = (len(texts), encoder.config.hidden_size)
    if not use_cache:
        features = _compute(texts, tokenizer, encoder, poolings, max_length, dtype)
    else:
        key = _key(texts, tokenizer, encoder, max_length, dtype)
        features = _read(key, poolings, shape)
        if len(features) < len(poolings):
            with cache.locked(key):
                features |= _read(key, [p for p in poolings if p not in features], shape)
                missing = [p for p in poolings if p not in features]
                if missing:
                    computed = _compute(texts, tokenizer, encoder, missing, max_length, dtype)
                    for name, tensor in computed.items():
                        cache.write(f"{key}-{name}", tensor)
                    features |= computed
    return features[pooling] if isinstance(pooling, str) else {p: features[p] for p in poolings}


def tokenize(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int = 500
) -> Tokens:
    """Tokenize every text once, in parallel, into one flat array.

    Args:
        texts: The reviews.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.

    Returns:
        All token ids and where each review begins.

    Raises:
        ValueError: A text that cannot be tokenized; the message names its row.
    """
    pieces, lengths = [], []
    chunks = range(0, len(texts), TOKENIZER_CHUNK)
    for start in progress_bar(chunks, desc="tokenizing", leave=False, disable=len(chunks) < 2):
        chunk = list(texts[start : start + TOKENIZER_CHUNK])
        try:
            encoded = tokenizer(chunk, truncation=True, max_length=max_length)["input_ids"]
        except (TypeError, ValueError, UnicodeError):
            row = start + next(i for i, text in enumerate(chunk) if not _is_unicode(text))
            raise ValueError(
                f"row {row} is no valid Unicode text and cannot be tokenized: clean it, for "
                "example with text.encode('utf-8', 'replace').decode()"
            ) from None
        lengths.extend(len(ids) for ids in encoded)
        pieces.append(np.concatenate([np.asarray(ids, dtype=np.int32) for ids in encoded]))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Tokens(np.concatenate(pieces), starts)


def plan_batches(lengths: np.ndarray, token_budget: int) -> Iterator[np.ndarray]:
    """Cut reviews into batches of similar length with a bounded number of tokens, padding included.

    Args:
        lengths: Each review's number of tokens.
        token_budget: Most tokens in a batch; a longer review makes a batch of its own.

    Yields:
        The row numbers of a batch, longest reviews first.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, token_budget // int(lengths[order[start]]))
        yield order[start : start + rows]
        start += rows


class FeatureDataset(Dataset):
    """Features and labels that are fetched a whole batch at a time, by a list of row numbers.

    Args:
        features: ``[reviews, hidden]``.
        labels: One label per review.

    Raises:
        ValueError: Not as many labels as reviews.
    """

    def __init__(self, features: torch.Tensor, labels: Sequence[int] | torch.Tensor):
        self.features = features
        self.labels = torch.as_tensor(labels, dtype=torch.long)
        if len(self.features) != len(self.labels):
            raise ValueError(
                f"{len(self.features)} rows of features but {len(self.labels)} labels: expected "
                "one label per row"
            )

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: list[int]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        index = torch.as_tensor(rows)
        return {"features": self.features[index]}, self.labels[index]


def feature_loader(
    features: torch.Tensor,
    labels: Sequence[int] | torch.Tensor,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
) -> DataLoader:
    """Return a ``DataLoader`` over features that fetches whole batches instead of single rows.

    With the same seed the batches hold the same rows, in the same order, as those of a plain
    ``DataLoader`` with ``shuffle=True`` and ``generator=torch.Generator().manual_seed(seed)``.

    Args:
        features: ``[reviews, hidden]``.
        labels: One label per review.
        batch_size: Reviews in a batch; the last one may be smaller.
        shuffle: Take the reviews in a new random order every epoch.
        seed: Seed of that order.

    Returns:
        A loader of batches ``({"features": [batch, hidden]}, labels [batch])``.
    """
    dataset = FeatureDataset(features, labels)
    generator = torch.Generator().manual_seed(seed)
    order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(dataset, sampler=batches, batch_size=None, generator=generator)


def _check(texts, tokenizer, encoder, poolings, max_length) -> None:
    if isinstance(texts, str):
        raise TypeError("reviews is one text: expected a list of texts, for example [text]")
    if len(texts) == 0:
        raise ValueError("no reviews to compute features of: expected at least one")
    if not poolings or set(poolings) - set(POOLINGS):
        raise ValueError(f"pooling is {poolings!r}: expected one or more of {', '.join(POOLINGS)}")
    longest = min(
        tokenizer.model_max_length, getattr(encoder.config, "max_position_embeddings", 10**9)
    )
    if not 3 <= max_length <= longest:
        raise ValueError(
            f"max_length is {max_length}: expected 3 to {longest}, the most tokens this model can "
            "read"
        )
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"row {row} is {text!r:.60}: expected a text")


def _compute(texts, tokenizer, encoder, poolings, max_length, dtype) -> dict[str, torch.Tensor]:
    if dtype != encoder.dtype:
        encoder = copy.deepcopy(encoder).to(dtype)
    tokens = tokenize(texts, tokenizer, max_length)
    lengths = tokens.lengths()
    shape = (len(texts), encoder.config.hidden_size)
    features = {name: torch.empty(shape) for name in poolings}

    @torch.inference_mode()
    def encode(rows: np.ndarray) -> np.ndarray:
        ids, mask = _pad(tokens, rows, tokenizer.pad_token_id, encoder.device)
        outputs = encoder(input_ids=ids, attention_mask=mask)
        for name in poolings:
            vectors = pool(
                outputs.last_hidden_state, mask, name, getattr(outputs, "pooler_output", None)
            ).cpu()
            _check_finite(vectors, rows)
            features[name][torch.from_numpy(rows)] = vectors
        return rows

    done, total = 0, int(lengths.sum())
    batches = plan_batches(lengths, TOKEN_BUDGET[encoder.device.type])
    with progress_bar(total=total, desc="BERT", unit="tok", unit_scale=True) as bar:
        for rows in _in_parallel(encode, batches, encoder.device):
            done += len(rows)
            bar.set_postfix_str(f"{done:,} of {len(texts):,} reviews", refresh=False)
            bar.update(int(lengths[rows].sum()))
    return features


def _in_parallel(
    encode: Callable[[np.ndarray], np.ndarray], batches: Iterable[np.ndarray], device: torch.device
) -> Iterator[np.ndarray]:
    """Give every processor core a batch of its own, which is faster than sharing each product.

    It also makes the result independent of the number of cores. A GPU takes one after the other.
    """
    if device.type != "cpu":
        yield from map(encode, batches)
        return
    workers = ThreadPoolExecutor(
        torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        yield from workers.map(encode, batches)
    finally:
        workers.shutdown(cancel_futures=True)


def _pad(
    tokens: Tokens, rows: np.ndarray, pad_id: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = tokens.lengths()[rows]
    ids = np.full((len(rows), int(lengths.max())), pad_id, dtype=np.int64)
    mask = np.arange(ids.shape[1]) < lengths[:, None]
    ids[mask] = np.concatenate([tokens.ids[tokens.starts[r] : tokens.starts[r + 1]] for r in rows])
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask.astype(np.int64)).to(device)


def _check_finite(vectors: torch.Tensor, rows: np.ndarray) -> None:
    finite = vectors.isfinite().all(dim=1).numpy()
    if not finite.all():
        raise ValueError(
            f"the features of row {int(rows[~finite].min())} are not finite: use "
            "dtype=torch.float32"
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def _read(key: str, poolings: Sequence[str], shape: tuple[int, int]) -> dict[str, torch.Tensor]:
    found = {name: cache.read(f"{key}-{name}", shape) for name in poolings}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _key(texts, tokenizer, encoder, max_length, dtype) -> str:
    """Digest everything that changes the answer."""
    digest = hashlib.sha256()
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    # What was last asked of the tokenizer stays in its state, but does not change the answer.
    settings = json.loads(tokenizer.backend_tokenizer.to_str()) | {
        "truncation": tokenizer.truncation_side,
        "padding": None,
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    digest.update(encoder.config.to_json_string(use_diff=False).encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy())
    digest.update(f"{max_length} {dtype} {torch.__version__}".encode())
    return digest.hexdigest()[:32]
