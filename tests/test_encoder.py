import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoTokenizer,
)

from imdb_tutorial import (
    choose_device,
    choose_dtype,
    load_encoder,
    load_tokenizer,
)
from imdb_tutorial.encoder.load import plain_errors
from imdb_tutorial.encoder.pooling import encode_and_pool, pool
from imdb_tutorial.machine import device as device_room, sources

TEXTS = ["I loved the movie !", "dull", "not a good ending , very boring scenes"]


@pytest.fixture
def own_copy(tiny_bert, tmp_path):
    """Return a copy of the tiny BERT's folder that a test may damage."""
    return shutil.copytree(tiny_bert, tmp_path / "copy")


def test_the_encoder_is_frozen_and_in_eval_mode(tiny_bert):
    bert = load_encoder(tiny_bert, device="cpu")
    assert not any(parameter.requires_grad for parameter in bert.parameters())
    assert not any(module.training for module in bert.modules())
    inputs = load_tokenizer(tiny_bert)(TEXTS, padding=True, return_tensors="pt")
    assert not bert(**inputs).last_hidden_state.requires_grad


def test_the_encoder_gives_what_transformers_gives(tiny_bert):
    inputs = AutoTokenizer.from_pretrained(tiny_bert)(TEXTS, padding=True, return_tensors="pt")
    assert dict(load_tokenizer(tiny_bert)(TEXTS, padding=True, return_tensors="pt")).keys() == (
        dict(inputs).keys()
    )
    with torch.no_grad():
        expected = AutoModel.from_pretrained(tiny_bert).eval()(**inputs)
        found = load_encoder(tiny_bert, device="cpu")(**inputs)
    torch.testing.assert_close(found.last_hidden_state, expected.last_hidden_state)
    torch.testing.assert_close(found.pooler_output, expected.pooler_output)
    assert found.last_hidden_state.shape == (3, inputs["input_ids"].shape[1], 16)


def test_the_packaged_encoder_is_a_minilm_with_its_own_vocabulary():
    bert, tokenizer = load_encoder(device="cpu"), load_tokenizer()
    assert (bert.config.hidden_size, bert.config.num_hidden_layers) == (384, 6)
    assert bert.pooler is not None
    assert len(tokenizer) == 30_522
    assert tokenizer.tokenize("unforgettable") == ["un", "##for", "##get", "##table"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_weights_have_the_dtype_that_was_asked_for(tiny_bert, dtype):
    bert = load_encoder(tiny_bert, device="cpu", dtype=dtype)
    assert {parameter.dtype for parameter in bert.parameters()} == {dtype}


def test_loading_prints_nothing_but_the_device(tiny_bert, capfd):
    device_room._say_once.cache_clear()
    load_encoder(tiny_bert)
    printed = capfd.readouterr()
    assert printed.out == f"BERT runs on: {choose_device().type}\n"
    assert printed.err == ""


def test_the_device_is_said_once(capsys):
    device_room._say_once.cache_clear()
    device = choose_device()
    assert choose_device() == device
    assert capsys.readouterr().out == f"BERT runs on: {device.type}\n"


def test_without_a_gpu_bert_runs_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_the_environment_variable_forces_the_dtype(monkeypatch, name):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", name)
    assert choose_dtype("cpu") == getattr(torch, name)


def test_another_dtype_in_the_environment_is_refused_with_the_choices(monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float16")
    with pytest.raises(ValueError, match=r"IMDB_TUTORIAL_DTYPE is 'float16'.*float32, bfloat16"):
        choose_dtype()


@pytest.mark.parametrize(
    ("has", "native"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"architecture": "arm64", "neon": True}, False),
    ],
    ids=["AVX-512", "AMX", "AVX2 alone", "another architecture"],
)
def test_the_processor_decides_without_the_environment_variable(monkeypatch, has, native):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert choose_dtype("cpu") == (torch.bfloat16 if native else torch.float32)


def test_a_folder_without_its_tokenizer_is_refused(own_copy):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (own_copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=r"no tokenizer\.json.*save_pretrained"):
        load_tokenizer(own_copy)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no weights at all",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"\xff" * 8 + whole[8:],
    ],
    ids=["empty", "text", "half", "header"],
)
def test_damaged_weights_are_a_clear_error(own_copy, damage):
    weights = own_copy / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(ValueError, match=r"cannot open .*copy.*save_pretrained"):
        load_encoder(own_copy, device="cpu")


def test_weights_with_a_gap_are_refused_instead_of_filled_with_random_numbers(own_copy):
    name = "encoder.layer.1.attention.self.query.weight"
    weights = load_file(own_copy / "model.safetensors")
    weights.pop(name)
    save_file(weights, own_copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=name):
        load_encoder(own_copy, device="cpu")


def test_a_model_saved_without_a_pooler_gets_none(own_copy):
    weights = load_file(own_copy / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler")}
    save_file(kept, own_copy / "model.safetensors", {"format": "pt"})
    bert = load_encoder(own_copy, device="cpu")
    inputs = load_tokenizer(own_copy)(TEXTS, padding=True, return_tensors="pt")
    assert bert(**inputs).pooler_output is None


def test_weights_of_another_shape_are_a_clear_error(own_copy):
    config = json.loads((own_copy / "config.json").read_text())
    (own_copy / "config.json").write_text(json.dumps({**config, "intermediate_size": 64}))
    with pytest.raises(ValueError, match="save_pretrained"):
        load_encoder(own_copy, device="cpu")


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"model_type": "unheard_of"}'])
def test_a_config_that_is_no_models_is_a_clear_error(own_copy, config):
    (own_copy / "config.json").write_text(config)
    with pytest.raises(ValueError, match="save_pretrained"):
        load_encoder(own_copy, device="cpu")


