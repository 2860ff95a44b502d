"""Typed text is text: a review that contains "[SEP]" holds a bracket, letters and a bracket."""

import shutil

import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, ProphetNetTokenizer

from imdb_tutorial import (
    ReviewCollator,
    extract_features,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
    tokenize,
    tokenize_reviews,
)
from imdb_tutorial.encoder.typed_text import split_typed_special_tokens
from imdb_tutorial.explorer.verdict import judge

MARKERS = ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "[UNK]"]
ROBERTA_LIKE = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def apart(text):
    """Return the text with its brackets apart, which no tokenizer takes for special tokens."""
    return text.replace("[", " [ ").replace("]", " ] ")


def unigram():
    pieces = [(token, 0.0) for token in ROBERTA_LIKE.values()]
    pieces += [("▁good", -2.0), ("▁bad", -2.5), ("bad", -2.5), ("▁", -3.0)]
    pieces += [(letter, -6.0) for letter in "abcdefghijklmnopqrstuvwxyz<>/"]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def byte_pairs():
    words = [*ROBERTA_LIKE.values(), *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({word: n for n, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def word_level():
    words = [*ROBERTA_LIKE.values(), "good", "bad"]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def reloaded(tokenizer, tiny_bert, folder):
    """Save a tokenizer beside a model, as a folder has both, and load it as the lessons do."""
    shutil.copytree(tiny_bert, folder, ignore=lambda *_: ["tokenizer.json"], dirs_exist_ok=True)
    tokenizer.save_pretrained(folder)
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_tokenizer(tiny_bert)


@pytest.fixture(scope="module")
def tiny(tiny_classifier):
    return load_classifier(tiny_classifier)


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("text", ["{}", "good{}bad", "a good {} film", "{}{} {}"])
def test_a_typed_marker_is_read_as_its_letters(tokenizer, marker, text):
    text = text.format(*3 * [marker])
    expected = tokenizer(apart(text))["input_ids"]
    assert tokenizer(text)["input_ids"] == expected
    assert tokenizer([text, text])["input_ids"] == [expected] * 2
    assert tokenize([text], tokenizer).ids.tolist() == expected
    inputs, _ = ReviewCollator(tokenizer, 40, padding="longest")([(text, 0)])
    assert inputs["input_ids"].tolist() == [expected]
    reviews = Dataset.from_dict({"text": [text], "label": [0], "id": ["a"]})
    assert tokenize_reviews(reviews, tokenizer, 40)["input_ids"][:] == [expected]


def test_to_the_packaged_tokenizer_it_is_a_bracket_letters_and_a_bracket():
    tokenizer = load_tokenizer()
    assert tokenizer("good[SEP]bad").tokens() == "[CLS] good [ sep ] bad [SEP]".split()


def test_a_tokenizer_that_is_saved_and_opened_by_others_still_does_so(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs("good[SEP]bad")["input_ids"] == tokenizer("good [ sep ] bad")["input_ids"]


def test_a_folder_that_says_otherwise_is_overruled(tokenizer, tiny_bert, tmp_path):
    naive = AutoTokenizer.from_pretrained(tiny_bert, split_special_tokens=False)
    found = reloaded(naive, tiny_bert, tmp_path)
    assert found("[SEP]")["input_ids"] == tokenizer("[SEP]")["input_ids"]


@pytest.mark.parametrize("kind", [unigram, byte_pairs, word_level])
@pytest.mark.parametrize("text", ["{}", "good{}bad", "good {} bad", "{}{}"])
def test_no_kind_of_vocabulary_takes_it_for_special(kind, text, tiny_bert, tmp_path):
    plain = PreTrainedTokenizerFast(tokenizer_object=kind(), **ROBERTA_LIKE)
    tokenizer = reloaded(plain, tiny_bert, tmp_path)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    for marker in ROBERTA_LIKE.values():
        assert not special & set(tokenizer(text.format(marker, marker))["input_ids"])
    assert tokenizer("good bad a/b<c")["input_ids"] == plain("good bad a/b<c")["input_ids"]


def test_a_tokenizer_is_changed_once_and_only_where_it_must_be(tokenizer):
    before = tokenizer.backend_tokenizer.to_str()
    split_typed_special_tokens(tokenizer)
    assert tokenizer.backend_tokenizer.to_str() == before


@pytest.mark.parametrize("marker", MARKERS)
def test_every_way_of_asking_a_classifier_reads_the_letters(tiny, marker):
    text = f"bad film {marker} good {marker}{marker} plot"
    expected = tiny(apart(text), top_k=None)
    assert tiny(text, top_k=None) == expected
    probabilities = predict_proba(tiny, [text, apart(text)])
    torch.testing.assert_close(probabilities[0], probabilities[1], rtol=0, atol=1e-6)
    assert judge(tiny, text).probability == pytest.approx(expected[0]["score"], abs=1e-5)


def test_features_are_those_of_the_letters_and_no_older_cache_answers(tiny_bert, tokenizer):
    encoder, text = load_encoder(tiny_bert, device="cpu"), "good [SEP] bad [SEP] film"
    naive = AutoTokenizer.from_pretrained(tiny_bert)
    special = extract_features([text], naive, encoder)
    found = extract_features([text], tokenizer, encoder)
    assert torch.equal(found, extract_features([apart(text)], tokenizer, encoder))
    assert not torch.allclose(found, special, atol=1e-3)


def test_forty_markers_do_not_turn_a_verdict_round():
    classifier = load_classifier()
    text = "An awful film. "
    assert classifier(text)[0]["label"] == "NEGATIVE"
    for marker in ("[SEP] ", "[CLS] ", "[PAD] ", "[MASK] "):
        assert classifier(text + 40 * marker)[0]["label"] == "NEGATIVE", marker


def test_a_tokenizer_that_cannot_be_taught_it_is_refused(tiny_bert, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    (tmp_path / "words.txt").write_text("\n".join(words) + "\n")
    slow = ProphetNetTokenizer(str(tmp_path / "words.txt"), split_special_tokens=True)
    assert not slow.is_fast
    with pytest.raises(ValueError, match=r"takes the typed text '\[\w+\]' for its special token"):
        split_typed_special_tokens(slow)


def test_features_of_a_tokenizer_written_in_python(tiny_bert, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    (tmp_path / "words.txt").write_text("\n".join(words) + "\n")
    slow = ProphetNetTokenizer(str(tmp_path / "words.txt"))
    encoder = load_encoder(tiny_bert, device="cpu")
    first = extract_features(["good bad", "bad"], slow, encoder)
    (tmp_path / "words.txt").write_text("\n".join([*words[:5], "bad", "good"]) + "\n")
    turned = ProphetNetTokenizer(str(tmp_path / "words.txt"))
    assert torch.equal(extract_features(["bad good", "good"], turned, encoder), first)
    assert not torch.equal(extract_features(["good bad", "bad"], turned, encoder), first)
