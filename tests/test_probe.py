"""The linear probe, the frozen BERT under it, and the file that keeps a probe."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from imdb_tutorial.collate import ReviewCollator
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.machine.tensors import pack
from imdb_tutorial.probe import (
    PROBE_FILE,
    FrozenBertClassifier,
    LinearProbe,
    load_probe,
    save_probe,
)
from imdb_tutorial.trainer.loop import Trainer

REVIEWS = [("a great movie", 1), ("so bad", 0), ("good, very good film", 1), ("the worst", 0)]


@pytest.fixture
def batch(tiny_bert):
    return ReviewCollator(load_tokenizer(tiny_bert), max_length=16)(REVIEWS)


def frozen(tiny_bert, **settings) -> FrozenBertClassifier:
    torch.manual_seed(0)
    encoder = load_encoder(tiny_bert, device="cpu")
    return FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size, **settings))


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_logits_are_one_matrix_product():
    probe = LinearProbe(3)
    with torch.no_grad():
        probe.linear.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]]))
        probe.linear.bias.copy_(torch.tensor([10.0, -10.0]))
    logits = probe(torch.tensor([[1.0, 1.0, 1.0], [0.0, 2.0, -1.0]]))
    assert logits.tolist() == [[16.0, -8.5], [11.0, -14.0]]


def test_softmax_turns_logits_into_probabilities():
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    plain, classic = LinearProbe(4, num_labels=3), LinearProbe(4, num_labels=3, softmax=True)
    classic.load_state_dict(plain.state_dict())
    scores = classic(features)
    assert torch.allclose(scores.sum(dim=1), torch.ones(5))
    powers = plain(features).exp()
    assert torch.allclose(scores, powers / powers.sum(dim=1, keepdim=True))


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match=r"'max': expected one of cls, mean, pooler"):
        LinearProbe(4, pooling="max")


def test_train_mode_leaves_the_encoder_in_eval_mode(tiny_bert):
    model = frozen(tiny_bert)
    assert model.train() is model
    assert model.probe.training
    assert not any(module.training for module in model.encoder.modules())


def test_dropout_of_the_encoder_stays_off_in_train_mode(tiny_bert, batch):
    model = frozen(tiny_bert)
    dropouts = [m for m in model.encoder.modules() if isinstance(m, torch.nn.Dropout)]
    for dropout in dropouts:
        dropout.p = 0.5
    model.train()
    assert dropouts
    assert torch.equal(model(**batch[0]), model(**batch[0]))


def test_an_encoder_that_could_learn_is_frozen(tiny_bert):
    encoder = load_encoder(tiny_bert, device="cpu").requires_grad_(True).train()
    model = FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size))
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    assert learning == ["probe.linear.weight", "probe.linear.bias"]
    assert not encoder.training


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_only_the_probe_learns(tiny_bert, batch, pooling, capsys):
    model = frozen(tiny_bert, pooling=pooling)
    before = weights(model.encoder), weights(model.probe)
    Trainer(model, [batch], [batch]).train(1)
    assert same(before[0], weights(model.encoder))
    assert not same(before[1], weights(model.probe))
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == {"probe.linear.weight", "probe.linear.bias"}


@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_each_pooling_reads_its_own_vectors(tiny_bert, batch, pooling):
    model = frozen(tiny_bert, pooling=pooling)
    inputs, _ = batch
    with torch.no_grad():
        outputs = model.encoder(**inputs)
        mask = inputs["attention_mask"]
        features = {
            "cls": outputs.last_hidden_state[:, 0],
            "mean": torch.stack(
                [row[real.bool()].mean(0) for row, real in zip(outputs[0], mask, strict=True)]
            ),
            "pooler": outputs.pooler_output,
        }[pooling]
        expected = features @ model.probe.linear.weight.T + model.probe.linear.bias
        assert torch.allclose(model(**inputs), expected, atol=1e-6)


def test_token_type_ids_may_be_left_out(tiny_bert, batch):
    model = frozen(tiny_bert)
    inputs = {name: batch[0][name] for name in ("input_ids", "attention_mask")}
    without = model(**inputs)
    zeros = torch.zeros_like(inputs["input_ids"])
    assert torch.allclose(without, model(**inputs, token_type_ids=zeros), atol=1e-6)
    assert not torch.allclose(without, model(**inputs, token_type_ids=zeros + 1), atol=1e-6)


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_a_saved_probe_comes_back_bit_for_bit(tmp_path, pooling, softmax):
    probe = LinearProbe(7, num_labels=3, pooling=pooling, softmax=softmax)
    file = save_probe(
        probe, tmp_path / "new" / "folder", "some/encoder", labels=("a", "b", "c"), max_length=12
    )
    loaded, settings = load_probe(file.parent)
    assert same(weights(probe), weights(loaded))
    assert not loaded.training
    assert (loaded.pooling, loaded.softmax) == (pooling, softmax)
    assert settings == {
        "pooling": pooling,
        "softmax": softmax,
        "encoder": "some/encoder",
        "encoder_fingerprint": None,
        "labels": ["a", "b", "c"],
        "max_length": 12,
    }


def test_saving_again_replaces_the_probe_and_leaves_one_file(tmp_path):
    save_probe(LinearProbe(4), tmp_path)
    second = LinearProbe(4)
    save_probe(second, tmp_path)
    assert same(weights(second), weights(load_probe(tmp_path)[0]))
    assert [file.name for file in tmp_path.iterdir()] == [PROBE_FILE]


@pytest.mark.parametrize("labels", [(), ("A",), ("A", "B", "C")])
def test_every_output_needs_a_name(tmp_path, labels):
    with pytest.raises(ValueError, match=f"{len(labels)} label names for a probe with 2 outputs"):
        save_probe(LinearProbe(4), tmp_path / "probe", labels=labels)
    assert not (tmp_path / "probe").exists()


def test_a_folder_without_a_probe(tmp_path):
    with pytest.raises(FileNotFoundError, match=PROBE_FILE):
        load_probe(tmp_path / "nowhere")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5])


def header_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbage(file: Path) -> None:
    file.write_bytes(b"no tensors in here, only words" * 20)


def foreign(file: Path) -> None:
    save_file({"weight": torch.zeros(2, 2)}, file)


def rewrite(file: Path, weight=(2, 4), **changes) -> None:
    settings = {
        "pooling": "cls",
        "softmax": False,
        "encoder": "packaged",
        "encoder_fingerprint": None,
        "labels": ["A", "B"],
        "max_length": 500,
    }
    settings |= changes
    for name in [name for name in changes if changes[name] is None]:
        del settings[name]
    tensors = {"linear.weight": torch.zeros(weight), "linear.bias": torch.zeros(2)}
    file.write_bytes(pack(tensors, "probe", settings))


def without_its_checksum(file: Path) -> None:
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        settings = json.loads(opened.metadata()["probe"])
    del settings["sha256"]
    save_file(tensors, file, metadata={"probe": json.dumps(settings)})


def unknown_pooling(file: Path) -> None:
    rewrite(file, pooling="max")


def without_labels(file: Path) -> None:
    rewrite(file, labels=None)


def without_encoder(file: Path) -> None:
    rewrite(file, encoder=None)


def weight_of_one_dimension(file: Path) -> None:
    rewrite(file, weight=(4,))


def weight_of_other_outputs(file: Path) -> None:
    rewrite(file, weight=(3, 4))


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        header_cut,
        empty,
        garbage,
        foreign,
        without_its_checksum,
        unknown_pooling,
        without_labels,
        without_encoder,
        weight_of_one_dimension,
        weight_of_other_outputs,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_or_foreign_file_is_refused_by_name(tmp_path, damage):
    file = save_probe(LinearProbe(4), tmp_path)
    damage(file)
    with pytest.raises(ValueError, match="damaged or no saved probe") as raised:
        load_probe(tmp_path)
    assert str(file) in str(raised.value)


def test_every_byte_that_is_flipped_is_noticed(tmp_path):
    file = save_probe(LinearProbe(4), tmp_path)
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        with pytest.raises(ValueError, match="damaged or no saved probe"):
            load_probe(tmp_path)


def test_saving_twice_gives_the_same_bytes(tmp_path):
    probe = LinearProbe(4)
    files = [save_probe(probe, tmp_path / name) for name in ("one", "other")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_helper_for_damaged_files_writes_sound_ones_otherwise(tmp_path):
    rewrite(tmp_path / PROBE_FILE)
    assert load_probe(tmp_path)[1]["labels"] == ["A", "B"]


def test_a_folder_that_is_a_file(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(OSError):
        save_probe(LinearProbe(4), taken)
    assert taken.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [taken]


def test_a_name_that_is_taken_by_a_folder_leaves_nothing_behind(tmp_path):
    (tmp_path / PROBE_FILE).mkdir()
    with pytest.raises(OSError):
        save_probe(LinearProbe(4), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [PROBE_FILE]


def test_a_full_disk_keeps_the_probe_before(tmp_path):
    resource = pytest.importorskip("resource")
    first = LinearProbe(4)
    save_probe(first, tmp_path)
    large = LinearProbe(400_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OSError):
            save_probe(large, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == [PROBE_FILE]
    assert same(weights(first), weights(load_probe(tmp_path)[0]))
