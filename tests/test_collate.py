import pytest
import torch
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


@pytest.mark.parametrize("max_length", [0, -1, 2, 513])
def test_a_length_the_model_cannot_read_is_refused_with_its_limits(tokenizer, max_length):
    with pytest.raises(ValueError, match=f"max_length is {max_length}: expected 3 to 512"):
        ReviewCollator(tokenizer, max_length=max_length)


@pytest.mark.parametrize("max_length", [3, 512])
def test_the_limits_themselves_are_allowed(tokenizer, max_length):
    inputs, _ = ReviewCollator(tokenizer, max_length=max_length)(REVIEWS)
    assert inputs["input_ids"].shape == (3, max_length)
