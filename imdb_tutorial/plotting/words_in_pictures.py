"""Words of deep learning as pictures: tensor, parameter and loss, gradient, backward, attention.

Orange is the error, and the gradients that come from it.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imdb_tutorial.plotting.style import BLACK, DARK, GREY, LIGHT, MIDDLE, styled

if TYPE_CHECKING:
    import torch

BOX: dict[str, Any] = {"facecolor": "white", "edgecolor": DARK, "linewidth": 1.5}


@styled
def plot_tensors(tensors: "Mapping[str, torch.Tensor]") -> Figure:
    """Draw small tensors as the numbers in them, with the shape under each.

    Args:
        tensors: By name, with up to three dimensions; of three, the tables lie behind each other,
            and the numbers of the first one are drawn.

    Returns:
        The figure, the tensors from left to right.

    Raises:
        ValueError: A tensor of more than three dimensions.
    """
    figure, axes = plt.subplots(figsize=(9, 2.6))
    left, highest = 0.0, 1
    for name, tensor in tensors.items():
        if tensor.ndim > 3:
            raise ValueError(f"{name!r} has {tensor.ndim} dimensions: expected at most 3")
        stack = tensor.detach().float().numpy()
        stack = stack.reshape((1,) * (3 - stack.ndim) + stack.shape)
        depth, rows, columns = stack.shape
        back = 0.3 * (depth - 1)
        for layer in reversed(range(depth)):
            _draw_table(axes, stack[layer], left + 0.3 * layer, -0.3 * layer, in_front=layer == 0)
        width = max(columns + back, 0.13 * max(len(name), 14))
        middle = left + (columns + back) / 2
        axes.text(middle, 0.35, name, ha="center", va="bottom", fontweight="bold")
        shape = f"shape {list(tensor.shape)}"
        axes.text(middle, -rows - back - 0.25, shape, ha="center", va="top", color=GREY)
        left += width + 1.2
        highest = max(highest, rows + back)
    axes.set(xlim=(-0.8, left - 0.4), ylim=(-highest - 0.9, 1.0), aspect="equal")
    axes.axis("off")
    return figure


def _draw_table(axes: Axes, numbers: np.ndarray, left: float, top: float, in_front: bool) -> None:
    for row, column in np.ndindex(*numbers.shape):
        x, y = left + column, top - row - 1
        axes.add_patch(mpl.patches.Rectangle((x, y), 1, 1, **BOX))
        if in_front:
            axes.text(x + 0.5, y + 0.5, f"{numbers[row, column]:g}", ha="center", va="center")


@styled
def plot_errors(
    x: Sequence[float], y: Sequence[float], weight: float, xlabel: str, ylabel: str
) -> Figure:
    """Draw a model with one parameter, ``weight * x``, and how far each prediction is off.

    Args:
        x: What the model is given.
        y: What is right.
        weight: The parameter.
        xlabel: What x is, with the unit.
        ylabel: What y is, with the unit.

    Returns:
        The figure: the model is a line, what is right are dots, each error is a dashed line.
    """
    given, wanted = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    figure, axes = plt.subplots(figsize=(6.5, 3.4))
    ends = np.array([0, 1.1 * given.max()])
    axes.plot(ends, weight * ends, color=DARK, linewidth=2, label=f"model: {weight:g} · x")
    axes.vlines(
        given, weight * given, wanted, color=MIDDLE, linestyle="--", linewidth=2, label="error"
    )
    axes.plot(given, wanted, color=BLACK, marker="o", linestyle="none", label="what is right")
    loss = float(np.mean((weight * given - wanted) ** 2))
    axes.set(xlabel=xlabel, ylabel=ylabel, title=f"loss {loss:.2f}", xlim=ends, ylim=(0, None))
    axes.legend(loc="upper left")
    return figure


@styled
def plot_descent(
    loss_of: Callable[[float], float], path: Sequence[float], low: float, high: float
) -> Figure:
    """Draw the loss of a one-parameter model, and the steps of its parameter down the curve.

    Args:
        loss_of: Gives the loss of a parameter.
        path: The parameter's values, one after the other; the slope is drawn at the last one.
        low: Left end of the axis, moved where the path goes beyond it.
        high: Right end of the axis, moved in the same way.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(6.5, 3.4))
    low, high = min(low, *path), max(high, *path)
    weights = np.linspace(low, high, 200)
    losses = np.array([loss_of(weight) for weight in weights])
    axes.plot(weights, losses, color=DARK, linewidth=2, label="loss")
    points = [(weight, loss_of(weight)) for weight in path]
    for start, end in itertools.pairwise(points):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": BLACK})
    axes.plot(*zip(*points, strict=True), "o", color=BLACK, label="the parameter, step by step")
    here, small = path[-1], (high - low) * 1e-4
    slope = (loss_of(here + small) - loss_of(here - small)) / (2 * small)
    reach = (high - low) / 8
    ends = np.array([here - reach, here + reach])
    line = loss_of(here) + slope * (ends - here)
    axes.plot(ends, line, color=MIDDLE, linestyle="--", linewidth=2, label=f"slope {slope:.1f}")
    axes.set(xlabel="parameter", ylabel="loss", xlim=(low, high), ylim=(0, 1.1 * losses.max()))
    axes.legend(loc="upper right")
    return figure


