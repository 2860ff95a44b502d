"""The evidence: its models against other implementations, its units, the reader of its record."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import textwrap

import datasets
import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.model_selection import train_test_split

from experiments import bags, budget, data, evidence, frozen, frozen_base, study, tuned, units
from experiments.command import add_options, make_record
from experiments.recipe import Cost, Recipe
from experiments.record import read_committed
from experiments.runner import run_missing
from experiments.units import Unit, read_unit, run_unit
from imdb_tutorial import load_evidence, load_model_for_classification, load_tokenizer
from imdb_tutorial.evaluation.evidence import PROBABILITIES, RECORD, Evidence
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.manifest import MANIFEST_FILE
from tests.toys import save_tiny_bert

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


def test_the_base_encoder_reads_no_more_than_its_largest_sample(pools, monkeypatch):
    truth, _ = pools
    toy = {part: {"text": [f"{part} {n}" for n in range(REVIEWS)]} for part in truth}
    features = {
        part: np.random.default_rng(5).normal(size=(REVIEWS, 4)) + labels[:, None]
        for part, labels in truth.items()
    }
    read = []

    def extract(texts, tokenizer, encoder, poolings, length):
        assert length == 256
        read.append(sorted(texts))
        rows = [features[part][int(n)] for part, n in (text.split() for text in texts)]
        return {p: torch.tensor(np.array(rows)) * (1 if p == "mean" else -1) for p in poolings}

    monkeypatch.setattr(frozen_base, "reviews", lambda: toy)
    monkeypatch.setattr(frozen_base, "BASE_SIZES", (20, 40))
    monkeypatch.setattr(frozen_base, "extract_features", extract)
    for name in ("load_tokenizer", "load_encoder"):
        monkeypatch.setattr(frozen_base, name, lambda *_, **__: None)
    monkeypatch.setattr(frozen, "labels", truth.__getitem__)
    frozen_base.base_vectors.cache_clear()
    try:
        for size in (20, 40):
            rows, answers = frozen_base.fit_base({"encoder": "base", "size": size, "seed": 2})
            sample = budget.balanced_sample(2, size)
            for pooling, sign in (("cls", -1), ("mean", 1)):
                (row,) = [row for row in rows if row["pooling"] == pooling]
                expected, _ = budget.fit_chosen(
                    frozen.standardised,
                    sign * features["train"][sample].astype(np.float32),
                    truth["train"][sample],
                    sign * features["test"].astype(np.float32),
                    frozen.STRENGTHS,
                    2,
                )
                assert row["test_accuracy"] == np.mean((expected >= 0.5) == truth["test"])
            assert answers["test"].shape == (2, REVIEWS)
    finally:
        frozen_base.base_vectors.cache_clear()
    largest = sorted(f"train {n}" for n in budget.balanced_sample(2, 40))
    assert read == [largest, sorted(toy["test"]["text"])]


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
    from experiments.runner import run_missing
    from experiments.units import Unit

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


@pytest.fixture
def toy_tuning(pools, tmp_path, monkeypatch):
    """Let the tuned experiment read toy reviews with a tiny BERT, for a few steps."""
    save_tiny_bert(tmp_path / "bert")
    truth = pools[0]
    words = ("bad worst dull boring", "good great best fine")
    toy = {
        part: datasets.Dataset.from_dict(
            {"text": [f"{words[y]} film {n % 7}" for n, y in enumerate(labels)]}
        )
        for part, labels in truth.items()
    }
    monkeypatch.setattr(tuned, "reviews", lambda: toy)
    monkeypatch.setattr(tuned, "labels", truth.__getitem__)
    monkeypatch.setattr(tuned, "load_tokenizer", lambda: load_tokenizer(tmp_path / "bert"))
    monkeypatch.setattr(
        tuned,
        "load_model_for_classification",
        lambda name: load_model_for_classification(tmp_path / "bert"),
    )
    monkeypatch.setattr(tuned, "STEPS", (4, 8, 12))
    monkeypatch.setattr(tuned, "WARM_UP", 3)
    monkeypatch.setattr(tuned, "RATES", {"LoRA": (1e-2, 1e-9), "full": (1e-9, 1e-2)})
    monkeypatch.setattr(tuned, "choose_dtype", lambda device: torch.float32)
    return truth, toy


def plainly_tuned(model, tokenizer, texts, truth, asked, rate, steps, seed):
    """Fine-tune as one writes it down: the same recipe, one review's row after the other."""
    random, order = np.random.default_rng(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), rate)
    for step in range(1, steps + 1):
        if len(order) < 8:
            order += random.permutation(len(texts)).tolist()
        rows, order = order[:8], order[8:]
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, 1 / 3 + (1 - 1 / 3) * (step - 1) / 3)
        model.train()
        inputs = tokenizer([texts[row] for row in rows], padding=True, return_tensors="pt")
        loss = model(**inputs, labels=torch.tensor([truth[row] for row in rows])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        inputs = tokenizer(asked, padding=True, return_tensors="pt")
        return model(**inputs).logits.softmax(dim=1)[:, 1].numpy()


def test_full_fine_tuning_equals_the_loop_as_one_writes_it_down(toy_tuning):
    truth, toy = toy_tuning
    (row,), answers = tuned.fit_tuned({"way": "full", "size": 40, "seed": 3})
    assert row["learning_rate"] == 1e-2 and row["steps"] in (4, 8, 12)
    assert (row["learnt_from"], row["validated_on"]) == (32, 8)
    learnt, _ = train_test_split(
        budget.balanced_sample(3, 40),
        test_size=0.2,
        stratify=truth["train"][budget.balanced_sample(3, 40)],
        random_state=3,
    )
    expected = plainly_tuned(
        tuned.new_model("full", 3),
        tuned.load_tokenizer(),
        [toy["train"]["text"][int(n)] for n in learnt],
        [int(truth["train"][n]) for n in learnt],
        toy["test"]["text"][:],
        row["learning_rate"],
        row["steps"],
        3,
    )
    np.testing.assert_array_less(
        np.abs(answers["test"][0] - np.floor(expected * 256).astype(int)), 2
    )
    assert row["test_accuracy"] == np.mean((answers["test"][0] >= 128) == truth["test"])


def test_lora_changes_nothing_but_adapter_and_head(toy_tuning):
    before = tuned.new_model("LoRA", 0).state_dict()
    learnt, checked = np.arange(40), np.arange(40, 60)
    point = list(tuned.checkpoints("LoRA", 0, 1e-2, learnt, checked))[-1]
    assert point["steps"] == 12
    assert all("lora_" in name or "modules_to_save" in name for name in point["weights"])
    changed = [name for name, w in point["weights"].items() if not torch.equal(w, before[name])]
    assert any("lora_B" in name for name in changed) and any("classifier" in n for n in changed)


def test_the_other_rate_in_between_changes_nothing(toy_tuning):
    alone = list(tuned.checkpoints("full", 0, 1e-2, np.arange(40), np.arange(40, 60)))
    first, other = (
        tuned.checkpoints("full", 0, rate, np.arange(40), np.arange(40, 60))
        for rate in (1e-2, 1e-3)
    )
    between = [next(first)]
    next(other)
    between += list(first)
    for a, b in zip(alone, between, strict=True):
        assert a["score"] == b["score"]
        assert all(torch.equal(a["weights"][name], b["weights"][name]) for name in a["weights"])


@pytest.mark.parametrize(
    ("scores", "rate", "steps"),
    [
        ([[(0.5, -1), (1, -1), (1, -1)], [(0.75, -9), (0.75, -2), (0.75, -3)]], 1e-2, 8),
        ([[(0.5, -1), (0.5, -1), (0.5, -1)], [(0.5, -2), (1, -1), (1, -1)]], 1e-9, 4),
        ([[(0.5, -1), (0.75, -1), (1, -9)], [(0.5, -2), (0, 0), (0, 0)]], 1e-9, 12),
    ],
)
def test_the_choice_is_by_accuracy_then_loss_then_fewer_steps(
    toy_tuning, monkeypatch, scores, rate, steps
):
    # Of "full" the smaller rate is the first; after four steps only the better one goes on.
    def some(way, seed, rate, learnt, checked):
        number = tuned.RATES[way].index(rate)
        for step, score in zip(tuned.STEPS, scores[number], strict=True):
            weights = {"classifier.bias": torch.tensor([0.0, step])}
            yield {"steps": step, "score": score, "weights": weights}

    asked = []
    monkeypatch.setattr(tuned, "checkpoints", some)
    monkeypatch.setattr(
        tuned,
        "margins_of",
        lambda model, texts: asked.append(model) or (None, np.ones(len(texts))),
    )
    (row,), _ = tuned.fit_tuned({"way": "full", "size": 40, "seed": 0})
    assert (row["learning_rate"], row["steps"]) == (rate, steps)
    (model,) = asked  # the test pool, once, by the chosen model
    assert model.classifier.bias.tolist() == [0, steps]


@pytest.mark.parametrize("way", tuned.WAYS)
def test_tuning_chooses_nothing_outside_the_sample(toy_tuning, pools, monkeypatch, way):
    truth = toy_tuning[0]
    features = np.random.default_rng(1).normal(size=(REVIEWS, 5)).astype(np.float32)
    monkeypatch.setattr(tuned, "vectors", lambda *_: {"mean": features})
    monkeypatch.setattr(tuned, "word_counts", lambda: pools[1])
    sample = budget.balanced_sample(1, 40)
    monkeypatch.setattr(tuned, "balanced_sample", lambda seed, size: sample)
    unit = {"way": way, "size": 40, "seed": 1}
    (before,), answers = tuned.fit_tuned(unit)
    outside = np.setdiff1d(np.arange(REVIEWS), sample)
    truth["train"][outside] = 1 - truth["train"][outside]
    truth["test"][:] = 1 - truth["test"]
    (after,), same = tuned.fit_tuned(unit)
    np.testing.assert_array_equal(answers["test"], same["test"])
    assert before.pop("test_accuracy") == pytest.approx(1 - after.pop("test_accuracy"))
    assert before == after


@pytest.fixture
def toy(tmp_path, folder, monkeypatch):
    """Return a recipe of toy units, whose committed record lies in a folder of its own."""
    split = datasets.Dataset.from_dict(
        {"label": [0, 1, 0, 1], "id": list("abcd"), "text": list("efgh")}
    )
    monkeypatch.setattr(data, "reviews", lambda: {"train": split, "test": split})
    committed = tmp_path / "record"
    committed.mkdir()

    def recipe(units):
        return Recipe(
            record=committed / RECORD.name,
            record_format=1,
            renew="run it again",
            folder=folder,
            seeds=range(3),
            units=units,
            costs={"toy": Cost(1)},
            pools=("train", "test"),
        )

    return recipe


def make_with(recipe, *options, output=None):
    """Run a command with its options; the record goes to its own folder."""
    parser = argparse.ArgumentParser()
    add_options(parser, output or recipe.record.parent, "three")
    make_record(recipe, parser.parse_args(options))
    return json.loads(((output or recipe.record.parent) / RECORD.name).read_text("utf-8"))


@pytest.fixture
def record(tmp_path, toy):
    """Write a record of two units of three."""
    recipe = toy(planned(tmp_path, 3))
    make_with(recipe, "--only", ",".join(str(unit) for unit in recipe.units[:2]))
    (recipe.record.parent / MANIFEST_FILE).unlink()  # so that the reader itself has to look
    return recipe.record.parent


def empty(folder):
    shutil.rmtree(folder)


def test_a_fresh_clone_takes_its_units_from_the_record(tmp_path, toy, folder):
    recipe = toy(planned(tmp_path, 3))
    before = make_with(recipe)
    answers = recipe.answers.read_bytes()
    empty(folder)
    again = make_with(recipe)
    assert ran(tmp_path) == [0, 1, 2]
    assert again["units"] == before["units"] and again["experiments"] == before["experiments"]
    assert again["probabilities_sha256"] == before["probabilities_sha256"]
    assert recipe.answers.read_bytes() == answers
    assert again["missing"] == again["stale"] == []
    assert before["units"][1]["rows"] == [1, 2] and before["units"][1]["answers"] == {
        "test": [1, 2]
    }


def other(varies):
    """Stand in for an experiment that was changed."""
    rows, answers = make(varies)
    return [row | {"changed": True} for row in rows], answers


def test_a_changed_unit_is_run_again_and_nothing_else(tmp_path, toy, folder):
    units = planned(tmp_path, 3)
    make_with(toy(units))
    empty(folder)
    changed = [units[0], units[1]._replace(make=other), units[2]]
    kept = make_with(toy(changed), "--collect")
    assert kept["stale"] == [str(units[1])] and kept["missing"] == []
    assert [row["n"] for row in kept["experiments"]["toy"]] == [0, 1, 2]  # as it was
    found = make_with(toy(changed))
    assert ran(tmp_path) == [0, 1, 2, 1]
    assert found["stale"] == []
    assert [row.get("changed", False) for row in found["experiments"]["toy"]] == [0, 1, 0]


def test_a_unit_is_run_again_when_a_file_that_it_reads_has_changed(tmp_path, toy, folder):
    weights = tmp_path / "weights"
    weights.write_bytes(b"one")
    first, second = planned(tmp_path, 2)
    recipe = toy([first, second._replace(files=(weights,))])
    make_with(recipe)
    weights.write_bytes(b"two")
    assert make_with(recipe, "--collect")["stale"] == [str(second)]
    assert make_with(recipe)["stale"] == [] and ran(tmp_path) == [0, 1, 1]


def test_rows_without_a_digest_stay_until_their_unit_is_run(tmp_path, toy, folder):
    recipe = toy(planned(tmp_path, 3))
    record = make_with(recipe)
    for unit in record["units"]:
        unit |= {"digest": None, "seconds": None}
    recipe.record.write_text(json.dumps(record), encoding="utf-8")
    seal_records(recipe.record.parent)
    empty(folder)
    names = [str(unit) for unit in recipe.units]
    found = make_with(recipe, "--only", names[1])
    assert ran(tmp_path) == [0, 1, 2, 1]
    assert found["stale"] == [names[0], names[2]]
    assert [unit["digest"] is None for unit in found["units"]] == [True, False, True]
    assert found["experiments"] == record["experiments"]
    assert make_with(recipe)["stale"] == [] and sorted(ran(tmp_path)) == [0, 0, 1, 1, 2, 2]


def test_a_damaged_record_is_replaced_by_a_whole_one_only(tmp_path, toy, folder, capsys):
    recipe = toy(planned(tmp_path, 3))
    make_with(recipe)
    empty(folder)
    damaged = recipe.record.read_text(encoding="utf-8").replace('"n": 1', '"n": 7')
    recipe.record.write_text(damaged, encoding="utf-8")
    with pytest.raises(ValueError, match=r"cannot be read, and 2 units .* get it back from git"):
        make_with(recipe, "--only", str(recipe.units[0]))
    assert recipe.record.read_text(encoding="utf-8") == damaged
    assert "nothing is taken from the committed record: the record" in capsys.readouterr().out
    assert [row["n"] for row in make_with(recipe)["experiments"]["toy"]] == [0, 1, 2]
    assert ran(tmp_path) == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.pop("units"), "does not say which rows are whose"),
        (lambda record: record["units"][0].pop("rows"), "does not say which rows are whose"),
        (lambda record: record["units"].pop(), "rows of no unit"),
        (lambda record: record["units"].append(record["units"][0]), "rows of no unit, or of two"),
    ],
)
def test_a_record_whose_units_do_not_fit_gives_none(tmp_path, toy, capsys, change, message):
    recipe = toy(planned(tmp_path, 2))
    record = make_with(recipe)
    change(record)
    recipe.record.write_text(json.dumps(record), encoding="utf-8")
    seal_records(recipe.record.parent)
    make_with(recipe, "--collect")  # all of it is still in the folder of the units
    assert message in capsys.readouterr().out


