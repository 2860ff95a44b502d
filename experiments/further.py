"""Lets the base classifier go on learning, from the train reviews that it has not seen yet.

``python -m experiments.further`` starts from the packaged one. What its answers taught the small
classifier stays what it said before: to most of those texts, answers of one that never saw them.
All is kept under ``build/further``: a run that was killed goes on where it was. At the end
``load_classifier("build/further/teacher")`` opens the result; the test pool is asked once, of it.
"""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

from experiments.classifier import PACKAGED_TEACHER, Pools, hard_labels, held_back
from experiments.expected_time import expected_seconds, in_words
from experiments.saved_classifier import RECORD_FILE, save
from experiments.soft_labels import SOFT_LABELS_FILE
from experiments.teaching import Teaching, digests_of_saved
from experiments.teaching_settings import TEACHER, Settings
from experiments.teaching_texts import teaching_texts
from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.dataset.reviews import ids_sha256

FOLDER = Path("build/further")
# Half of the rate that it began with: it goes on, and does not begin anew.
SETTINGS = dataclasses.replace(TEACHER, rates=(TEACHER.rates[0] / 2,), reviews=None)
# Where the finished one differs from the one it was.
CHOSEN = ("readings", "reading", "chosen_on", "temperature", "calibration_error_before")


def run(pools: Pools, folder: Path, teacher: Path, settings: Settings = SETTINGS) -> dict:
    """Let a saved teacher go on learning, and save it.

    Args:
        pools: Reviews with the columns ``text``, ``label`` and ``id``: train, validation and test.
        folder: Where all is kept.
        teacher: Its folder, with its record and its answers.
        settings: How it goes on; its layers and its rank are those of the teacher.

    Returns:
        The record: the teacher's, with what was learnt further.

    Raises:
        ValueError: It has learnt from all reviews, or has other layers or another rank.
    """
    before = json.loads((teacher / RECORD_FILE).read_bytes())
    train, count = pools["train"], before["texts"]["reviews"]
    if "further" in before or count >= len(train):
        raise ValueError(
            f"the teacher in {str(teacher)!r} has learnt from all {len(train):,} train reviews: "
            "expected one that learnt from fewer"
        )
    held = held_back(pools)
    labels = np.array(train["label"][count:], dtype=np.int64)
    shares = settings.passages, settings.fragments
    texts = teaching_texts(train["text"][count:], labels, *shares, seed=1)
    targets, work = hard_labels(texts.labels), folder / "work"
    teaching = Teaching(settings, texts, targets, held["validation"], work, start=teacher)
    parts = expected_seconds(teaching, False, sum(len(some.labels) for some in held.values()))
    print(f"the teacher: {in_words(parts)}", flush=True)
    record, model = teaching.run()
    rest = {name: value for name, value in record.items() if name not in CHOSEN}
    asked = {"tokens": before["reading"], "reviews": count, "test": before["accuracy"]["test"]}
    record = before | {name: record[name] for name in CHOSEN}
    record |= {
        "further": rest | {"train_ids_sha256": ids_sha256(train["id"][count:])},
        "answers_by": digests_of_saved(teacher),
        "asked_before": [*before.get("asked_before", []), asked],
    }
    record = save(model, settings, record, held, folder / "teacher", work)
    shutil.copy(teacher / SOFT_LABELS_FILE, folder / "teacher")
    teaching.forget_lower_layers()
    return record


def main() -> None:
    """Read the options, teach, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m experiments.further", description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER, help="where all is kept")
    options = parser.parse_args()
    preset = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
    try:
        record = run(load_reviews(preset), options.output, PACKAGED_TEACHER)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    print(f"{record['accuracy']['test']:.2%} on test, {record['adapter_bytes']:,} bytes")


if __name__ == "__main__":
    main()
