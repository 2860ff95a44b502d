"""What an answer costs, and what is only cited: read from records, damaged ones refused."""

import json

import pytest

from imdb_tutorial import load_citations, load_cost_at_use
from imdb_tutorial.evaluation import records
from imdb_tutorial.machine.packages import DamagedFileError


def run(ms, batch, memory, load=0.1):
    return {"ms_alone": ms, "ms_in_batches": batch, "memory_mb": memory, "load": load}


COST = {
    "quiet_below_load": 1.3,
    "rungs": {
        "slow": {
            "disk_mb": 90.5,
            "seconds_to_train": 700,
            "runs": [run(9, 4, 300), run(30, 6, 100), run(10, 5, 200)],
        },
        "busy": {
            "disk_mb": 1,
            "seconds_to_train": 3,
            "runs": [run(1, 0.5, 20), run(4, 1.5, 40, load=1.31)],
        },
    },
}
CITED = {
    "measured_here": False,
    "citations": [
        {
            "model": "large",
            "accuracy": 0.96,
            "year": None,
            "trained_on": "all",
            "official_split": True,
            "title": "A paper",
            "address": "https://example.org",
        }
    ],
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return a folder with sealed toy records, which the package reads instead of its own."""
    for name, record in (("cost_at_use", COST), ("cited", CITED)):
        (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    records.seal_records(tmp_path)
    monkeypatch.setattr(records, "DATA", tmp_path)
    return tmp_path


def test_medians_of_the_rounds_are_read(data):
    table = load_cost_at_use()
    measured = ["ms a review", "ms in batches", "MB memory"]
    assert table.loc["slow", measured].tolist() == [10, 5, 200]  # not the means, not the firsts
    assert table.loc["busy", measured].tolist() == [2.5, 1, 30]
    assert table.loc["slow", ["MB on disk", "seconds to train", "rounds"]].tolist() == [
        90.5,
        700,
        3,
    ]


def test_one_round_under_load_marks_the_rung(data):
    assert load_cost_at_use().quiet.to_dict() == {"slow": True, "busy": False}


def test_a_citation_says_that_it_was_not_measured(data):
    row = load_citations().loc["large"]
    assert (row.accuracy, row["trained on"], row["measured here"]) == (0.96, "all", False)


def test_every_citation_of_the_package_has_its_source():
    table = load_citations()
    assert table.accuracy.between(0.5, 1).all() and not table["measured here"].any()
    assert table.address.str.startswith("https://").all() and table.title.str.len().gt(0).all()


@pytest.mark.parametrize("load", [load_cost_at_use, load_citations])
def test_a_record_that_was_changed_is_refused(data, load):
    for name in ("cost_at_use", "cited"):
        (data / f"{name}.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedFileError, match="is missing or damaged: reinstall"):
        load()
