"""What a classifier reads of a text, and how far each word pushed it."""

import threading

import pytest
import torch
from transformers import BertForSequenceClassification, BertModel, BertTokenizerFast

from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.explorer import attributions
from imdb_tutorial.explorer.attributions import attribute
from imdb_tutorial.explorer.reading import read_text
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.widget import available_models
from imdb_tutorial.explorer.worker import SupersededError
from imdb_tutorial.probe import LinearProbe, save_probe

MAX_LENGTH = 24
SHORT = "a good movie, but the ending was awful!"
TEXTS = {
    "short": SHORT,
    "no words": "",
    "spaces around": "  good \n\n film\t",
    "one word": "boringly",
    "long": "a good movie and a bad one. " * 40,
    "no spaces": "<" * 10_000,
    "many spaces": f"good{' ' * 20_000}film and so on and on",
    "html": "<br /><script>alert('x')</script> &amp; good",
    "emoji": "good \U0001f468\u200d\U0001f469\u200d\U0001f467 film \U0001f600\ufe0f",
    "accents": "na\u00efve, nai\u0308ve, caf\u00e9s, cafe\u0301s",
    "directions": "good \u202eevil\u202c \u2067film\u2069 \u05e1\u05e8\u05d8",
    "invisible": "g\u200boo\u00add \x00film\x07 \ufeff",
    "half a pair": "good \ud83d film",
}
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@pytest.fixture(scope="module")
def lively_bert(tiny_bert, tmp_path_factory):
    """Return a folder with a random BERT to which every word makes a difference."""
    folder = tmp_path_factory.mktemp("lively_bert")
    model = BertModel.from_pretrained(tiny_bert)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 10 if parameter.dim() > 1 else 1
    model.save_pretrained(folder)
    load_tokenizer(tiny_bert).save_pretrained(folder)
    return folder


def saved_probe(folder, lively_bert, pooling):
    torch.manual_seed(4)
    probe = LinearProbe(load_encoder(lively_bert, device="cpu").config.hidden_size, pooling=pooling)
    with torch.no_grad():
        probe.linear.weight *= 3
    save_probe(probe, folder, lively_bert, max_length=MAX_LENGTH)
    return folder


def saved_model(folder, lively_bert, id2label):
    torch.manual_seed(5)
    model = BertForSequenceClassification.from_pretrained(lively_bert, id2label=id2label)
    with torch.no_grad():
        model.classifier.weight *= 10
    model.config.max_length_trained = MAX_LENGTH
    model.save_pretrained(folder)
    load_tokenizer(lively_bert).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["probe", "mean probe", "fine-tuned", "labels swapped"])
