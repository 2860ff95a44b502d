"""A text with the words that pushed a classifier marked."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from imdb_tutorial.plotting.style import DARK, MIDDLE, styled


@styled
def plot_words(words: Sequence[str], scores: Sequence[float], title: str = "") -> Figure:
    """Draw a text with the words that pushed a classifier marked, as a static picture.

    Args:
        words: The words, in their order.
        scores: How far each pushed, in logits: above 0 towards POSITIVE.
        title: The verdict, for example.

    Returns:
        The figure. Towards POSITIVE is blue with a line above the word, towards NEGATIVE is orange
        with a line under it; the stronger, the darker.
    """
    figure = plt.figure(figsize=(9, 4), layout="none")
    figure.add_axes((0, 0, 1, 1)).axis("off")  # a notebook shows no figure without axes
    strongest = max(map(abs, scores), default=0) or 1
    left, right, step = 0.02 * 900, 0.98 * 900, 30
    x, y = left, 60
    for word, score in zip(words, scores, strict=True):
        colour, share = (DARK if score > 0 else MIDDLE), abs(score) / strongest
        # A dollar sign would start mathematics.
        drawn = figure.text(0, 0, word.replace("$", r"\$"), fontsize=11)
        box = drawn.get_window_extent()
        if x + box.width > right and x > left:
            x, y = left, y + step
        drawn.set_position((x, -y))
        drawn.set_bbox({"facecolor": colour, "alpha": 0.75 * share, "edgecolor": "none", "pad": 2})
        drawn.set_color("white" if score > 0 and share > 0.6 else "black")
        if share > 0.15:
            rule = -y + (14 if score > 0 else -5)
            figure.add_artist(
                mpl.lines.Line2D((x, x + box.width), (rule, rule), color=colour, linewidth=2)
            )
        x += box.width + 8
    height = y + 15
    figure.set_size_inches(9, height / 100)
    for artist in (*figure.texts, *figure.artists):
        artist.set_transform(
            mpl.transforms.Affine2D().translate(0, height).scale(1 / 900, 1 / height)
            + figure.transFigure
        )
    figure.text(0.02, 1 - 8 / height, title, va="top", fontsize=11, fontweight="bold")
    return figure
