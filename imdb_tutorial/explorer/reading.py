"""What a classifier reads of a text, and where each of its tokens stands in it."""

import dataclasses
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.encoder.beginning import beginning_of
from imdb_tutorial.explorer.safe_text import is_accent, shorten
from imdb_tutorial.machine.text import clean_text

if TYPE_CHECKING:
    from tokenizers import Encoding

Span = tuple[int, int]


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
    spans: tuple[Span, ...]
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


def read_text(pipeline: SentimentPipeline, text: str) -> Reading:
    """Find out what a classifier reads of a text, and where its words stand.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.

    Returns:
        The model's inputs, and where each token comes from.

    Raises:
        TypeError: Something that is no text, or no pipeline from ``load_classifier``.
        ValueError: A tokenizer that does not say where its tokens come from.
    """
    if not isinstance(text, str):
        raise TypeError(f"got {shorten(repr(text))}: expected a text")
    if not isinstance(pipeline, SentimentPipeline):
        raise TypeError(
            f"got a {type(pipeline).__name__}: expected what load_classifier returns, which knows "
            "how many tokens its model reads"
        )
    tokenizer = pipeline.tokenizer
    if tokenizer is None or not tokenizer.is_fast:
        raise ValueError(
            f"the tokenizer {type(tokenizer).__name__} does not say where its tokens come from: "
            "load the model with its fast tokenizer (tokenizer.json)"
        )
    text = clean_text(text)
    beginning = beginning_of(text, tokenizer, pipeline.max_length)
    encoding = tokenizer(beginning.text, truncation=True, max_length=pipeline.max_length)
    assert encoding.encodings is not None  # a fast tokenizer has them
    tokens = encoding.encodings[0]
    spans, word_of_token = _find_words(tokens)
    looked_at = beginning.place(len(beginning.text))
    spans = [(beginning.place(start), beginning.place(end)) for start, end in spans]
    spans = _with_accents(spans, text[:looked_at])
    end = len(text)
    if looked_at < len(text) or _has_words(tokens.overflowing):
        end = spans[-1][1] if spans else 0
    return Reading(
        text=text,
        end=end,
        spans=tuple(spans),
        word_of_token=tuple(word_of_token),
        inputs={name: torch.tensor([encoding[name]]) for name in encoding},  # each [1, tokens]
        unknown=encoding["input_ids"].count(tokenizer.unk_token_id),
        max_length=pipeline.max_length,
    )


def _has_words(parts: "list[Encoding]") -> bool:
    """Say whether there is more in the tokens than markers such as [CLS]."""
    return any(word is not None for part in parts for word in part.word_ids)


def _find_words(tokens: "Encoding") -> tuple[list[Span], list[int | None]]:
    """Say where the words stand, and to which of them each token belongs."""
    spans: list[Span] = []
    word_of_token: list[int | None] = []
    previous = None
    for (start, end), word in zip(tokens.offsets, tokens.word_ids, strict=True):
        if word is None or start == end:
            word_of_token.append(None)
            continue
        if spans and (word == previous or start < spans[-1][1]):
            word_start, word_end = spans[-1]
            spans[-1] = (word_start, max(end, word_end))
        else:
            spans.append((start, end))
        word_of_token.append(len(spans) - 1)
        previous = word
    return spans, word_of_token


def _with_accents(spans: list[Span], text: str) -> list[Span]:
    """Move the words' ends behind the accents that the tokenizer took off."""
    whole = []
    for number, (start, end) in enumerate(spans):
        limit = spans[number + 1][0] if number + 1 < len(spans) else len(text)
        while end < limit and is_accent(text[end]):
            end += 1
        whole.append((start, end))
    return whole
