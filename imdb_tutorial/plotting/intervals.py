"""How sure a number is: dots with their intervals, and reliability."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from imdb_tutorial.plotting.style import BLACK, GREY, PALE, style_of, styled

if TYPE_CHECKING:
    import pandas as pd


@styled
def plot_intervals(
    groups: Mapping[str, Mapping[str, tuple]], xlabel: str, level: tuple[str, float] | None = None
) -> Figure:
    """Draw values as dots and their intervals as lines, one row a name.

    Groups that share a row lie side by side in it.

    Args:
        groups: By group's name, by row's name: a tuple that starts with value, low and high, such
            as ``Interval`` or ``Spread``; 0 to 1.
        xlabel: What the values are; they are drawn times 100.
        level: A name and a value, drawn as a line from top to bottom.

    Returns:
        The figure.
    """
    rows = list(dict.fromkeys(name for group in groups.values() for name in group))[::-1]
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.42 * len(rows)))
    if level:
        axes.axvline(100 * level[1], color=BLACK, linewidth=1, label=level[0])
    sharing = {name: [g for g in groups if name in groups[g]] for name in rows}
    for number, (group, values) in enumerate(groups.items()):
        y = [
            rows.index(name) + 0.24 * ((len(sharing[name]) - 1) / 2 - sharing[name].index(group))
            for name in values
        ]
        value, low, high = (100 * np.array([v[n] for v in values.values()]) for n in range(3))
        style = style_of(group, number)
        axes.errorbar(
            value, y, xerr=(value - low, high - value),
            color=style["color"], marker=style["marker"], markersize=8, linestyle="none", capsize=3,
            label=group,
        )  # fmt: skip
    axes.set(xlabel=xlabel, yticks=range(len(rows)), yticklabels=rows)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    if level or any(len(sharers) > 1 for sharers in sharing.values()):
        figure.legend(loc="outside lower center", ncols=3)
    return figure


@styled
def plot_reliability(tables: "Mapping[str, pd.DataFrame]") -> Figure:
    """Draw how often a model is right against how sure it is, one picture a model.

    Args:
        tables: By name of the model, or of the reviews, what ``reliability`` returns.

    Returns:
        The figure: on the pale diagonal, a model is right as often as it thinks. Below it, it is
        too sure; above it, too modest. The larger a dot, the more reviews; lines are intervals.
    """
    figure, panels = plt.subplots(
        1, len(tables), figsize=(3 * len(tables), 3.3), sharey=True, squeeze=False
    )
    for (name, table), axes in zip(tables.items(), panels[0], strict=True):
        style = style_of(name)
        axes.plot([0.5, 1], [0.5, 1], color=PALE, linewidth=3, zorder=1)
        axes.errorbar(
            table.confidence, table.accuracy,
            yerr=(table.accuracy - table.low, table.high - table.accuracy),
            color=style["color"], linestyle="none", linewidth=1, zorder=2,
        )  # fmt: skip
        share = table["count"] / table["count"].sum()
        axes.scatter(
            table.confidence, table.accuracy, s=40 + 300 * share, zorder=3,
            color=style["color"], marker=style["marker"],
        )  # fmt: skip
        axes.set(title=name, xlabel="confidence", xlim=(0.48, 1.02))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    words = {"transform": panels[0, 0].transAxes, "color": GREY, "fontsize": 9}
    panels[0, 0].text(0.03, 0.97, "too modest", va="top", **words)
    panels[0, 0].text(0.97, 0.03, "too sure", ha="right", **words)
    panels[0, 0].set_ylabel("share that is right")
    panels[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    return figure
