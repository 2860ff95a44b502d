"""The record of the classifier's behaviour: what it keeps, and that it is today's classifier's."""

import json
import shutil

import numpy as np
import pytest

from experiments import behaviour
from experiments.behaviour_lists import Lists, Text, read_lists
from experiments.behaviour_models import packaged, packaged_sha256
from experiments.behaviour_rules import Pair
from experiments.behaviour_scores import Answers, rate_pairs, rate_texts
from imdb_tutorial.evaluation import records
from imdb_tutorial.evaluation.behaviour import load_behaviour
from imdb_tutorial.machine.packages import DamagedFileError

TOY = Lists(
    texts=[Text("one word", "positive", "great"), Text("title", "unsure", "The Great Dictator")],
    pairs=[
        Pair("negation", "positive, negative", "a", "great", "not great"),
        Pair("negation", "positive, negative", "b", "great!", "not great!"),
    ],
)


def sees_great(texts):
    """A model with known answers: it looks for one word, and knows no "not"."""
    return np.array([0.97 if "great" in text.lower() else 0.3 for text in texts])


@pytest.fixture(scope="module")
def written():
    return json.loads((records.DATA / "behaviour.json").read_text(encoding="utf-8"))


def small_parts():
    texts = ["great", "awful", "great", "dull"]
    part = {"texts": texts, "truth": np.array([1, 0, 0, 0]), "groups": np.array([0, 0, 1, 1])}
    return {"one sentence": part}


def test_a_record_keeps_the_classifier_that_it_was_begun_with(tmp_path, monkeypatch):
    monkeypatch.setattr(behaviour, "short_parts", small_parts)
    monkeypatch.setattr(behaviour, "read_lists", lambda: TOY)

    def write(digest, model):
        monkeypatch.setattr(behaviour, "packaged_sha256", lambda: digest)
        behaviour.make_record(tmp_path, {"packaged": lambda: model, "bag": lambda: sees_great})
        return json.loads((tmp_path / "behaviour.json").read_text(encoding="utf-8"))["models"]

    first = write("one", sees_great)
    assert list(first) == ["packaged", "bag"] and write("one", sees_great) == first

    def knows_not(texts):
        return np.where(["not" in text for text in texts], 0.1, sees_great(texts))

    second = write("two", knows_not)
    assert list(second) == ["packaged", "before", "bag"]
    assert second["before"] == first["packaged"] and second["packaged"] != first["packaged"]
    third = write("three", sees_great)
    assert third["before"] == first["packaged"]
    changed = TOY._replace(pairs=TOY.pairs[::-1])
    monkeypatch.setattr(behaviour, "read_lists", lambda: changed)
    with pytest.raises(ValueError, match="other texts than those of today"):
        write("four", sees_great)
    kept = json.loads((tmp_path / "behaviour.json").read_text(encoding="utf-8"))
    assert kept["models"] == third


def test_the_record_is_of_todays_classifier_and_of_todays_lists(written):
    lists = read_lists()
    assert written["models"]["packaged"]["sha256"] == packaged_sha256(), (
        "another classifier is packaged: run `make behaviour`"
    )
    assert written["lists_sha256"] == lists.sha256, "the texts were changed: run `make behaviour`"
    assert written["counts"] == {"texts": len(lists.texts), "pairs": len(lists.pairs)}


def test_the_rates_of_the_record_follow_from_its_own_answers(written):
    lists = read_lists()
    for model in written["models"].values():
        answers = Answers(**{name: np.array(kept) for name, kept in model["answers"].items()})
        assert rate_texts(lists, answers) == model["texts"]
        assert rate_pairs(lists, answers) == model["pairs"]


def test_the_classifier_still_answers_as_recorded(written):
    """A sample, in another order and other batches than those of the record."""
    lists, kept = read_lists(), written["models"]["packaged"]["answers"]
    rows = list(range(len(lists.texts)))[::-5]
    found = packaged()([lists.texts[row].text for row in rows])
    assert found == pytest.approx([kept["texts"][row] for row in rows], abs=0.02)


def test_the_reader_gives_the_record_as_tables(written):
    found = load_behaviour()
    assert found.models == list(written["models"]) and found.models[0] == "packaged"
    for name, model in written["models"].items():
        for part in ("texts", "pairs", "calibration"):
            rows = getattr(found, part).loc[name]
            assert rows.to_dict("records") == model[part]


def test_a_record_that_was_changed_is_refused(tmp_path, monkeypatch):
    shutil.copy(records.DATA / "behaviour.json", tmp_path)
    records.seal_records(tmp_path)
    monkeypatch.setattr(records, "DATA", tmp_path)
    assert load_behaviour().models
    file = tmp_path / "behaviour.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"rate": 0', '"rate": 1', 1), "utf-8")
    with pytest.raises(DamagedFileError, match=r"behaviour\.json"):
        load_behaviour()
