"""The real size: what was recorded of it is read as it was written; another BERT's bill."""

import json

import numpy as np
import pytest

from imdb_tutorial import load_base_run, load_both_ways, load_estimate_error
from imdb_tutorial.cost.flops import BERT_BASE, EncoderShape, flops_of_another, forward_flops
from imdb_tutorial.evaluation import records
from imdb_tutorial.machine.packages import DamagedFileError

MINILM = EncoderShape(6, 384, 1_536)
BASE, SMALL = "all-mpnet-base-v2", "all-MiniLM-L6-v2"


def row(encoder, pooling, accuracy):
    return {
        "encoder": encoder,
        "pooling": pooling,
        "accuracy": accuracy,
        "interval": [accuracy - 0.01, accuracy + 0.01],
        "interval_over_films": [accuracy - 0.02, accuracy + 0.03],
    }


def speed(tokens_a_second):
    return {
        "tokens": 1_000,
        "seconds, tokenizing included": 1_000 / tokens_a_second,
        "tokens_a_second": tokens_a_second,
        "matrix_tflops": 600.0,
        "share_of_matrix_rate": 0.5,
    }


BASE_RUN = {
    "whole run": {
        "device": "2 processor threads",
        "dtype": "bfloat16",
        "reviews": {"train": 20, "validation": 3, "test": 4},
        "rows": [row(e, p, 0.8) for e in (BASE, SMALL) for p in ("cls", "mean")],
        BASE: speed(10),
        SMALL: speed(80),
        "base less MiniLM, cls": [0.09, 0.08, 0.11],
        "base less MiniLM, mean": [0.05, 0.04, 0.07],
        "peak_memory_mb": {"main": 1_700},
    },
    "speed on a part": {
        "2 processor threads, bfloat16": {
            "device": "2 processor threads",
            "dtype": "bfloat16",
            "tokens_of_text_a_second": {"classic loop": 3, "ours": 10},
            "run_seconds": {"classic loop": 360_000, "ours": 3_600},
            "seconds_of_thirty_epochs_on_features": 9.0,
            "times_faster": 100.0,
            "share_of_matrix_rate": 0.4,
            "peak_memory_mb": {"main": 1_700},
        }
    },
}
GPU_CHECK = {
    "machine": "Linux",
    "versions": {"torch": "2"},
    "device": "a GPU",
    "matrix_tflops": {"float32": 50.0, "bfloat16": 700.0},
    BASE: {
        "tokens_of_text_a_second": {"classic loop": 3, "ours, float32": 10, "ours, bfloat16": 90},
        "run_seconds": {"classic loop": 7_200, "ours, float32": 720, "ours, bfloat16": 72},
        "seconds_of_thirty_epochs_on_features": 5.0,
        "times_faster": {"ours, float32": 10.0, "ours, bfloat16": 100.0},
        "model_flops_utilisation": 0.3,
        "peak_memory_mb": {"main": 2_000, "gpu": 3_000},
        "passed": {"equal features": True},
    },
}
ESTIMATE_ERROR = {
    "encoder": "packaged",
    "reviews": {"train": 4, "validation": 2, "test": 2},
    "threads": 2,
    "device": "cpu",
    "dtype": "float32",
    "rounds": [
        {"ratio": {"classic loop": 1.1, "ours": 0.9}, "load": [2.1, 1.0, 0.5]},
        {"ratio": {"classic loop": 1.0, "ours": 1.0}, "load": [2.0, 1.5, 0.5]},
    ],
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return a folder with sealed records, which the package reads instead of its own."""
    for name, record in (
        ("base_run", BASE_RUN),
        ("gpu_check", GPU_CHECK),
        ("estimate_error", ESTIMATE_ERROR),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    records.seal_records(tmp_path)
    monkeypatch.setattr(records, "DATA", tmp_path)
    return tmp_path


def test_the_run_of_the_real_size_is_read(data):
    run = load_base_run()
    assert (run.device, run.dtype, sum(run.reviews.values())) == (
        "2 processor threads",
        "bfloat16",
        27,
    )
    assert list(run.accuracies) == [BASE, SMALL]
    accuracy = run.accuracies[BASE]["mean"]
    assert accuracy == (0.8, pytest.approx(0.78), pytest.approx(0.83), 4)  # films, not reviews
    assert run.tokens_per_second == {BASE: 10, SMALL: 80}
    assert run.seconds[BASE] == 100
    assert run.differences == {"cls": [0.09, 0.08, 0.11], "mean": [0.05, 0.04, 0.07]}
    assert run.matrix_rate[BASE] == pytest.approx(6e14)
    assert run.peak_memory_mb == {"main": 1_700}


def test_both_ways_are_read_from_both_records(data):
    here, there = load_both_ways()
    assert (here.device, there.device) == ("2 processor threads", "a GPU")
    assert here.seconds == {"classic loop": 360_000, "ours, bfloat16": 3_600}
    assert here.times_faster == {"ours, bfloat16": 100}
    assert (here.probe_seconds, there.probe_seconds) == (9, 5)
    assert here.tokens_per_second == {"classic loop": 3, "ours, bfloat16": 10}
    assert (here.share_of_matrix_rate, there.share_of_matrix_rate) == (0.4, 0.3)
    assert list(there.seconds) == ["classic loop", "ours, float32", "ours, bfloat16"]
    assert there.peak_memory_mb["gpu"] == 3_000


def test_errors_of_bills_are_read(data):
    error = load_estimate_error()
    assert error.ratios == {"classic loop": [1.1, 1], "ours": [0.9, 1]}
    assert error.device == "cpu, 2 threads, float32"
    assert error.loads == [2.1, 2.0]


@pytest.mark.parametrize("load", [load_base_run, load_both_ways, load_estimate_error])
def test_a_record_that_was_changed_is_refused(data, load):
    for name in ("base_run", "estimate_error"):
        (data / f"{name}.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedFileError, match="is missing or damaged: reinstall"):
        load()


@pytest.mark.parametrize("another", [BERT_BASE, MINILM, EncoderShape(1, 2, 3)])
def test_the_same_batches_are_counted_for_another_bert(another):
    rows, tokens = np.array([2, 4, 16]), np.array([500, 250, 60])  # of three batches
    flops = forward_flops(MINILM, rows, tokens).sum()
    counted = forward_flops(another, rows, tokens).sum()
    assert flops_of_another(flops, (rows * tokens).sum(), MINILM, another) == pytest.approx(counted)
