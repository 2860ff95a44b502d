"""Encoders other than BERT: MPNet, which has no SDPA, and RoBERTa, which counts positions anew."""

import copy

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    RobertaConfig,
    RobertaModel,
)

from imdb_tutorial import (
    LinearProbe,
    ReviewCollator,
    attention_shares,
    extract_features,
    load_classifier,
    load_encoder,
    load_model_for_classification,
    load_tokenizer,
    predict_proba,
    save_probe,
)
from imdb_tutorial.encoder.limits import longest_input
from imdb_tutorial.explorer.verdict import judge
from tests.toys import save_tiny_mpnet

POSITIONS, LONGEST = 40, 38  # two rows of the table are for no token of a text
TEXTS = ["a good film", "dull", "not a good ending , very boring scenes"]
LONG = "good film , bad plot " * 100
NARROW = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": POSITIONS,
}


@pytest.fixture(scope="module")
def tiny_mpnet(tmp_path_factory):
    """Return a folder with a random MPNet; its tokenizer names no longest input."""
    folder = tmp_path_factory.mktemp("tiny_mpnet")
    save_tiny_mpnet(folder)
    return folder


def by_hand(folder, text, pooling):
    """Return one text's features as transformers alone gives them, without padding."""
    tokens = AutoTokenizer.from_pretrained(folder)(
        text, truncation=True, max_length=LONGEST, return_tensors="pt"
    )
    assert set(tokens) == {"input_ids", "attention_mask"}
    with torch.no_grad():
        outputs = AutoModel.from_pretrained(folder).eval()(**tokens)
    vectors = outputs.last_hidden_state[0]
    return {"cls": vectors[0], "mean": vectors.mean(0), "pooler": outputs.pooler_output[0]}[pooling]


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_features_of_an_encoder_without_sdpa(tiny_mpnet, pooling):
    tokenizer, encoder = load_tokenizer(tiny_mpnet), load_encoder(tiny_mpnet, device="cpu")
    options = {"dtype": torch.float32, "use_cache": False, "max_length": LONGEST}
    found = extract_features([*TEXTS, LONG], tokenizer, encoder, pooling, **options)
    expected = torch.stack([by_hand(tiny_mpnet, text, pooling) for text in [*TEXTS, LONG]])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (found[0] - found[1]).abs().max() > 0.1


def both_ways(folder, dtype=torch.float32):
    """Return a padded batch, and the encoders that compute it our way and transformers' own."""
    tokenizer, ours = load_tokenizer(folder), load_encoder(folder, device="cpu", dtype=dtype)
    theirs = AutoModel.from_pretrained(folder, dtype=dtype).eval()
    inputs, _ = ReviewCollator(tokenizer, LONGEST)([(text, 0) for text in [*TEXTS, LONG]])
    assert (inputs["attention_mask"] == 0).any()
    return inputs, ours, theirs


def test_the_fast_attention_is_transformers_own(tiny_mpnet):
    inputs, ours, theirs = both_ways(tiny_mpnet)
    with torch.no_grad():
        found, expected = ours(**inputs), theirs(**inputs)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state)
    torch.testing.assert_close(found.pooler_output, expected.pooler_output)
    alone = {"input_ids": inputs["input_ids"][:1, :4]}  # no mask, no padding
    with torch.no_grad():
        torch.testing.assert_close(ours(**alone)[0], theirs(**alone)[0])


def test_the_fast_attention_in_bfloat16_is_as_near_to_float32_as_transformers_own(tiny_mpnet):
    inputs, ours, theirs = both_ways(tiny_mpnet, torch.bfloat16)
    with torch.no_grad():
        exact = both_ways(tiny_mpnet)[2](**inputs).last_hidden_state
        errors = [
            (encoder(**inputs).last_hidden_state.float() - exact)[inputs["attention_mask"] == 1]
            for encoder in (ours, theirs)
        ]
    assert 0 < errors[0].norm() < 1.5 * errors[1].norm()


def test_the_distances_matter_and_copies_keep_the_fast_way(tiny_mpnet):
    inputs, ours, theirs = both_ways(tiny_mpnet)
    copied = copy.deepcopy(ours)
    with torch.no_grad():
        before = copied(**inputs)[0]
        assert torch.equal(before, ours(**inputs)[0])
        copied.encoder.relative_attention_bias.weight.zero_()
        assert not torch.allclose(copied(**inputs)[0], before, atol=1e-2)
    assert ours.state_dict().keys() == theirs.state_dict().keys()


