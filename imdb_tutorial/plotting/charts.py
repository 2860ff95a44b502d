"""Numbers as bars, histograms and curves."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from imdb_tutorial.plotting.style import BLACK, DARK, style_of, styled


@styled
def plot_bars(
    values: Mapping[str, float], xlabel: str, template: str = "{:,.1f}", log: bool = False
) -> Figure:
    """Draw a few named numbers as bars with their values written beside them.

    Args:
        values: Numbers by name, drawn from top to bottom.
        xlabel: What they measure, with the unit.
        template: How a value is written.
        log: Use a logarithmic axis, where equal distances are equal factors.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.45 * len(values)))
    names = list(values)[::-1]
    bars = axes.barh(names, [values[name] for name in names], color=DARK, height=0.6)
    axes.bar_label(bars, [template.format(values[name]) for name in names], padding=4)
    axes.set_xlabel(xlabel)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.15)
    if log:
        axes.set(xscale="log", xlim=(1, 2 * max(values.values())))
        axes.xaxis.set_major_formatter("{x:,.0f}")
    return figure


@styled
def plot_lengths(
    lengths: Mapping[str, Sequence[int]], unit: str, cut: int | None = None, widest: int = 1_500
) -> Figure:
    """Draw how long the reviews are.

    Args:
        lengths: Lengths by group.
        unit: What they are counted in, for example ``"words"``.
        cut: Where longer reviews are cut, drawn as a line.
        widest: Right end of the axis; longer reviews are counted in the last bar.

    Returns:
        The figure: one outlined histogram a group.
    """
    figure, axes = plt.subplots(figsize=(8, 3.2))
    bins = np.linspace(0, widest, 51).tolist()
    for number, (name, values) in enumerate(lengths.items()):
        axes.hist(
            np.clip(values, 0, widest),
            bins=bins,
            histtype="step",
            linewidth=1.6,
            color=style_of(name, number)["color"],
            linestyle=style_of(name, number)["linestyle"],
            label=f"{name} (median {np.median(values):,.0f})",
        )
    if cut:
        axes.axvline(cut, color=BLACK, linestyle=":", label=f"truncated at {cut}")
    axes.set(xlabel=f"length ({unit}; longer ones are in the last bar)", ylabel="reviews")
    axes.legend()
    return figure


@styled
def plot_curves(
    curves: Mapping[str, Sequence[Sequence[float]]],
    xlabel: str,
    ylabel: str,
    level: tuple[str, float] | None = None,
    log: bool = False,
    percent: bool = False,
) -> Figure:
    """Draw curves, each with a band where it has a lower and an upper end.

    Args:
        curves: By name ``(x, y)`` or ``(x, y, low, high)``, each a list of numbers.
        xlabel: What goes from left to right, with the unit.
        ylabel: What goes upwards, with the unit.
        level: A name and a value, drawn as a line across.
        log: Use a logarithmic axis from left to right.
        percent: Write the upward axis in percent.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(8, 3.6))
    for number, (name, (x, y, *band)) in enumerate(curves.items()):
        style = style_of(name, number)
        axes.plot(x, y, markersize=4 if len(x) <= 40 else 0, label=name, **style)
        if band:
            low, high = band
            axes.fill_between(x, low, high, color=style["color"], alpha=0.18, linewidth=0)
    if level:
        axes.axhline(level[1], color=BLACK, linewidth=1, label=level[0])
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(loc="outside lower center", ncols=2)
    return figure
