"""Texts that are longer than a model can read: which of their tokens it is given."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from imdb_tutorial.encoder.beginning import Beginning, beginning_of
from imdb_tutorial.machine.text import clean_text

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import BatchEncoding, PreTrainedTokenizerBase

HEAD, HEAD_AND_TAIL = READINGS = ("head", "head and tail")

# Up to so many characters for each token that a model reads, all of a text is tokenized: no review
# is longer. Of a book only its beginning and its end are looked at.
CHARACTERS_PER_TOKEN = 128


class Part(NamedTuple):
    """Tokens that follow each other in a text.

    Args:
        encoded: What the tokenizer made of some texts.
        row: Which of these texts.
        tokens: Which of its tokens.
        place: Turns a place in what was tokenized into the place in the whole text.
        reaches: Up to which place in the whole text was looked at.
    """

    encoded: "BatchEncoding"
    row: int
    tokens: slice
    place: Callable[[int], int]
    reaches: int

    @property
    def encoding(self) -> "Encoding":
        """What a fast tokenizer knows beside the numbers: words, and where they stand."""
        assert self.encoded.encodings is not None  # a slow tokenizer has none
        return self.encoded.encodings[self.row]


class TextRead(NamedTuple):
    """What a model is given of a text.

    Args:
        text: The whole text.
        parts: Its tokens: in one part, or the head and the tail of a text that is too long.
        counted: How many tokens the whole text has, without markers such as [CLS]; None where they
            were not counted.
    """

    text: str
    parts: tuple[Part, ...]
    counted: int | None

    def field(self, name: str) -> list[int]:
        """Return one of the model's inputs, one number a token."""
        return [n for part in self.parts for n in part.encoded[name][part.row][part.tokens]]

    def inputs(self) -> dict[str, list[int]]:
        """Return the model's inputs by name, each with one number a token."""
        return {name: self.field(name) for name in self.parts[0].encoded}


def ends_of(count: int, size: int) -> tuple[slice, ...]:
    """Say which of a text's tokens are read by head and tail: half of them at each end.

    Args:
        count: How many tokens the text has, [CLS] and [SEP] among them.
        size: The most tokens, [CLS] and [SEP] among them.

    Returns:
        All of them in one piece, or the first and the last.
    """
    if count <= size:
        return (slice(0, count),)
    half = size // 2
    return slice(0, half), slice(count - (size - half), count)


def read_texts(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    reading: str,
    **options: Any,
) -> list[TextRead]:
    """Tokenize texts, and choose what a model is given of those that are too long for it.

    Args:
        texts: Any texts; halves of character pairs are read as question marks.
        tokenizer: The model's tokenizer.
        max_length: Longest input, in tokens.
        reading: ``"head"``: what is longer is cut at its end. ``"head and tail"``: half of the
            tokens are the text's first, the other half its last; they make one input.
        options: More for the tokenizer.

    Returns:
        What is read of each text. Of a text that has far fewer tokens than characters (one endless
        word) no more than 1,024 characters a token are looked at, from either end.
    """
    texts = [clean_text(text) for text in texts]
    if not texts:
        return []
    if reading == HEAD:
        seen = [beginning_of(text, tokenizer, max_length) for text in texts]
        encoded = tokenizer(
            [one.text for one in seen], truncation=True, max_length=max_length, **options
        )
        return [
            TextRead(text, (_part(encoded, row, slice(None), one),), None)
            for row, (text, one) in enumerate(zip(texts, seen, strict=True))
        ]
    most = CHARACTERS_PER_TOKEN * max_length
    seen = [
        Beginning(text) if len(text) <= most else beginning_of(text, tokenizer, max_length)
        for text in texts
    ]
    encoded = tokenizer([one.text for one in seen], verbose=False, **options)  # too long: no matter
    markers = tokenizer.num_special_tokens_to_add()
    read = []
    for row, (text, one) in enumerate(zip(texts, seen, strict=True)):
        count = len(encoded["input_ids"][row])
        parts = tuple(_part(encoded, row, end, one) for end in ends_of(count, max_length))
        if parts[-1].reaches == len(text):
            read.append(TextRead(text, parts, count - markers))
        else:
            head = _head_of(encoded, row, max_length // 2)
            # Where all that was looked at has too few tokens, the tail comes from behind it.
            behind = 0 if count >= max_length else parts[-1].reaches
            tail = _tail(text, behind, tokenizer, max_length, options)
            read.append(TextRead(text, (parts[0]._replace(tokens=head), tail), None))
    return read


def _part(encoded: "BatchEncoding", row: int, tokens: slice, seen: Beginning) -> Part:
    return Part(encoded, row, tokens, seen.place, seen.place(len(seen.text)))


def _head_of(encoded: "BatchEncoding", row: int, most: int) -> slice:
    """Return the first tokens, without the markers that end a text."""
    is_marker = _markers(encoded, row)
    return slice(0, min(most, len(is_marker) - _run(is_marker[::-1])))


def _tail(
    text: str,
    behind: int,
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    options: dict[str, Any],
) -> Part:
    """Return a text's last tokens, without the markers that begin a text."""
    # From its end a text is looked at as from its beginning: as far as it takes, and no further.
    flipped = beginning_of(text[behind:][::-1], tokenizer, max_length)
    size = len(flipped.text)
    encoded = tokenizer([flipped.text[::-1]], verbose=False, **options)
    is_marker = _markers(encoded, 0)
    count = len(is_marker)
    first = max(count - (max_length - max_length // 2), _run(is_marker))
    return Part(
        encoded,
        0,
        slice(first, count),
        lambda position: len(text) - flipped.place(size - position),
        len(text),
    )


def _markers(encoded: "BatchEncoding", row: int) -> list[int]:
    assert encoded.encodings is not None  # a slow tokenizer's texts are looked at as a whole
    return encoded.encodings[row].special_tokens_mask


def _run(is_marker: Sequence[int]) -> int:
    """Count the markers that a list begins with."""
    return next((n for n, marker in enumerate(is_marker) if not marker), len(is_marker))
