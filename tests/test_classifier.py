"""Classifiers from folders: fine-tuned ones and saved probes; what is refused, and with what."""

import json
import re
import shutil
import socket

import pytest
import torch
import transformers
from huggingface_hub import constants
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from imdb_tutorial import available_models, load_classifier, predict_proba
from imdb_tutorial.classifier import load as module
from imdb_tutorial.classifier.adapter import save_adapter
from imdb_tutorial.classifier.answer_settings import save_answer_settings
from imdb_tutorial.classifier.pipeline import (
    SentimentPipeline,
)
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer, vocabulary_sha256
from imdb_tutorial.explorer import models
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.machine import packages
from imdb_tutorial.machine.manifest import read_manifest, write_manifest
from imdb_tutorial.machine.tensors import pack, unpack
from imdb_tutorial.probe import PROBE_FILE, LinearProbe, load_probe, save_probe

MAX_LENGTH = 24
TEXTS = ["a great movie", "so bad", "", "the film was good, very good, and I liked it a lot"]
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
LONG = "a good movie and a bad one " * 100
REMEDY = r"expected NEGATIVE and POSITIVE; give the model id2label"


def saved_probe(folder, tiny_bert, labels=("NEGATIVE", "POSITIVE"), **settings):
    torch.manual_seed(4)
    probe = LinearProbe(load_encoder(tiny_bert, device="cpu").config.hidden_size, **settings)
    with torch.no_grad():
        probe.linear.weight *= 10
    save_probe(probe, folder, tiny_bert, labels, max_length=MAX_LENGTH)
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


def plain_probabilities(folder, text, max_length=500):
    """Return what transformers itself makes of a text: negative, positive."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokens = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**tokens).logits[0].softmax(dim=0).tolist()


def ask_judge(classifier):
    return judge(classifier, "good")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class Trap:
    """Leaves a mark on the disk when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


@pytest.fixture
def own_copy(tiny_classifier, tmp_path):
    """Return a copy of the tiny classifier's folder that a test may damage."""
    return shutil.copytree(tiny_classifier, tmp_path / "copy")


@pytest.fixture
def offline(monkeypatch):
    """Let nobody connect anywhere; return what was tried."""
    tried = []

    def refuse(*where, **options):
        tried.append(where)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tried


@pytest.fixture(scope="module")
def tiny(tiny_classifier):
    return load_classifier(tiny_classifier)


# Fine-tuned folders


@pytest.mark.parametrize("text", [*TEXTS, LONG], ids=["short", "bad", "empty", "longer", "cut"])
def test_a_fine_tuned_folder_gives_the_softmax_of_its_logits(tiny, tiny_classifier, text):
    expected = plain_probabilities(tiny_classifier, text)
    (answer,) = tiny(text)
    assert answer["label"] == ("NEGATIVE", "POSITIVE")[expected.index(max(expected))]
    assert answer["score"] == pytest.approx(max(expected), abs=1e-5)


def test_the_texts_of_these_tests_are_told_apart(tiny):
    answers = tiny(TEXTS)
    assert {answer["label"] for answer in answers} == {"NEGATIVE", "POSITIVE"}
    assert len({round(answer["score"], 2) for answer in answers}) == len(TEXTS)


def test_a_folder_in_the_home_folder(tiny, tiny_classifier, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_classifier.parent))
    assert load_classifier(f"~/{tiny_classifier.name}")(TEXTS) == tiny(TEXTS)


def test_the_model_is_frozen_and_without_dropout(tiny):
    assert isinstance(tiny, SentimentPipeline)
    assert not tiny.model.training
    assert not any(parameter.requires_grad for parameter in tiny.model.parameters())


def test_texts_are_cut_where_they_were_cut_in_the_training(own_copy):
    assert load_classifier(own_copy).max_length == 500
    change_config(own_copy, max_length_trained=512)
    assert load_classifier(own_copy).max_length == 512
    change_config(own_copy, max_length_trained=MAX_LENGTH)
    classifier = load_classifier(own_copy)
    assert classifier.max_length == MAX_LENGTH
    expected = max(plain_probabilities(own_copy, LONG, MAX_LENGTH))
    assert expected != pytest.approx(max(plain_probabilities(own_copy, LONG)), abs=1e-3)
    assert classifier(LONG)[0]["score"] == pytest.approx(expected, abs=1e-5)


