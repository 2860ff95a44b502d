"""One style and one set of colours for every figure; both also read in grey.

A colour, a mark and a dash mean one thing in the whole series: ``STYLE_OF`` names them. Where a
figure shows something else, dark is what the lesson is about, pale what lies behind.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "font.size": 10,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}
DARK, MIDDLE, PALE = "#123f6d", "#d9822b", "#a9b4bf"
BLACK, GREY, LIGHT = "0.2", "0.35", "0.6"
# One after the other, for as many things as stand side by side; in grey the dashes tell them apart.
LINES: tuple[dict[str, Any], ...] = (
    {"color": DARK, "linestyle": "-", "marker": "o"},
    {"color": MIDDLE, "linestyle": "--", "marker": "s"},
    {"color": GREY, "linestyle": ":", "marker": "^"},
    {"color": LIGHT, "linestyle": "-.", "marker": "D"},
)

# One meaning, one colour, one mark: the pools, the two verdicts, the models.
STYLE_OF: dict[str, dict[str, Any]] = {
    "train": {"color": "#2e7d32", "linestyle": "-", "marker": "o"},
    "validation": {"color": "#8e44ad", "linestyle": "--", "marker": "s"},
    "test": {"color": "#b0123f", "linestyle": "-.", "marker": "^"},
    "NEGATIVE": {"color": MIDDLE, "linestyle": ":", "marker": "v"},
    "POSITIVE": {"color": DARK, "linestyle": "-", "marker": "o"},
    "majority": {"color": "#9e8f7a", "linestyle": ":", "marker": "x"},
    "TF-IDF": {"color": "#b8860b", "linestyle": "--", "marker": "D"},
    "NB words": {"color": "#6b4f00", "linestyle": "-", "marker": "s"},
    "random BERT": {"color": "#9fb8c4", "linestyle": ":", "marker": "X"},
    "frozen MiniLM": {"color": "#1b6d93", "linestyle": "-", "marker": "o"},
    "frozen mpnet": {"color": "#0b3a5b", "linestyle": "-.", "marker": "^"},
    "classic probe": {"color": "#4aa3c7", "linestyle": ":", "marker": "v"},
    "mended probe": {"color": "#1b6d93", "linestyle": "-", "marker": "o"},
    "fine-tuned": {"color": "#c2478c", "linestyle": "-.", "marker": "P"},
    "packaged": {"color": "#000000", "linestyle": "-", "marker": "*"},
    "base": {"color": "#5d4a9c", "linestyle": "--", "marker": "H"},
}


def style_of(name: str, number: int = 0) -> dict[str, Any]:
    """Return how a curve is drawn: by what its name means, else the next style in turn.

    Args:
        name: Of the curve. What follows a comma is a detail: ``"fine-tuned, seed 1"``.
        number: Of the curve among those without a meaning of their own.

    Returns:
        Colour, line style and marker, as matplotlib takes them.
    """
    return STYLE_OF.get(name.partition(",")[0].strip()) or LINES[number % len(LINES)]


Given = ParamSpec("Given")


@functools.cache
def _draw_sharply() -> None:
    """Give figures in a notebook twice the pixels, for screens that have them."""
    if get_ipython() is not None:
        set_matplotlib_formats("retina")


def styled(draw: Callable[Given, Figure]) -> Callable[Given, Figure]:
    """Draw in the project's style and close the figure, so that a notebook shows it only once."""

    @functools.wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Figure:
        _draw_sharply()
        with mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            figure.canvas.draw()
        plt.close(figure)
        return figure

    return drawn
