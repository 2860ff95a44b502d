"""One classifier from its settings to its saved folder: rates tried, seeds run, the best kept."""

import dataclasses
import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from experiments.adapted import CPU, Adapted, start_probe
from experiments.learning import Phase, Read, ask, learn
from experiments.lora import save_lora
from experiments.lower_layers import LowerLayers
from experiments.teaching_settings import Settings
from experiments.teaching_texts import Texts, read
from imdb_tutorial import calibration_error, choose_dtype, fit_temperature
from imdb_tutorial.classifier.adapter import ADAPTER_CONFIG, ADAPTER_FILE
from imdb_tutorial.classifier.saved_probe import open_saved_probe
from imdb_tutorial.encoder.tokens import Tokens, pad
from imdb_tutorial.machine.checkpoint import read_checkpoint
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.manifest import encoder_fingerprint, write_manifest
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.machine.tensors import pack, unpack
from imdb_tutorial.probe import PROBE_FILE, save_probe

RECORD_FILE = "record.json"
START_REVIEWS = 1_000  # the probe that everything starts from is fitted on so many


class Held(NamedTuple):
    """Reviews that nothing is learnt from.

    Args:
        texts: The reviews.
        labels: Their labels, int64 ``[reviews]``.
    """

    texts: list[str]
    labels: np.ndarray


class Teaching:
    """Everything that is computed for one classifier; what is finished is kept in its folder.

    Args:
        settings: How it is taught.
        texts: What it learns from.
        targets: What it should answer to each, float32 ``[texts, 2]``.
        validation: What chooses the rate and the seed and fits the temperature.
        folder: Where all of it is kept.
    """

    def __init__(
        self, settings: Settings, texts: Texts, targets: torch.Tensor, validation: Held, folder: Path
    ):
        self.settings, self.texts, self.targets = settings, texts, targets
        self.validation, self.folder = validation, folder
        self.tokens_of: dict[str, Callable[[int], Tokens]] = {
            part: functools.cache(lambda size, some=some: read(some, settings.encoder, size))
            for part, some in (("train", texts.texts), ("validation", validation.texts))
        }

    def run(self) -> tuple[dict, Adapted]:
        """Try the rates, run the seeds, keep the best; return its record, and the best itself."""
        trials, rate = self.try_rates()
        runs, answers = [], []
        for seed in self.settings.seeds:
            model, about = self.taught(self.settings, rate, seed, f"seed-{seed}")
            answers.append(self.asked(model, self.settings, f"seed-{seed}"))
            runs.append({"seed": seed, **about, **score(answers[-1], self.validation.labels)})
        best = max(
            range(len(runs)), key=lambda n: (runs[n]["accuracy"], -runs[n]["loss"])
        )  # of equals the lower loss
        if best != len(runs) - 1:
            model, _ = self.taught(self.settings, rate, runs[best]["seed"], f"seed-{runs[best]['seed']}")
        return {
            "settings": dataclasses.asdict(self.settings),
            "texts": {"reviews": self.texts.reviews, "all": len(self.texts.texts)},
            "rate_trials": trials,
            "learning_rate": rate,
            "runs": runs,
            "chosen_seed": runs[best]["seed"],
            "chosen_on": f"{len(self.validation.labels):,} validation reviews",
            "temperature": fit_temperature(
                y_true=self.validation.labels, logits=answers[best]
            ),
            "calibration_error_before": calibration_error(
                y_true=self.validation.labels, y_proba=softmax(answers[best])
            ),
        }, model

    def try_rates(self) -> tuple[list[dict], float]:
        """Teach a little with every rate; the one with the lowest validation loss is taken."""
        if len(self.settings.rates) == 1:
            return [], self.settings.rates[0]
        size, _ = self.settings.phases[0]
        short = dataclasses.replace(self.settings, phases=((size, 1),))
        trials = []
        for rate in self.settings.rates:
            name, count = f"rate-{rate:g}", min(self.settings.trial_reviews, self.texts.reviews)
            model, about = self.taught(short, rate, self.settings.seeds[0], name, count)
            found = score(self.asked(model, short, name), self.validation.labels)
            trials.append({"rate": rate, "reviews": count, **about, **found})
        return trials, min(trials, key=lambda trial: trial["loss"])["rate"]

    def taught(
        self, settings: Settings, rate: float, seed: int, name: str, count: int | None = None
    ) -> tuple[Adapted, dict]:
        """Return a model after its teaching, which is done or resumed where it is not finished."""
        model, folder = Adapted(settings, seed), self.folder / name
        rows = slice(count)
        if read_checkpoint(folder) is None:
            size, _ = settings.phases[0]
            some = self.tokens_of["train"](size).lengths()[: min(START_REVIEWS, self.texts.reviews)]
            source = self.reader(model, size)
            features = ask(lambda rows: model.features(*source(rows)), some)
            start_probe(model, features, self.texts.labels[: len(some)])
        phases = [
            Phase(
                functools.partial(self.reader, model, size),
                self.tokens_of["train"](size).lengths()[rows],
                epochs,
            )
            for size, epochs in settings.phases
        ]
        return model, learn(model, phases, self.targets[rows], settings, rate, seed, folder)

    def asked(self, model: Adapted, settings: Settings, name: str) -> np.ndarray:
        """Return a taught model's logits ``[validation reviews, 2]``, which are kept."""
        return self.logits(model, settings.reading, "validation", self.folder / name)

    def answers(self, model: Adapted) -> np.ndarray:
        """Return a taught model's logits for all that was learnt from, ``[texts, 2]``; kept."""
        return self.logits(model, self.settings.reading, "train", self.folder)

    def logits(self, model: Adapted, size: int, part: str, folder: Path) -> np.ndarray:
        """Ask a model about all texts of a part, or read what it said before."""
        tokens = self.tokens_of[part](size)

        def make() -> np.ndarray:
            source = self.reader(model, size, part)
            return ask(lambda rows: model(*source(rows)), tokens.lengths())

        key = [digest_of_weights(model), digest_of(tokens.ids)]
        return kept(folder / f"{part}.safetensors", key, make)

    def reader(self, model: Adapted, size: int, part: str = "train") -> Read:
        """Return what gives the vectors that reach the layers that learn, by row numbers."""
        tokens = self.tokens_of[part](size)
        if not model.first:
            return functools.partial(model.below, tokens)
        key = f"{encoder_fingerprint(self.settings.encoder)} {model.first} layers"
        return LowerLayers(model, tokens, self.folder / f"lower-{part}-{size}", key)

    def forget_lower_layers(self) -> None:
        """Remove what the lower layers gave: gigabytes that nobody needs any more."""
        for folder in self.folder.glob("lower-*"):
            shutil.rmtree(folder)


