"""Measurements that the lessons quote: kept as data, never typed into a text."""

import json
from pathlib import Path
from typing import NamedTuple

from imdb_tutorial.machine.manifest import MANIFEST_FILE, damaged_file, write_manifest
from imdb_tutorial.machine.packages import DamagedFileError

DATA = Path(__file__).parents[1] / "data"
RECORDS = (
    "attributions.json",
    "base_run.json",
    "behaviour.json",
    "cited.json",
    "cost_at_use.json",
    "estimate_error.json",
    "evidence.json",
    "evidence.npz",
    "expected_accuracy.json",
    "gpu_check.json",
    "label_noise.json",
    "official_split.json",
    "reading.json",
    "reference_run.json",
    "study.json",
    "study.npz",
)


class ReferenceRun(NamedTuple):
    """The classic tutorial's thirty epochs.

    Args:
        losses: Mean loss of a batch (the run printed sums over 781 batches), one an epoch.
        accuracies: Share of 24,992 test reviews that were right, one an epoch.
        model: Which model it was.
        reviews: Which reviews it used.
        hardware: On what it ran.
        seconds: How long it took.
        num_batches: Batches to learn from in an epoch.
        num_test_reviews: Test reviews that were looked at after each epoch.
    """

    losses: list[float]
    accuracies: list[float]
    model: str
    reviews: str
    hardware: str
    seconds: int
    num_batches: int
    num_test_reviews: int


def load_reference_run() -> ReferenceRun:
    """Read the classic run's losses and accuracies, which are kept as data."""
    record = read_record("reference_run")
    return ReferenceRun(
        losses=[loss / record["num_batches"] for loss in record["loss_sums"]],
        accuracies=record["accuracies"],
        model=record["model"],
        reviews=record["reviews"],
        hardware=record["hardware"],
        seconds=record["seconds"],
        num_batches=record["num_batches"],
        num_test_reviews=record["num_test_reviews"],
    )


def load_expected_accuracy() -> list[tuple[str, int, float]]:
    """Read what ``benchmarks/expected_accuracy.py`` measured.

    Returns:
        For each probe its pooling, its number of training reviews, and its accuracy on the whole
        test pool, 0 to 1.
    """
    return [
        (row["pooling"], row["train_size"], row["test_accuracy"])
        for row in read_record("expected_accuracy")["results"]
    ]


def load_official_split() -> dict[str, list[dict]]:
    """Read what was measured on the official IMDb split, whose test films are all new.

    Its test half is not part of the pip-installed file, so these figures cannot be measured again
    here.

    Returns:
        ``"cut"``: two models, held-back reviews cut by rows and by blocks, beside the official
        test; ``"films"``: two bags of words, whole films held back in three cuts, beside the
        official test; ``"features"``: each pooling with the classic loss, with logits and with the
        linear optimum; ``"bag_of_words"``: TF-IDF on the whole split. Accuracies are 0 to 1.
    """
    record = read_record("official_split")
    return {name: record[name] for name in ("cut", "films", "features", "bag_of_words")}


def seal_records(folder: Path = DATA) -> None:
    """Record the hashes of a folder's records; call it after one of them has been written anew.

    Args:
        folder: Where they lie; those of ``RECORDS`` that are there are sealed.

    Raises:
        OSError: The disk refuses.
    """
    write_manifest(folder, [name for name in RECORDS if (folder / name).is_file()])


def require_sound(folder: Path, *names: str) -> None:
    """Refuse records that are not as they were written; a folder that was not sealed is taken.

    Args:
        folder: Where they lie.
        names: Which of them.

    Raises:
        DamagedFileError: One is missing or damaged; the message names it.
    """
    if folder != DATA and not (folder / MANIFEST_FILE).exists():
        return
    if name := damaged_file(folder, *names):
        raise DamagedFileError(
            f"the record {name} in {str(folder)!r} is missing or damaged: reinstall imdb_tutorial, "
            "or write it again with the command that makes it"
        )


def read_record(name: str) -> dict:
    """Read a record that is as it was written.

    Args:
        name: The file's, without its ending.

    Returns:
        What it holds.

    Raises:
        DamagedFileError: It is missing or damaged; the message names it.
    """
    require_sound(DATA, f"{name}.json")
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
