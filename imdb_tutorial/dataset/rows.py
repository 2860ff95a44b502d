"""The rows of any source, each checked, as a ``datasets.Dataset``."""

import math
import numbers
import reprlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import datasets

from imdb_tutorial.dataset.labels import SHORT_LABELS, label_number
from imdb_tutorial.machine.text import clean_text

COLUMNS = ("text", "label", "group")
FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=list(SHORT_LABELS)),
        "id": datasets.Value("string"),
    }
)


class Row(NamedTuple):
    """One review as its source has it, not checked yet.

    Args:
        text: Should be a string.
        label: Should be 0 or neg, 1 or pos.
        line: The line of the file on which the row begins, from 1; ``None`` where there is none.
        group: What the review belongs to, such as its film; ``None`` where the source has no such
            column.
    """

    text: object
    label: object
    line: int | None = None
    group: object = None


def place(source: object, row: int, line: int | None = None) -> str:
    """Return the words that tell where a row stands, for the beginning of an error message."""
    line_words = "" if line is None else f"line {line}, "
    return f"row {row} of {source} ({line_words}rows are counted from 0)"


def require_columns(source: object, found: Sequence[str]) -> None:
    """Make sure that there is one column ``text``, one ``label`` and at most one ``group``.

    Args:
        source: What has the columns, for the message.
        found: The names of the columns.

    Raises:
        ValueError: A column is missing, or there twice.
    """
    missing = [column for column in ("text", "label") if column not in found]
    if missing:
        shown = ", ".join(reprlib.repr(column) for column in found[:8]) or "none"
        raise ValueError(
            f"{source} has no column {' and no column '.join(missing)}: expected the columns text "
            f"and label, found {shown}"
        )
    for column in COLUMNS:
        if list(found).count(column) > 1:
            raise ValueError(
                f"{source} has the column {column} more than once: give the others another name"
            )


def to_dataset(rows: Iterable[Row], source: object, prefix: str) -> datasets.Dataset:
    """Check rows and make them one data set, in their order.

    Args:
        rows: The reviews as the source has them.
        source: What has the rows, for the messages.
        prefix: What the ids begin with: row 7 is called ``"<prefix>/7"``.

    Returns:
        The columns ``text``, ``label`` (0 negative, 1 positive) and ``id``, and ``group`` where the
        rows have one.

    Raises:
        ValueError: A row whose text, label or group cannot be used; the message gives its number.
    """
    texts, labels, groups = [], [], []
    for number, row in enumerate(rows):
        where = place(source, number, row.line)
        texts.append(_checked_text(row.text, where))
        label = label_number(row.label)
        if label is None:
            raise ValueError(
                f"{where} has the label {reprlib.repr(row.label)}: expected 0 or neg, 1 or pos"
            )
        labels.append(label)
        if row.group is not None:
            groups.append(_checked_group(row.group, where))
    ids = [f"{prefix}/{number}" for number in range(len(texts))]
    columns = {"text": texts, "label": labels, "id": ids}
    split = datasets.Dataset.from_dict(columns, features=FEATURES)
    return split.add_column("group", groups) if groups else split


def _checked_group(group: object, where: str) -> str:
    if isinstance(group, float) and group.is_integer():
        group = int(group)  # as one tool writes 7.0 and another 7
    name = str(group).strip()
    is_name = isinstance(group, str) or (isinstance(group, numbers.Real) and math.isfinite(group))
    if not is_name or not name or "\0" in name or clean_text(name) != name:
        raise ValueError(
            f"{where} has the group {reprlib.repr(group)}: expected a name, such as the film's"
        )
    return name


def _checked_text(text: object, where: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{where} has the text {reprlib.repr(text)}: expected a string")
    if not text.strip():
        raise ValueError(f"{where} has an empty text: write the review, or remove the row")
    if "\0" in text:
        raise ValueError(f"{where} has a NUL character in its text: remove it")
    if clean_text(text) != text:
        raise ValueError(
            f"{where} has half of a character pair in its text: write the whole character, or "
            "remove it"
        )
    return text
