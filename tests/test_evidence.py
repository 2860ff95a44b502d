"""The evidence: its models against other implementations, its units, the reader of its record."""

import json
import os
import subprocess
import sys
import textwrap

import datasets
import numpy as np
import pytest
import scipy.sparse
import torch

from experiments import bags, budget, data, evidence, frozen, tuned, units
from experiments.units import Unit, run_missing, run_unit
from imdb_tutorial import load_evidence
from imdb_tutorial.evaluation.evidence import PROBABILITIES, RECORD

REVIEWS, WORDS = 120, 60


@pytest.fixture
def pools(monkeypatch):
    """Replace the pools by random words, of which some go with a label."""
    random = np.random.default_rng(0)
    truth = {part: random.permutation(np.arange(REVIEWS) % 2) for part in ("train", "test")}
    rates = np.where(np.arange(WORDS) < 10, 1.5, 1) * 0.2
    counts = {}
    for part, labels in truth.items():
        often = np.where(labels[:, None] == 1, rates, rates[::-1])
        counts[part] = scipy.sparse.csr_matrix(random.poisson(often).astype(np.float32))
    for module in (bags, budget):
        monkeypatch.setattr(module, "labels", truth.__getitem__)
    monkeypatch.setattr(bags, "word_counts", lambda: counts)
    return truth, counts


def test_naive_bayes_weights_are_those_of_the_paper(pools):
    truth, counts = pools
    weighed, asked = bags.naive_bayes(counts["train"], truth["train"], counts["test"])
    dense = counts["train"].toarray()
    known = [w for w in range(WORDS) if sum(dense[:, w] > 0) >= 2]
    p = {
        w: 1 + sum(1 for x, y in zip(dense, truth["train"], strict=True) if x[w] and y)
        for w in known
    }
    q = {
        w: 1 + sum(1 for x, y in zip(dense, truth["train"], strict=True) if x[w] and not y)
        for w in known
    }
    total_p, total_q = sum(p.values()), sum(q.values())
    ratio = [np.log(p[w] / total_p) - np.log(q[w] / total_q) for w in known]
    for found, some in ((weighed, dense), (asked, counts["test"].toarray())):
        np.testing.assert_allclose(found.toarray(), (some[:, known] > 0) * ratio, atol=1e-5)


def test_a_sample_is_balanced_and_holds_the_smaller_ones(pools):
    truth, _ = pools
    small, large = budget.balanced_sample(3, 20), budget.balanced_sample(3, 60)
    assert truth["train"][small].sum() == 10 and len(set(large)) == 60
    assert set(small) < set(large)
    assert set(small) != set(budget.balanced_sample(4, 20))
    assert budget.balanced_sample(3, None).tolist() == list(range(REVIEWS))
    with pytest.raises(ValueError, match=r"needs 100 of either label: .* 60 negative and 60"):
        budget.balanced_sample(0, 200)


def test_nothing_is_chosen_outside_the_sample(pools, monkeypatch):
    truth, _ = pools
    unit = {"size": 40, "seed": 1}
    rows, answers = bags.fit_bags(unit)
    sample = budget.balanced_sample(1, 40)
    outside = np.setdiff1d(np.arange(REVIEWS), sample)
    # Which of them are outside depends on the labels, so the sample is held still.
    monkeypatch.setattr(bags, "balanced_sample", lambda seed, size: sample)
    truth["train"][outside] = 1 - truth["train"][outside]
    truth["test"][:] = 1 - truth["test"]
    again, same = bags.fit_bags(unit)
    np.testing.assert_array_equal(answers["test"], same["test"])
    for before, after in zip(rows, again, strict=True):
        assert before.pop("test_accuracy") == pytest.approx(1 - after.pop("test_accuracy"))
        assert before == after
    truth["train"][sample[:10]] = 1 - truth["train"][sample[:10]]
    assert (bags.fit_bags(unit)[1]["test"] != same["test"]).any()


def test_a_held_back_fold_is_not_weighed_with(pools):
    truth, counts = pools
    seen = []

    def weigh(train, labels, *others):
        seen.append((train.shape[0], len(labels), *(o.shape[0] for o in others)))
        return bags.naive_bayes(train, labels, *others)

    budget.fit_chosen(weigh, counts["train"], truth["train"], counts["test"][:7], (0.1, 1), 0)
    assert seen == [(96, 96, 24)] * 5 + [(120, 120, 7)]


def test_frozen_features_are_standardised_by_what_is_learnt_from():
    train, other = np.array([[0.0, 5], [2, 5]]), np.array([[4.0, 6]])
    learnt, asked = frozen.standardised(train, np.array([0, 1]), other)
    assert learnt.tolist() == [[-1, 0], [1, 0]] and asked.tolist() == [[3, 1]]


