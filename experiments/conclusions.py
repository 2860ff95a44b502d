"""The lessons' conclusions, asked of two records: which of them hold under other seeds?

``make study`` with another ``--first-seed`` and ``--output`` makes the other record. This command
asks both the same questions and keeps the answers.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments import data
from imdb_tutorial import (
    Evidence,
    Study,
    compare_grouped,
    fit_temperature,
    holm,
    load_evidence,
    load_study,
)
from imdb_tutorial.evaluation.clusters import GroupedDifference
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.provenance import provenance

KEPT = DATA / "other_seeds.json"


class Asked(NamedTuple):
    """What a conclusion is asked of: one of two records, and the test reviews behind it."""

    study: Study | None
    evidence: Evidence | None
    labels: np.ndarray
    films: np.ndarray


class Conclusion(NamedTuple):
    """A sentence of a lesson, the record it rests on, and whether it holds there."""

    lesson: str
    says: str
    rests_on: str
    holds: Callable[[Asked], bool]


def bags_are_level(asked: Asked) -> bool:
    """Whether no difference between the two bags of words is shown, with all labels."""
    better, words = (bag(asked, model) for model in ("NB words", "TF-IDF"))
    return compare_grouped(better, words, asked.films).includes_zero


def bag(asked: Asked, model: str) -> np.ndarray:
    """Return which test reviews a bag of words with all labels got right."""
    return asked.evidence.right("words", asked.labels, model=model, size="all")[0]


def gaps(asked: Asked, model: str, **frozen: object):
    """Return a frozen encoder's accuracy less that of a bag of words: labels, seeds."""
    probe = asked.evidence.learning_runs("frozen", **frozen)
    return probe - asked.evidence.learning_runs("words", model=model)


def minilm(pooling: str = "mean") -> dict[str, str]:
    """Name the probe on frozen MiniLM."""
    return {"encoder": "packaged", "pooling": pooling}


def behind_from(size: int, asked: Asked) -> bool:
    """Whether frozen MiniLM is behind TF-IDF in every sample of so many labels or more."""
    apart = gaps(asked, "TF-IDF", **minilm())
    return bool((apart[apart.index >= size].stack().dropna() < 0).all())


def mean_beats_cls(asked: Asked) -> bool:
    """Whether MiniLM's mean beats its [CLS] in every sample of every size."""
    mean, cls = (asked.evidence.learning_runs("frozen", **minilm(p)) for p in ("mean", "cls"))
    return bool(((mean - cls).stack().dropna() > 0).all())


def trained_beats_random(asked: Asked) -> bool:
    """Whether MiniLM beats a BERT as it was drawn, in every sample of every size."""
    trained, drawn = (
        asked.evidence.learning_runs("frozen", encoder=encoder, pooling="mean")
        for encoder in ("packaged", "random")
    )
    return bool(((trained - drawn).stack().dropna() > 0).all())


def longer_is_better(asked: Asked) -> bool:
    """Whether each longer input brings the mean of MiniLM more, at both sizes."""
    by_length = asked.evidence.table("lengths").groupby(["size", "length"]).test_accuracy.mean()
    return all(some.is_monotonic_increasing for _, some in by_length.groupby(level="size"))


def films_between(asked: Asked) -> bool:
    """Whether cutting by films gives TF-IDF less than rows and more than blocks, on average."""
    mean = asked.study.table("cutting").groupby("by").tfidf.mean()
    return mean["blocks of 500"] < mean["films"] < mean["rows"]


def softmax_costs(asked: Asked) -> set[tuple[str, int | str, bool]]:
    """Return the settings, of twelve, in which the second softmax is shown to cost accuracy."""
    found = {}
    for pooling, size, flat in itertools.product(
        ("cls", "mean"), (200, 2_000, "all"), (False, True)
    ):
        setting = {"pooling": pooling, "size": size, "standardised": flat}
        found[pooling, size, flat] = softmax_cost(asked, "probes", **setting)
    corrected = holm([cost.p_value for cost in found.values()])
    pairs = zip(found.items(), corrected, strict=True)
    return {setting for (setting, cost), p in pairs if p < 0.05 and cost.difference < 0}


def own_rates_cost_nothing(asked: Asked) -> bool:
    """Whether no cost of the second softmax is shown where each way has its own learning rate."""
    costs = [softmax_cost(asked, "rates", size=size) for size in (200, 2_000, "all")]
    return bool(min(holm([cost.p_value for cost in costs])) >= 0.05)


def softmax_cost(asked: Asked, experiment: str, **setting: object) -> GroupedDifference:
    """Compare probes with softmax twice and once, all seeds of a setting together, over films."""
    one, other = (
        asked.study.right(experiment, asked.labels, loss=loss, **setting)
        for loss in ("softmax", "logits")
    )  # [seeds, reviews] each
    return compare_grouped(one.ravel(), other.ravel(), np.tile(asked.films, len(one)))


def test_flatters(asked: Asked) -> bool:
    """Whether choosing on test promises more than it keeps, at every size of the test set."""
    found = asked.study.optimism("epochs, rates and starts", chosen_on="test")
    return bool((found.low > 0).all() and found["mean"].is_monotonic_decreasing)


def validation_does_not(asked: Asked) -> bool:
    """Whether choosing on validation promises what it keeps, within the spread over seeds."""
    found = asked.study.optimism("epochs, rates and starts", chosen_on="validation")
    return bool(((found.low <= 0) & (found.high >= 0)).all())


