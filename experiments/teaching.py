"""One classifier from its settings to its best run: rates, seeds, and choices by validation."""

import dataclasses
import functools
import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from experiments.adapted import Adapted, digest_of_weights, start_probe
from experiments.kept import digest_of, kept
from experiments.learning import Phase, Read, ask, learn
from experiments.lora import load_lora
from experiments.lower_layers import LowerLayers
from experiments.means import kept_mean
from experiments.teaching_settings import Settings
from experiments.teaching_texts import Texts, read
from imdb_tutorial import calibration_error, choose_dtype, fit_temperature
from imdb_tutorial.classifier.adapter import ADAPTER_FILE
from imdb_tutorial.encoder.tokens import Tokens
from imdb_tutorial.machine.checkpoint import read_checkpoint
from imdb_tutorial.machine.manifest import encoder_fingerprint
from imdb_tutorial.probe import PROBE_FILE, load_probe

START_REVIEWS = 1_000  # the probe that everything starts from is fitted on so many


class Held(NamedTuple):
    """Reviews that nothing is learnt from.

    Args:
        texts: The reviews.
        labels: Their labels, int64 ``[reviews]``.
    """

    texts: list[str]
    labels: np.ndarray


class Tried(NamedTuple):
    """A model, and what validation says of it.

    Args:
        name: What it is: a round, or the mean of some.
        model: The model.
        readings: ``tokens``, ``accuracy`` and ``loss``, of every number of tokens it may read.
        answers: Its logits ``[validation reviews, 2]``, by tokens.
    """

    name: str
    model: Adapted
    readings: list[dict]
    answers: dict[int, np.ndarray]


