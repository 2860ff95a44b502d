"""What the metrics have in common: they take labels and refuse everything else."""

from abc import ABC, abstractmethod

import evaluate
from datasets import Features, Value
from numpy.typing import ArrayLike

from imdb_tutorial.evaluation.inputs import read_pair


class OnlyLabels(evaluate.Metric, ABC):
    """A metric that refuses, on every way in, what `evaluate` would quietly cut to a label."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="",
            inputs_description="\n\nPredictions and references are 0 (negative) or 1 (positive).",
            features=Features({name: Value("int64") for name in ("predictions", "references")}),
        )

    @abstractmethod  # or `evaluate.load` would take this for the metric that a module offers
    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]: ...

    def compute(
        self, *, predictions: ArrayLike | None = None, references: ArrayLike | None = None
    ) -> dict[str, float]:
        """Compute the metric over these labels and all that were added before."""
        if predictions is None and references is None and len(self) == 0:
            raise ValueError("nothing to compute: give predictions and references, or add them")
        return super().compute(predictions=predictions, references=references)

    def add_batch(
        self, *, predictions: ArrayLike | None = None, references: ArrayLike | None = None
    ) -> None:
        """Add labels to those that ``compute`` will use."""
        super().add_batch(**read_pair(predictions=predictions, references=references))

    def add(
        self, *, prediction: int | None = None, reference: int | None = None, **plural: int
    ) -> None:
        """Add one label to those that ``compute`` will use."""
        # evaluate.combine passes the plural names on.
        given = {"predictions": prediction, "references": reference} | plural
        pair = read_pair(predictions=[given["predictions"]], references=[given["references"]])
        super().add(**given | {name: labels.item() for name, labels in pair.items()})
