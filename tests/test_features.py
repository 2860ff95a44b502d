import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from imdb_tutorial import (
    FeatureLoader,
    ReviewCollator,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)
from imdb_tutorial.encoder.pooling import pool
from imdb_tutorial.encoder.tokens import plan_batches, tokenize

POOLINGS = ("cls", "mean", "pooler")


@pytest.fixture(scope="module")
def tiny(tiny_bert):
    return load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")


@pytest.fixture(scope="module")
def minilm(packaged_bert):
    return packaged_bert


@pytest.fixture(scope="module")
def reviews(minilm):
    """Return 24 real reviews, short and long, one of them longer than 500 tokens."""
    texts = load_reviews(load_preset())["test"]["text"][:200]
    lengths = [len(minilm[0](text)["input_ids"]) for text in texts]
    long = next(row for row, length in enumerate(lengths) if length > 500)
    chosen = [text for row, text in enumerate(texts[:24]) if row != long][:23]
    return [*chosen[:5], texts[long], *chosen[5:]]


@pytest.fixture(scope="module")
def quick(minilm, reviews):
    """Return the features of the 24 reviews, all poolings, in float32."""
    return extract_features(reviews, *minilm, POOLINGS, dtype=torch.float32, use_cache=False)


def plain(texts, tiny, pooling="mean", **options):
    options = {"dtype": torch.float32, "use_cache": False, **options}
    return extract_features(texts, *tiny, pooling, **options)


def test_features_are_those_of_the_classic_padded_pass(minilm, reviews, quick):
    tokenizer, encoder = minilm
    collate = ReviewCollator(tokenizer, max_length=500, padding="max_length")
    for start in range(0, len(reviews), 8):
        inputs, _ = collate([(text, 0) for text in reviews[start : start + 8]])
        with torch.inference_mode():
            outputs = encoder(**inputs)
        for pooling in POOLINGS:
            classic = pool(
                outputs.last_hidden_state, inputs["attention_mask"], pooling, outputs.pooler_output
            )
            found = quick[pooling][start : start + 8]
            assert (found - classic).norm() < 1e-4 * classic.norm()


def test_the_mean_is_what_sentence_transformers_computes(reviews, quick):
    from sentence_transformers import SentenceTransformer

    from imdb_tutorial.machine.sources import packaged_encoder_folder

    model = SentenceTransformer(str(packaged_encoder_folder()), device="cpu")
    model.max_seq_length = 500
    theirs = torch.from_numpy(model.encode(reviews, show_progress_bar=False))
    theirs = torch.nn.functional.normalize(theirs, dim=1)
    ours = torch.nn.functional.normalize(quick["mean"], dim=1)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_bfloat16_features_point_the_same_way(minilm, reviews, quick):
    texts = reviews[:8]
    low = extract_features(texts, *minilm, ("cls", "mean"), dtype=torch.bfloat16, use_cache=False)
    for pooling, found in low.items():
        assert found.dtype == torch.float32
        assert torch.cosine_similarity(found, quick[pooling][:8]).min() > 0.99
        assert not torch.equal(found, quick[pooling][:8])


def test_the_encoder_itself_stays_in_its_precision(tiny):
    plain(["good"], tiny, dtype=torch.bfloat16)
    assert tiny[1].dtype == torch.float32


def test_rows_stay_in_the_order_of_the_reviews(tiny):
    texts = ["good film " * (number * 7 % 40 + 1) + "bad" * number for number in range(40)]
    together = plain(texts, tiny)
    assert together.shape == (40, 16)
    assert together.dtype == torch.float32
    for row, text in enumerate(texts):
        torch.testing.assert_close(together[row], plain([text], tiny)[0], atol=1e-5, rtol=1e-4)


def test_one_pass_for_several_poolings_equals_single_passes(tiny):
    texts = ["good", "a very bad ending of the movie", "dull story"]
    together = plain(texts, tiny, POOLINGS)
    assert list(together) == list(POOLINGS)
    for pooling in POOLINGS:
        assert torch.equal(together[pooling], plain(texts, tiny, pooling))
    assert not torch.equal(together["cls"], together["mean"])


def test_several_poolings_cost_one_pass(tiny):
    calls = []
    handle = tiny[1].register_forward_hook(lambda *_: calls.append(1))
    plain(["good", "bad"], tiny, POOLINGS)
    handle.remove()
    assert len(calls) == 1


def test_the_same_reviews_give_the_same_bits(tiny):
    texts = ["good film " * length for length in range(1, 60)]
    assert torch.equal(plain(texts, tiny), plain(texts, tiny))


def test_a_data_set_a_column_and_a_list_give_the_same(tiny):
    split = load_reviews(load_preset().replace(test_size=6))["test"]
    expected = plain(split["text"][:], tiny)
    assert torch.equal(plain(split, tiny), expected)
    assert torch.equal(plain(split["text"], tiny), expected)
    assert torch.equal(plain(tuple(split["text"]), tiny), expected)


def test_only_the_first_max_length_tokens_count(tiny):
    start = "good film bad film"
    cut = plain([f"{start} and much more of it", f"{start} dull"], tiny, max_length=6)
    assert torch.equal(cut[0], cut[1])
    whole = plain([f"{start} and much more of it", f"{start} dull"], tiny)
    assert not torch.equal(whole[0], whole[1])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "word " * 100_000, "😀😀🎬", "<br /><br />", "a\x00b", "\x00", "x" * 50_000],
    ids=["empty", "space", "x", "long", "emoji", "tags", "nul", "only nul", "one word"],
)
def test_odd_texts_have_finite_features(tiny, text, pooling):
    features = plain([text, "good film"], tiny, pooling)
    assert features.isfinite().all()
    alone = plain(["good film"], tiny, pooling)
    torch.testing.assert_close(features[1:], alone, atol=1e-5, rtol=1e-4)


