"""The record of the classifier's behaviour keeps the classifier that it was begun with."""

import json

import numpy as np
import pytest

from experiments import behaviour
from experiments.behaviour_lists import Lists, Text
from experiments.behaviour_rules import Pair

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
