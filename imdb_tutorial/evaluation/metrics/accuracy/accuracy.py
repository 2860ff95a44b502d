"""Accuracy as a local `evaluate` module."""

import evaluate
from sklearn.metrics import accuracy_score

from imdb_tutorial.evaluation.inputs import OnlyLabels


class Accuracy(OnlyLabels, evaluate.Metric):
    """The share of the reviews that a model gets right, 0 to 1."""

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        return {"accuracy": float(accuracy_score(references, predictions))}
