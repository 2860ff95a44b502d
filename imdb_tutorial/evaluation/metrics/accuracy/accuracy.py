"""Accuracy as a local `evaluate` module."""

from sklearn.metrics import accuracy_score

from imdb_tutorial.evaluation.metrics.only_labels import OnlyLabels


class Accuracy(OnlyLabels):
    """The share of the reviews that a model gets right, 0 to 1."""

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        return {"accuracy": float(accuracy_score(references, predictions))}
