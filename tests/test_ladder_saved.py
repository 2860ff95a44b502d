"""The rungs of the classifiers that come with the package."""

import pytest
import torch

from experiments import ladder_saved
from imdb_tutorial import load_classifier, model_source, predict_proba

TEXTS = ["A wonderful film, and a long one.", "It is a mess.", "Not bad, not good either."] * 3


@pytest.mark.parametrize(
    ("model", "precision", "is_exact"),
    [("base", "bfloat16", False), ("base", "float32", True), ("packaged", "bfloat16", True)],
)
def test_only_the_base_one_is_asked_in_bfloat16_and_says_almost_the_same(
    monkeypatch, model, precision, is_exact
):
    classifier = load_classifier("packaged")  # a small one in the place of both
    exact = predict_proba(classifier, TEXTS)  # [texts, 2]
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", precision)
    monkeypatch.setattr(ladder_saved, "load_classifier", lambda _: classifier)
    monkeypatch.setattr(ladder_saved, "model_source", lambda _: model_source("packaged"))
    monkeypatch.setattr(ladder_saved, "ask_everything", lambda asked: predict_proba(asked, TEXTS))
    monkeypatch.setattr(ladder_saved, "rung", lambda unit, answers, row: answers)
    answers = ladder_saved.climb_saved({"model": model})
    assert torch.equal(answers, exact) == is_exact
    assert torch.allclose(answers, exact, atol=0.02)
