"""What a Trainer remembers, with the classic run's accuracy behind it."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imdb_tutorial.evaluation.records import load_reference_run
from imdb_tutorial.plotting.style import PALE, STYLE_OF, style_of, styled
from imdb_tutorial.trainer.history import History

SMALL = {"markersize": 3}
# Beside other runs a training loss has its run's colour and dashes, thin and without marks.
THIN = {"marker": "", "linewidth": 1, "alpha": 0.8}


@styled
def plot_history(
    history: History | Mapping[str, History], reference: bool = True, title: str = ""
) -> Figure:
    """Draw losses and accuracy over the epochs, with the classic run behind the accuracy.

    The classic run's losses are not drawn: with softmax before cross-entropy they are another
    quantity.

    Args:
        history: What a Trainer remembers, or several by name.
        reference: Draw the classic run's thirty accuracies as well.
        title: What was trained, for the figure's title.

    Returns:
        The figure: training and validation loss on the left, accuracy on the right.
    """
    runs = {"this run": history} if isinstance(history, History) else history
    figure, (losses, accuracies) = plt.subplots(1, 2, figsize=(9, 3.8))
    if reference:
        classic = load_reference_run()
        name = "classic run, on its test reviews:\nbert-base-cased, 25,000 reviews"
        behind = {"color": PALE, "linewidth": 4, "zorder": 1}
        _draw(accuracies, classic.accuracies, name, behind)
    for number, (name, run) in enumerate(runs.items()):
        validation = (STYLE_OF["validation"] if len(runs) == 1 else style_of(name, number)) | SMALL
        training = STYLE_OF["train"] | SMALL if len(runs) == 1 else validation | THIN
        _draw(losses, run.train_losses, f"{name}: training", training)
        _draw(losses, run.val_losses, f"{name}: validation", validation)
        _draw(accuracies, run.val_accuracy, f"{name}: validation", validation)
    losses.set(xlabel="epoch", ylabel="mean cross-entropy of a review", title="Loss")
    accuracies.set(xlabel="epoch", ylabel="share of reviews right", title="Accuracy")
    accuracies.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    accuracies.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g}%")
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if axes.lines:
            axes.legend(fontsize="small")
    figure.suptitle(title)
    return figure


def _draw(axes: Axes, values: list[float], name: str, style: dict[str, Any]) -> None:
    if values:
        axes.plot(range(1, len(values) + 1), values, label=name, **style)
