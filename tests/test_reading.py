"""What a classifier reads of a text, and where its words stand in it."""

import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.beginning import MOST_CHARACTERS_PER_TOKEN
from imdb_tutorial.explorer.attributions import attribute
from imdb_tutorial.explorer.reading import read_text
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.widget import SentimentExplorer
from tests.hostile.texts import SPECIAL_TOKENS, TEXTS

MEGABYTES = 5_000_000
PIECES = st.one_of(
    st.sampled_from([*SPECIAL_TOKENS, "good", "film", " ", ".", "e\u0301", "\u0301", "好", "\n"]),
    st.sampled_from([text for text in TEXTS.values() if len(text) < 50]),
    st.text(max_size=12),
)
ENDLESS = {
    "one word": "x" * MEGABYTES,
    "a word, blanks, a word": f"good{' ' * MEGABYTES}bad",
    "many words": "good film " * (MEGABYTES // 10),
    "emoji": "\U0001f600" * (MEGABYTES // 4),
    "accents": "a" + "\u0301" * (MEGABYTES // 2),
    "accents on each letter": "a\u0301\u0302" * (MEGABYTES // 5),
    "invisible": "g\u200b\u200e" * (MEGABYTES // 7),
    "markup": "<&>" * (MEGABYTES // 3),
}


@pytest.fixture(scope="module")
def classifier(tiny_classifier):
    return load_classifier(tiny_classifier)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=12).map("".join))
@example("good[SEP]bad")
@example("\u0301 a\u0301\u0302 \u0301")
def test_words_stand_in_order_and_every_token_has_its_place(classifier, text):
    reading = read_text(classifier, text)
    before = 0
    for start, end in reading.spans:
        assert before <= start < end <= len(reading.head)
        before = end
    words = [word for word in reading.word_of_token if word is not None]
    assert words == sorted(words)
    assert set(words) == set(range(len(reading.spans)))
    assert reading.word_of_token[0] is reading.word_of_token[-1] is None
    assert len(reading.word_of_token) == reading.inputs["input_ids"].shape[1]
    assert reading.head + reading.unread + reading.tail == text.encode("utf-8", "replace").decode()
    assert 0 <= reading.unknown <= len(words)


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_what_looks_like_a_special_token_is_words_like_any_other(classifier, token):
    text = f"good {token} film"
    reading = read_text(classifier, text)
    markers = [place for place, word in enumerate(reading.word_of_token) if word is None]
    assert markers == [0, reading.tokens_read - 1]
    assert "".join(text[a:b] for a, b in reading.spans) == text.replace(" ", "")
    attribution = attribute(classifier, text)
    if token in ("[SEP]", "[CLS]", "[PAD]", "[MASK]"):
        inside = attribution.words[1:-1]
        assert inside == ("[", token[1:-1], "]")
        assert all(attribution.pushes[1:-1])


def test_typed_special_tokens_turn_no_verdict(classifier):
    packaged = load_classifier()
    assert judge(packaged, "An awful film. " + "[SEP] " * 40).label == "NEGATIVE"
    assert judge(packaged, "A wonderful film. " + "[CLS][SEP] " * 40).label == "POSITIVE"


@pytest.mark.slow
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_the_explorer_shows_little_of_five_megabytes(classifier, text):
    explorer = SentimentExplorer({"tiny": classifier})
    answer = explorer.classify(text)
    (card,) = answer.cards
    assert card.attribution
    reading = card.verdict.reading
    assert sum(b - a for a, b in reading.spans) <= MOST_CHARACTERS_PER_TOKEN * reading.max_length
    assert len(explorer.output.value) < 500_000
    assert len(explorer.table.value) < 10_000
    assert len(explorer.box.announcement) < 1_000
    assert len(explorer.tried.rows[0]["text"]) < 10_000
    explorer.close()
