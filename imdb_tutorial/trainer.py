"""The tutorial's own Trainer: train, validate, remember, and go on after an interruption."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from imdb_tutorial.collate import Batch
from imdb_tutorial.machine.checkpoint import read_checkpoint, write_checkpoint
from imdb_tutorial.machine.progress import progress_bar


class Batches(Protocol):
    """Batches ``(inputs, labels)`` that can be counted and gone through again and again."""

    def __iter__(self) -> Iterator[Batch]: ...

    def __len__(self) -> int: ...


@dataclasses.dataclass
class History:
    """What a training run remembers, one number an epoch.

    Args:
        train_losses: Cross-entropy on the training reviews, the mean per review.
        val_accuracy: Share of the validation reviews that were right, 0 to 1.
    """

    train_losses: list[float] = dataclasses.field(default_factory=list)
    val_accuracy: list[float] = dataclasses.field(default_factory=list)


class Trainer:
    """Train a model on batches and validate it after every epoch.

    A batch is ``(inputs, labels)`` and the model is called as ``model(**inputs)``, so the same
    Trainer works on tokens and on features that were computed before.

    Args:
        model: Returns scores ``[batch, labels]``. Only parameters that require a gradient learn.
        train_loader: Batches to learn from.
        valid_loader: Batches to check on.
        learning_rate: AdamW's step size in the first epoch.
        gamma: The learning rate is multiplied by this after every epoch.
        verbose: Print one line an epoch.
    """

    def __init__(
        self,
        model: nn.Module,
        train_loader: Batches,
        valid_loader: Batches,
        learning_rate: float = 1e-3,
        gamma: float = 0.95,
        verbose: bool = True,
    ):
        self.model = model
        self.train_loader = train_loader
        self.valid_loader = valid_loader
        self.verbose = verbose
        self.device = next(model.parameters()).device
        self.criterion = nn.CrossEntropyLoss()
        # Fused: the whole update in one call, where the calls cost more than the arithmetic.
        learning = self._learning().values()
        self.optimizer = torch.optim.AdamW(learning, lr=learning_rate, fused=True)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=gamma)
        self.history = History()
        self._bar = None
        self._run = {
            "learning_rate": learning_rate,
            "gamma": gamma,
            "train_batches": len(train_loader),
            "valid_batches": len(valid_loader),
            "parameters": {name: list(p.shape) for name, p in self._learning().items()},
        }

    @property
    def train_losses(self) -> list[float]:
        """Mean loss per training review, one number an epoch."""
        return self.history.train_losses

    @property
    def val_accuracy(self) -> list[float]:
        """Share of validation reviews that were right, one number an epoch."""
        return self.history.val_accuracy

    def train(self, num_epochs: int, checkpoint_dir: str | os.PathLike | None = None) -> History:
        """Go through the training batches so many times.

        Args:
            num_epochs: Number of epochs to go on for; with ``checkpoint_dir``, number of epochs in
                all, those in the checkpoint included.
            checkpoint_dir: A folder that keeps the run's state after every epoch. A run that was
                killed and is started again with the same folder goes on from there, and ends with
                the same weights, losses and accuracies as one that was never interrupted.

        Returns:
            The history, which ``train_losses`` and ``val_accuracy`` show as well.

        Raises:
            ValueError: The folder's checkpoint is damaged or belongs to another run.
            OSError: The checkpoint cannot be written.
        """
        last = len(self.train_losses) + num_epochs
        folder = Path(checkpoint_dir) if checkpoint_dir is not None else None
        if folder:
            last = num_epochs
            self._restore(folder)
        steps = len(self.train_loader) + len(self.valid_loader)
        done = len(self.train_losses)
        with progress_bar(total=last * steps, initial=done * steps, desc="training") as bar:
            self._bar = bar
            for epoch in range(done + 1, last + 1):
                loss = self.train_epoch()
                self.scheduler.step()
                accuracy = self.validate()
                # Together, so that an interruption cannot part them.
                self.train_losses.append(loss)
                self.val_accuracy.append(accuracy)
                bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")
                if self.verbose:
                    bar.write(f"epoch {epoch:2d}  loss {loss:.4f}  accuracy {accuracy:.1%}")
                if folder:
                    self._save(folder)
        self._bar = None
        return self.history

    def train_epoch(self) -> float:
        """Learn from every training batch once; return the mean loss per review."""
        self.model.train()
        total_loss, count = 0.0, 0
        for inputs, labels in self._batches(self.train_loader):
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(**inputs), labels)
            loss.backward()
            self.optimizer.step()
            total_loss += loss.item() * len(labels)
            count += len(labels)
        return total_loss / count

    def validate(self) -> float:
        """Return the share of the validation reviews that the model gets right, 0 to 1."""
        self.model.eval()
        correct, count = 0, 0
        with torch.no_grad():
            for inputs, labels in self._batches(self.valid_loader):
                correct += (self.model(**inputs).argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return correct / count

    def _batches(self, loader: Batches) -> Iterator[Batch]:
        for inputs, labels in loader:
            yield {name: x.to(self.device) for name, x in inputs.items()}, labels.to(self.device)
            if self._bar is not None:
                self._bar.update()

    def _learning(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def _state(self) -> dict[str, torch.Tensor]:
        """What training changes: learning parameters, and buffers such as running means."""
        return self._learning() | dict(self.model.named_buffers())

    def _generators(self) -> dict[str, torch.Generator]:
        found = {
            "train": getattr(self.train_loader, "generator", None),
            "valid": getattr(self.valid_loader, "generator", None),
            "torch": torch.default_generator,
        }
        if self.device.type == "cuda":
            found["cuda"] = torch.cuda.default_generators[torch.cuda.current_device()]
        return {name: generator for name, generator in found.items() if generator is not None}

    def _save(self, folder: Path) -> None:
        tensors = {f"model/{name}": tensor for name, tensor in self._state().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{name}": value for name, value in state.items()}
        for name, generator in self._generators().items():
            tensors[f"generator/{name}"] = generator.get_state()
        state = {
            "run": self._run,
            "history": dataclasses.asdict(self.history),
            "param_groups": self.optimizer.state_dict()["param_groups"],
            "scheduler": self.scheduler.state_dict(),
        }
        write_checkpoint(folder, tensors, state)

    def _restore(self, folder: Path) -> None:
        found = read_checkpoint(folder)
        if found is None:
            return
        tensors, state = found
        other = [name for name in self._run if state.get("run", {}).get(name) != self._run[name]]
        if other:
            raise ValueError(
                f"the checkpoint in {str(folder)!r} belongs to another run, with another "
                f"{' and '.join(other)}: choose another checkpoint_dir, or delete it to start again"
            )
        with torch.no_grad():
            for name, tensor in self._state().items():
                tensor.copy_(tensors[f"model/{name}"])
        moments = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer/"):
                _, number, entry = name.split("/")
                moments.setdefault(int(number), {})[entry] = tensor
        self.optimizer.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        self.scheduler.load_state_dict(state["scheduler"])
        for name, generator in self._generators().items():
            if f"generator/{name}" in tensors:
                generator.set_state(tensors[f"generator/{name}"])
        self.history = History(**state["history"])
