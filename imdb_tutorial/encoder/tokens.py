"""Reviews as one flat array of token ids, and batches of it that hold next to no padding."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKENIZER_CHUNK = 1_000


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


def tokenize(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int = MAX_LENGTH
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


def pad(
    tokens: Tokens, rows: np.ndarray, pad_id: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Put some reviews into one table, filled up to the longest of them.

    Args:
        tokens: All reviews' tokens.
        rows: Which reviews.
        pad_id: The number of the padding token.
        device: Where the model is.

    Returns:
        ``input_ids`` and ``attention_mask``, int64 ``[batch, tokens]``.
    """
    lengths = tokens.lengths()[rows]
    ids = np.full((len(rows), int(lengths.max())), pad_id, dtype=np.int64)
    mask = np.arange(ids.shape[1]) < lengths[:, None]
    ids[mask] = np.concatenate([tokens.ids[tokens.starts[r] : tokens.starts[r + 1]] for r in rows])
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask.astype(np.int64)).to(device)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except (AttributeError, UnicodeError):  # None, a number, half of a character pair
        return False
    return True
