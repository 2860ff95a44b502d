"""What happens around the training loop: a bar, a line an epoch, a checkpoint."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.machine.checkpoint import read_checkpoint, write_checkpoint
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.trainer.history import History

if TYPE_CHECKING:
    from imdb_tutorial.trainer.loop import Trainer


class Callback:
    """Something that is told how a training goes; a subclass overrides what it wants to hear."""

    def on_train_begin(self, trainer: "Trainer", num_epochs: int) -> None:
        """Before the first epoch of a call of ``train``."""

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """After every epoch, once its loss and its accuracy are in the history."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """At the end of a call of ``train``, also where an error ended it."""


class ProgressBar(Callback):
    """One bar over all batches of all epochs.

    Args:
        print_epochs: Print one line an epoch as well.
    """

    def __init__(self, print_epochs: bool = True):
        self.print_epochs = print_epochs

    def on_train_begin(self, trainer: "Trainer", num_epochs: int) -> None:
        steps = len(trainer.train_loader) + len(trainer.valid_loader)
        done = len(trainer.train_losses)
        self._bar = progress_bar(
            total=max(num_epochs, done) * steps, initial=done * steps, desc="training"
        )
        self._hook = trainer.model.register_forward_hook(self._after_batch)

    def on_epoch_end(self, trainer: "Trainer") -> None:
        epoch, loss = len(trainer.train_losses), trainer.train_losses[-1]
        accuracy = trainer.val_accuracy[-1]
        self._bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")
        if self.print_epochs:
            self._bar.write(f"epoch {epoch:2d}  loss {loss:.4f}  accuracy {accuracy:.1%}")

    def on_train_end(self, trainer: "Trainer") -> None:
        self._hook.remove()
        self._bar.close()

    def _after_batch(self, *_: object) -> None:
        self._bar.update()  # not returned: what a hook returns replaces the model's output


class Checkpoint(Callback):
    """Keep a run's state in a folder after every epoch, and go on from there.

    A run that was killed and is started again with the same folder ends with the same weights,
    losses and accuracies, bit for bit, as one that was never interrupted.

    Args:
        folder: Where to keep the state; made if it does not exist.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)

    def on_train_begin(self, trainer: "Trainer", num_epochs: int) -> None:
        """Go on from the folder's checkpoint, where it is ahead of the trainer.

        Raises:
            ValueError: The checkpoint is damaged, belongs to another run, or was written by a
                version of this package that remembers other numbers.
        """
        found = read_checkpoint(self.folder)
        if found is None:
            return
        tensors, state = found
        here, there = _run_of(trainer), state.get("run", {})
        other = [name for name in here if there.get(name) != here[name]]
        if other:
            raise ValueError(
                f"the checkpoint in {str(self.folder)!r} belongs to another run, with another "
                f"{' and '.join(other)}: choose another folder, or delete it to start again"
            )
        if set(state["history"]) != {field.name for field in dataclasses.fields(History)}:
            raise ValueError(
                f"the checkpoint in {str(self.folder)!r} was written by another version of this "
                "package, which remembers other numbers: choose another folder, or delete it to "
                "start again"
            )
        if len(state["history"]["train_losses"]) > len(trainer.train_losses):
            _restore(trainer, tensors, state)

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Write the checkpoint over the one before.

        Raises:
            OSError: The disk refuses; the checkpoint before this one is kept.
        """
        tensors = {f"model/{name}": tensor for name, tensor in _state_of(trainer).items()}
        optimizer = trainer.optimizer.state_dict()
        for number, moments in optimizer["state"].items():
            tensors |= {f"optimizer/{number}/{name}": value for name, value in moments.items()}
        for name, generator in _generators_of(trainer).items():
            tensors[f"generator/{name}"] = generator.get_state()
        state = {
            "run": _run_of(trainer),
            "history": dataclasses.asdict(trainer.history),
            "param_groups": optimizer["param_groups"],
            "scheduler": trainer.scheduler.state_dict(),
        }
        write_checkpoint(self.folder, tensors, state)


def _run_of(trainer: "Trainer") -> dict:
    """What two runs must have in common, so that one can go on where the other stopped."""
    return {
        "learning_rate": trainer.scheduler.base_lrs[0],
        "gamma": trainer.scheduler.gamma,
        "train_batches": len(trainer.train_loader),
        "valid_batches": len(trainer.valid_loader),
        "parameters": {name: list(p.shape) for name, p in _learning(trainer).items()},
    }


def _learning(trainer: "Trainer") -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in trainer.model.named_parameters() if p.requires_grad}


def _state_of(trainer: "Trainer") -> dict[str, torch.Tensor]:
    """What training changes: learning parameters, and buffers such as running means."""
    return _learning(trainer) | dict(trainer.model.named_buffers())


def _generators_of(trainer: "Trainer") -> dict[str, torch.Generator]:
    found = {
        "train": getattr(trainer.train_loader, "generator", None),
        "valid": getattr(trainer.valid_loader, "generator", None),
        "torch": torch.default_generator,
    }
    if trainer.device.type == "cuda":
        found["cuda"] = torch.cuda.default_generators[torch.cuda.current_device()]
    return {name: generator for name, generator in found.items() if generator is not None}


def _restore(trainer: "Trainer", tensors: dict[str, torch.Tensor], state: dict) -> None:
    with torch.no_grad():
        for name, tensor in _state_of(trainer).items():
            tensor.copy_(tensors[f"model/{name}"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, number, entry = name.split("/")
            moments.setdefault(int(number), {})[entry] = tensor
    trainer.optimizer.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
    trainer.scheduler.load_state_dict(state["scheduler"])
    for name, generator in _generators_of(trainer).items():
        if f"generator/{name}" in tensors:
            generator.set_state(tensors[f"generator/{name}"])
    trainer.history = History(**state["history"])