def fine_tuned_is_behind(asked: Asked) -> bool:
    """Whether MiniLM fine-tuned on 1,000 labels is behind TF-IDF with all, for every seed."""
    right = asked.study.ladder_right(asked.labels)
    tuned = [flags for name, flags in right.items() if name.startswith("fine-tuned")]
    return all(compare_grouped(t, right["TF-IDF"], asked.films).high < 0 for t in tuned)


def fine_tuned_is_too_sure(asked: Asked) -> bool:
    """Whether every fine-tuned model wants a temperature well above one."""
    truth = data.labels("validation")
    runs = asked.study.table("ladder").query("model == 'fine-tuned'")
    margins = (asked.study.margins("fine-tuned", "validation", seed) for seed in runs.seed)
    return all(fit_temperature(y_true=truth, logits=some) > 1.2 for some in margins)


CONCLUSIONS = (
    Conclusion("02", "TF-IDF: by rows more than by films, by blocks less", "study", films_between),
    Conclusion(
        "07",
        "200 labels, raw features: the second softmax costs accuracy, after Holm",
        "study",
        lambda asked: {("mean", 200, False), ("cls", 200, False)} <= softmax_costs(asked),
    ),
    Conclusion(
        "07",
        "all labels: no cost of the second softmax is shown, after Holm",
        "study",
        lambda asked: all(size != "all" for _, size, _ in softmax_costs(asked)),
    ),
    Conclusion(
        "07",
        "each way with its own learning rate: no cost of the second softmax is shown, after Holm",
        "study",
        own_rates_cost_nothing,
    ),
    Conclusion("07", "choosing on test promises more than it keeps", "study", test_flatters),
    Conclusion("07", "choosing on validation does not", "study", validation_does_not),
    Conclusion(
        "08", "fine-tuned on 1,000 labels: behind TF-IDF with all", "study", fine_tuned_is_behind
    ),
    Conclusion("09", "fine-tuned on 1,000 labels: too sure", "study", fine_tuned_is_too_sure),
    Conclusion(
        "08",
        "all labels: no difference of NB words and TF-IDF is shown",
        "evidence",
        bags_are_level,
    ),
    Conclusion(
        "08",
        "frozen MiniLM is behind TF-IDF in every sample of 200 labels or more",
        "evidence",
        lambda asked: behind_from(200, asked),
    ),
    Conclusion(
        "08",
        "50 labels: the samples do not agree who is ahead, frozen MiniLM or TF-IDF",
        "evidence",
        lambda asked: gaps(asked, "TF-IDF", **minilm()).loc[50].agg(["min", "max"]).prod() < 0,
    ),
    Conclusion("08", "MiniLM: the mean beats [CLS] in every sample", "evidence", mean_beats_cls),
    Conclusion(
        "08",
        "MiniLM beats a BERT as it was drawn in every sample",
        "evidence",
        trained_beats_random,
    ),
    Conclusion(
        "08", "MiniLM: each longer input is better, to 500 tokens", "evidence", longer_is_better
    ),
)


def ask(conclusion: Conclusion, asked: Asked) -> bool | None:
    """Return whether a conclusion holds; nothing where what it rests on was not run."""
    if getattr(asked, conclusion.rests_on) is None:
        return None
    try:
        return bool(conclusion.holds(asked))
    except ValueError as error:
        if not str(error).startswith("no "):  # no experiment, no model of that name: not run
            raise
        return None


def read(folder: Path | None) -> Asked:
    """Read the records of a folder, of the package without one; what is not there is ``None``."""
    films = np.array(data.reviews()["test"]["film"][:])
    records = []
    for load in (load_study, load_evidence):
        try:
            records.append(load(folder))
        except FileNotFoundError:
            records.append(None)
    return Asked(*records, data.labels("test"), films)


def read_kept(file: Path) -> dict:
    """Read the answers of the last time: those to a record that is not there now are kept."""
    if not file.is_file():
        return {"seeds": {}, "conclusions": []}
    return json.loads(file.read_text(encoding="utf-8"))


def main() -> None:
    """Ask both records, print where they differ, keep the answers."""
    parser = argparse.ArgumentParser(prog="python -m experiments.conclusions", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the record with other seeds lies")
    parser.add_argument("--output", type=Path, default=KEPT, help="file for the answers")
    options = parser.parse_args()
    ours, others = read(None), read(options.folder)
    if others.study is None and others.evidence is None:
        parser.exit(1, f"error: {options.folder} has neither study.json nor evidence.json\n")
    rows, kept = [], read_kept(options.output)
    answered = {row["says"]: row["other"] for row in kept["conclusions"]}
    for conclusion in CONCLUSIONS:
        before, after = ask(conclusion, ours), ask(conclusion, others)
        if getattr(others, conclusion.rests_on) is None:
            after = answered.get(conclusion.says)
        rows.append(
            {"lesson": conclusion.lesson, "says": conclusion.says, "ours": before, "other": after}
        )
        said = {True: "holds", False: "does not hold", None: "not run"}
        print(f"{conclusion.lesson}  {said[before]:<14}{said[after]:<14}{conclusion.says}")
    seeds = kept["seeds"] | {
        name: found.record["seeds"]
        for name, found in (("study", others.study), ("evidence", others.evidence))
        if found is not None
    }
    record = {"seeds": seeds, **provenance("torch", "scikit-learn"), "conclusions": rows}
    write_whole(options.output, (json.dumps(record, indent=1) + "\n").encode())
    if options.output == KEPT:
        seal_records()


if __name__ == "__main__":
    main()
