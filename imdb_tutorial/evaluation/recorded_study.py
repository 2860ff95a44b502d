"""The recorded study that the lessons draw from; ``make study`` writes it."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.clusters import compare_grouped, grouped_interval
from imdb_tutorial.evaluation.intervals import accuracy_interval, spreads
from imdb_tutorial.evaluation.paired_files import read_paired_files, rows_where
from imdb_tutorial.evaluation.pools_asked import with_pools
from imdb_tutorial.evaluation.records import DATA

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

        Returns:
            What was varied and what was found; ``chosen_on`` says which pool the settings were
            chosen on, ``asked`` which one the model was asked.

        Raises:
            ValueError: There is no experiment of that name.
        """
        import pandas as pd

        self._check(experiment)
        return with_pools(experiment, pd.DataFrame(self.record["experiments"][experiment]))

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

    def right(
        self, experiment: str, labels: Sequence[int], part: str = "test", **which: object
    ) -> np.ndarray:
        """Return which texts the runs of an experiment got right.

        Args:
            experiment: One of ``experiments`` that kept its answers, for example ``"ladder"``.
            labels: The labels of the texts, in the order of their pool.
            part: Which texts, for example ``"test"``.
            which: Which runs: a column of the experiment's table and its value, for example
                ``model="TF-IDF"``. ``size="all"`` is the largest size there is.

        Returns:
            True or False, ``[runs, texts]``, in the order of the table.

        Raises:
            ValueError: No such experiment, answers, column or run, or another number of labels.
        """
        answers, rows = self.answers(experiment, part), self._runs(experiment, which).index
        truth = np.asarray(labels)
        if truth.shape != answers.shape[1:]:
            raise ValueError(
                f"{len(truth):,} labels for {answers.shape[1]:,} {part} texts: load whole pools "
                "(train_size=None, validation_size=None, test_size=None)"
            )
        chosen = answers[rows]  # [runs, texts]
        return _is_positive(chosen) == (truth == 1)

    def candidates(self, seed: int = 0) -> np.ndarray:
        """Return what the candidates of ``choosing`` got right, to choose among them.

        Five learning rates, three starts each, thirty epochs each: 450 candidates that learnt from
        the same 1,000 reviews and were asked the reviews of the validation pool, then of the test
        pool.

        Args:
            seed: Which 1,000 reviews, one of the study's seeds.

        Returns:
            True or False, ``[candidates, reviews]``.

        Raises:
            ValueError: There is no such seed.
        """
        seeds = self.record["seeds"]
        if seed not in seeds:
            raise ValueError(f"no candidates of seed {seed}: expected one of {seeds}")
        asked = sum(self.record["reviews"][part]["count"] for part in ("validation", "test"))
        packed = self.answers("choosing", "changes")[seeds.index(seed)]  # [candidates, bytes]
        changes = np.unpackbits(packed, axis=1)[:, :asked]
        return np.bitwise_xor.accumulate(changes, axis=0).astype(bool)

    def optimism(self, among: str, chosen_on: str = "test") -> "pd.DataFrame":
        """Return how much more a chosen candidate promises than it keeps, over the seeds.

        Args:
            among: ``"epochs of one run"`` or ``"epochs, rates and starts"``.
            chosen_on: ``"test"``: promised is the accuracy on the reviews it was chosen by;
                ``"validation"``: the accuracy on as many test reviews that had no part in it.

        Returns:
            A row for each number of reviews in the test set, with the columns of a ``Spread``.

        Raises:
            ValueError: Another way of choosing.
        """
        runs = self._runs("choosing", {"among": among})
        promised = f"promised_by_{chosen_on}"
        if promised not in runs:
            raise ValueError(f"chosen_on is {chosen_on!r}: expected 'test' or 'validation'")
        too_much = runs[promised] - runs[f"reached_by_{chosen_on}"]
        return spreads(too_much.groupby(runs.held_back), "reviews in the test set")

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

    def parts(self, labels: Sequence[int], size: int) -> "pd.DataFrame":
        """Say whether the packaged classifier is right when it reads one part of a long review.

        Args:
            labels: The test reviews' labels.
            size: How many tokens it read, [CLS] and [SEP] included: 128 or 512.

        Returns:
            True or False under each part's name (``head``: the first tokens, ``tail``: the last,
            ``both``: half of each), one row for each test review with more tokens than that; the
            index is the review's row in its pool.

        Raises:
            ValueError: There is no such size, or another number of labels.
        """
        import pandas as pd

        runs, verdicts = self.table("parts"), self.answers("parts") >= 128  # [runs, reviews]
        truth = np.asarray(labels) == 1
        if truth.shape != verdicts.shape[1:]:
            raise ValueError(
                f"{truth.size:,} labels for {verdicts.shape[1]:,} test reviews: load the whole pool"
            )
        runs = runs[runs["size"] == size]
        if runs.empty:
            known = sorted(set(self.table("parts")["size"]))
            raise ValueError(f"no parts of {size} tokens: expected one of {known}")
        rows = np.flatnonzero(self.answers("parts", "is_cut")[runs.index[0]])
        right = {run.part: (verdicts[n] == truth)[rows] for n, run in runs.iterrows()}
        return pd.DataFrame(right, index=pd.Index(rows, name="row"))

    def ladder(self, labels: Sequence[int], films: ArrayLike) -> "pd.DataFrame":
        """Put the ladder's models side by side on the test reviews.

        Args:
            labels: The test reviews' labels.
            films: Which film each of the test reviews is about.

        Returns:
            Under each model's name: what it learnt from; its accuracy with an interval over films,
            the interval as if each review stood for itself, and the design effect, which says how
            many times the variance of the one is that of the other; its difference to TF-IDF on
            the same reviews, over films; the time to train it (with that of the probe it started
            from); and the size of its weights and vocabulary, without the libraries that run it.
            All of it as texts.

        Raises:
            ValueError: Labels or films of another number, or films that are none.
        """
        import pandas as pd

        table, right = self.table("ladder"), self.ladder_right(labels)
        rows = {}
        for (name, flags), (_, run) in zip(right.items(), table.iterrows(), strict=True):
            accuracy = grouped_interval(flags, films)
            apart = str(compare_grouped(flags, right[BASELINE], films)).split(", p")[0]
            rows[name] = {
                "learns from": f"{run.train_size:,} reviews",
                "accuracy (95 % interval over films)": str(accuracy),
                "counting reviews": str(accuracy_interval(flags)),
                "design effect": f"{accuracy.design_effect:.1f}",
                "less TF-IDF": "" if run.model == BASELINE else apart,
                "time to train": _duration(run.seconds + seconds_before(run.model)),
                "size": f"{run.megabytes:,.0f} MB",
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def ladder_right(self, labels: Sequence[int]) -> dict[str, np.ndarray]:
        """Return which test reviews each of the ladder's models got right.

        Args:
            labels: The test reviews' labels.

        Returns:
            True or False, ``[reviews]``, by the names that ``ladder`` gives; several runs of one
            model are told apart by their seed.

        Raises:
            ValueError: Another number of labels.
        """
        table, right = self.table("ladder"), self.right("ladder", labels)
        several = table.model.duplicated(keep=False)
        names = table.model.where(~several, table.model + ", seed " + table.seed.astype(str))
        return dict(zip(names, right, strict=True))

    def _runs(self, experiment: str, which: Mapping[str, object]) -> "pd.DataFrame":
        return rows_where(self.table(experiment), experiment, "run", which)

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
    names = (RECORD.name, PROBABILITIES.name)
    return Study(*read_paired_files(folder, names, FORMAT, RENEW))


def _is_positive(answers: np.ndarray) -> np.ndarray:
    """Read verdicts from probabilities in steps of 1/256, or from margins."""
    return answers >= 128 if answers.dtype == np.uint8 else answers > 0


def seconds_before(model: str) -> float:
    """Return how long it took to have what the packaged classifier learnt from: its teacher's word.

    That is the teacher's own training, and asking it about every text.
    """
    if model != "packaged":
        return 0.0
    student, teacher = (
        json.loads((DATA / folder / "record.json").read_text(encoding="utf-8"))
        for folder in ("packaged_classifier", "base_classifier")
    )
    (taught,) = (run for run in teacher["runs"] if run["seed"] == teacher["chosen_seed"])
    return taught["seconds"] + student["seconds_of_asking_the_teacher"]


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
