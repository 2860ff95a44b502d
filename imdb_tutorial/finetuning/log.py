"""What the Hugging Face Trainer's log says about the epochs."""

from typing import TYPE_CHECKING

from imdb_tutorial.trainer.history import History

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "loss": "training loss",
    "eval_loss": "validation loss",
    "eval_accuracy": "accuracy",
    "eval_f1": "F1",
}


def history_of(log_history: list[dict]) -> History:
    """Pick the losses and the validation accuracy of every epoch out of a Trainer's log.

    Args:
        log_history: ``trainer.state.log_history``.

    Returns:
        The history, as the tutorial's own Trainer keeps it.
    """
    epochs = epochs_of(log_history)
    return History(
        train_losses=[entry["loss"] for entry in epochs if "loss" in entry],
        val_accuracy=[entry["eval_accuracy"] for entry in epochs if "eval_accuracy" in entry],
        val_losses=[entry["eval_loss"] for entry in epochs if "eval_accuracy" in entry],
    )


def epoch_table(log_history: list[dict]) -> "pd.DataFrame":
    """Put what a Trainer's log says about the epochs side by side.

    Args:
        log_history: ``trainer.state.log_history``.

    Returns:
        One row an epoch, numbered from 1, with the columns ``training loss``, ``validation loss``,
        ``accuracy`` and ``F1``, of which the last three are measured on the validation reviews.
    """
    import pandas as pd

    rows: dict[int, dict[str, float]] = {}
    for entry in epochs_of(log_history):
        known = {COLUMNS[name]: entry[name] for name in COLUMNS if name in entry}
        rows.setdefault(round(entry["epoch"]), {}).update(known)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS.values())).rename_axis(
        "epoch"
    )


def epochs_of(log_history: list[dict]) -> list[dict]:
    """Pick a Trainer's own epochs out of its log: without what was evaluated after the training."""
    epochs, training = [], False
    for entry in log_history:
        if "loss" in entry or ("eval_accuracy" in entry and training):
            epochs.append(entry)
            training = "loss" in entry
    return epochs
