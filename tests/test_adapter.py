"""LoRA adapters: saved apart from their BERT, added to it again, refused where they do not fit."""

import json
import os
import shutil
import socket

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from imdb_tutorial.classifier.adapter import (
    ADAPTER_CONFIG,
    ADAPTER_FILE,
    apply_adapter,
    save_adapter,
)
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.machine.manifest import MANIFEST_FILE

pytestmark = pytest.mark.filterwarnings(
    "ignore:.is_gradient_checkpointing:FutureWarning", "ignore::UserWarning:peft"
)
TEXT = "the film was good, very good, and I liked it a lot"


def new_adapter(tiny_bert, **settings):
    torch.manual_seed(8)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"} | settings
    model = peft.get_peft_model(
        load_encoder(tiny_bert, device="cpu"), peft.LoraConfig(**settings)
    ).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3)
            if "lora_" in name:
                parameter.copy_(parameter.half())  # what half precision can hold
    return model


def vectors(model, tiny_bert):
    tokens = load_tokenizer(tiny_bert)(TEXT, return_tensors="pt").to(model.device)
    with torch.no_grad():
        return model(**tokens).last_hidden_state.cpu()


@pytest.fixture
def saved(tiny_bert, tmp_path):
    """Return a folder with a saved adapter."""
    save_adapter(new_adapter(tiny_bert), tmp_path / "new" / "adapter")
    return tmp_path / "new" / "adapter"


def apply(folder, tiny_bert):
    return apply_adapter(load_encoder(tiny_bert, device="cpu"), folder)


@pytest.mark.parametrize(
    "settings",
    [{}, {"r": 2, "lora_alpha": 32}, {"target_modules": ["query", "value"]}, {"use_rslora": True}],
    ids=["all layers", "other scale", "two layers", "rslora"],
)
def test_an_adapter_gives_what_it_gave_before_it_was_saved(tiny_bert, tmp_path, settings):
    model = new_adapter(tiny_bert, **settings)
    save_adapter(model, tmp_path)
    adapted = apply(tmp_path, tiny_bert)
    torch.testing.assert_close(
        vectors(adapted, tiny_bert), vectors(model, tiny_bert), rtol=0, atol=1e-4
    )
    plain = vectors(load_encoder(tiny_bert, device="cpu"), tiny_bert)
    assert (vectors(adapted, tiny_bert) - plain).abs().max() > 1e-2


def test_the_adapted_encoder_is_a_plain_bert_frozen_and_in_eval_mode(saved, tiny_bert):
    adapted = apply(saved, tiny_bert)
    plain = load_encoder(tiny_bert, device="cpu")
    assert type(adapted) is type(plain)
    assert list(adapted.state_dict()) == list(plain.state_dict())
    assert not any(parameter.requires_grad for parameter in adapted.parameters())
    assert not any(module.training for module in adapted.modules())


def test_the_files_hold_half_precision_and_nothing_of_the_encoder(saved):
    assert sorted(os.listdir(saved)) == sorted([ADAPTER_CONFIG, ADAPTER_FILE, MANIFEST_FILE])
    weights = load_file(saved / ADAPTER_FILE)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert weights and all("lora_A" in name or "lora_B" in name for name in weights)


def test_the_settings_name_no_folder_of_this_machine(saved, tiny_bert):
    text = (saved / ADAPTER_CONFIG).read_text()
    assert str(tiny_bert) not in text
    settings = json.loads(text)
    assert settings["base_model_name_or_path"] is None
    assert settings["inference_mode"] is True
    assert settings["target_modules"] == sorted(settings["target_modules"])


