"""A book costs what a page does: no more of a text is tokenized than the model reads."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from test_typed_text import ROBERTA_LIKE, byte_pairs, unigram
from transformers import PreTrainedTokenizerFast

from imdb_tutorial import (
    ReviewCollator,
    extract_features,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
)
from imdb_tutorial.encoder.beginning import MOST_CHARACTERS_PER_TOKEN, beginning_of
from imdb_tutorial.explorer.reading import read_text
from imdb_tutorial.explorer.verdict import judge

MEGABYTES = 5_000_000
ENDLESS = {
    "one word": "x" * MEGABYTES,
    "many words": "good film " * (MEGABYTES // 10),
    "spaces": " " * MEGABYTES,
    "lines": "\n" * MEGABYTES,
    "emoji": "😀" * (MEGABYTES // 4),
    "stops": "." * MEGABYTES,
    "Chinese": "好" * (MEGABYTES // 3),
    "accents": "a" + "\u0301" * (MEGABYTES // 2),
}
PIECES = [
    *("a", "good", "film ", " ", "  ", "\n", ".", "!?", "<br />", "[SEP]", "</s>", "\0", "\u200b"),
    *(
        "é",
        "e\u0301",
        "\u0301\u0302",
        "\v\f\x1c\x85",
        "好",
        "😀",
        "ﬁ",
        "İ",
        "x" * 30,
        "x" * 120,
        "y" * 500,
        "-",
    ),
]
BLANKS = " \t\n\r\xa0\u2003\u2028\u3000"


class Counting:
    """A tokenizer that counts the characters that it is given."""

    def __init__(self, tokenizer):
        self.tokenizer, self.characters = tokenizer, 0

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, texts, **options):
        self.characters += len(texts) if isinstance(texts, str) else sum(map(len, texts))
        return self.tokenizer(texts, **options)


# Text by text: words, how often they follow each other, and the most tokens that are read.
TEXTS_AND_LENGTHS = {
    "words": st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=40),
    "repeats": st.integers(1, 12),
    "max_length": st.integers(3, 9),
}


@pytest.fixture(scope="module")
def tokenizers():
    """Return one tokenizer of each kind: WordPiece, byte pairs and Unigram."""
    return (
        load_tokenizer(),
        PreTrainedTokenizerFast(tokenizer_object=byte_pairs(), **ROBERTA_LIKE),
        PreTrainedTokenizerFast(tokenizer_object=unigram(), **ROBERTA_LIKE),
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(**TEXTS_AND_LENGTHS)
def test_the_beginning_has_the_tokens_of_the_whole(tokenizers, words, repeats, max_length):
    text = "".join(words * repeats).encode("utf-8", "replace").decode()
    for tokenizer in tokenizers:
        expected = tokenizer(text, truncation=True, max_length=max_length)["input_ids"]
        beginning = beginning_of(text, tokenizer, max_length).text
        assert text.startswith(beginning)
        assert tokenizer(beginning, truncation=True, max_length=max_length)["input_ids"] == expected


def test_a_word_at_the_cut_is_read_as_a_whole(tokenizers):
    for position in range(60, 120):
        text = "a" * position + "bcd efg " * 100
        for tokenizer in tokenizers:
            expected = tokenizer(text, truncation=True, max_length=5)["input_ids"]
            beginning = beginning_of(text, tokenizer, 5).text
            assert tokenizer(beginning, truncation=True, max_length=5)["input_ids"] == expected


def test_a_tokenizer_that_keeps_the_end_of_a_text_gets_all_of_it():
    tokenizer = load_tokenizer()
    tokenizer.truncation_side = "left"
    text = "good film " * 1_000 + "bad"
    assert beginning_of(text, tokenizer, 5).text == text


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_five_megabytes_are_looked_at_no_further_than_needed(text):
    tokenizer = Counting(load_tokenizer())
    most = MOST_CHARACTERS_PER_TOKEN * 500
    assert len(beginning_of(text, tokenizer, 500).text) <= most
    assert tokenizer.characters <= most / 4


@pytest.mark.parametrize("kind", ["one word", "many words", "spaces"])
def test_every_way_of_asking_looks_no_further(tiny_classifier, tiny_bert, kind):
    text = ENDLESS[kind]
    classifier, encoder = load_classifier(tiny_classifier), load_encoder(tiny_bert, device="cpu")
    classifier.tokenizer = tokenizer = Counting(classifier.tokenizer)
    for ask in (
        lambda: classifier(text),
        lambda: predict_proba(classifier, [text]),
        lambda: judge(classifier, text),
        lambda: extract_features([text], tokenizer, encoder, use_cache=False),
        lambda: ReviewCollator(tokenizer)([(text, 1)]),
    ):
        tokenizer.characters = 0
        ask()
        assert 0 < tokenizer.characters < 1.5 * MOST_CHARACTERS_PER_TOKEN * 500


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    parts=st.lists(
        st.tuples(
            st.text(BLANKS, min_size=1, max_size=3),
            st.sampled_from([0, 1, 60, 200, 5_000]),
            st.sampled_from(PIECES),
        ),
        max_size=8,
    ),
    max_length=st.integers(3, 9),
)
def test_many_blanks_hide_no_word(tokenizers, parts, max_length):
    text = "".join(blanks * number + piece for blanks, number, piece in parts)
    for tokenizer in tokenizers:
        expected = tokenizer(text, truncation=True, max_length=max_length)
        beginning = beginning_of(text, tokenizer, max_length)
        found = tokenizer(beginning.text, truncation=True, max_length=max_length)
        assert found["input_ids"] == expected["input_ids"]
        if tokenizer is tokenizers[0]:  # to a Unigram the blanks may be a part of what is read
            places = [tuple(map(beginning.place, x)) for x in found.encodings[0].offsets[1:-1]]
            assert places == expected.encodings[0].offsets[1:-1]


@pytest.mark.parametrize("blanks", [" ", "\n", "\r\n", "\t \u3000", "\xa0"], ids=ascii)
def test_a_review_behind_five_megabytes_of_blanks_is_read(tiny_classifier, blanks):
    classifier = load_classifier(tiny_classifier)
    classifier.tokenizer = tokenizer = Counting(classifier.tokenizer)
    many = blanks * (MEGABYTES // len(blanks))
    text = f"{many}a good film,{many}not{many}"
    probabilities = predict_proba(classifier, [text, "a good film, not"])
    assert torch.equal(probabilities[0], probabilities[1])
    reading = read_text(classifier, text)
    assert [text[a:b] for a, b in reading.spans] == ["a", "good", "film", ",", "not"]
    assert not reading.is_cut
    assert tokenizer.characters < 50_000


def test_where_blanks_are_tokens_each_of_them_counts(tokenizers):
    _, byte_level, _ = tokenizers
    text = 20_000 * " " + "good"
    assert beginning_of(text, byte_level, 5).text == text[: 5 * MOST_CHARACTERS_PER_TOKEN]


def test_a_long_review_is_read_as_its_beginning(tiny_classifier):
    classifier = load_classifier(tiny_classifier)
    pages = " ".join(["a good film, not a bad one"] * 400)
    long = predict_proba(classifier, [pages + " bad" * 1_000_000, pages])
    assert torch.equal(long[0], long[1])
