"""Reviews as one flat array of token ids, and batches of it that hold next to no padding."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from imdb_tutorial.encoder.beginning import beginning_of
from imdb_tutorial.machine.device import copied_to
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.text import clean_text
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

TOKENIZER_CHUNK = 1_000
TOKENS_IN_MEMORY = 16_000_000  # 64 MB, some 60,000 reviews


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


def require_texts(texts: Sequence[str]) -> None:
    """Refuse what is no list of texts.

    Args:
        texts: The reviews.

    Raises:
        TypeError: One text instead of a list, or something in it that is no text; the message names
            its row.
    """
    if isinstance(texts, str):
        raise TypeError("got one text: expected a list of texts; put it into one, [text]")
    for start in range(0, len(texts), TOKENIZER_CHUNK):  # a column is read from disk, in pieces
        for row, text in enumerate(texts[start : start + TOKENIZER_CHUNK], start):
            if not isinstance(text, str):
                raise TypeError(f"row {row} is {text!r:.60}: expected a text")


def encode(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int, **options: Any
) -> "BatchEncoding":
    """Tokenize texts in the one way in which everything here reads them.

    Args:
        texts: Any texts; halves of character pairs are read as question marks.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.
        options: More for the tokenizer, such as ``padding`` and ``return_tensors``.

    Returns:
        What the tokenizer returns.
    """
    beginnings = [beginning_of(clean_text(text), tokenizer, max_length).text for text in texts]
    return tokenizer(beginnings, truncation=True, max_length=max_length, **options)


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
        TypeError: One text instead of a list, or something that is no text; the message names its
            row.
    """
    require_texts(texts)
    return join_chunks(token_chunks(texts, tokenizer, max_length))


def token_chunks(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    bar: bool = True,
    starts: Sequence[int] | None = None,
) -> Iterator[Tokens]:
    """Tokenize some texts at a time.

    Args:
        texts: The reviews.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.
        bar: Show how far it is.
        starts: The first rows of the chunks that are wanted; without them, of all.

    Yields:
        The tokens of the next texts.
    """
    starts = range(0, len(texts), TOKENIZER_CHUNK) if starts is None else starts
    hidden = len(starts) < 2 or not bar
    for start in progress_bar(starts, desc="tokenizing", leave=False, disable=hidden):
        chunk = list(texts[start : start + TOKENIZER_CHUNK])
        encoded = encode(chunk, tokenizer, max_length)["input_ids"]
        ids = [np.asarray(ids, dtype=np.int32) for ids in encoded]  # each [tokens]
        yield join(ids, [np.array([len(one) for one in ids])])


def join(ids: Sequence[np.ndarray], lengths: Sequence[np.ndarray]) -> Tokens:
    """Put tokens one after the other.

    Args:
        ids: Pieces of the token ids, int32.
        lengths: Pieces of the reviews' numbers of tokens.

    Returns:
        All token ids and where each review begins.
    """
    starts = np.concatenate([[0], np.cumsum(np.concatenate([[], *lengths]))]).astype(np.int64)
    return Tokens(np.concatenate([np.empty(0, dtype=np.int32), *ids]), starts)


def join_chunks(chunks: Iterable[Tokens]) -> Tokens:
    """Put what ``token_chunks`` yields one after the other."""
    chunks = list(chunks)
    return join([chunk.ids for chunk in chunks], [chunk.lengths() for chunk in chunks])


class TokenSource:
    """Many reviews' tokens: kept where they fit, else made again for some reviews at a time.

    Several processes make them together, each of its share, and all have the same.

    Args:
        texts: The reviews; of a data set's column no more than some are in memory.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.
    """

    def __init__(self, texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int):
        self._texts, self._tokenizer, self._max_length = texts, tokenizer, max_length
        everyone = processes()
        starts = everyone.share([*range(0, len(texts), TOKENIZER_CHUNK)])
        kept, lengths, total = [], [], 0
        for chunk in token_chunks(texts, tokenizer, max_length, starts=starts):
            lengths.append(chunk.lengths())
            kept.append(chunk.ids)
            total += len(chunk.ids)
            if total * everyone.count > TOKENS_IN_MEMORY:
                kept.clear()
        shares = everyone.gather((kept, lengths))
        lengths = [some for _, share in shares for some in share]
        kept = [some for share, _ in shares for some in share]
        self.lengths = np.concatenate(lengths)  # [reviews]
        self._all = join(kept, lengths) if len(kept) == len(lengths) else None

    def take(self, batches: Sequence[np.ndarray]) -> Iterator[tuple[Tokens, np.ndarray]]:
        """Go through batches.

        Args:
            batches: Each one's row numbers.

        Yields:
            For each batch tokens, and which of their rows it is made of.
        """
        if self._all is not None:
            yield from ((self._all, rows) for rows in batches)
            return
        for some in self._by_size(batches):
            rows = np.concatenate(some)
            tokens = join_chunks(
                token_chunks(_choose(self._texts, rows), self._tokenizer, self._max_length, False)
            )
            ends = np.cumsum([len(batch) for batch in some])
            for end, batch in zip(ends, some, strict=True):
                yield tokens, np.arange(end - len(batch), end)

    def _by_size(self, batches: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
        some: list[np.ndarray] = []
        total = 0
        for rows in batches:
            some.append(rows)
            total += int(self.lengths[rows].sum())
            if total > TOKENS_IN_MEMORY // 4:
                yield some
                some, total = [], 0
        if some:
            yield some


def _choose(texts: Sequence[str], rows: np.ndarray) -> list[str]:
    if isinstance(texts, list):
        return [texts[row] for row in rows.tolist()]
    column: Any = texts  # of a data set
    return column[rows.tolist()]


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
) -> dict[str, torch.Tensor]:
    """Put some reviews into one table, filled up to the longest of them.

    Args:
        tokens: All reviews' tokens.
        rows: Which reviews.
        pad_id: The number of the padding token.
        device: Where the model is.

    Returns:
        ``input_ids`` and ``attention_mask``, int64 ``[batch, tokens]``.
    """
    lengths = tokens.lengths()[rows]  # [batch]
    ids = np.full((len(rows), int(lengths.max())), pad_id, dtype=np.int64)  # [batch, tokens]
    mask = np.arange(ids.shape[1]) < lengths[:, None]  # [batch, tokens]
    ids[mask] = np.concatenate([tokens.ids[tokens.starts[r] : tokens.starts[r + 1]] for r in rows])
    return {
        "input_ids": copied_to(torch.from_numpy(ids), device),
        "attention_mask": copied_to(torch.from_numpy(mask.astype(np.int64)), device),
    }