def test_saving_twice_gives_the_same_bytes(saved, tiny_bert, tmp_path):
    save_adapter(new_adapter(tiny_bert), tmp_path / "again")
    for name in (ADAPTER_CONFIG, ADAPTER_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_saving_again_replaces(saved, tiny_bert):
    save_adapter(new_adapter(tiny_bert, r=2), saved)
    assert sorted(os.listdir(saved)) == sorted([ADAPTER_CONFIG, ADAPTER_FILE, MANIFEST_FILE])
    assert json.loads((saved / ADAPTER_CONFIG).read_text())["r"] == 2
    apply(saved, tiny_bert)


DAMAGES = {
    "half": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "list": lambda whole: b"[]",
    "object": lambda whole: b"{}",
    "bytes": lambda whole: b"\xff\xfe" * 30,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", [ADAPTER_FILE, ADAPTER_CONFIG])
def test_a_damaged_file_is_a_clear_error(saved, tiny_bert, name, damage):
    (saved / name).write_bytes(damage((saved / name).read_bytes()))
    with pytest.raises(ValueError, match=r"the adapter in .*adapter' is damaged"):
        apply(saved, tiny_bert)


@pytest.mark.parametrize(
    "changes",
    [
        {"r": 2},
        {"r": "4"},
        {"peft_type": "UNHEARD_OF"},
        {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 3},
        {"peft_type": "IA3", "feedforward_modules": []},
        {"target_modules": ["no such layer"]},
    ],
    ids=str,
)
def test_settings_of_another_adapter_are_refused(saved, tiny_bert, changes):
    (saved / MANIFEST_FILE).unlink()  # as if others had saved it
    settings = json.loads((saved / ADAPTER_CONFIG).read_text()) | changes
    (saved / ADAPTER_CONFIG).write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="damaged or was trained on another model"):
        apply(saved, tiny_bert)


def without_half(weights):
    return dict(list(weights.items())[: len(weights) // 2])


def other_names(weights):
    return {name.removeprefix("base_model."): tensor for name, tensor in weights.items()}


def other_layers(weights):
    return {name.replace("layer.1.", "layer.7."): tensor for name, tensor in weights.items()}


def more_layers(weights):
    more = {n.replace("layer.1.", "layer.2."): t.clone() for n, t in weights.items()}
    return weights | more


def nothing(weights):
    return {}


@pytest.mark.parametrize(
    "change",
    [without_half, other_names, other_layers, more_layers, nothing],
    ids=lambda change: change.__name__,
)
def test_matrices_that_are_missing_or_left_over_are_refused(saved, tiny_bert, change):
    (saved / MANIFEST_FILE).unlink()  # as if others had saved it
    weights = change(load_file(saved / ADAPTER_FILE))
    save_file(weights, saved / ADAPTER_FILE, {"format": "pt"})
    with pytest.raises(ValueError, match="damaged or was trained on another model"):
        apply(saved, tiny_bert)


def test_a_scale_that_was_changed_afterwards_is_noticed(saved, tiny_bert):
    settings = json.loads((saved / ADAPTER_CONFIG).read_text()) | {"lora_alpha": 999}
    (saved / ADAPTER_CONFIG).write_text(json.dumps(settings))
    with pytest.raises(
        ValueError, match=rf"damaged .*{ADAPTER_CONFIG} in .* is missing or damaged"
    ):
        apply(saved, tiny_bert)


def test_matrices_that_were_changed_afterwards_are_noticed(saved, tiny_bert):
    content = bytearray((saved / ADAPTER_FILE).read_bytes())
    content[-10:] = bytes(byte ^ 0xFF for byte in content[-10:])
    (saved / ADAPTER_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=rf"damaged .*{ADAPTER_FILE} in .* is missing or damaged"):
        apply(saved, tiny_bert)


def test_the_adapter_of_another_model_of_the_same_shape_is_refused(saved, tiny_bert, tmp_path):
    other = shutil.copytree(tiny_bert, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] *= 2
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"'.*other' is another encoder"):
        apply(saved, other)


def test_the_adapter_of_a_wider_model_is_refused(saved, tiny_bert):
    wider = transformers.BertModel(
        transformers.BertConfig.from_pretrained(tiny_bert, hidden_size=24)
    )
    with pytest.raises(ValueError, match="damaged or was trained on another model"):
        apply_adapter(wider, saved)


@pytest.mark.parametrize("name", [ADAPTER_FILE, ADAPTER_CONFIG])
def test_half_of_it_is_refused_and_no_hub_is_asked(saved, tiny_bert, monkeypatch, name):
    asked = []

    def refuse(*where, **options):
        asked.append(where)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    (saved / name).unlink()
    monkeypatch.chdir(saved.parent.parent)
    with pytest.raises((ValueError, FileNotFoundError), match="adapter"):
        apply("new/adapter", tiny_bert)
    assert asked == []


def test_a_disk_that_refuses_keeps_the_adapter_before(saved, tiny_bert, monkeypatch):
    before = {name: (saved / name).read_bytes() for name in os.listdir(saved)}

    def refuse(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        save_adapter(new_adapter(tiny_bert, r=2), saved)
    assert {name: (saved / name).read_bytes() for name in os.listdir(saved)} == before
