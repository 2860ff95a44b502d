"""The classifier on the base-size encoder: what it learnt from, its size, how good it is."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import imdb_tutorial
from experiments import classifier
from experiments.classifier import learnt_from
from experiments.soft_labels import SoftLabels
from experiments.teaching_settings import STUDENT, TEACHER
from imdb_tutorial import attribute, load_classifier
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.machine.base_encoder import PARTS
from imdb_tutorial.machine.manifest import damaged_file
from imdb_tutorial.machine.packages import is_installed

FOLDER = Path(imdb_tutorial.__file__).with_name("data") / "base_classifier"
RECORD = json.loads((FOLDER / "record.json").read_text(encoding="utf-8"))


def test_it_is_small_and_whole_and_holds_no_pickle():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json"}
    assert damaged_file(FOLDER) is None
    adapter = FOLDER / "adapter_model.safetensors"
    assert adapter.stat().st_size == RECORD["adapter_bytes"] <= 4_000_000


def test_it_learnt_from_the_train_pool_alone(whole_pools):
    count, further = RECORD["texts"]["reviews"], RECORD["further"]
    ids = whole_pools["train"]["id"]
    assert count == RECORD["settings"]["reviews"]
    assert RECORD["train_ids_sha256"] == ids_sha256(ids[:count])
    assert further["train_ids_sha256"] == ids_sha256(ids[count:])
    assert further["texts"]["reviews"] == len(ids) - count
    assert RECORD["reviews"] == {pool: len(split) for pool, split in whole_pools.items()}


def test_it_is_asked_and_not_taught_again(whole_pools):
    about = classifier._about(whole_pools, TEACHER)
    for changes, is_known in (({}, True), ({"passages": 0.5}, False), ({"rank": 8}, False)):
        teaching = SimpleNamespace(settings=dataclasses.replace(TEACHER, **changes))
        assert classifier._is_packaged(teaching, about) == is_known


def test_its_answers_to_all_that_the_student_learns_from_lie_beside_it(whole_pools, tmp_path):
    texts, soft = learnt_from(whole_pools, STUDENT), SoftLabels(FOLDER, "base", tmp_path)
    assert soft.missing(texts.readable) == [] and soft.seconds_for(1) > 0
    new = slice(RECORD["texts"]["reviews"], texts.reviews)
    answers = soft.of(texts.texts[new])
    assert answers.min() >= 0 and np.allclose(answers.sum(axis=1), 1)
    right = np.mean(answers.argmax(axis=1) == texts.labels[new])
    # They are the answers of the one that had not seen these reviews yet.
    (before,) = (asked for asked in RECORD["asked_before"] if asked["tokens"] == RECORD["reading"])
    assert right == pytest.approx(before["test"], abs=0.015)


def test_its_record_says_that_it_is_good():
    assert RECORD["accuracy"]["test"] >= 0.94
    assert RECORD["calibration_error"]["test"] <= 0.015
    best = max(RECORD["readings"], key=lambda reading: reading["accuracy"])
    assert RECORD["reading"] == best["tokens"]  # on validation


@pytest.mark.skipif(not all(map(is_installed, PARTS)), reason="the extra base is not installed")
def test_it_knows_what_a_reader_knows():
    opened = load_classifier("base")
    assert opened.reading == "head and tail" and opened.max_length == RECORD["reading"]
    assert opened.temperature == 1  # it is in the last layer already
    answers = opened(["A great film, I enjoyed it a lot!", "So bad that I fell asleep.", "Ok."])
    assert [answer["label"] for answer in answers[:2]] == ["POSITIVE", "NEGATIVE"]
    assert min(answer["score"] for answer in answers[:2]) > 0.9 > answers[2]["score"]
    attribution = attribute(opened, "This is not a good film.")
    assert attribution.is_complete
    (answer,) = opened(["This is not a good film."])
    assert attribution.margin == pytest.approx(
        -np.log(answer["score"] / (1 - answer["score"])), 1e-3
    )
    pushes = dict(zip(attribution.words, attribution.pushes, strict=True))
    assert min(pushes, key=pushes.get) == "not"
