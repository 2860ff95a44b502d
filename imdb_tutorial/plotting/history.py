"""What a Trainer remembers, with the classic run behind it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from imdb_tutorial.evaluation.records import load_reference_run
from imdb_tutorial.plotting.style import LINES, PALE, styled
from imdb_tutorial.trainer.history import History


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
        style = LINES[number % len(LINES)] | {"markersize": 3}
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
