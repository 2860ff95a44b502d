"""The lessons' conclusions, asked of the committed records and of others."""

import hashlib
import json
import sys

import numpy as np
import pytest

from experiments import conclusions
from imdb_tutorial import Evidence, load_evidence
from imdb_tutorial.evaluation.evidence import PROBABILITIES, RECORD


@pytest.fixture(scope="module")
def ours():
    return conclusions.read(None)


@pytest.mark.parametrize("conclusion", conclusions.CONCLUSIONS, ids=lambda c: c.says)
def test_the_committed_record_says_what_the_lessons_say(conclusion, ours):
    assert conclusions.ask(conclusion, ours) is not False


def test_what_was_not_run_is_neither_held_nor_refuted(ours):
    without = Evidence({"experiments": {}, "missing": []}, {})
    for conclusion in conclusions.CONCLUSIONS:
        if conclusion.rests_on == "evidence":
            assert conclusions.ask(conclusion, ours._replace(evidence=without)) is None
            assert conclusions.ask(conclusion, ours._replace(evidence=None)) is None


def turned(folder):
    """Write the committed evidence with TF-IDF's accuracies and answers turned round."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    arrays = dict(np.load(PROBABILITIES))
    for n, row in enumerate(record["experiments"]["words"]):
        if row["model"] == "TF-IDF":
            row["test_accuracy"] = 1 - row["test_accuracy"]
            arrays["words/test"][n] = 255 - arrays["words/test"][n]
    np.savez_compressed(folder / PROBABILITIES.name, **arrays)
    packed = (folder / PROBABILITIES.name).read_bytes()
    record["probabilities_sha256"] = hashlib.sha256(packed).hexdigest()
    record["seeds"] = [7, 8, 9]
    (folder / RECORD.name).write_text(json.dumps(record), encoding="utf-8")


def test_a_record_that_says_otherwise_is_told_apart(tmp_path, monkeypatch, capsys):
    turned(tmp_path)
    assert load_evidence(tmp_path).record["seeds"] == [7, 8, 9]
    kept = tmp_path / "kept.json"
    monkeypatch.setattr(sys, "argv", ["conclusions", str(tmp_path), f"--output={kept}"])
    conclusions.main()
    record = json.loads(kept.read_text(encoding="utf-8"))
    assert record["seeds"] == {"evidence": [7, 8, 9]}
    found = {row["says"]: (row["ours"], row["other"]) for row in record["conclusions"]}
    behind = "frozen MiniLM is behind TF-IDF in every sample of 200 labels or more"
    level = "all labels: no difference of NB words and TF-IDF is shown"
    assert found[behind] == (True, False) and found[level] == (True, False)
    assert found["MiniLM: the mean beats [CLS] in every sample"] == (True, True)
    assert found["choosing on validation does not"] == (True, None)
    assert "holds         does not hold" in capsys.readouterr().out


def test_answers_of_a_record_that_is_not_there_now_are_kept(tmp_path, monkeypatch):
    turned(tmp_path)
    kept, says = tmp_path / "kept.json", "choosing on validation does not"
    level = "all labels: no difference of NB words and TF-IDF is shown"
    rows = [{"lesson": "x", "says": name, "ours": None, "other": True} for name in (says, level)]
    before = {"seeds": {"study": [100], "evidence": [100]}, "conclusions": rows}
    kept.write_text(json.dumps(before), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["conclusions", str(tmp_path), f"--output={kept}"])
    conclusions.main()
    record = json.loads(kept.read_text(encoding="utf-8"))
    assert record["seeds"] == {"study": [100], "evidence": [7, 8, 9]}
    found = {row["says"]: (row["ours"], row["other"]) for row in record["conclusions"]}
    assert found[says] == (True, True) and found[level] == (True, False)


def test_a_folder_without_records_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["conclusions", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        conclusions.main()
    assert stopped.value.code == 1
    assert "has neither study.json nor evidence.json" in capsys.readouterr().err
