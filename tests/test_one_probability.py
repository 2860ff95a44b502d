"""One text, one probability, however a classifier is asked."""

from pathlib import Path

import pytest
import torch

import imdb_tutorial
from imdb_tutorial import load_classifier, predict_proba
from imdb_tutorial.explorer.verdict import judge

DATA = Path(imdb_tutorial.__file__).with_name("data")
SENTENCE = "The plot was thin, but I loved every minute of it. "
TEXTS = {
    "empty": "",
    "blank": " \n\t ",
    "short": "so bad",
    "long": 60 * SENTENCE,
    "a book": 2_000 * SENTENCE,
    "special tokens": "An awful film. " + 40 * "[SEP] " + "[CLS][PAD] [MASK]",
    "half pairs": "a good \ud800 film \udfff",
    "a long word": "x" * 100_000 + " wonderful",
    "markup": "<b>dull</b><br /><br /> &amp; <script>alert(1)</script>",
    "emoji": "👍🏽 great 👩‍👩‍👧 film 😀😀",
    "accents": "ca\u0301fe\u0301 " + "a" + 500 * "\u0301" + " boring",
    "scripts": "很好 的 电影, очень хорошо, فيلم رائع, \u202egnirob",
    "controls": "good\0film\x07 \u200b\ufeffbad\u2028worse",
    "punctuation": "!?" * 2_000,
}


@pytest.fixture(scope="module", params=["packaged classifier", "packaged probe", "tiny"])
def classifier(request, tiny_classifier):
    source = {
        "packaged classifier": "packaged",
        "packaged probe": DATA / "packaged_probe",
        "tiny": tiny_classifier,
    }[request.param]
    return load_classifier(source)


def test_every_way_of_asking_gives_the_same_probability(classifier):
    together = predict_proba(classifier, list(TEXTS.values()))  # [texts, 2]
    for row, (name, text) in enumerate(TEXTS.items()):
        (answer,) = classifier(text)
        verdict = judge(classifier, text)
        alone = predict_proba(classifier, [text])[0]
        column = ("NEGATIVE", "POSITIVE").index(answer["label"])
        assert verdict.label == answer["label"], name
        assert verdict.probability == pytest.approx(answer["score"], abs=1e-5), name
        assert float(alone[column]) == pytest.approx(answer["score"], abs=1e-5), name
        assert float(together[row, column]) == pytest.approx(answer["score"], abs=1e-5), name


def test_a_list_gives_what_its_texts_give(tiny_classifier):
    classifier = load_classifier(tiny_classifier)
    answers = classifier(list(TEXTS.values()), top_k=None)
    expected = predict_proba(classifier, list(TEXTS.values()))
    named = [{score["label"]: score["score"] for score in scores} for scores in answers]
    found = torch.tensor([[scores["NEGATIVE"], scores["POSITIVE"]] for scores in named])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