def test_texts_are_never_longer_than_the_models_table_of_positions(tiny_bert, tmp_path):
    config = transformers.BertConfig.from_pretrained(tiny_bert, max_position_embeddings=40)
    config.id2label = {0: "NEGATIVE", 1: "POSITIVE"}
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    load_tokenizer(tiny_bert).save_pretrained(tmp_path)
    classifier = load_classifier(tmp_path)
    assert classifier.max_length == 40
    assert len(classifier([LONG, "good"])) == 2


# Labels


@pytest.mark.parametrize("names", [("neg", "pos"), ("Negative", "POS")])
def test_other_spellings_of_the_labels_are_understood(own_copy, tiny, names):
    change_config(own_copy, id2label=dict(enumerate(names)))
    classifier = load_classifier(own_copy)
    assert classifier(TEXTS) == tiny(TEXTS)
    assert classifier.model.config.label2id == {"NEGATIVE": 0, "POSITIVE": 1}


@pytest.mark.parametrize("names", [("LABEL_0", "LABEL_1"), ("NEGATIVE", "neg")])
def test_two_labels_of_other_names_are_refused(own_copy, names):
    change_config(own_copy, id2label=dict(enumerate(names)))
    with pytest.raises(ValueError, match=f"are {', '.join(names)}: {REMEDY}"):
        load_classifier(own_copy)


def test_a_model_with_a_third_label_is_refused(own_copy):
    names = ["NEGATIVE", "NEUTRAL", "POSITIVE"]
    model = AutoModelForSequenceClassification.from_pretrained(
        own_copy, id2label=dict(enumerate(names)), num_labels=3, ignore_mismatched_sizes=True
    )
    model.save_pretrained(own_copy)
    with pytest.raises(ValueError, match=f"are {', '.join(names)}: {REMEDY}"):
        load_classifier(own_copy)


@pytest.mark.parametrize(
    "labels",
    [{"1": "NEGATIVE", "2": "POSITIVE"}, {"0": None, "1": "POSITIVE"}],
    ids=["from one", "nothing"],
)
def test_labels_that_are_not_two_names_for_zero_and_one_are_refused(own_copy, labels):
    change_config(own_copy, id2label=labels)
    with pytest.raises(ValueError, match=REMEDY):
        load_classifier(own_copy)


@pytest.mark.parametrize("kind", ["multi_label_classification", "regression"])
def test_the_scores_are_a_softmax_whatever_the_config_calls_the_problem(own_copy, tiny, kind):
    change_config(own_copy, problem_type=kind)
    assert load_classifier(own_copy)(TEXTS) == tiny(TEXTS)


# Tokenizers


