"""How a word is marked by how far it pushed a verdict: one code for widget, page and picture."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

Line = Literal["solid", "dotted"]

# Red and green would look alike to many readers; blue and orange do not.
COLOURS = {True: (38, 115, 214), False: (214, 106, 0)}
LINES: dict[bool, Line] = {True: "solid", False: "dotted"}
SIGNS = {True: "+", False: "−"}
# From these shares of the strongest push on, a word gets one mark, two, or three.
LEVELS = (0.1, 0.33, 0.66)
TINT = 0.17


@dataclasses.dataclass(frozen=True)
class Mark:
    """How one word is drawn, in HTML and in a figure alike.

    Args:
        level: How strongly, 0 (not at all) to 3.
        is_positive: Whether the word pushed towards POSITIVE.
    """

    level: int
    is_positive: bool

    @property
    def opacity(self) -> float:
        """How much of the colour lies behind the word, 0 to 1."""
        return TINT * self.level

    @property
    def line(self) -> Line:
        """The style of the line under the word, as CSS and matplotlib both call it."""
        return LINES[self.is_positive]

    @property
    def line_width(self) -> int:
        """The width of that line: in pixels on a page, in points in a figure."""
        return self.level

    @property
    def signs(self) -> str:
        """Small signs after a strong word, for whoever sees neither colour nor line."""
        return SIGNS[self.is_positive] * (self.level - 1)


def mark_words(pushes: Sequence[float]) -> list[Mark]:
    """Say how each word of a text is marked.

    Args:
        pushes: How far each word pushed, in logits: above 0 towards POSITIVE.

    Returns:
        One mark a word; a word below a tenth of the strongest has level 0.
    """
    strongest = strongest_push(pushes)
    shares = (abs(push) / strongest if strongest else 0.0 for push in pushes)
    levels = (sum(share >= bound for bound in LEVELS) for share in shares)
    return [Mark(level, push > 0) for level, push in zip(levels, pushes, strict=True)]


def strongest_push(pushes: Sequence[float]) -> float:
    """Return the size of a text's strongest push, in logits; 0 where there is no word."""
    return max(map(abs, pushes), default=0.0)