def test_pickled_weights_are_refused(own_copy):
    weights = own_copy / "model.safetensors"
    torch.save(load_file(weights), own_copy / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        load_encoder(own_copy, device="cpu")


def test_code_that_comes_with_a_model_is_not_run(own_copy, tmp_path):
    mark = tmp_path / "ran"
    (own_copy / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Evil: pass\n")
    config = json.loads((own_copy / "config.json").read_text())
    code = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
    config |= {"model_type": "evil", "auto_map": code}
    (own_copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="save_pretrained"):
        load_encoder(own_copy, device="cpu")
    assert not mark.exists()


# What cannot be opened


def raising(error):
    """Return a from_pretrained that fails inside transformers, as a damaged folder makes it."""

    def from_pretrained(*names, **options):
        code = compile("def stumble(error): raise error", "stumble.py", "exec")
        inside = {"__name__": "transformers.models"}
        exec(code, inside)
        inside["stumble"](error)

    return from_pretrained


@pytest.mark.parametrize("kind", [TypeError, AttributeError, ImportError, LookupError])
@pytest.mark.parametrize(("load", "auto"), [(load_encoder, AutoModel), (load_tokenizer, None)])
def test_what_a_library_stumbles_over_is_one_line_with_its_reason(
    monkeypatch, tiny_bert, kind, load, auto
):
    reason = "no field\nof that\n   name"
    monkeypatch.setattr(auto or AutoTokenizer, "from_pretrained", raising(kind(reason)))
    with pytest.raises(ValueError, match=r"cannot open .*\(no field of that name\).*") as caught:
        load(tiny_bert)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [TypeError, AttributeError, ImportError])
def test_a_mistake_of_our_own_stays_what_it_is(tiny_bert, kind):
    with (
        pytest.raises(kind, match="our own mistake"),
        plain_errors(sources.model_source(tiny_bert)),
    ):
        raise kind("our own mistake")


def test_the_reason_of_a_library_is_never_a_page_long(monkeypatch, tiny_bert):
    monkeypatch.setattr(AutoModel, "from_pretrained", raising(OSError("so " * 5_000)))
    with pytest.raises(ValueError, match=r"cannot open .*so so") as caught:
        load_encoder(tiny_bert)
    assert len(str(caught.value)) < 600


def test_an_adapter_beside_a_whole_model_is_refused(own_copy):
    adapter = {"peft_type": "LORA", "r": 2, "base_model_name_or_path": "some/model"}
    (own_copy / "adapter_config.json").write_text(json.dumps(adapter))
    for load in (load_encoder, load_tokenizer):
        with pytest.raises(ValueError, match=r"a whole model and an adapter_config\.json"):
            load(own_copy)


# Pooling


HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [5.0, 7.0]], [[4.0, 0.0], [2.0, 8.0], [9.0, 9.0]]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


def test_cls_is_the_first_tokens_vector():
    assert pool(HIDDEN, MASK, "cls").tolist() == [[1.0, 2.0], [4.0, 0.0]]


def test_the_mean_is_taken_over_the_text_alone():
    assert pool(HIDDEN, MASK, "mean").tolist() == [[3.0, 5.0], [3.0, 4.0]]


def test_padding_never_reaches_the_mean():
    padded = torch.cat([HIDDEN, torch.full((2, 4, 2), 1e9)], dim=1)
    mask = torch.cat([MASK, torch.zeros(2, 4, dtype=torch.long)], dim=1)
    assert torch.equal(pool(padded, mask, "mean"), pool(HIDDEN, MASK, "mean"))


def test_the_pooler_is_passed_on():
    output = torch.tensor([[0.5, -0.5], [0.25, 1.0]])
    assert torch.equal(pool(HIDDEN, MASK, "pooler", output), output)


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_pooled_vectors_are_float32(pooling):
    low = HIDDEN.bfloat16()
    assert pool(low, MASK, pooling, low[:, 0]).dtype == torch.float32


def test_a_model_without_a_pooler_says_what_else_there_is():
    with pytest.raises(ValueError, match=r"no pooler.*'cls' or pooling='mean'"):
        pool(HIDDEN, MASK, "pooler")


def test_one_pass_makes_all_the_poolings_that_are_asked_for(tiny_bert):
    bert = load_encoder(tiny_bert, device="cpu")
    inputs = load_tokenizer(tiny_bert)(TEXTS, padding=True, return_tensors="pt")
    passes = []
    bert.register_forward_hook(lambda *_: passes.append(1))
    with torch.no_grad():
        cls, pooler = encode_and_pool(bert, dict(inputs), "cls", "pooler")
        outputs = bert(**inputs)
    assert len(passes) == 2  # one of them by hand
    assert torch.equal(cls, outputs.last_hidden_state[:, 0])
    assert torch.equal(pooler, outputs.pooler_output)


def test_another_pooling_is_refused():
    with pytest.raises(ValueError, match="'max'"):
        pool(HIDDEN, MASK, "max")