def test_a_folder_without_its_tokenizer_is_refused(own_copy):
    for path in own_copy.glob("*token*"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no tokenizer\.json.*tokenizer\.save_pretrained"):
        load_classifier(own_copy)


def swap_two_words(folder):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    words = content["model"]["vocab"]
    words["good"], words["bad"] = words["bad"], words["good"]
    path.write_text(json.dumps(content))


def test_a_tokenizer_with_other_words_is_told_by_the_recorded_hash(own_copy, tiny):
    change_config(own_copy, vocabulary_sha256=vocabulary_sha256(load_tokenizer(own_copy)))
    assert load_classifier(own_copy)(TEXTS) == tiny(TEXTS)
    swap_two_words(own_copy)
    with pytest.raises(ValueError, match=r"belongs to another model.*copy the files"):
        load_classifier(own_copy)


@pytest.mark.parametrize(("more_rows", "fits"), [(-1, False), (0, True), (29, True), (128, False)])
def test_without_a_hash_a_tokenizer_of_another_size_is_refused(own_copy, more_rows, fits):
    model = AutoModelForSequenceClassification.from_pretrained(own_copy)
    size = len(load_tokenizer(own_copy)) + more_rows
    model.resize_token_embeddings(size, mean_resizing=False)
    model.save_pretrained(own_copy)
    if fits:
        assert len(load_classifier(own_copy)(TEXTS)) == len(TEXTS)
        return
    with pytest.raises(ValueError, match=rf"belongs to another model.*the model {size:,}"):
        load_classifier(own_copy)


# Damaged files and pickles


def test_a_pickle_instead_of_safetensors_is_refused_and_never_opened(own_copy, tmp_path):
    (own_copy / "model.safetensors").unlink()
    torch.save(Trap(tmp_path / "sprung"), own_copy / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"pickle \(pytorch_model\.bin\).*save_pretrained"):
        load_classifier(own_copy)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_beside_the_weights_is_never_opened(own_copy, tiny, tmp_path):
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        torch.save(Trap(tmp_path / "sprung"), own_copy / name)
    assert load_classifier(own_copy)(TEXTS) == tiny(TEXTS)
    assert not (tmp_path / "sprung").exists()


def test_a_pickled_adapter_in_a_fine_tuned_folder_is_never_opened(own_copy, tmp_path, tiny_bert):
    adapter = {"peft_type": "LORA", "r": 2, "target_modules": ["query"]}
    adapter["base_model_name_or_path"] = str(tiny_bert)
    (own_copy / "adapter_config.json").write_text(json.dumps(adapter))
    torch.save(Trap(tmp_path / "sprung"), own_copy / "adapter_model.bin")
    with pytest.raises((ValueError, FileNotFoundError), match="adapter"):
        load_classifier(own_copy)
    assert not (tmp_path / "sprung").exists()


def test_a_pickled_adapter_beside_a_probe_is_refused_and_never_opened(tmp_path, tiny_bert):
    folder = saved_probe(tmp_path / "probe", tiny_bert)
    torch.save(Trap(tmp_path / "sprung"), folder / "adapter_model.bin")
    try:
        with pytest.raises((ValueError, FileNotFoundError), match=r"adapter_model\.bin"):
            load_classifier(folder)
    finally:
        assert not (tmp_path / "sprung").exists()


def test_the_trap_of_these_tests_works(tmp_path):
    torch.save(Trap(tmp_path / "sprung"), tmp_path / "trap.bin")
    torch.load(tmp_path / "trap.bin", weights_only=False)
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"[]" * 40),
        ("tokenizer.json", b"{"),
        ("tokenizer_config.json", b"[]"),
    ],
)
def test_a_damaged_file_is_a_clear_error(own_copy, name, content):
    (own_copy / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot open .*copy.*save_pretrained"):
        load_classifier(own_copy)


def test_weights_with_a_gap_are_refused_instead_of_filled_with_random_numbers(own_copy):
    name = "bert.encoder.layer.1.output.dense.weight"
    weights = load_file(own_copy / "model.safetensors")
    weights.pop(name)
    save_file(weights, own_copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=f"lack '{name}'"):
        load_classifier(own_copy)


@pytest.mark.parametrize(
    "config",
    [
        *("{", "[]", "{}", '{"model_type": [1]}'),
        *(f'{{"model_type": "{name}"}}' for name in ("unheard_of", "frozen_bert_probe", "vit")),
    ],
)
def test_a_config_that_is_no_models_is_a_clear_error(own_copy, config):
    (own_copy / "config.json").write_text(config)
    with pytest.raises(ValueError, match=r"cannot open .*copy"):
        load_classifier(own_copy)


@pytest.mark.parametrize("length", [513, 2, "500", None, True])
def test_a_trained_length_that_the_model_cannot_read_is_refused(own_copy, length):
    change_config(own_copy, max_length_trained=length)
    expected = rf"max_length_trained in .*copy' is {length!r}: expected 3 to 512, the most tokens"
    with pytest.raises(ValueError, match=expected):
        load_classifier(own_copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 20},
        {"hidden_act": "unheard of"},
        {"max_position_embeddings": "many"},
        {"id2label": ["NEGATIVE", "POSITIVE"]},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_config_that_does_not_fit_is_a_clear_error(own_copy, changes):
    change_config(own_copy, **changes)
    with pytest.raises(ValueError, match=r"copy"):
        load_classifier(own_copy)


def test_a_folder_without_its_config(own_copy):
    (own_copy / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected config\.json"):
        load_classifier(own_copy)


def test_code_that_comes_with_a_model_is_not_run(own_copy, tmp_path, tiny):
    (own_copy / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    change_config(
        own_copy,
        auto_map={"AutoConfig": "evil.C", "AutoModelForSequenceClassification": "evil.M"},
    )
    assert load_classifier(own_copy)(TEXTS) == tiny(TEXTS)
    assert not (tmp_path / "ran").exists()


def test_a_folder_with_nothing_in_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"no classifier in .*{PROBE_FILE}"):
        load_classifier(tmp_path)


# Names that are no folders


@pytest.mark.parametrize("name", ["nowhere", "no/such/folder", "/no/such"])
def test_a_folder_that_does_not_exist(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"{name}.*expected 'packaged', 'base', .* hub"):
        load_classifier(name)


def test_a_file_is_no_folder(own_copy):
    with pytest.raises(FileNotFoundError, match=r"config\.json.*expected 'packaged', 'base', a"):
        load_classifier(own_copy / "config.json")


@pytest.mark.parametrize("name", ["some/model", "google-bert/bert-base-cased@"])
def test_a_hub_model_needs_its_revision(name):
    with pytest.raises(ValueError, match=r"no revision: name one, '[\w/-]+@revision'"):
        load_classifier(name)


# Saved probes


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
@pytest.mark.parametrize("text", [TEXTS[3], LONG], ids=["whole", "cut"])
def test_the_score_is_the_softmax_of_the_probes_logits(tmp_path, tiny_bert, pooling, text):
    folder = saved_probe(tmp_path, tiny_bert, pooling=pooling)
    (answer,) = load_classifier(folder)(text)
    powers = logits_by_hand(text, tiny_bert, load_probe(folder)[0]).exp()
    probabilities = powers / powers.sum()
    assert answer["label"] == ("NEGATIVE", "POSITIVE")[int(probabilities.argmax())]
    assert answer["score"] == pytest.approx(float(probabilities.max()), abs=1e-5)


def test_softmax_is_not_applied_twice(tmp_path, tiny_bert):
    folder = saved_probe(tmp_path, tiny_bert, softmax=True)
    probe, _ = load_probe(folder)
    encoder = load_encoder(tiny_bert, device="cpu")
    with torch.no_grad():
        tokens = load_tokenizer(tiny_bert)(TEXTS[3], return_tensors="pt")
        own = probe(encoder(**tokens).last_hidden_state[:, 0])[0]
    (answer,) = load_classifier(folder)(TEXTS[3])
    assert answer["score"] == pytest.approx(float(own.max()), abs=1e-5)


def test_a_probe_whose_labels_stand_in_the_other_order(tmp_path, tiny_bert):
    straight = load_classifier(saved_probe(tmp_path / "a", tiny_bert))
    turned = load_classifier(saved_probe(tmp_path / "b", tiny_bert, ("pos", "neg")))
    for one, other in zip(straight(TEXTS), turned(TEXTS), strict=True):
        assert one["score"] == other["score"]
        assert {one["label"], other["label"]} == {"NEGATIVE", "POSITIVE"}
    assert torch.equal(predict_proba(straight, TEXTS), predict_proba(turned, TEXTS).flip(1))


@pytest.mark.parametrize("labels", [("no", "yes"), ("NEGATIVE",)])
def test_a_probe_with_other_labels_is_refused(tmp_path, tiny_bert, labels):
    saved_probe(tmp_path, tiny_bert, labels, num_labels=len(labels))
    with pytest.raises(ValueError, match=f"are {', '.join(labels)}: {REMEDY}"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("max_length", [513, 2, "500", None, True, 24.0])
def test_a_length_that_the_probes_encoder_cannot_read_is_refused(tmp_path, tiny_bert, max_length):
    file = saved_probe(tmp_path, tiny_bert) / PROBE_FILE
    weights, settings = unpack(file, "probe")
    file.write_bytes(pack(weights, "probe", settings | {"max_length": max_length}))
    expected = rf"max_length .*{re.escape(repr(max_length))}: expected 3 (to 512|or more)"
    with pytest.raises(ValueError, match=expected) as caught:
        load_classifier(tmp_path)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoder", ["some/model", "some/model@"])
def test_a_probe_whose_hub_encoder_has_no_revision_is_refused(tmp_path, offline, encoder):
    save_probe(LinearProbe(16), tmp_path, encoder)
    with pytest.raises(ValueError, match=r"the probe in .*: the hub model 'some/model' has no rev"):
        load_classifier(tmp_path)
    assert offline == []


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


# Numbers that are none


def spoil(file, name, value):
    weights = load_file(file)
    weights[name][-1] = value
    with safe_open(file, framework="pt") as opened:
        save_file(weights, file, opened.metadata())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classifier.bias", float("nan")),
        ("bert.embeddings.word_embeddings.weight", -float("inf")),
    ],
)
def test_weights_that_are_no_numbers_are_refused(own_copy, name, value):
    spoil(own_copy / "model.safetensors", name, value)
    with pytest.raises(ValueError, match=rf"copy' are damaged: {re.escape(name)} holds NaN"):
        load_classifier(own_copy)


def test_a_probes_weights_that_are_no_numbers_are_refused(tmp_path, tiny_bert):
    probe, _ = load_probe(saved_probe(tmp_path, tiny_bert))
    probe.linear.bias.data[1] = float("nan")
    save_probe(probe, tmp_path, tiny_bert)
    with pytest.raises(ValueError, match=r"damaged .*linear\.bias holds NaN"):
        load_classifier(tmp_path)


def test_an_encoders_weights_that_are_no_numbers_are_refused(tmp_path, tiny_bert):
    encoder = shutil.copytree(tiny_bert, tmp_path / "encoder")
    spoil(encoder / "model.safetensors", "pooler.dense.bias", float("nan"))
    saved_probe(tmp_path, encoder)
    with pytest.raises(ValueError, match=r"damaged: encoder\.pooler\.dense\.bias holds NaN"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    "ask",
    [lambda c: c("good"), lambda c: c(["good"]), lambda c: predict_proba(c, ["good"]), ask_judge],
    ids=["one text", "a list", "predict_proba", "judge"],
)
def test_an_answer_that_is_no_number_is_an_error(own_copy, ask):
    # Finite itself, but not what is computed with it.
    spoil(own_copy / "model.safetensors", "bert.encoder.layer.0.output.dense.weight", 3e38)
    classifier = load_classifier(own_copy)
    with pytest.raises(ValueError, match=r"^the model's answer is not a number .* train it again$"):
        ask(classifier)


# A probe with an adapter


@pytest.fixture
def adapted(tmp_path, tiny_bert):
    """Return a folder with probe and adapter, and what the unmerged parts make of a text."""
    import peft

    torch.manual_seed(8)
    encoder = load_encoder(tiny_bert, device="cpu")
    settings = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear")
    model = peft.get_peft_model(encoder, settings).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3)
    folder = tmp_path / "adapted"
    probe, _ = load_probe(saved_probe(folder, tiny_bert))
    save_adapter(model, folder)

    def logits(text, with_adapter=True):
        tokens = load_tokenizer(tiny_bert)(
            text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
        )
        with torch.no_grad():
            if with_adapter:
                return probe(model(**tokens).last_hidden_state[:, 0])
            with model.disable_adapter():
                return probe(model(**tokens).last_hidden_state[:, 0])

    return folder, logits


