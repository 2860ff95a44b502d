"""The evidence at equal budgets of labels; ``python -m experiments.evidence`` writes it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imdb_tutorial.evaluation.intervals import spreads
from imdb_tutorial.evaluation.paired_files import read_paired_files, rows_where
from imdb_tutorial.evaluation.records import DATA

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
RECORD = DATA / "evidence.json"
PROBABILITIES = RECORD.with_suffix(".npz")
RENEW = "run `python -m experiments.evidence` to write it again"


class Evidence:
    """What bags of words, frozen encoders and fine-tuning reach at the same budgets of labels.

    Args:
        record: The content of ``evidence.json``.
        arrays: The content of ``evidence.npz``, by name.
    """

    def __init__(self, record: dict, arrays: Mapping[str, np.ndarray]):
        self.record = record
        self._arrays = arrays

    @property
    def experiments(self) -> list[str]:
        """Names of the experiments."""
        return list(self.record["experiments"])

    @property
    def missing(self) -> list[str]:
        """Names of the units that were planned and have not been run."""
        return list(self.record["missing"])

    def table(self, experiment: str) -> "pd.DataFrame":
        """Return one row per final model of an experiment.

        Args:
            experiment: One of ``experiments``.

        Returns:
            What was varied, how the choices were made (``chosen_on``), which pool the final model
            was asked (``asked``), and its ``test_accuracy``, 0 to 1.

        Raises:
            ValueError: There is no experiment of that name.
        """
        import pandas as pd

        self._check(experiment)
        return pd.DataFrame(self.record["experiments"][experiment])

    def answers(self, experiment: str) -> np.ndarray:
        """Return what the models of an experiment said of the test pool.

        Args:
            experiment: One of ``experiments``.

        Returns:
            The probabilities of being positive in steps of 1/256, bytes ``[models, reviews]``, in
            the order of the table: from 128 on the verdict is positive.

        Raises:
            ValueError: There is no experiment of that name.
        """
        self._check(experiment)
        return self._arrays[f"{experiment}/test"]

    def right(self, experiment: str, labels: Sequence[int], **which: object) -> np.ndarray:
        """Return which test reviews the models of an experiment got right.

        Args:
            experiment: One of ``experiments``.
            labels: The test reviews' labels, 0 or 1, in the order of their pool.
            which: Which models: a column of the experiment's table and its value, for example
                ``model="TF-IDF"``. ``size="all"`` is the largest size there is.

        Returns:
            True or False, ``[models, reviews]``, in the order of the table.

        Raises:
            ValueError: No such experiment, column or model, or another number of labels.
        """
        answers = self.answers(experiment)
        truth = np.asarray(labels)
        if truth.shape != answers.shape[1:]:
            raise ValueError(
                f"{truth.size:,} labels for {answers.shape[1]:,} test reviews: load the whole pool "
                "(test_size=None)"
            )
        runs = self._models(experiment, which)
        return (answers[runs.index] >= 128) == (truth == 1)

    def learning_runs(self, experiment: str, **which: object) -> "pd.DataFrame":
        """Return a model's accuracy on the test pool by number of labels and by sample.

        Samples of one seed hold the same reviews for every model, so two tables can be subtracted.

        Args:
            experiment: One of ``experiments`` with several sizes, for example ``"words"``.
            which: Which models, as for ``right``: one model for each size and seed.

        Returns:
            A row for each number of labels, a column for each seed; not a number where it was not
            run.

        Raises:
            ValueError: No such experiment, column or model, or several models.
        """
        runs = self._models(experiment, which)
        if runs.duplicated(["size", "seed"]).any():
            varied = [c for c in ("encoder", "pooling", "model", "way", "length") if c in runs]
            many = [c for c in varied if runs[c].nunique() > 1]
            raise ValueError(
                f"{experiment!r} has several models of one size and seed: choose by "
                f"{', '.join(many)}"
            )
        runs = runs.rename(columns={"size": "labels"})
        return runs.pivot(index="labels", columns="seed", values="test_accuracy")

    def learning_curve(self, experiment: str, **which: object) -> "pd.DataFrame":
        """Return a model's accuracy on the test pool by number of labels, over the samples.

        Args:
            experiment: One of ``experiments`` with several sizes, for example ``"words"``.
            which: Which models, as for ``right``: one model for each size and seed.

        Returns:
            A row for each number of labels, with the columns of a ``Spread``; where there is one
            sample only, low and high are its accuracy.

        Raises:
            ValueError: No such experiment, column or model, or several models.
        """
        runs = self.learning_runs(experiment, **which).stack().dropna()
        return spreads(runs.groupby(level="labels"), "labels")

    def _models(self, experiment: str, which: Mapping[str, object]) -> "pd.DataFrame":
        """Return the rows of an experiment's table that have these values."""
        return rows_where(self.table(experiment), experiment, "model", which)

    def _check(self, experiment: str) -> None:
        if experiment not in self.record["experiments"]:
            raise ValueError(
                f"no experiment {experiment!r} in the evidence: expected one of "
                f"{', '.join(self.experiments) or 'none, for nothing has been run'}"
            )


def load_evidence(folder: str | os.PathLike | None = None) -> Evidence:
    """Read the recorded evidence.

    Args:
        folder: Where ``evidence.json`` and ``evidence.npz`` lie; without it, those of the package.

    Returns:
        The evidence.

    Raises:
        FileNotFoundError: There is no record; the message names the command that writes it.
        ValueError: A record of another format, or one whose two files do not belong together.
        DamagedFileError: One of the package's own files is not as it was written.
    """
    folder = Path(folder) if folder is not None else DATA
    names = (RECORD.name, PROBABILITIES.name)
    return Evidence(*read_paired_files(folder, names, FORMAT, RENEW))
