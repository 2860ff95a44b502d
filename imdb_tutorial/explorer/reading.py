"""What a classifier reads of a text, and where each of its tokens stands in it."""

import dataclasses

import torch

from imdb_tutorial.classifier.long_texts import TextRead, read_texts
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.explorer.safe_text import is_accent, shorten

Span = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a model reads of a text.

    Args:
        text: The whole text.
        gap: Start and end of what the model does not read, in characters: the end of a text that is
            too long, or its middle; both are the text's end where all of it is read.
        spans: Start and end of every word that it reads, in characters; a word is what its
            tokenizer takes for one, so a full stop is a word as well.
        word_of_token: For every token the number of its word, or None for a marker such as [CLS].
        inputs: The model's inputs, each ``[1, tokens]``.
        unknown: Number of tokens that stand for something the model has no word for.
        max_length: The most tokens that the model reads.
        counted: Number of tokens of the whole text, markers left out; None where nobody counted.
    """

    text: str
    gap: Span
    spans: tuple[Span, ...]
    word_of_token: tuple[int | None, ...]
    inputs: dict[str, torch.Tensor] = dataclasses.field(compare=False, repr=False)
    unknown: int
    max_length: int
    counted: int | None = None

    @property
    def tokens_read(self) -> int:
        """Number of tokens that the model reads, [CLS] and [SEP] included."""
        return len(self.word_of_token)

    @property
    def is_cut(self) -> bool:
        """Whether the text is too long to be read as a whole."""
        return self.gap[0] < self.gap[1]

    @property
    def has_tail(self) -> bool:
        """Whether what is not read stands in the middle."""
        return self.is_cut and self.gap[1] < len(self.text)

    @property
    def head(self) -> str:
        """What is read before the part that is not: all of it, where there is none."""
        return self.text[: self.gap[0]]

    @property
    def unread(self) -> str:
        """What is not read."""
        return self.text[self.gap[0] : self.gap[1]]

    @property
    def tail(self) -> str:
        """What is read behind the part that is not."""
        return self.text[self.gap[1] :]

    @property
    def what_was_cut(self) -> str:
        """Say in a sentence what is read of a text that was cut; empty where all of it is."""
        if not self.is_cut:
            return ""
        if not self.has_tail:
            return (
                f"The text was cut: the model read its first {len(self.head):,} characters; the "
                f"other {len(self.unread):,} had no part in this."
            )
        words = [word for word in self.word_of_token if word is not None]
        first = sum(self.spans[word][1] <= self.gap[0] for word in words)
        of_all = "" if self.counted is None else f"of its {self.counted:,} tokens "
        return (
            f"The text was cut: {of_all}the model read the first {first:,} and the last "
            f"{len(words) - first:,}{'' if of_all else ' tokens'}; the {len(self.unread):,} "
            "characters between them had no part in this."
        )


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
    (read,) = read_texts([text], tokenizer, pipeline.max_length, pipeline.reading)
    spans, word_of_token, words_of_head = _find_words(read)
    spans = _with_accents(spans, read.text[: read.parts[-1].reaches])
    inputs = read.inputs()
    return Reading(
        text=read.text,
        gap=_find_gap(read, spans, words_of_head),
        spans=tuple(spans),
        word_of_token=tuple(word_of_token),
        inputs={name: torch.tensor([x]) for name, x in inputs.items()},  # each [1, tokens]
        unknown=inputs["input_ids"].count(tokenizer.unk_token_id),
        max_length=pipeline.max_length,
        counted=read.counted,
    )


def _find_words(read: TextRead) -> tuple[list[Span], list[int | None], int]:
    """Say where the words stand, to which of them each token belongs, how many are the head's."""
    spans: list[Span] = []
    word_of_token: list[int | None] = []
    words_of_head = 0
    for part in read.parts:
        words_of_head, first, previous = len(spans), len(spans), None
        places, words = part.encoding.offsets[part.tokens], part.encoding.word_ids[part.tokens]
        for place, word in zip(places, words, strict=True):
            start, end = map(part.place, place)
            if word is None or start == end:
                word_of_token.append(None)
                continue
            if len(spans) > first and (word == previous or start < spans[-1][1]):
                word_start, word_end = spans[-1]
                spans[-1] = (word_start, max(end, word_end))
            else:
                spans.append((start, end))
            word_of_token.append(len(spans) - 1)
            previous = word
    return spans, word_of_token, words_of_head


def _find_gap(read: TextRead, spans: list[Span], words_of_head: int) -> Span:
    """Say where the characters stand that are not read."""
    whole = len(read.text)
    if len(read.parts) > 1:
        before, after = spans[:words_of_head], spans[words_of_head:]
        return (before[-1][1] if before else 0, after[0][0] if after else whole)
    (part,) = read.parts
    is_cut = any(word is not None for x in part.encoding.overflowing for word in x.word_ids)
    if part.reaches < whole or is_cut:
        return (spans[-1][1] if spans else 0, whole)
    return whole, whole


def _with_accents(spans: list[Span], text: str) -> list[Span]:
    """Move the words' ends behind the accents that the tokenizer took off."""
    whole = []
    for number, (start, end) in enumerate(spans):
        limit = spans[number + 1][0] if number + 1 < len(spans) else len(text)
        while end < limit and is_accent(text[end]):
            end += 1
        whole.append((start, end))
    return whole
