"""A text with the words that pushed a classifier marked, as the explorer marks them."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from imdb_tutorial.plotting.style import BLACK, GREY, styled
from imdb_tutorial.plotting.word_marks import (
    COLOURS,
    LINES,
    SIGNS,
    Mark,
    mark_words,
    strongest_push,
)

WIDTH, ROW, MARGIN, GAP = 900, 34, 18, 9  # pixels at 100 dots an inch
MEANING = "    ".join(
    f"{LINES[is_positive]} line, {SIGNS[is_positive]}: towards {label}"
    for label, is_positive in (("POSITIVE", True), ("NEGATIVE", False))
)


@styled
def plot_words(words: Sequence[str], pushes: Sequence[float], title: str = "") -> Figure:
    """Draw a text with the words that pushed a classifier marked, as a static picture.

    Args:
        words: The words, in their order.
        pushes: How far each pushed, in logits: above 0 towards POSITIVE.
        title: The verdict, for example.

    Returns:
        The figure, marked as in the explorer: towards POSITIVE blue with a solid line under the
        word, towards NEGATIVE orange with a dotted one; strong words also have small signs.
    """
    figure = plt.figure(figsize=(9, 4), layout="none")
    figure.add_axes((0, 0, 1, 1)).axis("off")  # a notebook shows no figure without axes
    x, y = float(MARGIN), 64
    for word, mark in zip(words, mark_words(pushes), strict=True):
        # A dollar sign would start mathematics.
        drawn = figure.text(0, 0, word.replace("$", r"\$"), fontsize=12, color="black")
        box = drawn.get_window_extent()
        if x + box.width > WIDTH - MARGIN and x > MARGIN:
            x, y = MARGIN, y + ROW
        drawn.set_position((x, -y))
        if mark.level:
            _draw_mark(figure, (x, -y), box.width, mark)
        signs = figure.text(x + box.width + 1, 8 - y, mark.signs, fontsize=9)
        x += box.width + (signs.get_window_extent().width if mark.signs else 0) + GAP
    y += ROW
    if words:
        meaning = f"{MEANING}    strongest word: {strongest_push(pushes):.1f} logits"
        figure.text(MARGIN, -y, meaning, fontsize=9, color=GREY)
    height = y + 12
    figure.set_size_inches(WIDTH / 100, height / 100)
    for artist in (*figure.texts, *figure.artists):
        artist.set_transform(
            mpl.transforms.Affine2D().translate(0, height).scale(1 / WIDTH, 1 / height)
            + figure.transFigure
        )
    figure.text(
        MARGIN / WIDTH,
        1 - 10 / height,
        title,
        va="top",
        fontsize=12,
        fontweight="bold",
        color=BLACK,
    )
    return figure


def _draw_mark(figure: Figure, corner: tuple[float, float], width: float, mark: Mark) -> None:
    """Tint a word's background and draw its line."""
    x, y = corner
    red, green, blue = (part / 255 for part in COLOURS[mark.is_positive])
    colour = (red, green, blue)
    tint = mpl.patches.Rectangle(
        (x - 2, y - 5), width + 4, 22, facecolor=colour, alpha=mark.opacity, edgecolor="none"
    )
    line = mpl.lines.Line2D(
        (x - 2, x + width + 2), (y - 6, y - 6), color=colour, linestyle=mark.line,
        linewidth=mark.line_width,
    )  # fmt: skip
    figure.add_artist(tint)
    figure.add_artist(line)
