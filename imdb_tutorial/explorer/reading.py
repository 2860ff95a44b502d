"""What a classifier reads of a text, and where each of its tokens stands in it."""

import dataclasses
import unicodedata
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.encoder.tokens import beginning_of
from imdb_tutorial.machine.text import clean_text

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import BatchEncoding

    from imdb_tutorial.classifier.pipeline import SentimentPipeline


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a model reads of a text.

    Args:
        text: The whole text.
        end: Where the model stops reading, in characters.
        spans: Start and end of every word that it reads, in characters; a word is what its
            tokenizer takes for one, so a full stop is a word as well.
        word_of_token: For every token the number of its word, or None for a marker such as [CLS].
        inputs: The model's inputs, each ``[1, tokens]``.
        unknown: Number of tokens that stand for something the model has no word for.
        max_length: The most tokens that the model reads.
    """

    text: str
    end: int
    spans: tuple[tuple[int, int], ...]
    word_of_token: tuple[int | None, ...]
    inputs: dict[str, torch.Tensor] = dataclasses.field(compare=False, repr=False)
    unknown: int
    max_length: int

    @property
    def tokens_read(self) -> int:
        """Number of tokens that the model reads, [CLS] and [SEP] included."""
        return len(self.word_of_token)

    @property
    def is_cut(self) -> bool:
        """Whether the text is too long to be read to its end."""
        return self.end < len(self.text)

    @property
    def unread(self) -> str:
        """The rest that is not read."""
        return self.text[self.end :]


def read_text(pipeline: "SentimentPipeline", text: str) -> Reading:
    """Find out what a classifier reads of a text, and where its words stand.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.

    Returns:
        The model's inputs, and where each token comes from.

    Raises:
        TypeError: Something that is no text.
        ValueError: A tokenizer that does not say where its tokens come from.
    """
    if not isinstance(text, str):
        raise TypeError(f"got {text!r}: expected a text")
    if not pipeline.tokenizer.is_fast:
        raise ValueError(
            f"the tokenizer {type(pipeline.tokenizer).__name__} does not say where its tokens "
            "come from: load the model with its fast tokenizer (tokenizer.json)"
        )
    text = clean_text(text)
    max_length = pipeline.max_length
    beginning = beginning_of(text, pipeline.tokenizer, max_length)
    encoding = pipeline.tokenizer(beginning, truncation=True, max_length=max_length)
    rest = [word for part in encoding.encodings[0].overflowing for word in part.word_ids]
    is_cut = len(beginning) < len(text) or any(word is not None for word in rest)
    spans, word_of_token = _words(encoding, text)
    ids = encoding["input_ids"]
    return Reading(
        text=text,
        end=(spans[-1][1] if spans else 0) if is_cut else len(text),
        spans=spans,
        word_of_token=word_of_token,
        inputs={name: torch.tensor([encoding[name]]) for name in encoding},
        unknown=ids.count(pipeline.tokenizer.unk_token_id),
        max_length=max_length,
    )


def _words(encoding: "BatchEncoding", text: str) -> tuple[tuple, tuple]:
    spans: list[tuple[int, int]] = []
    word_of_token: list[int | None] = []
    last = None
    for (start, end), word in zip(encoding.encodings[0].offsets, encoding.word_ids(), strict=True):
        if word is None or start == end:
            word_of_token.append(None)
            continue
        if spans and (word == last or start < spans[-1][1]):
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
        word_of_token.append(len(spans) - 1)
        last = word
    next_starts = [*(start for start, _ in spans), len(text)][1:]
    whole = (
        (start, _with_accents(text, end, following))
        for (start, end), following in zip(spans, next_starts, strict=True)
    )
    return tuple(whole), tuple(word_of_token)


def _with_accents(text: str, end: int, limit: int) -> int:
    """Move a word's end behind the accents that the tokenizer took off."""
    while end < limit and unicodedata.category(text[end]) in ("Mn", "Me"):
        end += 1
    return end
