"""The recorded study that the lessons draw from; ``make study`` writes it."""

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.intervals import accuracy_interval, compare
from imdb_tutorial.evaluation.records import DATA, require_sound

if TYPE_CHECKING:
    import datasets
    import pandas as pd

FORMAT = 1
RECORD = DATA / "study.json"
PROBABILITIES = RECORD.with_suffix(".npz")
RENEW = "run `make study` to write it again (up to two hours)"
BASELINE = "TF-IDF"


class Study:
    """What the study found: a table of runs per experiment, and the answers behind them.

    Args:
        record: The content of ``study.json``.
        arrays: The content of ``study.npz``, by name.
    """

    def __init__(self, record: dict, arrays: Mapping[str, np.ndarray]):
        self.record = record
        self._arrays = arrays

    @property
    def experiments(self) -> list[str]:
        """Names of the experiments."""
        return list(self.record["experiments"])

    def table(self, experiment: str) -> "pd.DataFrame":
        """Return one row per run of an experiment.

        Args:
            experiment: One of ``experiments``.

        Raises:
            ValueError: There is no experiment of that name.
        """
        import pandas as pd

        self._check(experiment)
        return pd.DataFrame(self.record["experiments"][experiment])

    def answers(self, experiment: str, part: str = "test") -> np.ndarray:
        """Return what the models of an experiment answered, one row per row of its table.

        Args:
            experiment: One of ``experiments``.
            part: Which texts, for example ``"test"`` or ``"validation"``.

        Returns:
            The ladder's margins (the logit of positive less the logit of negative), float32
            ``[runs, texts]``; of other experiments the probabilities of being positive, in steps
            of 1/256 as bytes ``[runs, texts]``: from 128 on the verdict is positive.

        Raises:
            ValueError: There are no such answers.
        """
        self._check(experiment)
        found = self._arrays.get(f"{experiment}/{part}")
        if found is None:
            known = [name for name in self._arrays if name.startswith(f"{experiment}/")]
            parts = ", ".join(name.partition("/")[2] for name in known)
            raise ValueError(f"no answers {part!r} of {experiment!r}: it has {parts or 'none'}")
        return found

    def margins(self, model: str, part: str = "test", seed: int | None = None) -> np.ndarray:
        """Return one model's margins on the texts of a part, in the order of its pool.

        Args:
            model: A model of the ladder, for example ``"TF-IDF"``.
            part: ``"validation"``, ``"test"`` or ``"sentences"``.
            seed: Which run; without it the first.

        Returns:
            The logit of positive less the logit of negative, float32 ``[texts]``.

        Raises:
            ValueError: There is no such run.
        """
        ladder = self.table("ladder")
        rows = ladder[ladder.model == model]
        if seed is not None:
            rows = rows[rows.seed == seed]
        if rows.empty:
            raise ValueError(
                f"no run of {model!r} with seed {seed}: expected one of "
                f"{', '.join(ladder.model.unique())}"
            )
        return self.answers("ladder", part)[rows.index[0]]

    def check(self, reviews: "datasets.DatasetDict") -> None:
        """Make sure that reviews are those the study answered, in the same order.

        Args:
            reviews: By part; only the parts that the study knows are compared.

        Raises:
            ValueError: Other reviews.
        """
        for part, split in reviews.items():
            known = self.record["reviews"].get(part)
            if known and ids_sha256(split["id"][:]) != known["ids_sha256"]:
                raise ValueError(
                    f"the {part} reviews ({len(split):,}) are not those of the study "
                    f"({known['count']:,}): load whole pools (train_size=None, "
                    f"validation_size=None, test_size=None), or {RENEW}"
                )

    def ladder(self, labels: Sequence[int]) -> "pd.DataFrame":
        """Put the ladder's models side by side on the test reviews.

        Args:
            labels: The test reviews' labels.

        Returns:
            Under each model's name: what it learnt from, its accuracy, its difference to TF-IDF on
            the same reviews, the time to train it and its size, as texts.
        """
        import pandas as pd

        table, answers = self.table("ladder"), self.answers("ladder") > 0
        right = answers == np.asarray(labels)
        base = right[table.index[table.model == BASELINE][0]]
        rows = {}
        for n, run in table.iterrows():
            several = (table.model == run.model).sum() > 1
            name = f"{run.model}, seed {run.seed}" if several else run.model
            apart = str(compare(right[n], baseline=base)).split(", p")[0]
            rows[name] = {
                "learns from": f"{run.train_size:,} reviews",
                "accuracy (95 % interval)": str(accuracy_interval(right[n])),
                "less TF-IDF": "" if run.model == BASELINE else apart,
                "time to train": _duration(run.seconds),
                "size": f"{run.megabytes:,.0f} MB",
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def _check(self, experiment: str) -> None:
        if experiment not in self.record["experiments"]:
            raise ValueError(
                f"no experiment {experiment!r} in the study: expected one of "
                f"{', '.join(self.experiments)}"
            )


def load_study(folder: str | os.PathLike | None = None) -> Study:
    """Read the recorded study.

    Args:
        folder: Where ``study.json`` and ``study.npz`` lie; without it, those of the package.

    Returns:
        The study.

    Raises:
        FileNotFoundError: There is no record; the message names the command that writes it.
        ValueError: A record of another format, or one whose two files do not belong together.
        DamagedFileError: One of the package's own files is not as it was written.
    """
    folder = Path(folder) if folder is not None else DATA
    try:
        text, packed = ((folder / path.name).read_bytes() for path in (RECORD, PROBABILITIES))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no {Path(error.filename).name} in {folder}: {RENEW}") from None
    require_sound(folder, RECORD.name, PROBABILITIES.name)
    try:
        record = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{RECORD.name} is damaged ({error}): {RENEW}") from None
    if not isinstance(record, dict):
        raise ValueError(f"{RECORD.name} is damaged (it holds no record): {RENEW}")
    if record.get("format") != FORMAT:
        raise ValueError(
            f"{RECORD.name} has the format {record.get('format')}, this code reads {FORMAT}: "
            f"{RENEW}"
        )
    if hashlib.sha256(packed).hexdigest() != record["probabilities_sha256"]:
        raise ValueError(f"{PROBABILITIES.name} does not belong to {RECORD.name}: {RENEW}")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return Study(record, dict(arrays))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
