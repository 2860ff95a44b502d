"""What the package is doing when something goes wrong: one adapter to its public face each.

Every scenario works inside one folder, ``place``. What ``run`` and ``saved`` return is compared bit
for bit, so it holds digests and exact numbers and nothing about the time that went by.
"""

import contextlib
import dataclasses
import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import peft
import torch
import transformers
from toys import save_tiny_bert, toy_preset

import imdb_tutorial
from imdb_tutorial import presets
from imdb_tutorial.__main__ import main
from imdb_tutorial.classifier.adapter import save_adapter

TEXTS = [
    "good great best love fine",
    "bad worst dull awful boring hate",
    "a film, not so good and not so bad",
    "the ending of the movie",
]


Work = Callable[[], Any]


class Toys:
    """What all scenarios share: a tiny BERT, toy reviews and a finished fine-tuning.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path):
        self.tiny_bert = folder / "tiny_bert"
        self.finished = folder / "finished"
        self.reviews = folder / "reviews.csv"
        self.preset = toy_preset(self.tiny_bert, self.reviews).replace(
            num_epochs=2, train_size=24, validation_size=8, test_size=8
        )

    def make(self, fine_tuned: bool) -> None:
        save_tiny_bert(self.tiny_bert)
        if fine_tuned:
            imdb_tutorial.finetune(self.preset, self.finished)


class Scenario:
    """Work that writes to a place, and what it must have come to in the end.

    Args:
        toys: What it works with.
    """

    name: str
    gaps = 60  # so many gaps between two steps are tried, all if there are no more

    def __init__(self, toys: Toys):
        self.toys = toys

    def prepare(self, place: Path) -> None:
        """Put there what was saved before."""

    def ready(self, place: Path, variant: int = 0) -> Work:
        """Load what is needed; return the work itself, which returns what came out."""
        raise NotImplementedError

    def saved(self, place: Path) -> Any:
        """Open what is saved, in a process of its own; return what it answers."""
        return None


class Extraction(Scenario):
    """Features into the cache, three files for each of three sets of reviews."""

    name = "extraction into the cache"

    def ready(self, place: Path, variant: int = 0) -> Work:
        tokenizer = imdb_tutorial.load_tokenizer(self.toys.tiny_bert)
        encoder = imdb_tutorial.load_encoder(self.toys.tiny_bert, device="cpu")

        def work() -> dict[str, str]:
            found = {}
            for count in (4, 3, 2):
                features = imdb_tutorial.extract_features(
                    TEXTS[:count], tokenizer, encoder, presets.POOLINGS
                )
                found |= {f"{count} {name}": digest(tensor) for name, tensor in features.items()}
            return found

        return work


class ProbeTraining(Scenario):
    """A probe trained with a checkpoint an epoch, and saved over an older one."""

    name = "training a probe"

    def __init__(self, toys: Toys, num_epochs: int = 5):
        super().__init__(toys)
        self.num_epochs = num_epochs

    def prepare(self, place: Path) -> None:
        imdb_tutorial.save_probe(self._probe(seed=9), place / "probe", self.toys.tiny_bert)

    def ready(self, place: Path, variant: int = 0) -> Work:
        probe = self._probe(seed=1)
        generator = torch.Generator().manual_seed(2)
        features = torch.randn(48, 16, generator=generator)
        labels = (features.sum(dim=1) > 0).long()
        train = imdb_tutorial.FeatureLoader(features[:38], labels[:38], 8, shuffle=True, seed=3)
        valid = imdb_tutorial.FeatureLoader(features[38:], labels[38:], 8)
        trainer = imdb_tutorial.Trainer(probe, train, valid, verbose=False)
        checkpoint = imdb_tutorial.Checkpoint(place / "checkpoint")

        def work() -> list:
            history = trainer.train(self.num_epochs, [checkpoint])
            imdb_tutorial.save_probe(probe, place / "probe", self.toys.tiny_bert)
            return [digest(*probe.state_dict().values()), dataclasses.asdict(history)]

        return work

    def saved(self, place: Path) -> Any:
        probe, _ = imdb_tutorial.load_probe(place / "probe")
        return digest(*probe.state_dict().values())

    def _probe(self, seed: int):
        torch.manual_seed(seed)
        return imdb_tutorial.LinearProbe(16)


class FineTuning(Scenario):
    """A tiny BERT fine-tuned with a checkpoint an epoch, and saved over an older one."""

    name = "fine-tuning"
    gaps = 30

    def prepare(self, place: Path) -> None:
        save_older_model(self.toys, place / "model")

    def ready(self, place: Path, variant: int = 0) -> Work:
        def work() -> list:
            trainer, history = imdb_tutorial.finetune(self.toys.preset, place / "checkpoints")
            imdb_tutorial.save_finetuned(trainer, self.toys.preset, place / "model")
            return [digest(*trainer.model.state_dict().values()), dataclasses.asdict(history)]

        return work

    def saved(self, place: Path) -> Any:
        return answers(place / "model")


class SavingAProbe(Scenario):
    """One file over an older one."""

    name = "saving a probe"

    def prepare(self, place: Path) -> None:
        self.ready(place, variant=99)()

    def ready(self, place: Path, variant: int = 0) -> Work:
        torch.manual_seed(variant)
        probe = imdb_tutorial.LinearProbe(16)

        def work() -> int:
            imdb_tutorial.save_probe(probe, place / "probe", self.toys.tiny_bert)
            return variant

        return work

    def saved(self, place: Path) -> Any:
        return answers(place / "probe")


class SavingAModel(Scenario):
    """A folder of six files over an older one."""

    name = "saving a fine-tuned model"

    def prepare(self, place: Path) -> None:
        save_older_model(self.toys, place / "model")

    def ready(self, place: Path, variant: int = 0) -> Work:
        trainer = finished_trainer(self.toys)
        with torch.no_grad():
            trainer.model.classifier.bias += variant

        def work() -> int:
            imdb_tutorial.save_finetuned(trainer, self.toys.preset, place / "model")
            return variant

        return work

    def saved(self, place: Path) -> Any:
        return answers(place / "model")


class SavingAnAdapter(Scenario):
    """An adapter over an older one, beside a probe that stays."""

    name = "saving an adapter"

    def prepare(self, place: Path) -> None:
        self.ready(place, variant=99)()
        torch.manual_seed(99)
        probe = imdb_tutorial.LinearProbe(16)
        imdb_tutorial.save_probe(probe, place / "adapter", self.toys.tiny_bert)

    def ready(self, place: Path, variant: int = 0) -> Work:
        torch.manual_seed(variant)
        encoder = imdb_tutorial.load_encoder(self.toys.tiny_bert, device="cpu")
        settings = peft.LoraConfig(r=4, lora_alpha=8 + variant, target_modules=["query", "value"])
        model = peft.get_peft_model(encoder, settings)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.normal_()

        def work() -> int:
            save_adapter(model, place / "adapter")
            return variant

        return work

    def saved(self, place: Path) -> Any:
        return answers(place / "adapter")


class ProbeCommand(Scenario):
    """The command line from the reviews to the saved probe."""

    name = "imdb_tutorial probe"

    def prepare(self, place: Path) -> None:
        torch.manual_seed(9)
        imdb_tutorial.save_probe(imdb_tutorial.LinearProbe(16), place / "out", self.toys.tiny_bert)

    def ready(self, place: Path, variant: int = 0) -> Work:
        arguments = ("probe", "--num-epochs", "3", "--output", str(place / "out"))
        return lambda: command(self.toys, *arguments)

    def saved(self, place: Path) -> Any:
        return answers(place / "out")


class FineTuneCommand(Scenario):
    """The command line from the reviews to the saved model, its checkpoints removed."""

    name = "imdb_tutorial finetune"
    gaps = 30

    def prepare(self, place: Path) -> None:
        save_older_model(self.toys, place / "out")

    def ready(self, place: Path, variant: int = 0) -> Work:
        sizes = ("--train-size", "24", "--validation-size", "8", "--test-size", "8")
        rest = ("--num-epochs", "2", "--max-length", "16", "--batch-size", "8")
        arguments = ("finetune", *sizes, *rest, "--output", str(place / "out"))
        return lambda: command(self.toys, *arguments)

    def saved(self, place: Path) -> Any:
        return answers(place / "out")


QUICK_SCENARIOS = (Extraction, ProbeTraining, SavingAProbe, SavingAnAdapter)
SCENARIOS = (*QUICK_SCENARIOS, SavingAModel, FineTuning, ProbeCommand, FineTuneCommand)


def command(toys: Toys, *arguments: str) -> str:
    """Give a command, with the toys in the laptop preset's place; return the accuracy it prints.

    Raises:
        ValueError: The command failed; with what it printed as an error.
    """
    presets.PRESETS["laptop"] = toys.preset.replace(name="toys")
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        status = main([*arguments])
    if status:
        raise ValueError(complained.getvalue().strip())
    return next(line for line in said.getvalue().splitlines() if line.startswith("accuracy on"))


def finished_trainer(toys: Toys) -> transformers.Trainer:
    """Return the Trainer of a run that is finished: nothing is trained again."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(toys.finished, folder, dirs_exist_ok=True)
    trainer, _ = imdb_tutorial.finetune(toys.preset, folder)
    return trainer


def save_older_model(toys: Toys, folder: Path) -> None:
    """Save a model that answers otherwise than the one that is going to be saved."""
    trainer = finished_trainer(toys)
    with torch.no_grad():
        trainer.model.classifier.bias += torch.tensor([0.5, -0.5])
    imdb_tutorial.save_finetuned(trainer, toys.preset, folder)


def answers(source: str | Path, package: ModuleType = imdb_tutorial) -> list[str]:
    """Return what a saved classifier answers, and what it is made of, bit for bit."""
    classifier = package.load_classifier(source)
    return [
        *(f"{answer['label']} {answer['score'].hex()}" for answer in classifier(TEXTS)),
        digest(*classifier.model.state_dict().values()),
        hashlib.sha256(classifier.tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
    ]


def digest(*tensors: torch.Tensor) -> str:
    """Return the SHA-256 of tensors' numbers."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().contiguous().numpy().tobytes())
    return found.hexdigest()
