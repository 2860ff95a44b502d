"""The record of the attributions: it is today's classifier's, and it says what follows from it."""

import numpy as np
import pytest

from experiments.attributions import PER_LABEL, POOL, TODAY, choose_rows
from experiments.attributions_methods import METHODS
from experiments.attributions_summary import RULE, SECONDS, is_clearly_better
from experiments.behaviour_models import packaged_sha256
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.records import DATA, read_record

pytestmark = pytest.mark.skipif(
    not (DATA / "attributions.json").is_file(), reason="needs the record of make attributions"
)


@pytest.fixture(scope="module")
def record():
    return read_record("attributions")


def test_it_is_of_todays_classifier(record):
    assert record["classifier_sha256"] == packaged_sha256(), (
        "another classifier is packaged: run `make attributions`"
    )


def test_it_is_of_validation_reviews_that_a_seed_chose(record, whole_pools):
    pool = whole_pools[POOL]
    truth = np.array(pool["label"][:])
    rows = choose_rows(pool["text"][:], truth, PER_LABEL)
    ids = pool["id"][:]
    assert record["reviews"]["ids_sha256"] == ids_sha256([ids[row] for row in rows])
    assert record["reviews"]["count"] == len(rows) >= 300
    assert record["reviews"]["positive"] == truth[rows].sum() == len(rows) / 2


def test_every_way_is_measured_in_every_way(record):
    assert record["methods"] == list(METHODS) and record["today"] == TODAY
    assert len(record["rows"]) == 8 * len(METHODS)
    for row in record["rows"]:
        assert row["low"] <= row["mean"] <= row["high"]
        assert np.mean(list(row["by_percent"].values())) == pytest.approx(row["mean"], abs=1e-4)
        assert (row["less_today"] is None) == (row["method"] == TODAY)
        if row["less_today"]:
            today = next(
                other["mean"]
                for other in record["rows"]
                if other["method"] == TODAY
                and all(other[key] == row[key] for key in ("measure", "removal", "unit"))
            )
            difference = row["less_today"]["difference"]
            assert difference == pytest.approx(row["mean"] - today, abs=2e-4)


def test_the_best_follows_from_the_rows_by_the_rule(record):
    best, seconds = record["best"], record["cost"]["methods"]
    assert best["rule"] == RULE

    def mean(name, measure):
        means = [
            row["mean"]
            for row in record["rows"]
            if (row["method"], row["measure"], row["unit"]) == (name, measure, "probability")
        ]
        return np.mean(means)

    quick = [name for name, row in seconds.items() if row["seconds"] <= SECONDS]
    if not quick:
        assert best["method"] is None
        return
    top = max(quick, key=lambda name: mean(name, "comprehensiveness"))
    assert top in best["not_worse"] and set(best["not_worse"]) <= set(quick)
    assert mean(best["method"], "sufficiency") == pytest.approx(
        min(mean(name, "sufficiency") for name in best["not_worse"]), abs=1e-4
    )
    assert best["clearly_better_than_today"] == (
        best["method"] != TODAY and is_clearly_better(record["rows"], best["method"])
    )


def test_controls_are_controls(record):
    """Nothing is as bad as words drawn at random."""
    for row in record["rows"]:
        if row["measure"] == "comprehensiveness" and row["method"] not in record["controls"]:
            random = next(
                other
                for other in record["rows"]
                if other["method"] == "random order"
                and all(other[key] == row[key] for key in ("measure", "removal", "unit"))
            )
            if row["method"] != "gradient times input":  # which is known to be nearly random
                assert row["low"] > random["high"], row
