"""Whatever is typed: an answer, shown as it is, and kept as it is."""

import csv
import math

import pytest
import torch

from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.load import load_encoder
from imdb_tutorial.explorer.cards import Answer, Card, card_html
from imdb_tutorial.explorer.history import LONGEST_KEPT, Tried
from imdb_tutorial.explorer.models import NO_WORDS
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.widget import SentimentExplorer
from imdb_tutorial.explorer.words import plain_html, words_html
from imdb_tutorial.probe import LinearProbe, save_probe
from tests.hostile.texts import BLANK, TEXTS
from tests.parsed_page import ParsedPage, assert_harmless

MAX_LENGTH = 32
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
some_texts = pytest.mark.parametrize("text", [*TEXTS.values()][::12], ids=[*TEXTS][::12])


@pytest.fixture(scope="module")
def tiny(tiny_bert, tmp_path_factory):
    """Return a classifier to which every word makes a difference, and that reads little."""
    folder = tmp_path_factory.mktemp("probe")
    torch.manual_seed(4)
    probe = LinearProbe(load_encoder(tiny_bert, device="cpu").config.hidden_size, pooling="mean")
    with torch.no_grad():
        probe.linear.weight *= 30
    save_probe(probe, folder, tiny_bert, max_length=MAX_LENGTH)
    return load_classifier(folder)


@pytest.fixture(scope="module")
def packaged():
    return load_classifier()


@pytest.fixture(scope="module")
def explorer(tiny):
    explorer = SentimentExplorer({"tiny": tiny})
    yield explorer
    explorer.close()


def clean(text):
    return text.encode("utf-8", "replace").decode()


def assert_judged_as_by_the_pipeline(pipeline, text):
    verdict = judge(pipeline, text)
    (answer,) = pipeline(text)
    assert verdict.label == answer["label"]
    assert verdict.probability == pytest.approx(answer["score"], abs=1e-5)
    assert math.isfinite(verdict.margin)
    assert verdict.reading.text == clean(text)


@every_text
def test_is_judged_as_the_pipeline_judges_it(tiny, text):
    assert_judged_as_by_the_pipeline(tiny, text)


@some_texts
def test_is_judged_by_the_packaged_classifier_as_the_pipeline_does(packaged, text):
    assert_judged_as_by_the_pipeline(packaged, text)


@pytest.mark.slow
@every_text
def test_is_answered_and_shown_as_it_is(explorer, text):
    answer = explorer.classify(text)
    for markup in (explorer.output.value, explorer.table.value, answer._repr_html_()):
        assert_harmless(ParsedPage(markup))
        assert len(markup) < 50_000
    assert ("nothing to read" in answer.message) == (text in BLANK.values())
    if text in BLANK.values():
        return
    (card,) = answer.cards
    if card.problem:
        assert card.problem == NO_WORDS
        return
    reading = card.verdict.reading
    assert math.isfinite(sum(card.attribution.pushes))
    assert "".join(piece for piece, _ in card.attribution.pieces) == reading.head + reading.tail
    for markup in (words_html(card.attribution), plain_html(reading)):
        page = ParsedPage(markup)
        assert_harmless(page)
        if not reading.is_cut and not page.is_shortened:
            assert page.typed == clean(text)
    words = ParsedPage(card_html(card)).words
    assert len(words) == len(card.attribution.words)
    assert all(math.isfinite(score) for _, score in words)


def test_all_come_back_from_the_csv(tiny, tmp_path):
    tried = Tried()
    for text in map(clean, TEXTS.values()):
        tried.add(Answer(text, (Card("tiny", judge(tiny, text)),)))
    with tried.save(tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(TEXTS)
    for row, text in zip(rows, map(clean, TEXTS.values()), strict=True):
        assert row["text"].removeprefix("'")[:LONGEST_KEPT] == text.removeprefix("'")[:LONGEST_KEPT]
        assert len(row["text"]) < LONGEST_KEPT + 100
