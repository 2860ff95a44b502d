"""How much of a text has to be looked at, so that a book costs what a page does."""

import bisect
import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

# A token has four or five characters of English: this much text nearly always fills a model.
CHARACTERS_PER_TOKEN = 16
# Where this much does not, nothing more is looked at: time must not grow with the text.
MOST_CHARACTERS_PER_TOKEN = 1_024
# Blanks as Python and tokenizers understand them alike, so many that they could hide the words.
MANY_BLANKS = re.compile(r"[^\S\v\f\x1c-\x1f\x85]{64,}")


class Beginning(NamedTuple):
    """What must be looked at of a text.

    Args:
        text: The text's beginning, in which one blank may stand for many.
        gaps: Where such a blank ends in it, and how many characters further on all that follows
            stands in the whole text.
    """

    text: str
    gaps: tuple[tuple[int, int], ...] = ()

    def place(self, position: int) -> int:
        """Return the place in the whole text of a place in the beginning, 0 to its length."""
        passed = bisect.bisect_right(self.gaps, position, key=lambda gap: gap[0])
        return position + (self.gaps[passed - 1][1] if passed else 0)


def beginning_of(text: str, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Beginning:
    """Leave out what cannot change the first tokens of a text.

    Args:
        text: Any text.
        tokenizer: The encoder's tokenizer.
        max_length: Longest input, in tokens.

    Returns:
        The text's beginning; its first ``max_length`` tokens are those of the whole text. Of a text
        that does not fill the model for long (one endless word) no more than 1,024 characters a
        token are looked at, many blanks in a row counted as one.
    """
    size = CHARACTERS_PER_TOKEN * max_length
    if len(text) <= size or not tokenizer.is_fast or tokenizer.truncation_side != "right":
        return Beginning(text)
    if _fills(text[:size], tokenizer, max_length):
        return Beginning(text[:size])
    most = MOST_CHARACTERS_PER_TOKEN * max_length
    beginning = _without_many_blanks(text, tokenizer, most)
    while (size := size * 8) < len(beginning.text):
        if _fills(beginning.text[:size], tokenizer, max_length):
            return beginning._replace(text=beginning.text[:size])
    return beginning


def _fills(text: str, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> bool:
    """Say whether nothing that follows a text can change its first tokens."""
    encoding = tokenizer(text, truncation=True, max_length=max_length).encodings[0]
    # Two whole words further on, it cannot.
    return _last_word(encoding.overflowing) >= _last_word([encoding]) + 2


def _without_many_blanks(text: str, tokenizer: "PreTrainedTokenizerBase", most: int) -> Beginning:
    """Cut a text after so many characters, and count many blanks as one where that is no change."""
    reads_as_one = functools.cache(functools.partial(_reads_as_one, tokenizer))
    pieces, gaps, kept, position = [], [], 0, 0
    for run in MANY_BLANKS.finditer(text):
        start, end = run.span()
        if kept + start - position >= most:
            break
        if reads_as_one(run[0][0], "".join(sorted(set(run[0])))):
            pieces.append(text[position : start + 1])
            kept += len(pieces[-1])
            position = end
            gaps.append((kept, end - kept))
    pieces.append(text[position : position + most - kept])
    return Beginning("".join(pieces), tuple(gaps))


def _reads_as_one(tokenizer: "PreTrainedTokenizerBase", first: str, kinds: str) -> bool:
    """Say whether a tokenizer makes no difference between blanks of some kinds and the first."""
    some = "".join(2 * blank for blank in kinds)
    many, one = (f"{blanks}a{blanks}b{blanks}" for blanks in (some, first))
    return tokenizer(many)["input_ids"] == tokenizer(one)["input_ids"]


def _last_word(parts: "Sequence[Encoding]") -> int:
    """Return the number of the last word that tokens belong to; [CLS] and [SEP] have none."""
    return max((word for part in parts for word in part.word_ids if word is not None), default=0)
