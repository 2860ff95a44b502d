"""Encoders other than BERT: MPNet, which has no SDPA, and RoBERTa, which counts positions anew."""

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    MPNetTokenizer,
    RobertaConfig,
    RobertaModel,
)

from imdb_tutorial import (
    LinearProbe,
    ReviewCollator,
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

POSITIONS, LONGEST = 40, 38  # two rows of the table are for no token of a text
TEXTS = ["a good film", "dull", "not a good ending , very boring scenes"]
LONG = "good film , bad plot " * 100
MPNET = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"]
WORDS = "a the not very good bad dull boring film plot ending scene ##s , . < > / s".split()
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
    vocabulary = {token: number for number, token in enumerate([*MPNET, *WORDS])}
    MPNetTokenizer(vocab=vocabulary, do_lower_case=True).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MPNetModel(MPNetConfig(vocab_size=len(vocabulary), **NARROW))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter *= 10
    model.save_pretrained(folder)
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
