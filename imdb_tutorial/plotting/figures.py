"""Every figure of the lessons, in one style that also reads in grey."""

import functools
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from imdb_tutorial.evaluation.records import load_reference_run
from imdb_tutorial.trainer.history import History

STYLE = {
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


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw in the project's style and close the figure, so that a notebook shows it only once."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            figure = draw(*args, **kwargs)
            figure.canvas.draw()
        plt.close(figure)
        return figure

    return drawn


@styled
def plot_history(
    history: History | Mapping[str, History], reference: bool = True, title: str = ""
) -> Figure:
    """Draw loss and accuracy over the epochs, with the classic run behind them.

    Args:
        history: What a Trainer remembers, or several by name.
        reference: Draw the classic run's thirty values as well.
        title: What was trained, for the figure's title.

    Returns:
        The figure: loss on the left, accuracy on the right.
    """
    runs = {"this run": history} if isinstance(history, History) else history
    figure, (losses, accuracies) = plt.subplots(1, 2, figsize=(9, 3.6))
    if reference:
        classic = load_reference_run()
        style = {"color": PALE, "linewidth": 4, "zorder": 1}
        epochs = range(1, len(classic.losses) + 1)
        losses.plot(epochs, classic.losses, **style)
        accuracies.plot(
            epochs,
            classic.accuracies,
            label="classic run: bert-base-cased,\n25,000 reviews, GPU, softmax twice",
            **style,
        )
    for number, (name, run) in enumerate(runs.items()):
        style = {
            "color": (DARK, MIDDLE, "0.2")[number % 3],
            "linestyle": ("-", "--", ":")[number % 3],
            "marker": ("o", "s", "^")[number % 3],
            "markersize": 3,
        }
        epochs = range(1, len(run.train_losses) + 1)
        losses.plot(epochs, run.train_losses, **style)
        accuracies.plot(epochs, run.val_accuracy, label=name, **style)
    losses.set(xlabel="epoch", ylabel="cross-entropy per review (nats)", title="Training loss")
    accuracies.set(xlabel="epoch", ylabel="share of reviews right", title="Accuracy")
    accuracies.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside lower center", ncols=3)
    figure.suptitle(title)
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
    bins = np.linspace(0, widest, 51)
    for number, (name, values) in enumerate(lengths.items()):
        axes.hist(
            np.clip(values, 0, widest),
            bins=bins,
            histtype="step",
            linewidth=1.6,
            color=(DARK, MIDDLE)[number % 2],
            linestyle=("-", "--")[number % 2],
            label=f"{name} (median {np.median(values):,.0f})",
        )
    if cut:
        axes.axvline(cut, color="0.2", linestyle=":", label=f"cut at {cut}")
    axes.set(xlabel=f"length ({unit}; longer ones are in the last bar)", ylabel="reviews")
    axes.legend()
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
    return figure


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
        axes.text(number, -0.75, note, ha="center", va="center", fontsize=9, color="0.35")
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
def plot_blocks(rows: Mapping[str, Sequence[int]], strips: Mapping[str, range]) -> Figure:
    """Draw a file of reviews as strips, coloured by the pool that each row went to.

    Args:
        rows: Row numbers by pool, at most three pools.
        strips: Which rows of the file make a strip, by the strip's name.

    Returns:
        The figure: one strip below the other; rows that no pool took stay white.
    """
    colours = (PALE, MIDDLE, DARK)[: len(rows)]
    pool_of = np.full(max(strip.stop for strip in strips.values()), np.nan)
    for number, members in enumerate(rows.values()):
        pool_of[np.asarray(members, dtype=int)] = number
    figure, axes = plt.subplots(len(strips), 1, figsize=(8, 0.7 + 0.8 * len(strips)), squeeze=False)
    for (name, strip), row in zip(strips.items(), axes[:, 0], strict=True):
        row.imshow(
            pool_of[None, strip.start : strip.stop], aspect="auto", interpolation="nearest",
            cmap=mpl.colors.ListedColormap(colours), vmin=-0.5, vmax=len(rows) - 0.5,
            extent=(strip.start, strip.stop, 0, 1),
        )  # fmt: skip
        row.set(yticks=[], ylabel=name)
        row.xaxis.set_major_formatter("{x:,.0f}")
        row.grid(False)
    axes[-1, 0].set_xlabel("row of the file")
    figure.legend(
        handles=[mpl.patches.Patch(color=c, label=n) for n, c in zip(rows, colours, strict=True)],
        loc="outside lower center", ncols=len(rows),
    )  # fmt: skip
    return figure


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
    renderer = figure.canvas.get_renderer()
    strongest = max(map(abs, scores), default=0) or 1
    left, right, step = 0.02 * 900, 0.98 * 900, 30
    x, y = left, 60
    for word, score in zip(words, scores, strict=True):
        colour, share = (DARK if score > 0 else MIDDLE), abs(score) / strongest
        # A dollar sign would start mathematics.
        drawn = figure.text(0, 0, word.replace("$", r"\$"), fontsize=11)
        box = drawn.get_window_extent(renderer)
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
