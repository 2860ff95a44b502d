"""What the Hugging Face Trainer's log says about the epochs."""

from imdb_tutorial.trainer.history import History


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


def epochs_of(log_history: list[dict]) -> list[dict]:
    """Pick a Trainer's own epochs out of its log: without what was evaluated after the training."""
    epochs, training = [], False
    for entry in log_history:
        if "loss" in entry or ("eval_accuracy" in entry and training):
            epochs.append(entry)
            training = "loss" in entry
    return epochs
