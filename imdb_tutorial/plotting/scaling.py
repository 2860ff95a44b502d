"""What a long run's time is made of, and what becomes of it on more machines."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from imdb_tutorial.plotting.style import BLACK, DARK, GREY, LIGHT, MIDDLE, PALE, style_of, styled

# From what counts to what does not; the hatches tell them apart in grey.
PARTS = ((DARK, ""), (MIDDLE, "///"), (PALE, ""), ("white", "..."), (LIGHT, "xx"))


@styled
def plot_parts(parts: Mapping[str, float], xlabel: str, template: str = "{:,.2f}") -> Figure:
    """Draw what a whole is made of, as one bar of several parts.

    Args:
        parts: Up to five numbers by name, drawn from left to right.
        xlabel: What they measure, with the unit.
        template: How a number is written, in the legend.

    Returns:
        The figure; the legend has each part with its number, and its share of the whole.

    Raises:
        ValueError: More than five parts.
    """
    if len(parts) > len(PARTS):
        raise ValueError(f"{len(parts)} parts: expected {len(PARTS)} at most; put some together")
    figure, axes = plt.subplots(figsize=(8, 1.9))
    whole, left = sum(parts.values()), 0.0
    for (name, width), (colour, hatch) in zip(parts.items(), PARTS, strict=False):
        label = f"{name}: {template.format(width)} ({width / whole:.0%})"
        axes.barh(
            [0], [width], left=left, color=colour, hatch=hatch, edgecolor=GREY, linewidth=0.6,
            label=label,
        )  # fmt: skip
        left += width
    axes.set(xlabel=xlabel, yticks=[], ylim=(-0.55, 0.55), xlim=(0, whole))
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def plot_scaling(
    curves: Mapping[str, Sequence[Sequence[float]]],
    xlabel: str,
    ylabel: str,
    levels: Mapping[str, float] | None = None,
) -> Figure:
    """Draw curves on two logarithmic axes, where half of the time is one distance everywhere.

    Args:
        curves: By name ``(x, y)``, each a list of numbers above zero.
        xlabel: What goes from left to right.
        ylabel: What goes upwards, with the unit.
        levels: Values to compare with by name, drawn as lines across.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(8, 3.8))
    for number, (name, (x, y)) in enumerate(curves.items()):
        axes.plot(x, y, markersize=4, label=name, **style_of(name, number))
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter(NullFormatter())
    right = axes.get_xlim()[1]
    for name, level in (levels or {}).items():
        axes.axhline(level, color=BLACK, linewidth=0.8, linestyle=(0, (1, 3)), zorder=1)
        axes.text(right, level, f" {name}", va="center", color=GREY)
    axes.set_xlim(right=right)
    figure.legend(loc="outside lower center", ncols=2)
    return figure