@styled
def plot_backward(x: float, y: float, weight: float) -> Figure:
    """Draw one prediction as a chain: the numbers forward, and the gradients on the way back.

    Args:
        x: What the model is given.
        y: What is right.
        weight: The parameter.

    Returns:
        The figure: weight, prediction, error, loss, from left to right. Above the arrows stands
        what is done, under them by what the gradient is multiplied on its way back.
    """
    prediction, error = weight * x, weight * x - y
    chain = (
        ("parameter", weight, 2 * error * x),
        ("prediction", prediction, 2 * error),
        ("error", error, 2 * error),
        ("loss", error**2, 1.0),
    )
    steps = (
        (f"times {x:g}", f"times {x:g}"),
        (f"minus {y:g}", "times 1"),
        ("squared", f"times {2 * error:g}"),
    )
    figure, axes = plt.subplots(figsize=(9, 2.4))
    for number, (name, value, gradient) in enumerate(chain):
        place = 2.2 * number
        box = mpl.patches.FancyBboxPatch((place, 0), 1, 1, boxstyle="round,pad=0.1", **BOX)
        axes.add_patch(box)
        middle = place + 0.5
        axes.text(middle, 1.25, name, ha="center", va="bottom", fontweight="bold")
        axes.text(middle, 0.72, f"{value:g}", ha="center", va="center", color=DARK, fontsize=12)
        axes.text(middle, 0.25, f"gradient {gradient:g}", ha="center", va="center", color=MIDDLE)
    for number, (there, back) in enumerate(steps):
        start, end = 2.2 * number + 1.15, 2.2 * number + 2.05
        for y_place, places, text, colour, side in (
            (0.72, (start, end), there, DARK, "bottom"),
            (0.25, (end, start), back, MIDDLE, "top"),
        ):
            arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.5}
            axes.annotate("", (places[1], y_place), (places[0], y_place), arrowprops=arrow)
            shift = 0.05 if side == "bottom" else -0.05
            axes.text((start + end) / 2, y_place + shift, text, ha="center", va=side, color=colour)
    axes.text(-0.3, 0.72, "forward", ha="right", va="center", color=DARK)
    axes.text(-0.3, 0.25, "backward", ha="right", va="center", color=MIDDLE)
    axes.set(xlim=(-1.4, 7.9), ylim=(-0.3, 1.7))
    axes.axis("off")
    return figure


@styled
def plot_attention(words: Sequence[str], shares: Sequence[float], of: int) -> Figure:
    """Draw how a word divides its attention: one line to each word, the thicker, the more.

    Args:
        words: The words, from left to right.
        shares: How much of its attention each of them gets; together 1.
        of: Which word looks, as a row number.

    Returns:
        The figure: the word that looks stands above, all words below it with their shares.
    """
    figure, axes = plt.subplots(figsize=(9, 2.5))
    values = [float(share) for share in shares]
    strongest = max(values)
    for place, (word, share) in enumerate(zip(words, values, strict=True)):
        axes.plot(
            (of, place), (0.82, 0.2), color=DARK, linewidth=9 * share / strongest + 0.3,
            alpha=0.25 + 0.75 * share / strongest, solid_capstyle="round",
        )  # fmt: skip
        axes.text(place, 0.1, word, ha="center", va="center", fontsize=11)
        axes.text(place, -0.08, f"{share:.0%}", ha="center", va="center", color=GREY)
    axes.text(of, 0.93, words[of], ha="center", va="center", fontsize=11, bbox=BOX)
    axes.set(xlim=(-0.6, len(words) - 0.4), ylim=(-0.18, 1.1))
    axes.axis("off")
    return figure


@styled
def plot_gap(before: str, after: str, counts: Mapping[str, int], ylabel: str = "") -> Figure:
    """Draw a sentence with a gap, and how often each word filled it.

    Args:
        before: The words before the gap.
        after: The words after it.
        counts: How often, by word, drawn from top to bottom.
        ylabel: What the words are.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(7, 1.1 + 0.36 * len(counts)))
    names = list(counts)[::-1]
    bars = axes.barh(names, [counts[name] for name in names], color=DARK, height=0.65)
    axes.bar_label(bars, padding=4)
    axes.set_title(f"… {before} [    ?    ] {after}".rstrip() + " …", fontsize=12)
    axes.set(xlabel="how often", ylabel=ylabel)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    return figure


@styled
def plot_who_learns(ways: Mapping[str, Mapping[str, bool]]) -> Figure:
    """Draw models as stacks of parts, and which of their parts learn.

    Args:
        ways: By the way's name, by the part's name, from the lowest part to the uppermost: whether
            it learns.

    Returns:
        The figure: one stack a way. A part that learns is dark; a frozen one is pale, its edge
        is dashed.
    """
    figure, axes = plt.subplots(figsize=(9, 2.7))
    for number, (way, parts) in enumerate(ways.items()):
        middle = 2.6 * number
        for height, (part, learns) in enumerate(parts.items()):
            axes.add_patch(
                mpl.patches.FancyBboxPatch(
                    (middle - 1, height + 0.1), 2, 0.7, boxstyle="round,pad=0.05",
                    facecolor=DARK if learns else "white", edgecolor=DARK if learns else LIGHT,
                    linestyle="-" if learns else "--", linewidth=1.5,
                )
            )  # fmt: skip
            text = f"{part}\n{'learns' if learns else 'frozen'}"
            colour = "white" if learns else BLACK
            axes.text(middle, height + 0.45, text, ha="center", va="center", color=colour)
        axes.text(middle, -0.25, way, ha="center", va="top", fontweight="bold")
    tallest = max(map(len, ways.values()))
    axes.set(xlim=(-1.3, 2.6 * len(ways) - 1.3), ylim=(-0.8, tallest + 0.1))
    axes.axis("off")
    return figure
