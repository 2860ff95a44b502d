"""What metrics and evaluation ask of their input: whole labels, real probabilities, equal lengths.

Everything here raises a ValueError that names what was given and what was expected.
"""

from typing import Any

import numpy as np

from imdb_tutorial.machine.text import one_line


def read_labels(values: Any, name: str) -> np.ndarray:
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


def read_pair(**named: Any) -> dict[str, np.ndarray]:
    """Return two lists of labels under the names that they came with; refuse other lengths."""
    pair = {name: read_labels(values, name) for name, values in named.items()}
    (name, labels), (other, others) = pair.items()
    if len(labels) != len(others):
        raise ValueError(
            f"{len(labels)} {name} for {len(others)} {other}: expected one of each per review"
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
            "is_right(y_true=labels, y_pred=predictions)"
        )
    return flags


def read_groups(values: Any, count: int) -> np.ndarray:
    """Return the number of each review's group, from 0 on; refuse one group, and none.

    Args:
        values: The group of each of ``count`` reviews, such as its film: numbers or names.
        count: Number of reviews.
    """
    import pandas as pd

    try:
        # As objects: an array of text would turn a missing name into "nan", and 1 into "1".
        column = np.asarray(values, dtype=object)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"groups cannot be read as a list: {one_line(error)}") from None
    if column.shape != (count,):
        given = f"{values!r:.60}" if column.ndim == 0 else f"of the shape {column.shape}"
        raise ValueError(
            f"groups are {given}: expected one for each of {count} reviews, such as "
            'reviews["test"]["film"][:]'
        )
    try:
        codes, names = pd.factorize(column)
    except TypeError as error:
        raise ValueError(f"groups hold what is no name: {one_line(error)}") from None
    named = [not isinstance(name, str) or bool(name.strip()) for name in names]
    absent = ~np.array([*named, False])[codes]  # [reviews]; pandas gives -1 to None and NaN
    if absent.any():
        row = int(absent.argmax())
        raise ValueError(
            f"row {row} has the group {column[row]!r}: expected a name, such as the film's"
        )
    if len(names) < 2:
        raise ValueError(
            f"all {count} reviews are of one group ({names[0]!r:.60}): expected two or more, as "
            "nothing can be said about other groups from one"
        )
    return codes


def check_confidence(confidence: float) -> None:
    """Refuse what is no share between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: expected a share such as 0.95")


def read_margins(*, logits: Any, y_true: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of positive minus negative, float64 ``[reviews]``, and the labels."""
    table, labels = _read_table(logits, y_true, "logits")
    return (table if table.ndim == 1 else table[:, 1] - table[:, 0]), labels


def read_probabilities(*, y_proba: Any, y_true: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of both labels, float64 ``[reviews, 2]``, and the true labels."""
    table, labels = _read_table(y_proba, y_true, "y_proba")
    _refuse((table < 0) | (table > 1), table, "probabilities go from 0 to 1; softmax logits first")
    if table.ndim == 1:
        table = np.stack([1 - table, table], axis=1)  # [reviews, 2]
    # As far as 16 bits can be off.
    _refuse(np.abs(table.sum(axis=1) - 1) > 1e-3, table, "a review's probabilities add up to 1")
    return table, labels


def _read_table(values: Any, y_true: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    labels = read_labels(y_true, "y_true")  # [reviews]
    try:
        table = np.asarray(values, dtype=np.float64)  # [reviews] or [reviews, 2]
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as numbers: {one_line(error)}") from None
    if table.shape not in ((len(labels),), (len(labels), 2)):
        raise ValueError(
            f"{name} has the shape {table.shape} for {len(labels)} y_true: expected "
            f"({len(labels)}, 2), or ({len(labels)},) for the positive label alone"
        )
    _refuse(~np.isfinite(table), table, f"{name} holds finite numbers")
    return table, labels


def _refuse(wrong: np.ndarray, values: np.ndarray, expected: str) -> None:
    if wrong.any():
        row = np.argwhere(wrong)[0, 0]
        raise ValueError(f"row {row} is {values[row]}: {expected}")
