"""The tutorial's own Trainer: train, validate, remember."""

import dataclasses
from collections.abc import Iterable

import torch
from torch import nn

from imdb_tutorial.collate import Batch
from imdb_tutorial.progress import progress_bar


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
    """

    def __init__(
        self,
        model: nn.Module,
        train_loader: Iterable[Batch],
        valid_loader: Iterable[Batch],
        learning_rate: float = 1e-3,
        gamma: float = 0.95,
    ):
        self.model = model
        self.train_loader = train_loader
        self.valid_loader = valid_loader
        self.device = next(model.parameters()).device
        self.criterion = nn.CrossEntropyLoss()
        learning = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=gamma)
        self.history = History()

    @property
    def train_losses(self) -> list[float]:
        """Mean loss per training review, one number an epoch."""
        return self.history.train_losses

    @property
    def val_accuracy(self) -> list[float]:
        """Share of validation reviews that were right, one number an epoch."""
        return self.history.val_accuracy

    def train(self, num_epochs: int) -> History:
        """Go through the training batches so many times.

        Args:
            num_epochs: Number of epochs.

        Returns:
            The history, which ``train_losses`` and ``val_accuracy`` show as well.
        """
        with progress_bar(total=num_epochs, desc="epochs", unit="epoch") as bar:
            for epoch in range(num_epochs):
                loss = self.train_epoch()
                accuracy = self.validate()
                self.scheduler.step()
                self.train_losses.append(loss)
                self.val_accuracy.append(accuracy)
                bar.set_postfix(loss=f"{loss:.3f}", accuracy=f"{accuracy:.1%}")
                bar.update()
                bar.write(f"epoch {epoch + 1:2d}  loss {loss:.4f}  accuracy {accuracy:.1%}")
        return self.history

    def train_epoch(self) -> float:
        """Learn from every training batch once; return the mean loss per review."""
        self.model.train()
        total_loss, count = 0.0, 0
        for inputs, labels in self.train_loader:
            inputs, labels = self._to_device(inputs, labels)
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
            for inputs, labels in self.valid_loader:
                inputs, labels = self._to_device(inputs, labels)
                correct += (self.model(**inputs).argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return correct / count

    def _to_device(self, inputs: dict[str, torch.Tensor], labels: torch.Tensor) -> Batch:
        moved = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        return moved, labels.to(self.device)