class Teaching:
    """Everything that is computed for one classifier; what is finished is kept in its folder.

    Args:
        settings: How it is taught.
        texts: What it learns from.
        targets: What it should answer to each, float32 ``[texts, 2]``.
        validation: What chooses the rate and the seed and fits the temperature.
        folder: Where all of it is kept.
        start: A saved classifier that goes on learning; without it, one begins anew.
    """

    def __init__(
        self,
        settings: Settings,
        texts: Texts,
        targets: torch.Tensor,
        validation: Held,
        folder: Path,
        start: Path | None = None,
    ):
        self.settings, self.texts, self.targets = settings, texts, targets
        self.validation, self.folder, self.start = validation, folder, start
        self.tokens_of: dict[str, Callable[[int], Tokens]] = {
            part: functools.cache(lambda size, some=some: read(some, settings.encoder, size))
            for part, some in (("train", texts.texts), ("validation", validation.texts))
        }

    def run(self) -> tuple[dict, Adapted]:
        """Try the rates, run the seeds, keep the best; return its record, and the best itself.

        A mean of several seeds is kept where that is better than the best of them. The best has the
        lowest validation loss: it counts how sure each answer is, and so needs fewer reviews than
        the accuracy to tell two alike models apart.
        """
        trials, rate = self.try_rates()
        runs, models = [], {}
        for seed in self.settings.seeds:
            models[seed], about = self.taught(self.settings, rate, seed, f"seed-{seed}")
            answers = self.asked(models[seed], self.settings, f"seed-{seed}")
            runs.append({"seed": seed, **about, **score(answers, self.validation.labels)})
        best = min(runs, key=loss_of)
        model, name, mixed = models[best["seed"]], f"seed-{best['seed']}", {}
        if len(runs) > 1:
            model, name, mixed = self.best_mean(models, sorted(runs, key=loss_of))
        last, _ = self.settings.phases[-1]
        readings, answers = self.readings(model, {last: name})
        gone_on = {}
        if self.settings.goes_on:
            about, tried = self.rounds(model, rate / 2, best["seed"])
            best_tried = min(tried, key=lambda one: min(map(loss_of, one.readings)))
            is_better = min(map(loss_of, best_tried.readings)) < min(map(loss_of, readings))
            gone_on = {"gone_on": about | {"is_kept": is_better, "kept": best_tried.name}}
            if is_better:
                _, model, readings, answers = best_tried
        reading = min(readings, key=loss_of)["tokens"]
        truth, logits = self.validation.labels, answers[reading]
        return {
            "settings": dataclasses.asdict(self.settings),
            "texts": {
                "reviews": self.texts.reviews,
                "fragments": self.texts.fragments,
                "all": len(self.texts.texts),
            },
            "rate_trials": trials,
            "learning_rate": rate,
            "runs": runs,
            "chosen_seed": best["seed"],
            **mixed,
            **gone_on,
            "readings": readings,
            "reading": reading,
            "chosen_on": f"{len(truth):,} validation reviews",
            "temperature": fit_temperature(y_true=truth, logits=logits),
            "calibration_error_before": calibration_error(y_true=truth, y_proba=softmax(logits)),
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
        return trials, min(trials, key=loss_of)["rate"]

    def taught(
        self, settings: Settings, rate: float, seed: int, name: str, count: int | None = None
    ) -> tuple[Adapted, dict]:
        """Return a model after its teaching, which is done or resumed where it is not finished."""
        model, folder = Adapted(settings, seed), self.folder / name
        rows = slice(count)
        if read_checkpoint(folder) is None:
            self._begin(model)
        settings = dataclasses.replace(settings, goes_on=())  # which comes after this
        phases, made_of = self._learnt(model, settings, rows)
        if self.start:
            made_of += digests_of_saved(self.start)
        about = learn(model, phases, self.targets[rows], settings, rate, seed, made_of, folder)
        return model, about

    def best_mean(
        self, models: Mapping[int, Adapted], runs: Sequence[dict]
    ) -> tuple[Adapted, str, dict]:
        """Put one run after another into a mean, as long as validation says that it is better.

        Args:
            models: By seed.
            runs: The best first.

        Returns:
            The model, the name of its folder, and for the record: whose mean it is, perhaps of one
            alone, and what was tried.
        """
        found, tried = runs[0], []
        members, model, name = [found["seed"]], models[found["seed"]], f"seed-{found['seed']}"
        for run in runs[1:]:
            more = [*members, run["seed"]]
            called = f"mean-{'-'.join(map(str, more))}"
            some, mean = [models[seed] for seed in more], Adapted(self.settings, more[0])
            kept_mean(some, mean, self.folder / called)
            answers = self.asked(mean, self.settings, called)
            tried.append({"seeds": more, **score(answers, self.validation.labels)})
            if loss_of(tried[-1]) < loss_of(found):
                found, members, model, name = tried[-1], more, mean, called
        return model, name, {"mean_of": members, "means_tried": tried}

    def rounds(self, model: Adapted, rate: float, seed: int) -> tuple[dict, list[Tried]]:
        """Let a model go on, round after round; it stays as it is itself.

        Each round begins where the one before ended, and lets the rate rise and fall again. The
        mean of all rounds so far is tried as well (Izmailov et al., 2018).

        Args:
            model: It was taught.
            rate: The highest rate of each round.
            seed: Of the model; each round has an order of its own.

        Returns:
            For the record: the rounds, their time, and what was tried; and that with the models.
        """
        done, rounds, tried = [], [], []
        for number, phase in enumerate(self.settings.goes_on, start=1):
            settings = dataclasses.replace(self.settings, phases=(phase,), goes_on=())
            further, before = Adapted(settings, seed), (done or [model])[-1]
            further.take(before.learning())
            phases, made_of = self._learnt(further, settings, slice(None))
            made_of.append(digest_of_weights(before))
            order, folder = seed + 100 * (number - 1), self.folder / f"round-{number}"
            rounds.append(
                learn(further, phases, self.targets, settings, rate, order, made_of, folder)
            )
            done.append(further)
            found = {f"round-{number}": further}
            if number > 1:
                found[f"rounds-1-to-{number}"] = mean = Adapted(settings, seed)
                kept_mean(done, mean, self.folder / f"rounds-1-to-{number}")
            for name, one in found.items():
                tried.append(Tried(name, one, *self.readings(one, {}, f"{name}-")))
        about = {
            "learning_rate": rate,
            "seconds": round(sum(one["seconds"] for one in rounds), 1),
            "rounds": rounds,
            "tried": {one.name: one.readings for one in tried},
        }
        return about, tried

    def _learnt(
        self, model: Adapted, settings: Settings, rows: slice
    ) -> tuple[list[Phase], list[str]]:
        """Return what is learnt in each phase, and what the result depends on beside settings."""
        phases = [
            Phase(
                functools.partial(self.reader, model, size),
                self.tokens_of["train"](size).lengths()[rows],
                epochs,
            )
            for size, epochs in settings.phases
        ]
        made_of = [str(encoder_fingerprint(settings.encoder)), str(choose_dtype("cpu"))]
        made_of += [digest_of(self.tokens_of["train"](size).ids) for size, _ in settings.phases]
        return phases, made_of

    def readings(
        self, model: Adapted, known: dict[int, str], prefix: str = ""
    ) -> tuple[list[dict], dict[int, np.ndarray]]:
        """Ask a model about validation with every number of tokens that it may read.

        Args:
            model: It was taught.
            known: By tokens, in which folder its answers lie already.
            prefix: Of the names of the other folders.

        Returns:
            ``tokens``, ``accuracy`` and ``loss`` of each, and the logits by tokens.
        """
        answers = {
            size: self.logits(
                model, size, "validation", self.folder / known.get(size, f"{prefix}reading-{size}")
            )
            for size in self.settings.readings
        }
        truth = self.validation.labels
        return [{"tokens": n, **score(some, truth)} for n, some in answers.items()], answers

    def _begin(self, model: Adapted) -> None:
        """Fit the probe alone, or take what the classifier to start from has learnt."""
        if self.start:
            load_lora(model.linears, model.first, self.start)
            model.probe.load_state_dict(load_probe(self.start)[0].state_dict())
            return
        size, _ = self.settings.phases[0]
        some = self.tokens_of["train"](size).lengths()[: min(START_REVIEWS, self.texts.reviews)]
        source = self.reader(model, size)
        features = ask(lambda rows: model.features(*source(rows)), some)
        start_probe(model, features, self.texts.labels[: len(some)])

    def asked(self, model: Adapted, settings: Settings, name: str) -> np.ndarray:
        """Return a taught model's logits ``[validation reviews, 2]``, which are kept."""
        size, _ = settings.phases[-1]
        return self.logits(model, size, "validation", self.folder / name)

    def answers(self, model: Adapted, size: int) -> np.ndarray:
        """Return a taught model's logits for all that was learnt from, ``[texts, 2]``; kept.

        Args:
            model: It was taught.
            size: So many tokens it reads of a text.
        """
        return self.logits(model, size, "train", self.folder)

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


def score(logits: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """Return accuracy and mean loss of logits ``[reviews, 2]``; no loss if they are no numbers."""
    loss = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits).double(), torch.from_numpy(labels)
    ).item()
    accuracy = float(np.mean(logits.argmax(axis=1) == labels))
    return {"accuracy": round(accuracy, 5), "loss": round(loss, 5) if np.isfinite(loss) else None}


def loss_of(run: dict) -> float:
    """Return a run's validation loss; infinity where its rate was too high."""
    return np.inf if run["loss"] is None else run["loss"]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities ``[texts, 2]``."""
    return torch.from_numpy(logits).double().softmax(dim=1).numpy()


def digests_of_saved(folder: Path) -> list[str]:
    """Digest a saved classifier's weights: its adapter's file, and its probe's."""
    files = [(folder / name).read_bytes() for name in (ADAPTER_FILE, PROBE_FILE)]
    return [hashlib.sha256(content).hexdigest() for content in files]
