"""What happens to reviews, as pictures: steps, batches with their padding, files and pools."""

from collections.abc import Hashable, Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from imdb_tutorial.plotting.style import DARK, GREY, PALE, STYLE_OF, styled

POOLS = ("train", "validation", "test")


@styled
def plot_flow(steps: Mapping[str, str]) -> Figure:
    """Draw steps as boxes joined by arrows, each with a note under it.

    Args:
        steps: Notes by step, from left to right.

    Returns:
        The figure.
    """
    figure, axes = plt.subplots(figsize=(9, 1.5))
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": DARK, "linewidth": 1.5}
    for number, (step, note) in enumerate(steps.items()):
        axes.text(number, 0, step, ha="center", va="center", fontsize=10, bbox=box)
        axes.text(number, -0.75, note, ha="center", va="center", fontsize=9, color=GREY)
        if number:
            axes.annotate(
                "",
                xy=(number - 0.42, 0),
                xytext=(number - 0.58, 0),
                arrowprops={"arrowstyle": "->", "color": DARK, "linewidth": 1.5},
            )
    axes.set(xlim=(-0.6, len(steps) - 0.4), ylim=(-1.1, 0.7))
    axes.axis("off")
    return figure


@styled
def plot_padding(masks: Mapping[str, np.ndarray]) -> Figure:
    """Draw batches as pictures: dark where there is text, pale where there is padding.

    Args:
        masks: Attention masks ``[batch, tokens]`` by name.

    Returns:
        The figure: one picture a batch, with the share of text in its title.
    """
    widest = max(mask.shape[1] for mask in masks.values())
    figure, axes = plt.subplots(
        len(masks), 1, figsize=(8, 2.1 * len(masks)), sharex=True, squeeze=False
    )
    colours = mpl.colors.ListedColormap([PALE, DARK])
    for (name, mask), row in zip(masks.items(), axes[:, 0], strict=True):
        row.imshow(
            mask, aspect="auto", cmap=colours, vmin=0, vmax=1, interpolation="none",
            extent=(0, mask.shape[1], len(mask), 0),
        )  # fmt: skip
        row.set(ylabel="review", xlim=(0, widest), title=f"{name}: {np.mean(mask):.0%} is text")
        row.grid(False)
    axes[-1, 0].set_xlabel("token")
    figure.legend(
        handles=[mpl.patches.Patch(color=DARK, label="text"),
                 mpl.patches.Patch(color=PALE, label="padding")],
        loc="outside lower center", ncols=2,
    )  # fmt: skip
    return figure


@styled
def plot_deals(
    deals: Mapping[str, Sequence[str]], groups: Sequence[Hashable], rows: range
) -> Figure:
    """Draw some rows of a file as strips, coloured by the pool that each row was dealt to.

    Args:
        deals: By the strip's name, the pool of each row of the file: ``"train"``,
            ``"validation"``, ``"test"``, or ``""`` for none.
        groups: What each row of the file belongs to, such as its film.
        rows: Which rows to draw.

    Returns:
        The figure: one strip below the other, cut by white lines wherever the next group begins.
    """
    # What is held back is what the eye should find, also in grey: train is lighter.
    colours = {pool: STYLE_OF[pool]["color"] for pool in POOLS}
    colours["train"] = mpl.colors.to_rgba(colours["train"], alpha=0.35)
    some = np.asarray(groups)[rows.start : rows.stop]
    borders = rows.start + 1 + np.flatnonzero(some[1:] != some[:-1])
    figure, axes = plt.subplots(len(deals), 1, figsize=(8, 0.9 + 0.6 * len(deals)), sharex=True)
    used = set()
    for (name, pools), strip in zip(deals.items(), np.atleast_1d(axes), strict=True):
        for row in rows:
            pool = str(pools[row])
            if pool:
                used.add(pool)
                strip.axvspan(row, row + 1, color=colours[pool], linewidth=0)
        strip.vlines(borders, 0, 1, color="white", linewidth=1)
        strip.set(xlim=(rows.start, rows.stop), ylim=(0, 1), yticks=[])
        strip.set_ylabel(name, rotation=0, ha="right", va="center")
        strip.grid(False)
    strip.set_xlabel("row of the file (a white line: the next film begins)")
    strip.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(
        handles=[mpl.patches.Patch(color=colours[p], label=p) for p in POOLS if p in used],
        loc="outside lower center", ncols=len(used),
    )  # fmt: skip
    return figure
