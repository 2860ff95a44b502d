"""Reviews from the Hugging Face hub: its parquet files at a pinned revision, read as they stand."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from imdb_tutorial.dataset.labels import label_number
from imdb_tutorial.dataset.rows import Row, require_columns, to_dataset
from imdb_tutorial.machine.hub.repository import review_files
from imdb_tutorial.machine.packages import DamagedFileError
from imdb_tutorial.machine.sources import HUB_REVISIONS
from imdb_tutorial.machine.text import one_line

OWN_FILE = "give the reviews as a file of your own, reviews='my.parquet', with text and label"


def load_hub(source: str) -> datasets.DatasetDict:
    """Load the train and test reviews of a data set of the hub, in its order.

    Args:
        source: A name such as ``"stanfordnlp/imdb"``; ``"name@revision"`` pins a version.

    Returns:
        ``train`` and ``test``, each with the columns ``text``, ``label`` (0 negative, 1 positive)
        and ``id``.

    Raises:
        ValueError: A name that is none, or a data set without labelled reviews.
        ConnectionError: The hub does not give it; the message says why.
        DamagedFileError: A downloaded file is not the hub's; the message says which to delete.
    """
    name, _, revision = source.partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(
            f"no reviews at {source!r}: expected 'packaged', a csv, tsv, parquet, json or jsonl "
            "file, an unpacked aclImdb folder, or a hub name such as 'stanfordnlp/imdb'"
        )
    splits = review_files(name, revision or HUB_REVISIONS.get(name, "main"))
    return datasets.DatasetDict(
        {split: _read(paths, f"{name} ({split})", split) for split, paths in splits.items()}
    )


def _read(paths: list[Path], source: str, prefix: str) -> datasets.Dataset:
    tables = [_open(path, source) for path in paths]
    for table in tables:
        try:
            require_columns(source, table.column_names)
        except ValueError as error:
            raise ValueError(f"{error}; rename them and {OWN_FILE}") from None
    names = _class_names(tables[0], source)
    split = to_dataset(_rows(tables, names, source), source, prefix)
    if len(split) == 0:
        raise ValueError(f"{source} holds no reviews: expected at least one row")
    return split


def _open(path: Path, source: str) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = one_line(error, 120)
        if path.is_symlink():  # then its bytes were compared with the hub's
            raise ValueError(
                f"{path.name} of {source} is no whole parquet file on the hub itself ({reason}): "
                f"name another revision, 'name@revision', or {OWN_FILE}"
            ) from None
        raise DamagedFileError(
            f"cannot read {path.name} as parquet ({reason}): delete {str(path)!r} and start again, "
            "so that it is downloaded again"
        ) from None


def _class_names(table: pa.Table, source: str) -> list[str] | None:
    """Return what a data set calls its labels, by number; refuse what are not two sentiments."""
    try:
        label = datasets.Features.from_arrow_schema(table.schema)["label"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{source} describes its columns in a way that cannot be read ({one_line(error, 80)}): "
            f"{OWN_FILE}"
        ) from None
    if not isinstance(label, datasets.ClassLabel):
        return None
    numbers = [label_number(name) for name in label.names]
    if sorted(numbers, key=str) != [0, 1]:
        raise ValueError(
            f"{source} has {len(label.names)} classes ({', '.join(map(repr, label.names[:8]))}): "
            f"expected two, neg and pos; keep the reviews that are clearly one or the other and "
            f"{OWN_FILE}"
        )
    if numbers == [1, 0]:
        warnings.warn(
            f"{source} calls its positive reviews 0 ({', '.join(map(repr, label.names))}): they "
            "are 1 here, as everywhere in these lessons",
            stacklevel=6,
        )
    return label.names


def _rows(tables: list[pa.Table], names: list[str] | None, source: str) -> Iterator[Row]:
    labels = [label for table in tables for label in table["label"].to_pylist()]
    # As data sets write it: -1, or nothing.
    unlabelled = [row for row, label in enumerate(labels) if label is None or label == -1]
    if unlabelled:
        raise ValueError(
            f"{source} has no label in {len(unlabelled):,} of its {len(labels):,} rows, the first "
            f"is row {unlabelled[0]} ({labels[unlabelled[0]]}): leave these out and {OWN_FILE}"
        )
    texts = (text for table in tables for text in table["text"].to_pylist())
    for text, label in zip(texts, labels, strict=True):
        # By name: another data set may call the positive reviews 0.
        known = names is not None and isinstance(label, int) and 0 <= label < len(names)
        yield Row(text, names[label] if names is not None and known else label)