@pytest.mark.parametrize("text", [TEXTS[3], LONG], ids=["whole", "cut"])
def test_an_adapter_beside_a_probe_changes_its_encoder(adapted, text):
    folder, logits = adapted
    classifier = load_classifier(folder)
    tokens = classifier.tokenizer(
        text, truncation=True, max_length=classifier.max_length, return_tensors="pt"
    ).to(classifier.model.device)
    with torch.no_grad():
        found = classifier.model(**tokens).logits.cpu()
    # The files hold half precision, which has eleven bits.
    torch.testing.assert_close(found, logits(text), rtol=2e-3, atol=2e-3)
    assert (found - logits(text, with_adapter=False)).abs().max() > 0.1
    (answer,) = classifier(text)
    assert answer["score"] == pytest.approx(float(found.softmax(dim=1).max()), abs=1e-5)


def test_a_base_model_that_an_adapter_names_is_asked_of_nobody(adapted, offline):
    folder, logits = adapted
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings |= {"base_model_name_or_path": "some/model", "revision": "v7"}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    write_manifest(folder, read_manifest(folder)["files_sha256"])
    (answer,) = load_classifier(folder)(TEXTS[0])
    assert answer["score"] == pytest.approx(float(logits(TEXTS[0]).softmax(dim=1).max()), abs=2e-3)
    assert offline == []


