"""What a classifier does, and how good it is, as stairs, curves and strips."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from imdb_tutorial.plotting.style import BLACK, DARK, GREY, PALE, style_of, styled

if TYPE_CHECKING:
    import pandas as pd


@styled
def plot_ladder(ladder: "pd.DataFrame", notes: Mapping[str, str]) -> Figure:
    """Draw the models of the study as the rungs of a ladder, the best one at the right-hand top.

    Args:
        ladder: The study's table of that name, with the columns ``model`` and ``test_accuracy``;
            of a model with several rows the mean is drawn.
        notes: A note by model, such as the lesson that builds it; models without one have none.

    Returns:
        The figure, the rungs sorted from the lowest to the highest.
    """
    figure, axes = plt.subplots(figsize=(9, 3.8))
    rungs = ladder.groupby("model").test_accuracy.mean().sort_values()
    for number, (name, height) in enumerate(rungs.items()):
        ends = (number - 0.4, number + 0.4)
        colour = style_of(str(name))["color"]
        axes.plot(ends, (height, height), color=colour, linewidth=6, solid_capstyle="round")
        axes.text(number, height + 0.015, f"{height:.0%}", ha="center", va="bottom")
        words = str(name).replace(" ", "\n", 1)  # on one line, neighbours would collide
        axes.text(number, 0.375, words, ha="center", va="bottom", fontweight="bold")
        axes.text(number, 0.365, notes.get(name, ""), ha="center", va="top", color=BLACK)
    axes.set(xlim=(-0.6, len(rungs) - 0.4), ylim=(0.27, 1), xticks=[])
    axes.set(ylabel="test reviews that are right", yticks=np.arange(0.5, 1.01, 0.1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_bounds(0.5, 1)
    return figure


@styled
def plot_softmax(texts: Mapping[str, float], reach: float = 8) -> Figure:
    """Draw what softmax makes of the difference of two logits, with some texts on the curve.

    Args:
        texts: By text the logit of POSITIVE less the logit of NEGATIVE.
        reach: How far the axis goes to both sides; texts beyond it stand at its end.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(8, 3.4))
    x = np.linspace(-reach, reach, 400)
    axes.plot(x, 1 / (1 + np.exp(-x)), color=DARK, linewidth=2)
    axes.axvline(0, color=GREY, linestyle=":", linewidth=1)
    axes.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
    places: list[float] = []
    for number, (text, difference) in enumerate(texts.items(), start=1):
        place = float(np.clip(difference, -reach, reach))
        height, name = 1 / (1 + np.exp(-place)), f"{number}: {text}"
        axes.plot(place, height, "o", color=BLACK, markersize=7, zorder=3, label=name)
        near = sum(abs(place - other) < reach / 25 for other in places)  # numbers would collide
        places.append(place)
        offset = (0, -15 - 15 * near) if height > 0.5 else (0, 10 + 15 * near)
        axes.annotate(str(number), (place, height), offset, textcoords="offset points", ha="center")
    axes.set(
        xlabel="logit of POSITIVE less logit of NEGATIVE", ylabel="probability of POSITIVE",
        xlim=(-1.05 * reach, 1.05 * reach), ylim=(-0.03, 1.05),
    )  # fmt: skip
    if texts:
        figure.legend(loc="outside lower left", handlelength=0, markerscale=0)
    return figure


@styled
def plot_truncation(lengths: Sequence[int], limit: int) -> Figure:
    """Draw which tokens of each text a model reads, and which it never sees.

    Args:
        lengths: Tokens of each text.
        limit: How many of them the model reads.

    Returns:
        The figure: one strip a text, the shortest at the top.
    """
    figure, axes = plt.subplots(figsize=(8, 3.4))
    ordered = np.sort(np.asarray(lengths))
    read, rows = np.minimum(ordered, limit), np.arange(1, len(ordered) + 1)
    axes.barh(rows, read, height=1, color=DARK, label="read")
    axes.barh(rows, ordered - read, left=read, height=1, color=PALE, label="never seen")
    axes.axvline(limit, color=BLACK, linestyle=":", label=f"limit: {limit:,} tokens")
    axes.set(xlabel="token", ylabel="review, the shortest first", ylim=(len(rows) + 0.5, 0.5))
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper right")
    return figure
