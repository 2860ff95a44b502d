"""Measurements that the lessons quote: kept as data, never typed into a text."""

import json
from importlib.resources import files
from typing import NamedTuple


class ReferenceRun(NamedTuple):
    """The classic tutorial's thirty epochs.

    Args:
        losses: Mean loss of a batch (the run printed sums over 781 batches), one an epoch.
        accuracies: Share of 24,992 test reviews that were right, one an epoch.
        model: Which model it was.
        reviews: Which reviews it used.
        hardware: On what it ran.
        seconds: How long it took.
    """

    losses: list[float]
    accuracies: list[float]
    model: str
    reviews: str
    hardware: str
    seconds: int


def load_reference_run() -> ReferenceRun:
    """Read the classic run's losses and accuracies, which are kept as data."""
    record = _read("reference_run")
    return ReferenceRun(
        losses=[loss / record["num_batches"] for loss in record["loss_sums"]],
        accuracies=record["accuracies"],
        model=record["model"],
        reviews=record["reviews"],
        hardware=record["hardware"],
        seconds=record["seconds"],
    )


def load_expected_accuracy() -> list[tuple[str, int, float]]:
    """Read what ``benchmarks/expected_accuracy.py`` measured.

    Returns:
        For each probe its pooling, its number of training reviews, and its accuracy on the whole
        test pool, 0 to 1.
    """
    return [
        (row["pooling"], row["train_size"], row["test_accuracy"])
        for row in _read("expected_accuracy")["results"]
    ]


def load_official_split() -> dict[str, list[dict]]:
    """Read what was measured on the official IMDb split, whose test films are all new.

    Its test half is not part of the pip-installed file, so these figures cannot be measured again
    here.

    Returns:
        ``"cut"``: two models, held-back reviews cut by rows and by blocks, beside the official
        test; ``"features"``: each pooling with the classic loss, with logits and with the linear
        optimum; ``"bag_of_words"``: TF-IDF on the whole split. Accuracies are 0 to 1.
    """
    record = _read("official_split")
    return {name: record[name] for name in ("cut", "features", "bag_of_words")}


def _read(name: str) -> dict:
    return json.loads(
        files("imdb_tutorial").joinpath(f"data/{name}.json").read_text(encoding="utf-8")
    )
