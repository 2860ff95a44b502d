"""One style and one set of colours for every figure; both also read in grey.

A colour means one thing in all figures: dark is what the lesson is about, orange what it is
compared with (and the label NEGATIVE), pale what lies behind or counts for little.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

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

Given = ParamSpec("Given")


def styled(draw: Callable[Given, Figure]) -> Callable[Given, Figure]:
    """Draw in the project's style and close the figure, so that a notebook shows it only once."""

    @functools.wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            figure.canvas.draw()
        plt.close(figure)
        return figure

    return drawn
