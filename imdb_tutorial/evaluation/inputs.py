"""What metrics and evaluation ask of their input: whole labels, real probabilities, equal lengths.

Everything here raises a ValueError that names what was given and what was expected.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import evaluate


def read_labels(values: Any, name: str = "labels") -> np.ndarray:
    """Return labels as int64 ``[reviews]``; refuse floats, and what is not 0 or 1.

    Args:
        values: 0 (negative) or 1 (positive) per review, as whole numbers or truth values: a list,
            an array, a tensor or a column.
        name: What to call them in an error.
    """
    try:
        labels = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as a list of labels: {error}") from None
    if labels.size == 0:
        raise ValueError(f"no {name}: expected at least one label, 0 (negative) or 1 (positive)")
    if labels.dtype.kind == "f" or labels.ndim > 1:
        raise ValueError(
            f"{name} are {labels.dtype} of shape {labels.shape}, such as {labels.flat[0]}: "
            "expected one label per review; take scores.argmax(axis=1), or probabilities > 0.5"
        )
    if labels.dtype.kind not in "biu" or labels.ndim == 0:
        raise ValueError(
            f"{name} are {values!r:.60}: expected a list of labels, 0 (negative) or 1 (positive)"
        )
    _refuse((labels < 0) | (labels > 1), labels, f"{name} are 0 (negative) or 1 (positive)")
    return labels.astype(np.int64)


def read_pair(predictions: Any, references: Any) -> dict[str, np.ndarray]:
    """Return predictions and references as labels, under these names; refuse different lengths."""
    pair = {
        "predictions": read_labels(predictions, "predictions"),
        "references": read_labels(references, "references"),
    }
    counts = [len(labels) for labels in pair.values()]
    if counts[0] != counts[1]:
        raise ValueError(
            f"{counts[0]} predictions for {counts[1]} references: expected one of each per review"
        )
    return pair


def read_column(values: Any, name: str, count: int | None = None) -> np.ndarray:
    """Return one value per review as an array: ``count`` of them, or at least one."""
    column = np.asarray(values)
    if column.ndim != 1 or len(column) != (count or max(1, len(column))):
        raise ValueError(
            f"{name} has the shape {column.shape}: expected one value for each of "
            f"{count or 'one or more'} reviews"
        )
    return column


def read_flags(values: Any, name: str, count: int | None = None) -> np.ndarray:
    """Return True or False per review as an array: ``count`` of them, or at least one."""
    flags = read_column(values, name, count)
    if flags.dtype != bool:
        raise ValueError(
            f"{name} holds {flags.dtype}: expected True or False per review, such as "
            "is_right(predictions, labels)"
        )
    return flags


def read_margins(logits: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of positive minus negative, float64 ``[reviews]``, and the labels."""
    table, labels = _read_table(logits, labels, "logits")
    return (table if table.ndim == 1 else table[:, 1] - table[:, 0]), labels


def read_probabilities(probabilities: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of both labels, float64 ``[reviews, 2]``, and the true labels."""
    table, labels = _read_table(probabilities, labels, "probabilities")
    _refuse((table < 0) | (table > 1), table, "probabilities go from 0 to 1; softmax logits first")
    if table.ndim == 1:
        table = np.stack([1 - table, table], axis=1)
    # As far as 16 bits can be off.
    _refuse(np.abs(table.sum(axis=1) - 1) > 1e-3, table, "a review's probabilities add up to 1")
    return table, labels


class OnlyLabels:
    """Part of a metric: refuse, on every way in, what `evaluate` would quietly cut to a label."""

    def _info(self) -> "evaluate.MetricInfo":
        import evaluate
        from datasets import Features, Value

        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="",
            inputs_description="\n\nPredictions and references are 0 (negative) or 1 (positive).",
            features=Features({name: Value("int64") for name in ("predictions", "references")}),
        )

    def compute(self, *, predictions=None, references=None) -> dict[str, float]:
        """Compute the metric over these labels and all that were added before."""
        if predictions is None and references is None and len(self) == 0:
            raise ValueError("nothing to compute: give predictions and references, or add them")
        return super().compute(predictions=predictions, references=references)

    def add_batch(self, *, predictions=None, references=None) -> None:
        """Add labels to those that ``compute`` will use."""
        super().add_batch(**read_pair(predictions, references))

    def add(self, *, prediction=None, reference=None, **plural) -> None:
        """Add one label to those that ``compute`` will use."""
        # evaluate.combine passes the plural names on.
        given = {"predictions": prediction, "references": reference} | plural
        pair = read_pair([given["predictions"]], [given["references"]])
        super().add(**given | {name: labels.item() for name, labels in pair.items()})


def _read_table(values: Any, labels: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    labels = read_labels(labels)
    table = np.asarray(values, dtype=np.float64)
    if table.shape not in ((len(labels),), (len(labels), 2)):
        raise ValueError(
            f"{name} have the shape {table.shape} for {len(labels)} labels: expected "
            f"({len(labels)}, 2), or ({len(labels)},) for the positive label alone"
        )
    _refuse(~np.isfinite(table), table, f"{name} are finite numbers")
    return table, labels


def _refuse(wrong: np.ndarray, values: np.ndarray, expected: str) -> None:
    if wrong.any():
        row = np.argwhere(wrong)[0, 0]
        raise ValueError(f"row {row} is {values[row]}: {expected}")