def test_odd_texts_have_finite_features_on_the_packaged_model(minilm):
    texts = ["", "x", "word " * 100_000, "😀😀🎬", "<br /><br />", "a\x00b"]
    features = extract_features(texts, *minilm, POOLINGS, dtype=torch.float32, use_cache=False)
    assert all(tensor.isfinite().all() for tensor in features.values())


@pytest.mark.parametrize("use_cache", [True, False])
def test_no_reviews_are_refused(tiny, use_cache):
    with pytest.raises(ValueError, match="at least one"):
        plain([], tiny, use_cache=use_cache)


@pytest.mark.parametrize("use_cache", [True, False])
def test_half_a_character_pair_is_read_as_a_question_mark(tiny, use_cache):
    found = plain(["good \ud800 film", "\udfff"], tiny, use_cache=use_cache)
    assert torch.equal(found, plain(["good ? film", "?"], tiny, use_cache=use_cache))


@pytest.mark.parametrize("bad", [None, 7, b"bytes", ["list"], float("nan")])
def test_what_is_no_text_names_its_row(tiny, bad):
    with pytest.raises(TypeError, match=r"row 1 is .*expected a text"):
        plain(["good", bad, "bad"], tiny)


def test_one_text_instead_of_a_list_is_refused(tiny):
    with pytest.raises(TypeError, match="list of texts"):
        plain("good film", tiny)


@pytest.mark.parametrize("max_length", [513, 10**6, 2, 0, -5])
def test_a_length_the_model_cannot_read_is_refused_with_its_limits(tiny, max_length):
    with pytest.raises(ValueError, match=f"max_length is {max_length}: expected 3 to 512"):
        plain(["good"], tiny, max_length=max_length)


@pytest.mark.parametrize("pooling", ["max", ("cls", "max"), ()])
def test_another_pooling_is_refused_with_the_choices(tiny, pooling):
    with pytest.raises(ValueError, match="cls, mean, pooler"):
        plain(["good"], tiny, pooling)


def test_features_that_are_not_finite_name_their_row(tiny_bert):
    tokenizer, encoder = load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")
    with torch.no_grad():
        word = tokenizer.convert_tokens_to_ids("dull")
        encoder.embeddings.word_embeddings.weight[word] = float("nan")
    with pytest.raises(ValueError, match=r"row 1 .*float32"):
        plain(["good", "dull", "bad"], (tokenizer, encoder))


def test_tokens_are_the_tokenizers_own_without_padding(tiny):
    texts = ["good film", "", "a very bad ending", "good " * 600]
    tokens = tokenize(texts, tiny[0], max_length=50)
    expected = [tiny[0](text, truncation=True, max_length=50)["input_ids"] for text in texts]
    assert tokens.lengths().tolist() == [4, 2, 6, 50]
    assert tokens.ids.tolist() == [token for ids in expected for token in ids]
    assert tokens.starts.tolist() == [0, 4, 6, 12, 62]


@pytest.mark.parametrize("budget", [1, 100, 2_048, 10**6])
def test_batches_cover_every_review_once_within_the_budget(budget):
    lengths = np.random.default_rng(0).integers(2, 501, size=300)
    batches = list(plan_batches(lengths, budget))
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget


def test_sorting_by_length_saves_padding():
    lengths = np.random.default_rng(0).integers(2, 501, size=300)
    padded = sum(len(rows) * lengths[rows].max() for rows in plan_batches(lengths, 2_048))
    assert padded < 1.1 * lengths.sum()


@pytest.mark.parametrize("batch_size", [1, 7, 32, 200])
def test_feature_batches_are_those_of_a_plain_loader_with_the_same_seed(batch_size):
    features, labels = torch.randn(100, 4), torch.arange(100) % 2
    classic = DataLoader(
        TensorDataset(features, labels),
        batch_size=batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(3),
    )
    ours = FeatureLoader(features, labels, batch_size=batch_size, shuffle=True, seed=3)
    assert len(ours) == len(classic)
    epochs = []
    for _ in range(2):
        pairs = list(zip(ours, classic, strict=True))
        for (inputs, found), (expected_features, expected) in pairs:
            assert torch.equal(inputs["features"], expected_features)
            assert torch.equal(found, expected)
        epochs.append(torch.cat([inputs["features"] for (inputs, _), _ in pairs]))
    assert not torch.equal(*epochs)


def test_without_shuffling_batches_come_in_order():
    features = torch.arange(10.0).reshape(10, 1)
    batches = list(FeatureLoader(features, [0, 1] * 5, batch_size=4))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert torch.equal(torch.cat([inputs["features"] for inputs, _ in batches]), features)
    assert torch.cat([labels for _, labels in batches]).tolist() == [0, 1] * 5
    assert batches[0][1].dtype == torch.int64


def test_as_many_labels_as_features_are_needed():
    with pytest.raises(ValueError, match="10 rows of features but 9 labels"):
        FeatureLoader(torch.zeros(10, 2), [0] * 9)


def test_an_encoder_in_training_mode_gives_the_same_features_and_stays_in_it(tiny):
    _, encoder = tiny
    texts = ["a good film", "a bad one"]
    expected = plain(texts, tiny)
    encoder.train()
    try:
        found = plain(texts, tiny)
        assert encoder.training
    finally:
        encoder.eval()
    assert torch.equal(found, expected)
