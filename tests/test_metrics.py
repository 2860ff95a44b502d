"""The local metrics against scikit-learn, and what they refuse on every way in."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from imdb_tutorial import load_metrics
from imdb_tutorial.evaluation import metrics as package
from imdb_tutorial.evaluation.inputs import read_labels

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 500)
SAID = np.where(RNG.random(500) < 0.8, TRUTH, 1 - TRUTH)


def expected(predictions, references):
    return {
        "accuracy": accuracy_score(references, predictions),
        "f1": f1_score(references, predictions),
    }


@pytest.fixture(scope="module")
def shared():
    return load_metrics()


@pytest.fixture(params=["combined", "accuracy", "f1"])
def metric(request, shared):
    return shared if request.param == "combined" else load_metrics(request.param)


def stored(metric):
    return [len(part) for part in metric.evaluation_modules]


@pytest.mark.parametrize("count", [1, 500])
def test_the_same_as_scikit_learn(shared, count):
    said, truth = SAID[-count:], TRUTH[-count:]
    assert shared.compute(predictions=said, references=truth) == expected(said, truth)


def test_batches_and_single_labels_add_up(shared):
    shared.add_batch(predictions=SAID[:200], references=TRUTH[:200])
    for said, truth in zip(SAID[200:250], TRUTH[200:250].tolist(), strict=True):
        shared.add(prediction=said, reference=truth)
    result = shared.compute(predictions=SAID[250:], references=TRUTH[250:])
    assert result == expected(SAID, TRUTH)
    assert shared.compute(predictions=[1], references=[1]) == {"accuracy": 1.0, "f1": 1.0}


@pytest.mark.parametrize("label", [0, 1])
def test_a_model_that_always_says_the_same(shared, label, recwarn):
    always = [label] * len(TRUTH)
    share = float((TRUTH == label).mean())
    f1 = 2 * share / (1 + share) if label else 0.0
    result = shared.compute(predictions=always, references=TRUTH)
    assert result == pytest.approx({"accuracy": share, "f1": f1})
    assert shared.compute(predictions=[0, 0], references=[0, 0]) == {"accuracy": 1.0, "f1": 0.0}
    assert not recwarn


LABELS = [
    (0, 1, 0),
    [False, True, False],
    np.array([0, 1, 0], dtype=np.uint8),
    np.array([0.1, 0.9, 0.2]) > 0.5,
    torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 0.0]]).argmax(dim=1),
]
NO_LABELS = [
    ([0.2, 0.9], "x are float64.*0.2.*argmax"),
    (torch.tensor([1.0, 0.0], dtype=torch.bfloat16), "x cannot be read"),
    ([[0.2, 0.8], [0.9, 0.1]], r"\(2, 2\).*argmax"),
    ([], "no x"),
    ([None, 1], "None"),
    (["0", "1"], "'0'"),
    (1, "are 1"),
    ([0, 2], "row 1 is 2"),
    ([-100, 1], "row 0 is -100"),
]


@pytest.mark.parametrize("values", LABELS)
def test_any_kind_of_whole_labels_is_read(values):
    assert read_labels(values, "x").tolist() == [0, 1, 0]


@pytest.mark.parametrize("values, message", NO_LABELS)
def test_what_is_no_label_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        read_labels(values, "x")


@pytest.mark.parametrize("way", ["compute", "add_batch"])
@pytest.mark.parametrize("side", ["predictions", "references"])
def test_every_metric_reads_labels_on_every_way_in(metric, way, side):
    given = {"predictions": [0, 1], "references": [0, 1]} | {side: [0.2, 0.9]}
    with pytest.raises(ValueError, match=f"{side} are float64"):
        getattr(metric, way)(**given)
    assert not any(stored(metric))


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_a_single_one_that_is_no_label_is_refused(metric, side):
    given = {"prediction": 1, "reference": 1} | {side: 0.9}
    with pytest.raises(ValueError, match=f"{side}s"):
        metric.add(**given)
    assert not any(stored(metric))


def test_refused_batches_and_other_metrics_leave_the_others_alone(shared):
    shared.add_batch(predictions=SAID[:50], references=TRUTH[:50])
    with pytest.raises(ValueError, match="float64"):
        shared.add_batch(predictions=SAID[50:] * 0.9, references=TRUTH[50:])
    with pytest.raises(ValueError, match="2 predictions for 1 references"):
        shared.compute(predictions=[0, 1], references=[1])
    with pytest.raises(TypeError, match="average"):
        shared.compute(average="macro")
    alone = load_metrics("f1")
    assert alone.compute(predictions=TRUTH, references=TRUTH) == {"f1": 1.0}
    assert shared.compute() == expected(SAID[:50], TRUTH[:50])


def test_nothing_to_compute(metric):
    with pytest.raises(ValueError, match="nothing to compute"):
        metric.compute()


def test_an_unknown_metric_is_named():
    with pytest.raises(ValueError, match=r"'bleu'.*accuracy, f1"):
        load_metrics("accuracy", "bleu")


ALONE = """
import json, os, socket, sys

def forbidden(*args, **kwargs):
    raise AssertionError("a look-up in the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = forbidden
import evaluate
from imdb_tutorial import load_metrics

given = {"predictions": [0, 1, 1], "references": [0, 1, 0]}
before = os.listdir(os.environ["TMPDIR"])
result = {"ours": load_metrics().compute(**given)}
result["written"] = [name for name in os.listdir(os.environ["TMPDIR"]) if name not in before]
for name in ("accuracy", "f1"):
    loaded = evaluate.load(os.path.join(sys.argv[1], name), cache_dir=sys.argv[2])
    result[name] = loaded.compute(**given)
    try:
        loaded.compute(predictions=[0.2, 0.9], references=[0, 1])
    except ValueError as error:
        result["refused by " + name] = str(error)
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run it in a fresh process with no network, no settings and no home that can be written."""
    temporary, data, modules = (str(tmp_path_factory.mktemp(name)) for name in "tdm")
    surroundings = {
        "HOME": "/dev/null",
        "TMPDIR": temporary,
        "HF_MODULES_CACHE": modules,
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", ALONE, str(Path(package.__file__).parent), data],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_loads_without_network_without_a_home_and_without_a_word(alone):
    assert alone.returncode == 0, alone.stderr
    assert alone.stderr == ""
    result = json.loads(alone.stdout)
    assert result["ours"] == pytest.approx({"accuracy": 2 / 3, "f1": 2 / 3})
    assert result["written"] == []
    for name in ("accuracy", "f1"):
        assert result[name] == pytest.approx({name: 2 / 3})
        assert "float64" in result[f"refused by {name}"]
