"""Softmax once or twice, each way with the learning rate that suits it."""

import numpy as np

from experiments.data import PRESET, accuracy, features, labels, quantise, sample
from experiments.probes import margins, new_trainer, sigmoid

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)


def sweep_rates(unit: dict) -> tuple[list[dict], dict]:
    """Train on one sample with every rate; ask test only the one that validation chooses."""
    rows = sample(unit["seed"], unit["size"])
    train, validation, test = (
        features("train")["mean"][rows],
        features("validation")["mean"],
        features("test")["mean"],
    )
    parts, truth = (train, validation), (labels("train")[rows], labels("validation"))
    found, answers = [], []
    for softmax in (True, False):
        trainers = []
        for rate in RATES:
            trainer = new_trainer(parts, truth, "mean", softmax, unit["seed"], rate)
            trainer.train(PRESET.num_epochs)
            trainers.append(trainer)
        by_rate = [trainer.val_accuracy[-1] for trainer in trainers]
        best = int(np.argmax(by_rate))  # of equal ones the lower rate
        answers.append(quantise(sigmoid(margins(trainers[best], test))))
        found.append(
            unit
            | {
                "size": len(rows),
                "loss": "softmax" if softmax else "logits",
                "rate": RATES[best],
                "rates": list(RATES),
                "validation_by_rate": [round(a, 5) for a in by_rate],
                "train_losses": [round(loss, 5) for loss in trainers[best].train_losses],
                "test_accuracy": accuracy(answers[-1], labels("test")),
            }
        )
    return found, {"test": np.stack(answers)}