def test_a_folder_on_this_disk_asks_nobody(own_copy, tmp_path, tiny_bert, offline):
    load_classifier(own_copy)
    load_classifier(saved_probe(tmp_path / "probe", tiny_bert))
    load_classifier("packaged")
    assert offline == []


@pytest.fixture
def packaged(adapted, monkeypatch, tmp_path):
    """Return the folder of a packaged classifier on the tiny BERT."""
    folder = shutil.copytree(adapted[0], tmp_path / "data/packaged_classifier")
    write_manifest(folder, [path.name for path in folder.iterdir()])
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    return folder


def test_the_packaged_classifier_is_the_default(adapted, packaged):
    expected = load_classifier(adapted[0])(TEXTS)
    assert load_classifier()(TEXTS) == load_classifier("packaged")(TEXTS) == expected


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", PROBE_FILE])
def test_a_packaged_file_that_is_damaged_or_gone_is_named(packaged, name):
    content = (packaged / name).read_bytes()
    (packaged / name).write_bytes(content.replace(b"0", b"1"))
    with pytest.raises(
        packages.DamagedFileError, match=rf"{name} is missing or damaged: reinstall"
    ):
        load_classifier()
    (packaged / name).unlink()
    with pytest.raises(
        packages.DamagedFileError, match=rf"{name} is missing or damaged: reinstall"
    ):
        load_classifier()


