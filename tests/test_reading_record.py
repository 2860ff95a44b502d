"""What to read of a long review: the measurement, its rule, and its record."""

import datasets
import numpy as np
import pytest
from scipy.special import expit

from experiments.behaviour_models import packaged_sha256
from experiments.reading import (
    WAYS,
    calibrated,
    check_short,
    choose,
    margins_of,
    measure,
    windows_mean,
)
from imdb_tutorial import (
    LinearProbe,
    calibration_error,
    fit_temperature,
    load_classifier,
    load_reviews,
    save_probe,
)
from imdb_tutorial.classifier.answer_settings import save_answer_settings
from imdb_tutorial.evaluation import records
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.presets import load_preset

SIZE = 12


def test_every_way_reads_what_it_says():
    ids = np.arange(100, 125)
    read = {name: [one.tolist() for one in way(ids, 10)] for name, way in WAYS.items()}
    head, tail = [*range(100, 109), 124], [100, *range(116, 125)]
    assert read == {
        "head": [head],
        "tail": [tail],
        "head and tail": [[*range(100, 105), *range(120, 125)]],
        "mean of head and tail": [head, tail],
        "mean of all windows": [head, [100, *range(109, 117), 124], tail],
    }


@pytest.mark.parametrize("count", range(11, 60))
def test_windows_are_full_and_leave_nothing_out(count):
    ids = np.arange(count)
    windows = windows_mean(ids, 10)
    assert {len(window) for window in windows} == {10}
    assert {n for window in windows for n in window.tolist()} == set(range(count))
    assert len(windows) == -(-(count - 2) // 8)


def test_a_review_s_margin_is_the_mean_over_its_pieces():
    logits = np.array([[0, 1], [2, 0], [1, 4], [0, 0]], dtype=np.float32)
    assert margins_of(logits, [1, 2, 1]).tolist() == [1, 0.5, 0]


def test_the_temperature_is_not_judged_on_what_it_was_fitted_on():
    random = np.random.default_rng(0)
    margins, films = random.normal(0, 4, 3_000), random.integers(0, 300, 3_000).astype(str)
    truth = (random.random(3_000) < expit(margins / 2)).astype(int)
    found = calibrated(margins, truth, films)
    assert found["temperature"] == round(fit_temperature(y_true=truth, logits=margins), 3)
    assert found["temperature"] == pytest.approx(2, abs=0.2)
    before = calibration_error(y_true=truth, y_proba=expit(margins))
    assert found["error_before"] == pytest.approx(before, abs=1e-5)
    assert found["error_after"] < before / 3
    # Each half's films are all on one side: a label that goes with the film cannot be fitted.
    by_film = calibrated(np.where(films < "2", 9.0, -9.0), (films < "2").astype(int), films)
    assert by_film["error_after"] <= by_film["error_before"]


def test_another_way_than_the_taught_one_must_be_surely_ahead_to_be_chosen():
    measured = {
        "head": ([0.91, 0.9, 0.92], [-0.01, -0.02, -0.001], 0.01),
        "tail": ([0.93, 0.92, 0.94], [0.01, -0.001, 0.02], 0.06),
        "head and tail": ([0.92, 0.91, 0.93], None, None),
        "all": ([0.928, 0.91, 0.94], [0.008, 0.001, 0.02], 0.07),
        "windows": ([0.925, 0.91, 0.93], [0.005, 0.001, 0.01], 0.04),
    }
    rows = [
        {"name": name, "accuracy": accuracy, "less_taught": less, "p_value": p}
        for name, (accuracy, less, p) in measured.items()
    ]
    assert choose(rows) == "windows"
    assert choose(rows[:4]) == "head and tail"


@pytest.fixture
def classifier(tiny_bert, tmp_path):
    probe = LinearProbe(16, pooling="mean")
    probe.linear.weight.data *= 30
    save_probe(probe, tmp_path / "probe", str(tiny_bert), max_length=SIZE)
    save_answer_settings(tmp_path / "probe", "head and tail", 2.0)
    return load_classifier(tmp_path / "probe")


@pytest.fixture
def pool():
    words = "good bad film plot the very not dull great actor".split()
    texts = [" ".join(words[(row * step) % 10] for step in range(1, 4 + row)) for row in range(30)]
    return datasets.Dataset.from_dict({"text": texts, "film": [f"f{row % 7}" for row in range(30)]})


def test_the_ways_are_those_that_the_classifier_itself_reads(classifier, pool, tmp_path):
    truth = np.arange(30) % 2
    asked = [judge(classifier, text) for text in pool["text"]]
    margins = np.array([verdict.margin for verdict in asked]) * 2.0
    is_long = np.array([verdict.reading.is_cut for verdict in asked])
    known = np.where(is_long, np.nan, margins)
    found = measure(classifier, pool, truth, known, tmp_path / "work")
    assert (found["reviews"], found["long_reviews"]) == (30, int(is_long.sum()))
    (both,) = [row for row in found["ways"] if row["name"] == "head and tail"]
    assert both["accuracy"][0] == pytest.approx(np.mean((margins > 0) == truth), abs=1e-5)
    long = np.mean((margins > 0)[is_long] == truth[is_long])
    assert both["accuracy_long"][0] == pytest.approx(long, abs=1e-5)
    fitted = fit_temperature(y_true=truth, logits=margins)
    assert both["temperature"] == pytest.approx(fitted, rel=0.01)
    assert found["ways"][0]["less_head"] is None
    assert both["less_taught"] is None and both["p_value"] is None
    again = measure(classifier, pool, truth, known, tmp_path / "work")
    for row in (*found["ways"], *again["ways"]):
        assert row.pop("times_head") > 0
    assert again == found


def test_another_classifier_s_answers_are_refused(classifier):
    short = [np.array([2, 10, 11, 3]), np.array([2, 12, 3])]
    with pytest.raises(ValueError, match=r"another classifier's .*: run make study"):
        check_short(classifier, short, np.array([50.0, -50.0]))


def test_the_record_is_of_the_packaged_adapter_and_of_validation_alone():
    record = records.read_record("reading")
    assert record["classifier_sha256"] == packaged_sha256(), "run make reading"
    preset = load_preset("laptop").replace(train_size=2, validation_size=None, test_size=2)
    assert record["reviews"] == len(load_reviews(preset)["validation"])
    assert [way["name"] for way in record["ways"]] == list(WAYS)
    assert record["chosen"] == load_classifier("packaged").reading == choose(record["ways"])
    for way in record["ways"]:
        assert way["accuracy"][1] <= way["accuracy"][0] <= way["accuracy"][2]
        if way["name"] != "head":
            ahead = way["accuracy"][0] - record["ways"][0]["accuracy"][0]
            assert way["less_head"][0] == pytest.approx(ahead, abs=2e-5)
    taught = {way["name"]: way["accuracy"][0] for way in record["ways"]}["head and tail"]
    for way in record["ways"]:
        ahead = way["accuracy"][0] - taught
        assert (way["less_taught"] or [0])[0] == pytest.approx(ahead, abs=2e-5)