def test_where_it_looks_and_its_gradients_are_transformers_own(tiny_mpnet):
    inputs, ours, theirs = both_ways(tiny_mpnet)
    found = ours(**inputs, output_attentions=True, output_hidden_states=True)
    expected = theirs(**inputs, output_attentions=True, output_hidden_states=True)
    for layer in range(2):
        torch.testing.assert_close(found.attentions[layer], expected.attentions[layer])
    torch.testing.assert_close(found.hidden_states[1], expected.hidden_states[1])
    tokens, shares = attention_shares(TEXTS[0], ours, load_tokenizer(tiny_mpnet), layer=2)
    assert tokens == ["a", "good", "film"]
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3))
    gradients = []
    for encoder in (ours, theirs):
        vectors = encoder.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
        mask = inputs["attention_mask"]
        encoder(inputs_embeds=vectors, attention_mask=mask)[0][:, 0].pow(2).sum().backward()
        gradients.append(vectors.grad)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)


def test_a_classifier_on_an_encoder_without_sdpa(tiny_mpnet, tmp_path):
    torch.manual_seed(3)
    probe = LinearProbe(16, pooling="mean")
    save_probe(probe, tmp_path, tiny_mpnet, max_length=LONGEST)
    classifier = load_classifier(tmp_path)
    features = torch.stack([by_hand(tiny_mpnet, text, "mean") for text in [*TEXTS, LONG]])
    expected = probe(features).softmax(dim=1).detach()
    found = predict_proba(classifier, [*TEXTS, LONG])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    for text, probabilities in zip([*TEXTS, LONG], expected, strict=True):
        assert classifier(text)[0]["score"] == pytest.approx(float(probabilities.max()), abs=1e-5)
        assert judge(classifier, text).probability == pytest.approx(
            float(probabilities.max()), abs=1e-5
        )


def test_fine_tuning_starts_from_an_encoder_without_sdpa(tiny_mpnet):
    model = load_model_for_classification(tiny_mpnet)
    inputs, _ = ReviewCollator(load_tokenizer(tiny_mpnet), LONGEST)([(LONG, 0), ("dull", 1)])
    assert model.eval()(**inputs).logits.shape == (2, 2)


@pytest.mark.parametrize(
    "model",
    [
        BertModel(BertConfig(vocab_size=60, **NARROW)),
        RobertaModel(RobertaConfig(vocab_size=60, **NARROW)),
        DistilBertModel(DistilBertConfig(vocab_size=60, dim=16, n_layers=1, n_heads=2)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_fine_tuning_starts_without_dropout_inside_attention(model, tmp_path):
    model.save_pretrained(tmp_path)
    tuned = load_model_for_classification(tmp_path).train()
    inside = [m for n, m in tuned.named_modules() if "attention" in n and n.endswith("dropout")]
    assert inside
    name = "attention_dropout" if isinstance(model, DistilBertModel) else None
    assert getattr(tuned.config, name or "attention_probs_dropout_prob") == 0
    assert tuned.config.id2label == {0: "NEGATIVE", 1: "POSITIVE"}


def test_the_longest_input_leaves_out_positions_that_no_token_gets(tiny_mpnet):
    tokenizer, encoder = load_tokenizer(tiny_mpnet), load_encoder(tiny_mpnet, device="cpu")
    assert tokenizer.model_max_length > 10**9
    assert longest_input(tokenizer, encoder) == LONGEST
    extract_features([LONG], tokenizer, encoder, max_length=LONGEST, use_cache=False)
    with pytest.raises(ValueError, match=f"max_length is {LONGEST + 1}: expected 3 to {LONGEST},"):
        extract_features([LONG], tokenizer, encoder, max_length=LONGEST + 1, use_cache=False)


def test_roberta_counts_its_positions_like_mpnet_and_bert_does_not(tiny_bert):
    tokenizer = load_tokenizer(tiny_bert)
    roberta = RobertaModel(RobertaConfig(vocab_size=200, **NARROW)).eval()
    assert longest_input(tokenizer, roberta) == LONGEST
    roberta(input_ids=torch.full((1, LONGEST), 7))
    assert longest_input(tokenizer, load_encoder(tiny_bert, device="cpu")) == 512
    tokenizer.model_max_length = 24
    assert longest_input(tokenizer, roberta) == 24


def test_without_a_model_the_tokenizer_alone_sets_the_limit(tiny_mpnet, tiny_bert):
    assert longest_input(load_tokenizer(tiny_bert)) == 512
    with pytest.raises(ValueError, match="max_length is 2: expected 3 or more"):
        ReviewCollator(load_tokenizer(tiny_mpnet), 2)