def test_an_interrupted_command_goes_on_and_other_seeds_are_other_units(tmp_path, toy, folder):
    def stop(varies):
        if varies["n"] == 2 and ran(tmp_path)[-1:] == [1]:
            (tmp_path / "log").write_text("0 1 9", encoding="utf-8")
            raise KeyboardInterrupt
        return make(varies)

    units = [unit._replace(make=stop) for unit in planned(tmp_path, 4)]
    with pytest.raises(KeyboardInterrupt):
        make_with(toy(units))
    assert not toy(units).record.exists()  # nothing half-made
    (tmp_path / "log").write_text("", encoding="utf-8")
    make_with(toy(units))
    assert ran(tmp_path) == [2, 3]
    elsewhere = tmp_path / "elsewhere"
    before = toy(units).record.read_bytes()
    others = [Unit("toy", make, unit.varies | {"n": unit.varies["n"] + 10}) for unit in units]
    found = make_with(toy(others), output=elsewhere)
    assert [row["n"] for row in found["experiments"]["toy"]] == [10, 11, 12, 13]
    assert toy(units).record.read_bytes() == before


def test_units_side_by_side_find_what_they_find_alone(tmp_path, folder):
    code = SHARE.replace(
        'list(run_missing([Unit("toy", make, {"n": n}) for n in range(20)], '
        'Path("units"), "data"))',
        'if __name__ == "__main__":\n'
        '        units = [Unit("toy", make, {"n": n}) for n in range(3)]\n'
        '        done = run_missing(units, Path("units"), "data", beside=["toy"])\n'
        '        print(sorted(unit.varies["n"] for unit in done))',
    )
    (tmp_path / "share.py").write_text(textwrap.dedent(code), encoding="utf-8")
    there = {**os.environ, "PYTHONPATH": str(units.ROOT)}
    done = subprocess.run(
        [sys.executable, "share.py"], cwd=tmp_path, env=there, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[0, 1, 2]", done.stderr
    assert sorted(ran(tmp_path)) == [0, 1, 2]


def test_a_file_of_a_unit_without_a_digest_counts_as_none(tmp_path, folder):
    (unit,) = planned(tmp_path, 1)
    folder.mkdir()
    about = json.dumps({"rows": [{"n": 0}], "seconds": 1.0})
    np.savez(folder / "0.npz", about=np.array(about), test=np.zeros((1, 4)))
    assert read_unit(unit, folder, "data") is None


def test_unknown_names_are_refused(tmp_path, toy):
    with pytest.raises(ValueError, match="no experiment or unit colour: expected one of toy"):
        make_with(toy(planned(tmp_path, 1)), "--only", "toy,colour")


def test_the_committed_records_can_be_taken_apart():
    for recipe in (evidence.recipe(range(3)), study.recipe(range(5))):
        found, damage = read_committed(recipe)
        assert damage is None
        assert set(found) <= {str(unit) for unit in recipe.units}
        rows = json.loads(recipe.record.read_text(encoding="utf-8"))["experiments"]
        assert sum(len(each.rows) for each in found.values()) == sum(map(len, rows.values()))


def test_other_seeds_are_another_plan():
    for recipe, seeds in ((evidence.recipe, 3), (study.recipe, 5)):
        names, others = (
            {str(unit) for unit in recipe(range(n, n + seeds)).units} for n in (0, 100)
        )
        assert len(names) == len(others)
        assert all("seed=" not in name for name in names & others)


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


def test_learning_curves_are_means_over_the_samples():
    rows = [
        {"model": model, "size": size, "seed": seed, "test_accuracy": size / 1_000 + seed / 10 + up}
        for model, up in (("a", 0), ("b", 0.05))
        for size, seeds in ((50, 3), (200, 3), (500, 1))
        for seed in range(seeds)
    ]
    read = Evidence({"experiments": {"words": rows}, "missing": []}, {})
    runs = read.learning_runs("words", model="b")
    assert runs.index.tolist() == [50, 200, 500] and runs.columns.tolist() == [0, 1, 2]
    assert runs.loc[200].tolist() == pytest.approx([0.25, 0.35, 0.45])
    assert runs.loc[500].isna().tolist() == [False, True, True]
    curve = read.learning_curve("words", model="a")
    assert curve["mean"].tolist() == pytest.approx([0.15, 0.3, 0.5])
    reach = 4.302653 * 0.1 / 3**0.5  # Student's t with two degrees of freedom
    assert (curve.high - curve["mean"]).tolist() == pytest.approx([reach, reach, 0])
    assert curve.seeds.tolist() == [3, 3, 1]
    with pytest.raises(ValueError, match="several models of one size and seed: choose by model"):
        read.learning_runs("words")
    with pytest.raises(ValueError, match="no model of 'words' with model 'c'"):
        read.learning_curve("words", model="c")
    with pytest.raises(ValueError, match="no experiment 'layers'"):
        read.learning_curve("layers")


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
        large = frozen_base.BASE_SIZES if varies.get("encoder") == "base" else budget.SIZES
        assert {u["size"] for u in found} == set(large)
        assert {u["seed"] for u in found if u["size"] == 50} == {5, 6, 7}
