"""What a model reaches, beside what its answers cost."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from imdb_tutorial.plotting.style import style_of, styled


@styled
def plot_costs(points: Mapping[str, tuple[float, float]], xlabel: str, ylabel: str) -> Figure:
    """Draw models by what they cost, on a logarithmic axis, and by their accuracy.

    Args:
        points: By name the cost, above 0, and the accuracy, 0 to 1.
        xlabel: What the cost is, with the unit.
        ylabel: What the accuracy is.

    Returns:
        The figure.

    Raises:
        ValueError: A cost is not above 0: a logarithmic axis has no place for it.
    """
    for name, (cost, _) in points.items():
        if not cost > 0:
            raise ValueError(
                f"{name!r} costs {cost}: a logarithmic axis needs costs above 0, leave it out"
            )
    figure, axes = plt.subplots(figsize=(8, 4))
    for number, (name, (cost, accuracy)) in enumerate(points.items()):
        style = style_of(name, number)
        axes.plot(
            cost, accuracy,
            color=style["color"], marker=style["marker"], markersize=9, linestyle="none",
            label=name,
        )  # fmt: skip
    axes.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(loc="outside lower center", ncols=3)
    return figure
