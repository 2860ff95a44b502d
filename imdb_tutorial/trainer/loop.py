"""The tutorial's own Trainer: learn from every batch, validate, and do it again."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import nn

from imdb_tutorial.collate import Batch
from imdb_tutorial.trainer.callbacks import Callback, ProgressBar
from imdb_tutorial.trainer.history import History


class Batches(Protocol):
    """Batches ``(inputs, labels)`` that can be counted and gone through again and again."""

    def __iter__(self) -> Iterator[Batch]: ...

    def __len__(self) -> int: ...


class Trainer:
    """Train a model on batches and validate it after every epoch.

    A batch is ``(inputs, labels)`` and the model is called as ``model(**inputs)``, so the same
    Trainer works on tokens and on features that were computed before.

    Args:
        model: Returns logits ``[batch, labels]``. Only parameters that require a gradient learn.
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
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.criterion = nn.CrossEntropyLoss()
        # Fused: the whole update in one call, where the calls cost more than the arithmetic.
        self.optimizer = torch.optim.AdamW(learning, lr=learning_rate, fused=True)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=gamma)
        self.history = History()

    def train(self, num_epochs: int, callbacks: Sequence[Callback] = ()) -> History:
        """Train until ``num_epochs`` epochs are done in all, those of earlier calls included.

        Args:
            num_epochs: Number of epochs in all: after ``train(2)``, ``train(5)`` does three more.
            callbacks: Told when the training begins, after every epoch, and at the end; for one
                that keeps the run and goes on after an interruption, see ``Checkpoint``.

        Returns:
            The history; ``train_losses``, ``val_losses`` and ``val_accuracy`` show it as well.
        """
        callbacks = [*callbacks, ProgressBar(self.verbose)]
        for callback in callbacks:
            callback.on_train_begin(self, num_epochs)
        try:
            while len(self.train_losses) < num_epochs:
                train_loss = self.train_epoch()
                val_loss, accuracy = self.validate()
                self.scheduler.step()
                self.train_losses.append(train_loss)
                self.val_losses.append(val_loss)
                self.val_accuracy.append(accuracy)
                for callback in callbacks:
                    callback.on_epoch_end(self)
        finally:
            for callback in callbacks:
                callback.on_train_end(self)
        return self.history

    def train_epoch(self) -> float:
        """Learn from every training batch once; return the mean loss per review."""
        self.model.train()
        total_loss, count = 0.0, 0
        for batch in self.train_loader:
            inputs, labels = to_device(batch, self.device)  # {name: [batch, ...]}, [batch]
            self.optimizer.zero_grad()
            logits = self.model(**inputs)  # [batch, labels]
            loss = self.criterion(logits, labels)  # []: one number, the batch's mean
            loss.backward()
            self.optimizer.step()
            total_loss += loss.item() * len(labels)
            count += len(labels)
        return total_loss / count

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Return the validation reviews' mean loss, and the share that is right, 0 to 1."""
        self.model.eval()
        total_loss, correct, count = 0.0, 0, 0
        for batch in self.valid_loader:
            inputs, labels = to_device(batch, self.device)  # {name: [batch, ...]}, [batch]
            logits = self.model(**inputs)  # [batch, labels]
            total_loss += self.criterion(logits, labels).item() * len(labels)
            correct += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
        return total_loss / count, correct / count

    @property
    def train_losses(self) -> list[float]:
        """Mean loss per training review, one number an epoch."""
        return self.history.train_losses

    @property
    def val_losses(self) -> list[float]:
        """Mean loss per validation review, one number an epoch."""
        return self.history.val_losses

    @property
    def val_accuracy(self) -> list[float]:
        """Share of validation reviews that were right, one number an epoch."""
        return self.history.val_accuracy


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch's inputs and labels to where the model is."""
    inputs, labels = batch
    return {name: tensor.to(device) for name, tensor in inputs.items()}, labels.to(device)
