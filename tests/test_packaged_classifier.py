"""The classifier in the box: what it was trained on, how large it is, how good it is."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

import imdb_tutorial
from imdb_tutorial import calibration_error, compare_grouped, load_study, predict_proba
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
    adapter = FOLDER / "adapter_model.safetensors"
    assert adapter.stat().st_size == RECORD["adapter_bytes"] <= 2_500_000
    for path in files:
        if path.suffix == ".json":
            assert "/site-packages" not in path.read_text()


def test_it_learnt_from_the_train_pool_alone(reviews):
    assert RECORD["train_ids_sha256"] == ids_sha256(reviews["train"]["id"][:])
    assert RECORD["reviews"] == {pool: len(split) for pool, split in reviews.items()}


def loss_of(tried):
    return tried["loss"]


def test_seeds_mean_and_reading_are_those_with_the_lowest_validation_loss():
    runs, means, gone_on = RECORD["runs"], RECORD["means_tried"], RECORD["gone_on"]
    assert len(runs) == 3 and min(runs, key=loss_of)["seed"] == RECORD["chosen_seed"]
    singles = [{"seeds": [run["seed"]], "loss": run["loss"]} for run in runs]
    assert min([*singles, *means], key=loss_of)["seeds"] == RECORD["mean_of"]
    lowest = {name: min(map(loss_of, readings)) for name, readings in gone_on["tried"].items()}
    assert gone_on["is_kept"] and min(lowest, key=lowest.get) == gone_on["kept"]
    assert gone_on["tried"][gone_on["kept"]] == RECORD["readings"]
    assert min(RECORD["readings"], key=loss_of)["tokens"] == RECORD["reading"]


def test_it_reads_as_its_record_says_and_gives_logits_that_need_no_temperature(packaged):
    assert (packaged.reading, packaged.max_length) == ("head and tail", RECORD["reading"])
    assert packaged.temperature == 1 != RECORD["temperature"]  # which lies in its last layer


def test_it_is_better_than_bags_of_words_and_says_how_sure_it_is(reviews):
    study = load_study()
    study.check(reviews)
    labels, films = (np.array(reviews["test"][column][:]) for column in ("label", "film"))
    right = {m: (study.margins(m) > 0) == labels for m in ("packaged", "NB words", "TF-IDF")}
    for words in ("NB words", "TF-IDF"):
        ahead = compare_grouped(right["packaged"], right[words], films)
        assert ahead.difference >= 0.02 and ahead.low > 0, words
    assert right["packaged"].mean() == pytest.approx(RECORD["accuracy"]["test"], abs=1e-3)
    error = calibration_error(y_true=labels, y_proba=expit(study.margins("packaged")))
    assert error == pytest.approx(RECORD["calibration_error"]["test"], abs=2e-3)
    assert error <= 0.015


@pytest.mark.slow
def test_it_is_as_good_as_recorded(packaged, reviews):
    some = reviews["test"].select(range(300))
    right = predict_proba(packaged, some["text"][:]).argmax(dim=1).numpy() == np.array(
        some["label"][:]
    )
    # Three standard errors of 300 reviews.
    assert right.mean() == pytest.approx(RECORD["accuracy"]["test"], abs=0.055)


@pytest.mark.parametrize(
    ("text", "label", "least"),
    [
        ("This is a great movie. I enjoyed it a lot!", "POSITIVE", 0.85),
        ("This movie is so bad, I almost fell asleep.", "NEGATIVE", 0.95),
    ],
)
def test_it_is_sure_of_the_classic_sentences(packaged, text, label, least):
    (answer,) = packaged(text)
    assert answer["label"] == label
    assert answer["score"] > least