def make(varies):
    """Stand in for an experiment; says that it ran."""
    with open(varies["log"], "a", encoding="utf-8") as log:
        log.write(f"{varies['n']}\n")
    return [{"n": varies["n"]}], {"test": np.full((1, 4), varies["n"], dtype=np.uint8)}


def planned(tmp_path, count=6):
    return [Unit("toy", make, {"n": n, "log": str(tmp_path / "log")}) for n in range(count)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(units, "file_of", lambda unit, where: where / f"{unit.varies['n']}.npz")
    return tmp_path / "units"


def ran(tmp_path):
    return [int(line) for line in (tmp_path / "log").read_text(encoding="utf-8").split()]


def test_what_is_finished_is_not_run_again(tmp_path, folder):
    some = planned(tmp_path)
    assert len(list(run_missing(some[:4], folder, "data"))) == 4  # and here it was killed
    assert [u.varies["n"] for u in run_missing(some, folder, "data")] == [4, 5]
    assert ran(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert list(run_missing(some, folder, "data", until=0)) == []


def test_other_data_or_a_damaged_file_is_run_again(tmp_path, folder):
    some = planned(tmp_path, 3)
    list(run_missing(some, folder, "data"))
    whole = (folder / "1.npz").read_bytes()
    (folder / "1.npz").write_bytes(whole[: len(whole) // 2])
    assert [u.varies["n"] for u in run_missing(some, folder, "data")] == [1]
    assert [u.varies["n"] for u in run_missing(some, folder, "other data")] == [0, 1, 2]


def test_a_unit_that_another_process_is_at_is_left_to_it(tmp_path, folder):
    (unit,) = planned(tmp_path, 1)
    folder.mkdir()
    with units.only_writer((folder / "0.npz").with_suffix(".claim")):
        assert run_unit(unit, folder, "data") is False
    assert run_unit(unit, folder, "data") is True  # whose owner is gone


def test_a_changed_experiment_has_another_digest_and_the_others_keep_theirs(tmp_path, monkeypatch):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "imdb_tutorial").mkdir()
    (tmp_path / "imdb_tutorial/__init__.pyi").write_text(
        "from .a import f as f\n", encoding="utf-8"
    )
    files = {
        "imdb_tutorial/__init__": "",
        "imdb_tutorial/a": "def f():\n    return 1\n",
        "experiments/__init__": "",
        "experiments/common": "from imdb_tutorial import f\n",
        "experiments/words": "from experiments.common import f\nx = 1\n",
        "experiments/frozen": "from experiments import common\ny = 1\n",
        "experiments/alone": "z = 1\n",
    }
    monkeypatch.setattr(units, "ROOT", tmp_path)

    def digests(**changed):
        for name, text in (
            files | {k.replace("__of__", "/"): v for k, v in changed.items()}
        ).items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        for cached in (units._public_names, units._imports, units._code, units.code_digest):
            cached.cache_clear()
        return [units.code_digest(f"experiments.{name}") for name in ("words", "frozen", "alone")]

    try:
        before = digests()
        said = "'''Says.'''\nfrom experiments.common import f\nx = 1  # one\n"
        assert digests(experiments__of__words=said) == before
        words = digests(experiments__of__words="from experiments.common import f\nx = 2\n")
        assert [a == b for a, b in zip(words, before, strict=True)] == [False, True, True]
        package = digests(imdb_tutorial__of__a="def f():\n    return 2\n")
        assert [a == b for a, b in zip(package, before, strict=True)] == [False, False, True]
    finally:
        for cached in (units._public_names, units._imports, units._code, units.code_digest):
            cached.cache_clear()


SHARE = """
    import sys, time
    from pathlib import Path
    import numpy as np
    from experiments.units import Unit, run_missing

    def make(varies):
        time.sleep(0.05)
        with open("log", "a") as log:
            log.write(f"{varies['n']}\\n")
        return [{"n": varies["n"]}], {"test": np.zeros((1, 4), dtype=np.uint8)}


    list(run_missing([Unit("toy", make, {"n": n}) for n in range(20)], Path("units"), "data"))
"""


def test_two_processes_share_the_work_and_do_nothing_twice(tmp_path):
    (tmp_path / "share.py").write_text(textwrap.dedent(SHARE), encoding="utf-8")
    there = {**os.environ, "PYTHONPATH": str(units.ROOT)}
    running = [
        subprocess.Popen([sys.executable, "share.py"], cwd=tmp_path, env=there) for _ in range(2)
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert sorted(ran(tmp_path)) == list(range(20))


def test_fine_tuning_that_was_killed_goes_on_with_the_next_rate(pools, tmp_path, monkeypatch):
    texts = [f"review {n}" for n in range(REVIEWS)]
    toy = datasets.DatasetDict(
        {part: datasets.Dataset.from_dict({"text": texts}) for part in ("train", "test")}
    )
    scores, tried = dict(zip(tuned.RATES["full"], (0.75, 0.5), strict=True)), []

    def keep_trial(file, unit, rate, learnt, checked):
        assert len(learnt) == 32 and len(checked) == 8 and not set(learnt) & set(checked)
        tried.append(rate)
        if tried == list(scores):
            raise KeyboardInterrupt
        file.parent.mkdir(exist_ok=True)
        weights = {"bias": torch.full((1,), rate)}
        torch.save({"score": scores[rate], "steps": 100, "weights": weights}, file)

    monkeypatch.setattr(tuned, "TRIALS", tmp_path / "trials")
    monkeypatch.setattr(tuned, "reviews", lambda: toy)
    monkeypatch.setattr(tuned, "labels", pools[0].__getitem__)
    monkeypatch.setattr(tuned, "keep_trial", keep_trial)
    monkeypatch.setattr(tuned, "new_model", lambda way, seed: torch.nn.Linear(1, 1))
    asked = []
    monkeypatch.setattr(
        tuned, "ask", lambda model, some: asked.append(model.bias.item()) or np.ones(len(some))
    )
    unit = {"way": "full", "size": 40, "seed": 0}
    with pytest.raises(KeyboardInterrupt):
        tuned.fit_tuned(unit)
    (row,), answers = tuned.fit_tuned(unit)
    first, second = scores
    assert tried == [first, second, second]
    assert row["learning_rate"] == first and row["chosen_with_accuracy"] == 0.75
    assert asked == [pytest.approx(first)]  # the test pool, once, by the chosen model
    assert answers["test"].shape == (1, REVIEWS) and row["test_accuracy"] == 0.5
    assert not list((tmp_path / "trials").iterdir())


@pytest.fixture
def record(tmp_path, folder, monkeypatch):
    """Write a record of two units of three."""
    split = datasets.Dataset.from_dict({"label": [0, 1, 0, 1], "id": list("abcd")})
    monkeypatch.setattr(data, "reviews", lambda: {"train": split, "test": split})
    some = planned(tmp_path, 3)
    list(run_missing(some[:2], folder, "data"))
    found, packed = evidence.collect(some, folder, "data", range(3))
    where = tmp_path / "record"
    where.mkdir()
    (where / RECORD.name).write_text(json.dumps(found), encoding="utf-8")
    (where / PROBABILITIES.name).write_bytes(packed)
    return where


def test_a_partial_record_says_what_is_missing(record):
    read = load_evidence(record)
    assert read.experiments == ["toy"] and len(read.missing) == 1 and "n=2" in read.missing[0]
    assert read.table("toy").n.tolist() == [0, 1]
    assert read.answers("toy").tolist() == [[0] * 4, [1] * 4]
    assert read.right("toy", [0, 1, 0, 1], n=1).tolist() == [[True, False, True, False]]
    with pytest.raises(ValueError, match=r"no experiment 'words' in the evidence: .* of toy"):
        read.table("words")
    with pytest.raises(ValueError, match="3 labels for 4 test reviews: load the whole pool"):
        read.right("toy", [0, 1, 0])
    with pytest.raises(ValueError, match="no column 'model' in 'toy'"):
        read.right("toy", [0, 1, 0, 1], model="TF-IDF")
    with pytest.raises(ValueError, match="no model of 'toy' with n 9: expected one of 0, 1"):
        read.right("toy", [0, 1, 0, 1], n=9)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (RECORD.name, b"{", "evidence.json is damaged"),
        (RECORD.name, b"[]", "it holds no record"),
        (RECORD.name, b'{"format": 99}', "has the format 99, this code reads 1"),
        (PROBABILITIES.name, b"other", "does not belong to evidence.json"),
    ],
)
def test_damaged_records_are_refused(record, name, content, message):
    (record / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_evidence(record)


def test_without_a_record_the_command_that_writes_it_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m experiments\.evidence"):
        load_evidence(tmp_path)


def test_the_plan_has_every_budget_for_every_model_and_no_unit_twice():
    some = evidence.plan(range(5, 8))
    assert len({str(unit) for unit in some}) == len(some)
    for name, varies in (("words", {}), *(("frozen", {"encoder": e}) for e in frozen.LENGTHS)):
        found = [
            u.varies for u in some if u.experiment == name and varies.items() <= u.varies.items()
        ]
        assert {u["size"] for u in found} == set(budget.SIZES)
        assert {u["seed"] for u in found if u["size"] == 50} == {5, 6, 7}
