"""Words taken out of a text by their place, the rest left as it stood."""

import string
import unicodedata
from collections.abc import Iterable

Span = tuple[int, int]


def cut_out(text: str, spans: Iterable[Span]) -> str:
    """Take pieces out of a text, and leave the rest as it stood.

    Only the blanks beside a piece change: of two gaps one stays, none stays at the ends of the text
    or before a full stop, and where two words would grow together a space comes between them.

    Args:
        text: Any text.
        spans: Start and end of each piece, in characters.

    Returns:
        What is left.
    """
    for start, end in sorted(set(spans), reverse=True):  # so that the places before still hold
        text = _cut_one(text, start, end)
    return text


def _cut_one(text: str, start: int, end: int) -> str:
    before, after = text[:start].rstrip(), text[end:].lstrip()
    left, right = text[len(before) : start], text[end : len(text) - len(after)]
    if not before or not after:
        gap = ""
    elif left and right:
        gap = right if "\n" in right and "\n" not in left else left
    elif left:
        gap = "" if _closes(after[0]) else left
    elif right:
        gap = "" if _opens(before[-1]) else right
    else:
        gap = " " if _grow_together(before[-1], after[0]) else ""
    return before + gap + after


def _closes(character: str) -> bool:
    """Say whether a character belongs to the word before it."""
    return character in ".,;:!?…%" or unicodedata.category(character) in ("Pe", "Pf")


def _opens(character: str) -> bool:
    """Say whether a character belongs to the word after it."""
    return unicodedata.category(character) in ("Ps", "Pi")


def _grow_together(one: str, other: str) -> bool:
    """Say whether two neighbours would be read as one word that did not stand there."""
    return not any(map(_stands_alone, (one, other)))


def _stands_alone(character: str) -> bool:
    is_chinese = unicodedata.name(character, "").startswith("CJK UNIFIED")
    is_sign = character in string.punctuation or unicodedata.category(character).startswith("P")
    return is_chinese or is_sign
