"""Teaches the two classifiers: the base-size encoder, and then MiniLM from its soft labels.

Both learn from the train pool alone; rates, seeds and temperatures are chosen on the validation
pool; the test pool is asked once, of what was saved. Everything is kept under ``build/classifier``:
a run that was killed goes on where it was, less two minutes at most. It says beforehand how long it
will take; while the teacher learns it needs nine gigabytes of disk. At the end
``load_classifier("build/classifier/teacher")`` opens the one, and
``load_classifier("build/classifier/student")`` the other.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path

import datasets
import numpy as np
import torch

import imdb_tutorial
from experiments.expected_time import expected_seconds, in_words, seconds_of_asking
from experiments.saved_classifier import RECORD_FILE, save
from experiments.soft_labels import SoftLabels
from experiments.softening import soften_passages
from experiments.teaching import Held, Teaching, softmax
from experiments.teaching_settings import STUDENT, TEACHER, Settings, for_this_machine
from experiments.teaching_texts import Texts, teaching_texts
from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.machine.manifest import damaged_file

FOLDER = Path("build/classifier")
PACKAGED_TEACHER = Path(imdb_tutorial.__file__).with_name("data") / "base_classifier"
HELD = ("validation", "test")
SOFT_LABELS = (
    "the teacher's answers, softened by the temperature that fits on validation; to passages by "
    "one more, which fits on those out of train reviews that it has not learnt from"
)
DEFAULTS = {
    field.name: field.default
    for field in dataclasses.fields(Settings)
    if field.default is not dataclasses.MISSING
}
Pools = Mapping[str, datasets.Dataset]


def learnt_from(pools: Pools, settings: Settings) -> Texts:
    """Return what one learns from: the first reviews of the train pool, and parts of them."""
    train = pools["train"]
    labels = np.array(train["label"][: settings.reviews], dtype=np.int64)
    shares = settings.passages, settings.fragments
    return teaching_texts(train["text"][: settings.reviews], labels, *shares)


def held_back(pools: Pools) -> dict[str, Held]:
    """Return the reviews that nothing is learnt from, by pool."""
    return {name: Held(pools[name]["text"][:], np.array(pools[name]["label"][:])) for name in HELD}


def hard_labels(labels: np.ndarray) -> torch.Tensor:
    """Return the labels as float32 ``[texts, 2]``: all of the weight on the true one."""
    return torch.nn.functional.one_hot(torch.from_numpy(labels), 2).float()


def mixed_labels(labels: np.ndarray, soft: np.ndarray, true_label: float) -> torch.Tensor:
    """Mix true and soft labels (Hinton et al., 2015).

    Cross-entropy with the mixture has the gradient of ``true_label`` times the cross-entropy with
    the labels and the rest times the Kullback-Leibler divergence from the soft ones.

    Args:
        labels: 0 or 1, ``[texts]``.
        soft: The teacher's probabilities, ``[texts, 2]``.
        true_label: The share of the true label.

    Raises:
        ValueError: Soft labels that are no probabilities, or not one row a text.
    """
    if soft.shape != (len(labels), 2) or not np.allclose(soft.sum(axis=1), 1) or soft.min() < 0:
        raise ValueError(
            f"the soft labels {soft.shape} are no probabilities of {len(labels):,} texts: delete "
            "the teacher's folder to make them again"
        )
    return true_label * hard_labels(labels) + (1 - true_label) * torch.from_numpy(soft).float()


def run(
    pools: Pools, folder: Path, teacher: Settings = TEACHER, student: Settings = STUDENT
) -> dict[str, dict]:
    """Teach both, or what is missing of it, and save them.

    Args:
        pools: Reviews with the columns ``text``, ``label`` and ``id``: train, validation and test.
        folder: Where all is kept.
        teacher: How the base-size encoder is taught; one that comes with the package and was taught
            like this is asked instead.
        student: How the small one is.

    Returns:
        Both records, by name; the student's alone where the package's teacher was asked.
    """
    held = held_back(pools)
    asked = sum(len(some.labels) for some in held.values())
    plans = {
        name: _plan(pools, held["validation"], settings, folder / "work" / name)
        for name, settings in (("teacher", teacher), ("student", student))
    }
    texts, records = plans["student"].texts.readable, {}
    if _is_packaged(plans["teacher"], _about(pools, teacher)):
        soft = SoftLabels(PACKAGED_TEACHER, teacher.encoder, folder)
        print(f"the teacher: the one in {str(PACKAGED_TEACHER)!r}", flush=True)
        if missing := soft.missing(texts):
            parts = {"asking it": seconds_of_asking(plans["teacher"], missing)}
            print(f"the teacher: {in_words(parts)}", flush=True)
        _say("student", plans["student"], asked)
    else:
        _say("teacher", plans["teacher"], asked, soft_labels=True)
        _say("student", plans["student"], asked)
        records["teacher"], soft = _taught(plans["teacher"], _about(pools, teacher), held, folder)
    pupil, learnt = plans["student"], plans["teacher"].texts.reviews
    labels, temperatures = soften_passages(soft.of(texts), pupil.texts, learnt)
    # A fragment keeps its true label: such texts the teacher never saw.
    mixed = mixed_labels(pupil.texts.labels[: len(texts)], labels, student.true_label)
    pupil.targets[: len(texts)] = mixed
    record, model = pupil.run()
    record |= _about(pools, student) | {
        "soft_labels": SOFT_LABELS,
        "temperature_by_sentences": {str(n): round(t, 3) for n, t in temperatures.items()},
        "seconds_of_asking_the_teacher": round(soft.seconds_for(len(texts)), 1),
    }
    records["student"] = save(model, student, record, held, folder / "student", pupil.folder)
    return records


def _is_packaged(teaching: Teaching, about: dict) -> bool:
    """Say whether the package has a sound teacher, taught in this way on these reviews."""
    try:
        record = json.loads((PACKAGED_TEACHER / RECORD_FILE).read_bytes())
        # A setting that is younger than the record had its default then.
        settings = DEFAULTS | record["settings"]
        made = {name: record[name] for name in about} | {"settings": settings}
    except (OSError, ValueError, KeyError):
        return False
    asked_for = about | {"settings": dataclasses.asdict(teaching.settings)}
    same = json.loads(json.dumps([made, asked_for]))  # without tuples
    return same[0] == same[1] and not damaged_file(PACKAGED_TEACHER)


def _taught(
    teaching: Teaching, about: dict, held: dict[str, Held], folder: Path
) -> tuple[dict, SoftLabels]:
    """Teach the teacher and save it, with what it answers to all that it learnt from."""
    record, model = teaching.run()
    began = time.perf_counter()
    answers = teaching.answers(model, record["reading"]) / record["temperature"]
    seconds = time.perf_counter() - began
    to, settings = folder / "teacher", teaching.settings
    record = save(model, settings, record | about, held, to, teaching.folder)
    soft = SoftLabels(to, settings.encoder, to)
    if soft.missing(teaching.texts.texts):
        soft.add(teaching.texts.texts, softmax(answers)[:, 1], seconds)
    teaching.forget_lower_layers()
    return record, soft


def _say(name: str, teaching: Teaching, asked: int, soft_labels: bool = False) -> None:
    parts = expected_seconds(teaching, soft_labels, asked)
    print(f"the {name}: {in_words(parts)}", flush=True)


def _plan(pools: Pools, validation: Held, settings: Settings, folder: Path) -> Teaching:
    texts = learnt_from(pools, settings)
    return Teaching(settings, texts, hard_labels(texts.labels), validation, folder)


def _about(pools: Pools, settings: Settings) -> dict:
    return {
        "reviews": {name: len(split) for name, split in pools.items()},
        "train_ids_sha256": ids_sha256(pools["train"]["id"][: settings.reviews]),
    }


def main() -> None:
    """Read the options, teach, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m experiments.classifier", description=__doc__)
    parser.add_argument("--reviews", type=int, help="learn from so many train reviews, not all")
    parser.add_argument("--output", type=Path, default=FOLDER, help="where all is kept")
    options = parser.parse_args()
    preset = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
    try:
        teacher, student = (
            for_this_machine(settings, options.reviews) for settings in (TEACHER, STUDENT)
        )
        records = run(load_reviews(preset), options.output, teacher, student)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    for name, record in records.items():
        print(
            f"{name}: {record['accuracy']['test']:.2%} on test, {record['adapter_bytes']:,} bytes"
        )


if __name__ == "__main__":
    main()
