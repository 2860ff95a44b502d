"""F1 of the positive reviews as a local `evaluate` module."""

from sklearn.metrics import f1_score

from imdb_tutorial.evaluation.metrics.only_labels import OnlyLabels


class F1(OnlyLabels):
    """The harmonic mean of precision and recall of the positive label, 0 to 1.

    It is 0 where no review is positive and none is called so.
    """

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        return {"f1": float(f1_score(references, predictions, zero_division=0))}
