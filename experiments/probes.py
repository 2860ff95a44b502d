"""Experiments on cached features: softmax twice, poolings, the optimum, and choosing on test."""

import itertools

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from experiments.data import PRESET, accuracy, features, labels, quantise, sample
from imdb_tutorial import FeatureLoader, LinearProbe, Trainer
from imdb_tutorial.presets import POOLINGS

STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
STARTS = 3
SAMPLES = 1_000
HELD_BACK = (100, 250, 500, 1_000)
DRAWS = 200


def standardise(train: torch.Tensor, *others: torch.Tensor) -> list[torch.Tensor]:
    """Give every feature mean 0 and spread 1 on the training reviews."""
    mean, spread = train.mean(dim=0), train.std(dim=0)
    return [(x - mean) / spread for x in (train, *others)]


def new_trainer(parts, truth, pooling: str, softmax: bool, seed: int, rate: float) -> Trainer:
    """Set up the classic recipe's Trainer on features: train first, then what is validated."""
    torch.manual_seed(seed)
    probe = LinearProbe(parts[0].shape[1], pooling=pooling, softmax=softmax)
    train = FeatureLoader(parts[0], truth[0], PRESET.batch_size, shuffle=True, seed=seed)
    valid = FeatureLoader(parts[1], truth[1], batch_size=4_000)
    return Trainer(probe, train, valid, rate, PRESET.gamma, verbose=False)


def margins(trainer: Trainer, inputs: torch.Tensor) -> np.ndarray:
    """Return the logit of positive less the logit of negative, before any softmax."""
    with torch.no_grad():
        logits = trainer.model.linear(inputs)
    return (logits[:, 1] - logits[:, 0]).numpy()


def sigmoid(margin: np.ndarray) -> np.ndarray:
    """Turn a difference of logits into the probability of being positive."""
    return 1 / (1 + np.exp(-margin.astype(np.float64)))


def best_linear(train, truth, validation, strengths=STRENGTHS, **options) -> LogisticRegression:
    """Fit logistic regressions and keep the strength with the best validation accuracy."""
    fits = [LogisticRegression(C=c, max_iter=1_000, **options).fit(train, truth) for c in strengths]
    return max(fits, key=lambda fit: fit.score(validation, labels("validation")))


def train_probes(unit: dict) -> tuple[list[dict], dict]:
    """Train every kind of probe on one sample: pooling, scale, and what goes into the loss."""
    rows = sample(unit["seed"], unit["size"])
    truth = labels("train")[rows]
    found, answers = [], []
    for pooling, standardised in itertools.product(POOLINGS, (False, True)):
        train, validation, test = (
            features("train")[pooling][rows],
            features("validation")[pooling],
            features("test")[pooling],
        )
        if standardised:
            train, validation, test = standardise(train, validation, test)
        about = unit | {"size": len(rows), "pooling": pooling, "standardised": standardised}
        for softmax in (True, False):
            trainer = new_trainer(
                (train, validation),
                (truth, labels("validation")),
                *(pooling, softmax, unit["seed"], PRESET.learning_rate),
            )
            trainer.train(PRESET.num_epochs)
            answers.append(quantise(sigmoid(margins(trainer, test))))
            found.append(
                about
                | {
                    "loss": "softmax" if softmax else "logits",
                    "test_accuracy": accuracy(answers[-1], labels("test")),
                    "train_losses": [round(loss, 5) for loss in trainer.train_losses],
                    "validation_accuracies": [round(a, 5) for a in trainer.val_accuracy],
                }
            )
        if standardised:
            fit = best_linear(train.numpy(), truth, validation.numpy())
            answers.append(quantise(fit.predict_proba(test.numpy())[:, 1]))
            found.append(
                about
                | {
                    "loss": "optimum",
                    "strength": fit.C,
                    "test_accuracy": accuracy(answers[-1], labels("test")),
                    "train_losses": [
                        round(float(log_loss(truth, fit.predict_proba(train.numpy()))), 5)
                    ],
                    "validation_accuracies": [
                        round(fit.score(validation.numpy(), labels("validation")), 5)
                    ],
                }
            )
    return found, {"test": np.stack(answers)}


def choose(unit: dict) -> tuple[list[dict], dict]:
    """Train many candidates on one sample; see what choosing among them on test promises."""
    rows = sample(unit["seed"], SAMPLES)
    train, held = (
        features("train")["mean"][rows],
        torch.cat([features(part)["mean"] for part in ("validation", "test")]),
    )
    truth = np.concatenate([labels(part) for part in ("validation", "test")])
    right = []
    for rate, start in itertools.product(RATES, range(STARTS)):
        trainer = new_trainer(
            (train, held),
            (labels("train")[rows], truth),
            *("mean", False, unit["seed"] * STARTS + start, rate),
        )
        for epoch in range(PRESET.num_epochs):
            trainer.train(epoch + 1)
            right.append((margins(trainer, held) > 0) == truth)
    right = np.stack(right)  # [candidates, held-back reviews]
    first = (RATES.index(PRESET.learning_rate) * STARTS) * PRESET.num_epochs
    candidates = {
        "epochs of one run": right[first : first + PRESET.num_epochs],
        "epochs, rates and starts": right,
    }
    found = [
        unit
        | {"among": name, "candidates": len(some), "held_back": size}
        | optimism(some, size, unit["seed"])
        for name, some in candidates.items()
        for size in HELD_BACK
    ]
    # Neighbouring epochs answer alike: their differences are nearly all zero, and pack well.
    changes = right.copy()
    changes[1:] ^= right[:-1]
    return found, {"changes": np.packbits(changes, axis=1)[None]}


def optimism(right: np.ndarray, size: int, seed: int) -> dict:
    """Draw test and validation reviews again and again; return what choosing on each is worth.

    Args:
        right: True or False per candidate and held-back review.
        size: Reviews to draw for the test set, and for the validation set.
        seed: Seed of the draws.

    Returns:
        Means over the draws, 0 to 1: what was promised, and what the chosen candidate reaches on
        the reviews that were not drawn, for both ways of choosing.
    """
    random = np.random.default_rng([seed, size])
    means = dict.fromkeys(
        ("promised_by_test", "reached_by_test", "promised_by_validation", "reached_by_validation"),
        0.0,
    )
    for _ in range(DRAWS):
        order = random.permutation(right.shape[1])
        test, validation, rest = order[:size], order[size : 2 * size], order[2 * size :]
        on_test = right[:, test].mean(axis=1)
        by_test = on_test.argmax()
        by_validation = right[:, validation].mean(axis=1).argmax()
        means["promised_by_test"] += on_test[by_test] / DRAWS
        means["reached_by_test"] += right[by_test, rest].mean() / DRAWS
        means["promised_by_validation"] += on_test[by_validation] / DRAWS
        means["reached_by_validation"] += right[by_validation, rest].mean() / DRAWS
    return {name: round(float(value), 6) for name, value in means.items()}
