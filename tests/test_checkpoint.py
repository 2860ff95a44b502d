"""A run that stops anywhere and is started again ends like one that never did.

Real kills are in the fault suite, and killed writers of files in test_files.py.
"""

import hashlib
import json
import os
import random
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader

from imdb_tutorial.encoder.loaders import FeatureLoader
from imdb_tutorial.machine.checkpoint import CHECKPOINT_FILE, read_checkpoint, write_checkpoint
from imdb_tutorial.trainer.callbacks import Checkpoint
from imdb_tutorial.trainer.loop import Trainer

EPOCHS, TRAIN_BATCHES, VALID_BATCHES = 6, 5, 2
EPOCH_STEPS = TRAIN_BATCHES + VALID_BATCHES


class Net(nn.Module):
    """A small model whose dropout draws from torch's global generator."""

    def __init__(self, hidden: int = 8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, hidden), nn.Dropout(0.5), nn.Linear(hidden, 2))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.layers(features)


def new_trainer(hidden: int = 8, reviews: int = 38, shuffled_by: str = "loader", **settings):
    torch.manual_seed(1)
    features = torch.randn(reviews + 16, 6)
    labels = (features.sum(dim=1) > 0).long()
    train, valid = (features[:-16], labels[:-16]), (features[-16:], labels[-16:])
    if shuffled_by == "loader":
        loader = FeatureLoader(*train, batch_size=8, shuffle=True, seed=2)
    else:
        rows = [({"features": x}, y) for x, y in zip(*train, strict=True)]
        loader = DataLoader(rows, batch_size=8, shuffle=True)
    valid_loader = FeatureLoader(*valid, batch_size=8)
    return Trainer(Net(hidden), loader, valid_loader, **{"verbose": False} | settings)


def outcome(trainer: Trainer) -> dict:
    digest = hashlib.sha256()
    for name, tensor in sorted(trainer.model.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return {
        "weights": digest.hexdigest(),
        "losses": [loss.hex() for loss in trainer.train_losses],
        "accuracies": [accuracy.hex() for accuracy in trainer.val_accuracy],
        "validation losses": [loss.hex() for loss in trainer.val_losses],
    }


def finished_epochs(folder: Path) -> int:
    file = folder / CHECKPOINT_FILE
    with safe_open(file, framework="pt") as opened:
        return len(json.loads(opened.metadata()["state"])["history"]["train_losses"])


@pytest.mark.parametrize("shuffled_by", ["loader", "torch"])
def test_stopped_between_epochs(tmp_path, shuffled_by):
    whole = new_trainer(shuffled_by=shuffled_by)
    whole.train(EPOCHS)
    new_trainer(shuffled_by=shuffled_by).train(3, callbacks=[Checkpoint(tmp_path)])
    resumed = new_trainer(shuffled_by=shuffled_by)
    torch.manual_seed(12345)
    resumed.train(EPOCHS, callbacks=[Checkpoint(tmp_path)])
    assert outcome(resumed) == outcome(whole)


@pytest.mark.parametrize("batches", [3, TRAIN_BATCHES + 1], ids=["training", "validation"])
def test_stopped_within_an_epoch(tmp_path, batches):
    whole = new_trainer()
    whole.train(EPOCHS)
    stopped = new_trainer()
    left = iter(range(2 * EPOCH_STEPS + batches))

    def stop(*_):
        if next(left, None) is None:
            raise KeyboardInterrupt

    stopped.model.register_forward_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        stopped.train(EPOCHS, callbacks=[Checkpoint(tmp_path)])
    assert finished_epochs(tmp_path) == 2
    resumed = new_trainer()
    resumed.train(EPOCHS, callbacks=[Checkpoint(tmp_path)])
    assert outcome(resumed) == outcome(whole)


def test_checkpoints_do_not_change_the_run(tmp_path):
    with_checkpoint, without = new_trainer(), new_trainer()
    torch.manual_seed(7)
    with_checkpoint.train(3, callbacks=[Checkpoint(tmp_path / "new" / "folder")])
    torch.manual_seed(7)
    without.train(3)
    assert outcome(with_checkpoint) == outcome(without)


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = new_trainer()
    first.train(3, callbacks=[Checkpoint(tmp_path)])
    again = new_trainer()
    again.model.register_forward_hook(lambda *_: pytest.fail("the model was called"))
    assert again.train(3, callbacks=[Checkpoint(tmp_path)]) == first.history
    assert outcome(again) == outcome(first)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"learning_rate": 0.01}, "learning_rate"),
        ({"gamma": 0.5}, "gamma"),
        ({"reviews": 70}, "train_batches"),
        ({"hidden": 9}, "parameters"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, settings, named):
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    kept = (tmp_path / CHECKPOINT_FILE).read_bytes()
    other = new_trainer(**settings)
    before = outcome(other)
    with pytest.raises(ValueError, match=f"another run, with another {named}: ") as raised:
        other.train(2, callbacks=[Checkpoint(tmp_path)])
    assert str(tmp_path) in str(raised.value)
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == kept
    assert outcome(other) == before


