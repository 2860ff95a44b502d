"""The classifier in the box: what it was trained on, how large it is, how good it is."""

import json
from pathlib import Path

import numpy as np
import pytest

import imdb_tutorial
from imdb_tutorial import compare, load_study, predict_proba
from imdb_tutorial.dataset.reviews import ids_sha256

FOLDER = Path(imdb_tutorial.__file__).with_name("data") / "packaged_classifier"
RECORD = json.loads((FOLDER / "record.json").read_text())


@pytest.fixture(scope="module")
def reviews(whole_pools):
    return whole_pools


@pytest.fixture(scope="module")
def packaged(packaged_classifier):
    return packaged_classifier


def test_it_is_small_and_holds_no_pickle_and_no_path():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json"}
    assert sum(path.stat().st_size for path in files) <= 2_000_000
    for path in files:
        if path.suffix == ".json":
            assert "/site-packages" not in path.read_text()


def test_it_learnt_from_the_train_pool_alone(reviews):
    assert RECORD["train_ids_sha256"] == ids_sha256(reviews["train"]["id"][:])
    assert RECORD["reviews"] == {pool: len(split) for pool, split in reviews.items()}


def test_it_is_better_than_a_bag_of_words_by_more_than_a_point(reviews):
    study = load_study()
    study.check(reviews)
    labels = np.array(reviews["test"]["label"][:])
    packaged, words = ((study.margins(m) > 0) == labels for m in ("packaged", "TF-IDF"))
    difference = compare(packaged, baseline=words)
    assert difference.difference >= 0.01
    assert difference.low > 0
    assert packaged.mean() == pytest.approx(RECORD["accuracy"]["test"], abs=1e-3)


@pytest.mark.slow
def test_it_is_as_good_as_recorded(packaged, reviews):
    some = reviews["test"].select(range(300))
    right = predict_proba(packaged, some["text"][:]).argmax(dim=1).numpy() == np.array(
        some["label"][:]
    )
    # Three standard errors of 300 reviews.
    assert right.mean() == pytest.approx(RECORD["accuracy"]["test"], abs=0.055)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This is a great movie. I enjoyed it a lot!", "POSITIVE"),
        ("This movie is so bad, I almost fell asleep.", "NEGATIVE"),
    ],
)
def test_it_is_sure_of_the_classic_sentences(packaged, text, label):
    (answer,) = packaged(text)
    assert answer["label"] == label
    assert answer["score"] > 0.95
