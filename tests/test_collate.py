import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st
from torch.utils.data import DataLoader

from imdb_tutorial import ReviewCollator, load_tokenizer

REVIEWS = [("good film", 1), ("a very dull movie , not good", 0), ("bad", 0)]


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_tokenizer(tiny_bert)


def test_the_classic_padding_fills_every_review_to_max_length(tokenizer):
    inputs, labels = ReviewCollator(tokenizer, max_length=40)(REVIEWS)
    assert inputs["input_ids"].shape == inputs["attention_mask"].shape == (3, 40)
    assert inputs["attention_mask"].sum(dim=1).tolist() == [4, 9, 3]
    assert labels.tolist() == [1, 0, 0]


def test_max_length_is_500_unless_told():
    inputs, _ = ReviewCollator(load_tokenizer())(REVIEWS)
    assert inputs["input_ids"].shape == (3, 500)


def test_padding_to_the_longest_stops_at_the_longest_review(tokenizer):
    inputs, _ = ReviewCollator(tokenizer, max_length=40, padding="longest")(REVIEWS)
    assert inputs["input_ids"].shape == (3, 9)
    assert inputs["attention_mask"].sum(dim=1).tolist() == [4, 9, 3]


def test_both_paddings_hold_the_same_tokens(tokenizer):
    classic, _ = ReviewCollator(tokenizer, max_length=40)(REVIEWS)
    longest, _ = ReviewCollator(tokenizer, max_length=40, padding="longest")(REVIEWS)
    assert torch.equal(classic["input_ids"][:, :9], longest["input_ids"])
    assert (classic["input_ids"][:, 9:] == tokenizer.pad_token_id).all()


@pytest.mark.parametrize("padding", ["max_length", "longest"])
def test_long_reviews_are_cut_at_their_end(tokenizer, padding):
    collate = ReviewCollator(tokenizer, max_length=6, padding=padding)
    inputs, _ = collate([("good bad good bad good bad good", 1)])
    words = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    assert words == ["[CLS]", "good", "bad", "good", "bad", "[SEP]"]


def test_everything_is_int64(tokenizer):
    inputs, labels = ReviewCollator(tokenizer)(REVIEWS)
    assert labels.dtype == torch.int64
    assert labels.shape == (3,)
    assert {tensor.dtype for tensor in inputs.values()} == {torch.int64}


def test_a_bert_gets_token_type_ids(tokenizer):
    inputs, _ = ReviewCollator(tokenizer)(REVIEWS)
    assert set(inputs) == {"input_ids", "attention_mask", "token_type_ids"}
    assert not inputs["token_type_ids"].any()


def test_it_works_as_collate_fn(tokenizer):
    collate = ReviewCollator(tokenizer, padding="longest")
    inputs, labels = next(iter(DataLoader(REVIEWS, batch_size=2, collate_fn=collate)))
    assert type(inputs) is dict
    assert len(inputs["input_ids"]) == len(labels) == 2


def test_another_padding_is_refused_with_the_choices(tokenizer):
    with pytest.raises(ValueError, match="'max_length' or 'longest'"):
        ReviewCollator(tokenizer, padding="left")


@pytest.mark.parametrize("max_length", [0, -1, 2, 513, "500", 40.0, None])
def test_a_length_the_model_cannot_read_is_refused_with_its_limits(tokenizer, max_length):
    with pytest.raises(ValueError, match=f"max_length is {max_length!r}: expected 3 to 512"):
        ReviewCollator(tokenizer, max_length=max_length)


@pytest.mark.parametrize("max_length", [3, 512])
def test_the_limits_themselves_are_allowed(tokenizer, max_length):
    inputs, _ = ReviewCollator(tokenizer, max_length=max_length)(REVIEWS)
    assert inputs["input_ids"].shape == (3, max_length)


@pytest.mark.parametrize(
    "label", [True, 1.0, np.int64(1), np.float32(1), np.True_, torch.tensor(1), torch.tensor(True)]
)
def test_a_label_may_be_any_kind_of_number_that_is_0_or_1(tokenizer, label):
    _, labels = ReviewCollator(tokenizer)([("bad", 0), ("good", label)])
    assert labels.tolist() == [0, 1]
    assert labels.dtype == torch.int64


@pytest.mark.parametrize(
    "label",
    [0.7, -1, 2, None, "1", "pos", float("nan"), torch.tensor([1]), np.array([0, 1]), [1], {}],
)
def test_another_label_is_refused_with_its_row(tokenizer, label):
    with pytest.raises(ValueError, match=r"review 1 of the batch .* has the label .*: expected 0"):
        ReviewCollator(tokenizer)([("bad", 0), ("good", label)])


@pytest.mark.parametrize("text", [("good", "bad"), ["good"], None, 7, b"good", np.array(["good"])])
def test_a_text_that_is_no_string_is_refused_with_its_row(tokenizer, text):
    with pytest.raises(ValueError, match=r"review 1 of the batch .* text of type .*: expected one"):
        ReviewCollator(tokenizer)([("bad", 0), (text, 1)])


def test_half_of_a_character_pair_is_read_as_a_question_mark(tokenizer):
    halves, _ = ReviewCollator(tokenizer, 16)([("good \ud83d", 1)])
    marks, _ = ReviewCollator(tokenizer, 16)([("good ?", 1)])
    assert torch.equal(halves["input_ids"], marks["input_ids"])


@pytest.mark.parametrize("review", [{"text": "good", "label": 1}, "ab", ("good",), ("a", 1, 2), 7])
def test_what_is_no_pair_is_refused_with_its_row(tokenizer, review):
    with pytest.raises(
        ValueError, match=r"review 1 of the batch .*: expected a pair \(text, label"
    ):
        ReviewCollator(tokenizer)([("bad", 0), review])


def test_an_empty_batch_is_refused(tokenizer):
    with pytest.raises(ValueError, match="the batch is empty"):
        ReviewCollator(tokenizer)([])


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(derandomize=True, deadline=None, max_examples=60, database=None)
@given(
    reviews=st.lists(st.tuples(TEXTS, st.sampled_from([0, 1])), min_size=1, max_size=5),
    max_length=st.integers(3, 40),
    padding=st.sampled_from(["max_length", "longest"]),
)
@example(reviews=[("", 0), (" ", 1), ("\0", 1)], max_length=3, padding="longest")
def test_any_batch_holds_each_review_as_it_is_alone(tokenizer, reviews, max_length, padding):
    collate = ReviewCollator(tokenizer, max_length, padding)
    inputs, labels = collate(reviews)
    mask = inputs["attention_mask"]
    width = max_length if padding == "max_length" else int(mask.sum(dim=1).max())
    assert {tensor.shape for tensor in inputs.values()} == {(len(reviews), width)}
    assert labels.tolist() == [label for _, label in reviews]
    for row, review in enumerate(reviews):
        alone, _ = ReviewCollator(tokenizer, max_length, "longest")([review])
        kept = inputs["input_ids"][row][mask[row] == 1]
        assert torch.equal(kept, alone["input_ids"][0])
        assert kept[0] == tokenizer.cls_token_id and kept[-1] == tokenizer.sep_token_id
        assert (inputs["input_ids"][row][mask[row] == 0] == tokenizer.pad_token_id).all()