@pytest.mark.parametrize("change", ["lacks", "has"])
def test_a_checkpoint_of_another_version_is_refused(tmp_path, change):
    """An older one kept no validation losses, and what was not measured cannot be made up."""
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    tensors, state = read_checkpoint(tmp_path)
    if change == "lacks":
        del state["history"]["val_losses"]
    else:
        state["history"]["learning_rates"] = [0.1]
    write_checkpoint(tmp_path, tensors, state)
    other = new_trainer()
    before = outcome(other)
    with pytest.raises(ValueError, match="by another version of this package") as raised:
        other.train(2, callbacks=[Checkpoint(tmp_path)])
    assert str(tmp_path) in str(raised.value)
    assert outcome(other) == before


@pytest.mark.parametrize("metadata", [None, {"state": '{"epoch": 3}'}])
def test_a_file_of_others_in_its_place_is_named_and_kept(tmp_path, metadata):
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    file = tmp_path / CHECKPOINT_FILE
    save_file({"weight": torch.zeros(3)}, file, metadata)
    damaged = file.read_bytes()
    with pytest.raises(ValueError, match="checkpoint") as raised:
        new_trainer().train(2, callbacks=[Checkpoint(tmp_path)])
    assert str(tmp_path) in str(raised.value)
    assert "delete it" in str(raised.value)
    assert file.read_bytes() == damaged


def test_every_byte_that_is_flipped_or_cut_is_noticed(tmp_path):
    new_trainer(hidden=1).train(1, callbacks=[Checkpoint(tmp_path)])
    file = tmp_path / CHECKPOINT_FILE
    whole = file.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    random_places = random.Random(0)
    flips = random_places.sample(range(header), 150)
    flips += random_places.sample(range(header, len(whole)), 100)
    damaged = [whole[:n] + bytes([whole[n] ^ 1 << n % 8]) + whole[n + 1 :] for n in flips]
    damaged += [whole[:n] for n in (0, *random_places.sample(range(len(whole)), 30))]
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"is damaged .*: delete it to start again$"):
            read_checkpoint(tmp_path)


def test_a_checkpoint_that_is_behind_the_trainer_does_not_take_it_back(tmp_path):
    whole = new_trainer()
    whole.train(4)
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    trainer = new_trainer()
    trainer.train(3)
    steps = []
    trainer.model.register_forward_hook(lambda *_: steps.append(1))
    trainer.train(4, callbacks=[Checkpoint(tmp_path)])
    assert len(steps) == EPOCH_STEPS
    assert outcome(trainer) == outcome(whole)
    assert finished_epochs(tmp_path) == 4


def test_a_disk_that_refuses_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    kept = (tmp_path / CHECKPOINT_FILE).read_bytes()

    def refuse(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space left"):
            new_trainer().train(2, callbacks=[Checkpoint(tmp_path)])
    assert os.listdir(tmp_path) == [CHECKPOINT_FILE]
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == kept


def test_a_checkpoint_holds_tensors_and_json_only(tmp_path):
    trainer = new_trainer()
    trainer.train(2, callbacks=[Checkpoint(tmp_path)])
    with safe_open(tmp_path / CHECKPOINT_FILE, framework="np") as opened:
        weight = opened.get_tensor("model/layers.0.weight")
        state = json.loads(opened.metadata()["state"])
    assert weight.tobytes() == trainer.model.layers[0].weight.detach().numpy().tobytes()
    assert state["history"]["train_losses"] == trainer.train_losses


def test_frozen_parameters_are_not_stored(tmp_path):
    trainer = new_trainer()
    trainer.model.layers[0].requires_grad_(False)
    frozen = Trainer(trainer.model, trainer.train_loader, trainer.valid_loader, verbose=False)
    frozen.train(1, callbacks=[Checkpoint(tmp_path)])
    with safe_open(tmp_path / CHECKPOINT_FILE, framework="pt") as opened:
        stored = {name for name in opened.keys() if name.startswith("model/")}
    assert stored == {"model/layers.2.weight", "model/layers.2.bias"}
