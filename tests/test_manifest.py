"""An encoder's fingerprint, and the probe that is refused on another encoder than its own."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from imdb_tutorial import LinearProbe, load_classifier, load_probe, model_source, save_probe
from imdb_tutorial.machine.manifest import encoder_fingerprint

PIN = "cd5ef92a9fb2f889e972770a36d4ed042daf221e"


def other_weights(folder):
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] *= 2
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def other_settings(folder):
    settings = json.loads((folder / "config.json").read_text()) | {"layer_norm_eps": 0.1}
    (folder / "config.json").write_text(json.dumps(settings))


def other_words(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    words = content["model"]["vocab"]
    words["good"], words["bad"] = words["bad"], words["good"]
    (folder / "tokenizer.json").write_text(json.dumps(content))


@pytest.fixture
def encoder(tiny_bert, tmp_path):
    """Return a folder with an encoder that a test may change."""
    return shutil.copytree(tiny_bert, tmp_path / "encoder")


def test_a_probe_opens_where_its_encoder_is_as_it_was(encoder, tmp_path):
    torch.manual_seed(0)
    save_probe(LinearProbe(16), tmp_path / "probe", encoder, max_length=16)
    _, settings = load_probe(tmp_path / "probe")
    assert settings["encoder_fingerprint"] == encoder_fingerprint(encoder)
    assert load_classifier(tmp_path / "probe")("good film")[0]["score"] > 0.5
    (encoder / "notes.txt").write_text("mine")
    load_classifier(tmp_path / "probe")


@pytest.mark.parametrize(
    "change", [other_weights, other_settings, other_words], ids=lambda change: change.__name__
)
def test_a_probe_is_refused_where_its_encoder_was_changed(encoder, tmp_path, change):
    save_probe(LinearProbe(16), tmp_path / "probe", encoder, max_length=16)
    change(encoder)
    with pytest.raises(ValueError, match=r"other files than those of '.*encoder' now: put these"):
        load_classifier(tmp_path / "probe")


def test_the_packaged_encoder_has_one_fingerprint_by_name_and_by_folder():
    folder = model_source("packaged").name_or_path
    assert encoder_fingerprint("packaged") == encoder_fingerprint(folder)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("some/encoder@abc", "revision abc"),
        ("google-bert/bert-base-cased", f"revision {PIN}"),
        ("some/encoder", None),
        ("", None),
    ],
)
def test_a_hub_model_is_told_by_its_revision_and_nobody_is_asked(monkeypatch, source, expected):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the hub was asked"))
    assert encoder_fingerprint(source) == expected


def test_a_folder_that_is_gone_has_no_fingerprint(tmp_path):
    assert encoder_fingerprint(tmp_path / "gone") is None