def score(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return accuracy and mean loss of logits ``[reviews, 2]``."""
    loss = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits).double(), torch.from_numpy(labels)
    ).item()
    accuracy = float(np.mean(logits.argmax(axis=1) == labels))
    return {"accuracy": round(accuracy, 5), "loss": round(loss, 5)}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities ``[texts, 2]``."""
    return torch.from_numpy(logits).double().softmax(dim=1).numpy()


def kept(file: Path, key: Sequence[str], make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array that was made before for the same key, or make it and keep it."""
    try:
        tensors, about = unpack(file, "about")
        if about["key"] == list(key):
            return tensors["array"].numpy()
    except (OSError, ValueError, KeyError):
        pass  # nothing there, or nothing sound: it is made again
    array = make()
    write_whole(file, pack({"array": torch.from_numpy(array)}, "about", {"key": list(key)}))
    return array


def digest_of(array: np.ndarray) -> str:
    """Digest an array's bytes."""
    return hashlib.sha256(array.tobytes()).hexdigest()


def digest_of_weights(model: Adapted) -> str:
    """Digest all that learns in a model."""
    digest = hashlib.sha256()
    for name, parameter in model.learning().items():
        digest.update(name.encode() + parameter.detach().numpy().tobytes())
    return digest.hexdigest()


def save(
    model: Adapted, settings: Settings, record: dict, pools: Mapping[str, Held], to: Path
) -> dict:
    """Save a classifier that ``load_classifier`` opens, ask the saved one, write its record.

    The temperature becomes part of the probe: logits that are divided by it need no setting.

    Args:
        model: The taught classifier.
        settings: How it was taught.
        record: What is known about it; its ``temperature`` is used.
        pools: What the saved classifier is asked, by name.
        to: The folder.

    Returns:
        The record with ``accuracy`` and ``calibration_error`` by pool.

    Raises:
        ValueError: The saved adapter is larger than it may be.
    """
    save_lora(model.linears, settings.encoder, model.first, settings.rank, settings.alpha, to)
    if (size := (to / ADAPTER_FILE).stat().st_size) > settings.most_bytes:
        raise ValueError(
            f"the adapter in {str(to)!r} has {size:,} bytes: expected at most "
            f"{settings.most_bytes:,}; take a lower rank"
        )
    with torch.no_grad():
        for parameter in model.probe.parameters():
            parameter /= record["temperature"]
    save_probe(model.probe, to, settings.encoder, max_length=max(n for n, _ in settings.phases))
    names = (ADAPTER_CONFIG, ADAPTER_FILE, PROBE_FILE)
    write_manifest(to, names, encoder_fingerprint(settings.encoder))
    record |= {
        "adapter_bytes": size,
        "read": f"of more than {settings.reading} tokens the first and the last half of them",
        "accuracy": {},
        "calibration_error": {},
        **provenance("torch", "transformers", "peft", "datasets", "scikit-learn"),
    }
    for name, held in pools.items():
        probabilities = softmax(ask_saved(to, settings, held.texts))
        right = float(np.mean(probabilities.argmax(axis=1) == held.labels))
        record["accuracy"][name] = round(right, 5)
        error = calibration_error(y_true=held.labels, y_proba=probabilities)
        record["calibration_error"][name] = round(error, 5)
    write_whole(to / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
    write_manifest(to, (*names, RECORD_FILE), encoder_fingerprint(settings.encoder))
    return record


def ask_saved(folder: Path, settings: Settings, texts: list[str]) -> np.ndarray:
    """Return a saved classifier's logits ``[texts, 2]``, in the precision it was taught in."""
    tokens = read(texts, settings.encoder, settings.reading)
    opened = open_saved_probe(folder)
    model = opened.model.to(CPU)
    model.encoder.to(choose_dtype("cpu"))
    pad_id = opened.tokenizer.pad_token_id
    return ask(lambda rows: model(**pad(tokens, rows, pad_id, CPU)).logits, tokens.lengths())
