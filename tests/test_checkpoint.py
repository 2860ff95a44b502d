"""A run that is killed at any moment and started again ends like one that never was."""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import wait
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader

from imdb_tutorial.encoder.loaders import FeatureLoader
from imdb_tutorial.machine.checkpoint import CHECKPOINT_FILE, read_checkpoint
from imdb_tutorial.trainer.callbacks import Checkpoint
from imdb_tutorial.trainer.loop import Trainer
from tests.systems import needs_sigkill

EPOCHS, TRAIN_BATCHES, VALID_BATCHES = 6, 5, 2
EPOCH_STEPS = TRAIN_BATCHES + VALID_BATCHES

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["imdb_tutorial.encoder.features", "imdb_tutorial.trainer.loop", "pytest"]
)


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
    }


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(where: str, number: int, model: nn.Module) -> None:
    """Make this process die the given time that it comes to a place."""
    calls = 0

    def reached() -> bool:
        nonlocal calls
        calls += 1
        return calls == number

    fsync, replace = os.fsync, Path.replace

    def fsync_or_die(descriptor):
        if reached():
            if where == "half written":
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            die()
        fsync(descriptor)

    def replace_or_die(self, target):
        last = reached()
        if last and where == "before the rename":
            die()
        replaced = replace(self, target)
        if last:
            die()
        return replaced

    if where == "step":
        model.register_forward_pre_hook(lambda *_: die() if reached() else None)
    elif where in ("half written", "written"):
        os.fsync = fsync_or_die
    else:
        Path.replace = replace_or_die


def work(folder: Path, kill: tuple[str, int] | None, pause: float, started) -> None:
    torch.set_num_threads(1)
    trainer = new_trainer()
    if kill:
        arm(*kill, trainer.model)

    trainer.model.register_forward_hook(lambda *_: time.sleep(pause))
    started.send("here")
    trainer.train(EPOCHS, callbacks=[Checkpoint(folder)])
    (folder / "outcome.json").write_text(json.dumps(outcome(trainer)))


def start(folder: Path, kill: tuple[str, int] | None = None, pause: float = 0.0):
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=work, args=(folder, kill, pause, sender))
    process.start()
    wait([receiver, process.sentinel], 120)
    return process


def finish(folder: Path) -> dict:
    process = start(folder)
    process.join(120)
    assert process.exitcode == 0
    return json.loads((folder / "outcome.json").read_text())


def finished_epochs(folder: Path) -> int:
    file = folder / CHECKPOINT_FILE
    if not file.exists():
        return 0
    with safe_open(file, framework="pt") as opened:
        return len(json.loads(opened.metadata()["state"])["history"]["train_losses"])


@pytest.fixture(scope="module")
def uninterrupted():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = new_trainer()
    trainer.train(EPOCHS)
    torch.set_num_threads(threads)
    return outcome(trainer)


@needs_sigkill
@pytest.mark.parametrize(
    ("where", "number", "epochs_kept"),
    [
        ("step", 3, 0),
        ("written", 1, 0),
        ("step", 2 * EPOCH_STEPS + 3, 2),
        ("step", 2 * EPOCH_STEPS + TRAIN_BATCHES + 1, 2),
        ("half written", 3, 2),
        ("written", 3, 2),
        ("before the rename", 3, 2),
        ("after the rename", 3, 3),
        ("after the rename", EPOCHS, EPOCHS),
    ],
)
def test_killed_and_started_again(tmp_path, uninterrupted, where, number, epochs_kept):
    process = start(tmp_path, (where, number))
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert finished_epochs(tmp_path) == epochs_kept
    assert finish(tmp_path) == uninterrupted


@needs_sigkill
@pytest.mark.parametrize("seed", range(3))
def test_killed_from_outside_at_random_moments(tmp_path, uninterrupted, seed):
    moments = random.Random(seed)
    for _ in range(3):
        process = start(tmp_path, pause=0.005)
        time.sleep(moments.uniform(0, 0.12))
        process.kill()
        process.join(120)
    assert finish(tmp_path) == uninterrupted


@pytest.mark.parametrize("shuffled_by", ["loader", "torch"])
@pytest.mark.parametrize("epochs_before", [1, 3, 5])
def test_stopped_between_epochs(tmp_path, epochs_before, shuffled_by):
    whole = new_trainer(shuffled_by=shuffled_by)
    whole.train(EPOCHS)
    new_trainer(shuffled_by=shuffled_by).train(epochs_before, callbacks=[Checkpoint(tmp_path)])
    resumed = new_trainer(shuffled_by=shuffled_by)
    torch.manual_seed(12345)
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


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def header_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbage(file: Path) -> None:
    file.write_bytes(b"these are no tensors " * 50)


def foreign(file: Path) -> None:
    save_file({"weight": torch.zeros(3)}, file)


def foreign_state(file: Path) -> None:
    save_file({"weight": torch.zeros(3)}, file, metadata={"state": '{"epoch": 3}'})


@pytest.mark.parametrize(
    "damage",
    [truncated, header_cut, empty, garbage, foreign, foreign_state],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    file = tmp_path / CHECKPOINT_FILE
    damage(file)
    damaged = file.read_bytes()
    with pytest.raises(ValueError, match="checkpoint") as raised:
        new_trainer().train(2, callbacks=[Checkpoint(tmp_path)])
    assert str(tmp_path) in str(raised.value)
    assert "delete it" in str(raised.value)
    assert file.read_bytes() == damaged


def test_half_written_files_of_a_killed_process_are_ignored(tmp_path):
    whole = new_trainer()
    whole.train(3)
    new_trainer().train(1, callbacks=[Checkpoint(tmp_path)])
    (tmp_path / f".{CHECKPOINT_FILE}.0123abcd.part").write_bytes(b"half of a")
    resumed = new_trainer()
    resumed.train(3, callbacks=[Checkpoint(tmp_path)])
    assert outcome(resumed) == outcome(whole)
    assert os.listdir(tmp_path) == [CHECKPOINT_FILE]


def test_every_byte_that_is_flipped_or_cut_is_noticed(tmp_path):
    new_trainer(hidden=1).train(1, callbacks=[Checkpoint(tmp_path)])
    file = tmp_path / CHECKPOINT_FILE
    whole = file.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    random_places = random.Random(0)
    flips = random_places.sample(range(header), 150)
    flips += random_places.sample(range(header, len(whole)), 100)
    damaged = [whole[:n] + bytes([whole[n] ^ 1 << n % 8]) + whole[n + 1 :] for n in flips]
    damaged += [whole[:n] for n in random_places.sample(range(len(whole)), 30)]
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


def test_only_one_file_is_kept(tmp_path):
    new_trainer().train(3, callbacks=[Checkpoint(tmp_path)])
    assert os.listdir(tmp_path) == [CHECKPOINT_FILE]


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
    whole, resumed = new_trainer(), new_trainer()
    whole.train(3)
    resumed.train(3, callbacks=[Checkpoint(tmp_path)])
    assert outcome(resumed) == outcome(whole)


def test_a_folder_that_is_a_file(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(OSError):
        new_trainer().train(1, callbacks=[Checkpoint(taken)])
    assert taken.read_text() == "mine"


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
