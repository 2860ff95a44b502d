"""The classifier that a learner meets: the packaged one, and what ``save_probe`` wrote."""

import pytest
import torch

from imdb_tutorial.classifier import load_classifier
from imdb_tutorial.encoder import load_encoder, load_tokenizer
from imdb_tutorial.probe import PROBE_FILE, LinearProbe, load_probe, save_probe

MAX_LENGTH = 24
TEXTS = ["a great movie", "so bad", "", "the film was good, very good, and I liked it a lot"]
LONG = "a good movie and a bad one " * 3_000


def saved_probe(folder, tiny_bert, **settings):
    torch.manual_seed(4)
    probe = LinearProbe(load_encoder(tiny_bert, device="cpu").config.hidden_size, **settings)
    with torch.no_grad():
        probe.linear.weight *= 10
    save_probe(probe, folder, tiny_bert, max_length=MAX_LENGTH)
    return folder


def logits_by_hand(text, tiny_bert, probe):
    encoder = load_encoder(tiny_bert, device="cpu")
    tokens = load_tokenizer(tiny_bert)(
        text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
    )
    with torch.no_grad():
        outputs = encoder(**tokens)
        features = {
            "cls": outputs.last_hidden_state[0, 0],
            "mean": outputs.last_hidden_state[0].mean(dim=0),
            "pooler": outputs.pooler_output[0],
        }[probe.pooling]
        return probe.linear.weight @ features + probe.linear.bias


@pytest.fixture(scope="module")
def packaged():
    return load_classifier("packaged")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This is a great movie. I enjoyed it a lot!", "POSITIVE"),
        ("This movie is so bad, I almost fell asleep.", "NEGATIVE"),
    ],
)
def test_the_packaged_classifier_knows_good_from_bad(packaged, text, label):
    (answer,) = packaged(text)
    assert answer["label"] == label
    assert 0.5 < answer["score"] <= 1


def test_the_packaged_classifier_is_the_default(packaged):
    assert load_classifier()("wonderful") == packaged("wonderful")


def test_the_packaged_classifier_cuts_long_texts(packaged):
    answers = packaged([LONG, "good"])
    assert len(answers) == 2
    words = LONG.split()
    assert packaged(" ".join(words[:600]))[0]["score"] == pytest.approx(
        answers[0]["score"], abs=1e-5
    )


def test_a_batch_answers_as_one_text_at_a_time(packaged):
    together = packaged(TEXTS)
    for text, answer in zip(TEXTS, together, strict=True):
        (alone,) = packaged(text)
        assert alone["label"] == answer["label"]
        assert alone["score"] == pytest.approx(answer["score"], abs=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[3], LONG], ids=["short", "longer", "cut"])
def test_the_score_is_the_softmax_of_the_probes_logits(tmp_path, tiny_bert, pooling, text):
    folder = saved_probe(tmp_path, tiny_bert, pooling=pooling)
    (answer,) = load_classifier(folder)(text)
    powers = logits_by_hand(text, tiny_bert, load_probe(folder)[0]).exp()
    probabilities = powers / powers.sum()
    assert answer["label"] == ("NEGATIVE", "POSITIVE")[int(probabilities.argmax())]
    assert answer["score"] == pytest.approx(float(probabilities.max()), abs=1e-5)


def test_both_scores_on_request(tmp_path, tiny_bert):
    (scores,) = load_classifier(saved_probe(tmp_path, tiny_bert))([TEXTS[0]], top_k=None)
    assert {score["label"] for score in scores} == {"NEGATIVE", "POSITIVE"}
    assert sum(score["score"] for score in scores) == pytest.approx(1, abs=1e-6)


def test_softmax_is_not_applied_twice(tmp_path, tiny_bert):
    folder = saved_probe(tmp_path, tiny_bert, softmax=True)
    probe, _ = load_probe(folder)
    encoder = load_encoder(tiny_bert, device="cpu")
    with torch.no_grad():
        tokens = load_tokenizer(tiny_bert)(TEXTS[3], return_tensors="pt")
        own = probe(encoder(**tokens).last_hidden_state[:, 0])[0]
    (answer,) = load_classifier(folder)(TEXTS[3])
    assert answer["score"] == pytest.approx(float(own.max()), abs=1e-5)


def test_labels_are_the_ones_that_were_saved(tmp_path, tiny_bert):
    hidden_size = load_encoder(tiny_bert, device="cpu").config.hidden_size
    probe = LinearProbe(hidden_size, num_labels=3)
    with torch.no_grad():
        probe.linear.weight.zero_()
        probe.linear.bias.copy_(torch.tensor([0.0, 0.0, 9.0]))
    save_probe(probe, tmp_path, tiny_bert, ("bad", "so-so", "good"), max_length=MAX_LENGTH)
    assert load_classifier(str(tmp_path))("whatever")[0]["label"] == "good"


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.*expected 'packaged', or a folder"):
        load_classifier(tmp_path / "nowhere")


def test_a_damaged_probe(tmp_path, tiny_bert):
    folder = saved_probe(tmp_path, tiny_bert)
    (folder / PROBE_FILE).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="damaged or no saved probe"):
        load_classifier(folder)


def test_a_probe_that_does_not_fit_its_encoder(tmp_path, tiny_bert):
    hidden_size = load_encoder(tiny_bert, device="cpu").config.hidden_size
    save_probe(LinearProbe(hidden_size + 1), tmp_path, tiny_bert)
    expected = rf"reads {hidden_size + 1} features, but its encoder .* gives {hidden_size}:"
    with pytest.raises(ValueError, match=expected):
        load_classifier(tmp_path)


def test_an_encoder_that_is_gone(tmp_path):
    save_probe(LinearProbe(8), tmp_path, tmp_path / "moved")
    with pytest.raises(FileNotFoundError, match="moved"):
        load_classifier(tmp_path)