def test_without_a_base_classifier_it_says_what_to_do(packaged):
    with pytest.raises(FileNotFoundError, match=r"without a classifier .* take 'packaged', or"):
        load_classifier("base")


def test_the_base_classifier_is_opened_where_it_is_there(adapted, packaged):
    folder = shutil.copytree(packaged, packaged.with_name("base_classifier"))
    save_answer_settings(folder, "head and tail", 2.0)
    opened = load_classifier("base")
    assert (opened.reading, opened.temperature) == ("head and tail", 2.0)
    expected = load_classifier(adapted[0])([TEXTS[0]], top_k=None, function_to_apply="none")[0]
    found = opened([TEXTS[0]], top_k=None, function_to_apply="none")[0]
    assert [2 * one["score"] for one in found] == pytest.approx([one["score"] for one in expected])
    (folder / "adapter_config.json").unlink()
    with pytest.raises(packages.DamagedFileError, match=r"the base classifier's adapter_config"):
        load_classifier("base")


@pytest.mark.parametrize("encoder", [True, False], ids=["installed", "not installed"])
def test_the_explorer_lists_the_base_classifier_with_its_encoder(packaged, monkeypatch, encoder):
    monkeypatch.setattr(models, "files", lambda package: packaged.parents[1])
    monkeypatch.setattr(models, "is_installed", lambda file: encoder)
    assert available_models() == {"packaged classifier": "packaged"}
    shutil.copytree(packaged, packaged.with_name("base_classifier"))
    found = available_models()
    assert list(found) == ["packaged classifier", *["base classifier"] * encoder]
    assert found.get("base classifier") in ("base", None)