def pipeline(request, lively_bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    if request.param.endswith("probe"):
        pooling = "mean" if request.param.startswith("mean") else "cls"
        return load_classifier(saved_probe(folder, lively_bert, pooling))
    labels = ["NEGATIVE", "POSITIVE"]
    if request.param == "labels swapped":
        labels.reverse()
    return load_classifier(saved_model(folder, lively_bert, dict(enumerate(labels))))


@pytest.fixture(scope="module")
def probe(lively_bert, tmp_path_factory):
    return load_classifier(saved_probe(tmp_path_factory.mktemp("probe"), lively_bert, "cls"))


def margin_of(model, **inputs):
    """Return the logit of POSITIVE less that of NEGATIVE, found by the labels' names."""
    number = {name: n for n, name in model.config.id2label.items()}
    logits = model(**inputs).logits
    return logits[:, number["POSITIVE"]] - logits[:, number["NEGATIVE"]]


def shares_by_hand(pipeline, text, steps):
    """Integrate the gradients along the way from [MASK] to the text, without captum."""
    model, tokenizer = pipeline.model, pipeline.tokenizer
    encoded = tokenizer(text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
    ids = encoded["input_ids"]
    blank = ids.clone()
    blank[0, 1:-1] = tokenizer.mask_token_id
    table = model.get_input_embeddings()
    first, last = table(blank).detach(), table(ids).detach()
    total = torch.zeros_like(first)
    for step in range(steps):
        here = (first + (step + 0.5) / steps * (last - first)).requires_grad_()
        with table.register_forward_hook(lambda *_, here=here: here):
            (gradient,) = torch.autograd.grad(margin_of(model, **encoded)[0], here)
        total += gradient / steps
    return encoded, ((last - first) * total).sum(dim=-1)[0].tolist()


@every_text
def test_the_pieces_join_to_the_text_that_was_read(probe, text):
    attribution = attribute(probe, text)
    reading = attribution.reading
    whole = text.encode("utf-8", "replace").decode()
    assert "".join(piece for piece, _ in attribution.pieces) + reading.unread == whole
    words = [piece for piece, score in attribution.pieces if score is not None]
    assert words == list(attribution.words)
    assert len(words) == len(attribution.pushes)
    assert reading.tokens_read <= MAX_LENGTH


@every_text
def test_reads_what_the_tokenizer_makes_of_the_whole_text(probe, text):
    whole = text.encode("utf-8", "replace").decode()
    expected = probe.tokenizer(whole, truncation=True, max_length=MAX_LENGTH)
    reading = read_text(probe, text)
    assert {name: x[0].tolist() for name, x in reading.inputs.items()} == dict(expected)
    assert reading.is_cut == (len(probe.tokenizer.tokenize(whole)) > MAX_LENGTH - 2)


@every_text
def test_the_verdict_is_the_pipelines(pipeline, text):
    verdict = judge(pipeline, text)
    (answer,) = pipeline(text)
    assert verdict.label == answer["label"]
    assert verdict.probability == pytest.approx(answer["score"], abs=1e-6)
    assert (verdict.margin > 0) == (verdict.label == "POSITIVE")


@every_text
def test_the_scores_add_up(pipeline, text):
    attribution = attribute(pipeline, text)
    total = sum(attribution.pushes) + attribution.other
    difference = attribution.margin - attribution.blank_margin
    assert attribution.completeness_error == pytest.approx(total - difference, abs=1e-6)
    assert abs(total - difference) <= max(0.05 * abs(difference), 0.02)
    assert attribution.margin == pytest.approx(judge(pipeline, text).margin, abs=1e-5)


def test_the_scores_are_the_integral_done_by_hand(pipeline):
    attribution = attribute(pipeline, SHORT)
    encoded, shares = shares_by_hand(pipeline, SHORT, attribution.steps)
    by_word = {}
    for share, word in zip(shares, encoded.word_ids(), strict=True):
        by_word[word] = by_word.get(word, 0.0) + share
    assert by_word.pop(None) == pytest.approx(attribution.other, abs=1e-6)
    assert list(attribution.pushes) == pytest.approx(list(by_word.values()), abs=1e-4)
    assert max(map(abs, attribution.pushes)) > 0.02


@pytest.mark.parametrize(
    ("missing", "blank"),
    [
        ([], "[MASK]"),
        (["mask_token"], "[PAD]"),
        (["mask_token", "pad_token"], "[UNK]"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"without {value}",
)
def test_the_baseline_is_a_text_of_blanks(pipeline, monkeypatch, missing, blank):
    encoded, _ = shares_by_hand(pipeline, SHORT, 1)
    encoded["input_ids"][0, 1:-1] = pipeline.tokenizer.convert_tokens_to_ids(blank)
    with torch.no_grad():
        expected = float(margin_of(pipeline.model, **encoded))
    for name in missing:
        monkeypatch.setitem(pipeline.tokenizer._special_tokens_map, name, None)
    assert attribute(pipeline, SHORT).blank_margin == pytest.approx(expected, abs=1e-5)


def test_a_tokenizer_with_nothing_for_a_blank_is_refused(probe, monkeypatch):
    for name in ("mask_token", "pad_token", "unk_token"):
        monkeypatch.setitem(probe.tokenizer._special_tokens_map, name, None)
    with pytest.raises(ValueError, match="no token for a blank: expected a mask_token"):
        attribute(probe, SHORT)


def test_word_pieces_are_joined_and_punctuation_stands_alone(probe):
    assert attribute(probe, "cafe\u0301 nai\u0308ve").words == ("cafe\u0301", "nai\u0308ve")
    reading = attribute(probe, "Boringly dullest film!?").reading
    assert reading.tokens_read == len(["[CLS]", "boring", "##ly", "dull", "##est"]) + 4
    words = [reading.text[start:end] for start, end in reading.spans]
    assert words == ["Boringly", "dullest", "film", "!", "?"]


def test_what_no_word_stands_for_is_counted(probe):
    assert read_text(probe, "good \U0001f600 电").unknown == 2
    assert read_text(probe, "good").unknown == 0


def test_more_steps_until_the_scores_add_up(pipeline, monkeypatch):
    monkeypatch.setattr(attributions, "STEPS", (2, 3, 200))
    monkeypatch.setattr(attributions, "ABSOLUTE_ERROR", 1e-3)
    monkeypatch.setattr(attributions, "RELATIVE_ERROR", 0)
    attribution = attribute(pipeline, SHORT)
    assert attribution.steps == 200
    assert attribution.is_complete


def blank_margin(classifier, encoded):
    """Ask the model itself about as many [MASK], at the text's positions, and under its mask."""
    blank = encoded["input_ids"].clone()
    blank[0, 1:-1] = classifier.tokenizer.mask_token_id
    rest = {name: x for name, x in encoded.items() if name != "input_ids"}
    return float(margin_of(classifier.model, input_ids=blank, **rest))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in available_models() if name != "base classifier"])
def test_the_scores_add_up_on_held_back_reviews(name):
    """Six reviews of 60 words at most, so that this takes ten seconds and no more."""
    preset = load_preset("laptop").replace(test_size=None)
    reviews = [t for t in load_reviews(preset)["test"]["text"] if len(t.split()) <= 60][:6]
    assert len(reviews) == 6
    classifier = load_classifier(available_models()[name])
    for text in reviews:
        attribution = attribute(classifier, text)
        encoded = classifier.tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            margin = float(margin_of(classifier.model, **encoded))
            difference = margin - blank_margin(classifier, encoded)
        error = sum(attribution.pushes) + attribution.other - difference
        assert abs(error) <= max(0.05 * abs(difference), 0.02), text
        assert attribution.margin == pytest.approx(margin, abs=1e-3)


def test_leaves_the_model_as_it_was(pipeline):
    before = pipeline(SHORT)
    state = {name: tensor.clone() for name, tensor in pipeline.model.state_dict().items()}
    attribute(pipeline, SHORT)
    assert pipeline(SHORT) == before
    assert all(torch.equal(x, state[n]) for n, x in pipeline.model.state_dict().items())
    assert not any(module._forward_hooks for module in pipeline.model.modules())
    assert not any(parameter.grad is not None for parameter in pipeline.model.parameters())


def test_meets_no_other_call_of_the_same_model(pipeline):
    """Calls that run at the same time as an attribution get the answers that they always get."""
    before = judge(pipeline, SHORT).margin
    is_working, may_go_on, answers = threading.Event(), threading.Event(), []

    def is_wanted():
        is_working.set()
        return may_go_on.wait(60)

    worker = threading.Thread(target=lambda: answers.append(attribute(pipeline, SHORT, is_wanted)))
    worker.start()
    assert is_working.wait(60)
    assert judge(pipeline, SHORT).margin == before
    may_go_on.set()
    worker.join(60)
    assert answers[0].pushes == attribute(pipeline, SHORT).pushes


def test_works_where_gradients_are_switched_off(probe):
    expected = attribute(probe, SHORT).pushes
    with torch.no_grad():
        assert attribute(probe, SHORT).pushes == expected


def test_works_in_float32_whatever_the_model_is_in(tmp_path, lively_bert):
    pipeline = load_classifier(saved_probe(tmp_path, lively_bert, "cls"))
    expected = attribute(pipeline, SHORT)
    pipeline.model.to(torch.bfloat16)
    attribution = attribute(pipeline, SHORT)
    assert attribution.is_complete
    assert attribution.margin == pytest.approx(expected.margin, abs=0.1)
    assert pipeline.model.dtype == torch.bfloat16


def test_gives_up_when_nobody_waits(probe):
    calls = []

    def is_wanted():
        calls.append(1)
        return len(calls) < 4

    with pytest.raises(SupersededError):
        attribute(probe, SHORT, is_wanted)
    assert len(calls) == 4
    assert attribute(probe, SHORT).is_complete


@pytest.mark.parametrize("function", [judge, attribute, read_text])
@pytest.mark.parametrize("text", [None, ["good"]])
def test_refuses_what_is_no_text(probe, function, text):
    with pytest.raises(TypeError, match="expected a text"):
        function(probe, text)


def test_refuses_a_tokenizer_that_says_not_where_its_tokens_are(tmp_path, lively_bert, monkeypatch):
    pipeline = load_classifier(saved_probe(tmp_path, lively_bert, "cls"))
    monkeypatch.setattr(BertTokenizerFast, "is_fast", property(lambda self: False))
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        attribute(pipeline, SHORT)