# The pipeline


def test_a_tuple_is_as_good_as_a_list_and_an_empty_one_gives_an_empty_list(tiny):
    assert tiny(tuple(TEXTS)) == tiny(TEXTS)
    assert tiny([]) == tiny(()) == []


@pytest.mark.parametrize("text", [None, {"text": "good"}, iter(["good"])])
def test_what_is_no_text_is_refused(tiny, text):
    with pytest.raises(TypeError, match=r"expected a text or a list of texts"):
        tiny(text)


@pytest.mark.parametrize("wrong", [None, b"bytes", ["nested"]])
def test_a_list_with_something_else_in_it_is_refused_with_its_place(tiny, wrong):
    with pytest.raises(TypeError, match=r"text 2 of 4 is .*: expected a string; leave it out"):
        tiny(["good", "bad", wrong, "good"])


def test_a_shorter_length_can_be_asked_for_but_no_longer_one(tiny, tiny_classifier):
    expected = max(plain_probabilities(tiny_classifier, LONG, 10))
    assert tiny(LONG, truncation=True, max_length=10)[0]["score"] == pytest.approx(
        expected, abs=1e-5
    )
    with pytest.raises(ValueError, match="max_length is 501: expected 3 to 500"):
        tiny(LONG, max_length=501)


def test_half_a_character_pair_is_read_as_a_question_mark(tiny):
    text, readable = "a good film \udfff", "a good film ?"
    assert tiny(text) == tiny(readable)
    assert tiny([text, "good"]) == tiny([readable, "good"])


# predict_proba


def pipelines_probabilities(classifier, texts):
    answers = classifier(texts, top_k=None)
    named = [{score["label"]: score["score"] for score in scores} for scores in answers]
    return torch.tensor([[scores["NEGATIVE"], scores["POSITIVE"]] for scores in named])


@pytest.mark.parametrize("token_budget", [10, 4_096])
def test_predict_proba_gives_the_pipelines_probabilities(tiny, monkeypatch, token_budget):
    monkeypatch.setattr("imdb_tutorial.classifier.predict.TOKEN_BUDGET", {"cpu": token_budget})
    texts = [*TEXTS, LONG, "hate", "x y z", LONG[:300], "boring boring"]
    found = predict_proba(tiny, texts)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, pipelines_probabilities(tiny, texts), rtol=0, atol=1e-5)


def test_predict_proba_names_its_columns_by_label_not_by_number(own_copy, tiny):
    change_config(own_copy, id2label={0: "POSITIVE", 1: "NEGATIVE"})
    turned = load_classifier(own_copy)
    assert torch.equal(predict_proba(turned, TEXTS), predict_proba(tiny, TEXTS).flip(1))
    torch.testing.assert_close(
        predict_proba(turned, TEXTS), pipelines_probabilities(turned, TEXTS), rtol=0, atol=1e-5
    )


def test_the_precision_of_features_does_not_touch_an_answer(tiny, monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    exact = predict_proba(tiny, TEXTS)
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "bfloat16")
    assert torch.equal(predict_proba(tiny, TEXTS), exact)


def test_predict_proba_of_no_texts_gives_no_rows(tiny):
    found = predict_proba(tiny, [])
    assert found.shape == (0, 2)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("wrong", [None, b"bytes", ["good"]])
def test_predict_proba_names_the_row_of_what_is_no_text(tiny, wrong):
    with pytest.raises(TypeError, match=r"row 1 is .*: expected a text"):
        predict_proba(tiny, ["good", wrong, "bad"])


def test_predict_proba_of_one_text_is_refused_instead_of_read_letter_by_letter(tiny):
    with pytest.raises(TypeError, match="list"):
        predict_proba(tiny, "a good film")
