"""Reviews as a ``datasets.DatasetDict`` with the columns ``text``, ``label`` and ``id``."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import torch

from imdb_tutorial.dataset.acl_imdb import load_acl_imdb
from imdb_tutorial.dataset.files import is_review_file, load_file
from imdb_tutorial.dataset.hub import load_hub
from imdb_tutorial.dataset.packaged import (
    IMDB_ROWS_PER_LABEL,
    films_of,
    load_packaged_imdb,
    packaged_pool_rows,
)
from imdb_tutorial.dataset.pools import cut_imdb_pools, cut_pools, order_pool
from imdb_tutorial.machine.plain_error import plain_in_notebooks

if TYPE_CHECKING:
    from imdb_tutorial.presets import Preset

IMDB_ON_THE_HUB = "stanfordnlp/imdb"
IMDB_ROWS = 2 * IMDB_ROWS_PER_LABEL


class ReviewDataset(torch.utils.data.Dataset):
    """One pool of reviews as a PyTorch data set whose items are ``(text, label)``.

    Args:
        split: A ``datasets.Dataset`` with the columns ``text`` and ``label``.
    """

    def __init__(self, split: datasets.Dataset):
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[str, int]:
        review = self.split[int(index)]
        return review["text"], review["label"]


@plain_in_notebooks
def load_reviews(preset: "Preset") -> datasets.DatasetDict:
    """Load the train, validation and test reviews that a preset asks for.

    Every pool has one fixed order, balanced between the labels, and a preset takes the first so
    many of it: a smaller size is a part of a larger one, and no size of train ever meets any size
    of test.

    Args:
        preset: Says where the reviews come from and how many are wanted.

    Returns:
        ``train``, ``validation`` and ``test``, each with the columns ``text``, ``label`` (0
        negative, 1 positive) and ``id``; beside them ``film`` and ``stars`` of the packaged
        reviews, and ``group`` of a file that has it.

    Raises:
        ValueError: A file without ``text`` or ``label``, a row that cannot be read as it stands, an
            empty pool, or more reviews asked for than there are.
        FileNotFoundError: A missing file, or a folder that is no aclImdb.
        DamagedFileError: The packaged file is not the one this project was made with.
        ConnectionError: The hub is asked for and gives no reviews.
    """
    raw = load_raw_reviews(preset)
    whole = _whole_pools(raw, preset)
    if preset.validation_from == "test":
        whole["validation"] = whole["test"]
    sizes = {
        "train": preset.train_size,
        "validation": preset.validation_size,
        "test": preset.test_size,
    }
    return datasets.DatasetDict(
        {pool: _take(whole[pool], pool, sizes[pool], preset.reviews) for pool in sizes}
    )


@plain_in_notebooks
def load_raw_reviews(preset: "Preset") -> datasets.DatasetDict:
    """Load the reviews as the file has them: in its order, with its duplicates, not cut.

    Args:
        preset: Says where the reviews come from.

    Returns:
        ``train``, and ``test`` where the source has one of its own (the hub, ``aclImdb``).

    Raises:
        ValueError: A file that does not hold labelled reviews.
        FileNotFoundError: A missing file, or a folder that is no aclImdb.
        DamagedFileError: The packaged file is not the one this project was made with.
        ConnectionError: The hub is asked for and gives no reviews.
    """
    if preset.reviews == "packaged":
        return datasets.DatasetDict({"train": load_packaged_imdb()})
    path = Path(preset.reviews).expanduser()
    if path.is_dir() and not is_review_file(path):
        return load_acl_imdb(path)
    if path.exists() or is_review_file(path):
        return datasets.DatasetDict({"train": load_file(path)})
    return load_hub(preset.reviews)


def _whole_pools(raw: datasets.DatasetDict, preset: "Preset") -> dict[str, datasets.Dataset]:
    train = raw["train"]
    if "test" in raw and preset.validation_from == "test":
        return {pool: _in_order(raw[pool]) for pool in ("train", "test")}
    rows = _pool_rows(train, preset.reviews)
    if "test" in raw:
        # The source has a test set of its own: what would be the test pool stays in train.
        return {
            "train": train.select(rows["train"] + rows["test"]),
            "validation": train.select(rows["validation"]),
            "test": _in_order(raw["test"]),
        }
    return {pool: train.select(chosen) for pool, chosen in rows.items()}


def _pool_rows(train: datasets.Dataset, source: str) -> dict[str, list[int]]:
    # What is IMDb says so by its name: another file may have 25,000 rows as well.
    if source == "packaged":
        return packaged_pool_rows()
    ids, texts, labels = (train[column][:] for column in ("id", "text", "label"))
    if source.partition("@")[0] == IMDB_ON_THE_HUB:
        return cut_imdb_pools(ids, texts, labels, films_of(texts))
    groups = train["group"][:] if "group" in train.column_names else None
    if groups and len(train) == IMDB_ROWS and Path(source).expanduser().is_dir():
        return cut_imdb_pools(ids, texts, labels, groups)  # an aclImdb folder, and a whole one
    return cut_pools(ids, texts, labels, groups)


def _in_order(split: datasets.Dataset) -> datasets.Dataset:
    return split.select(order_pool(split["id"][:], split["label"][:]))


def _take(pool: datasets.Dataset, name: str, size: int | None, source: str) -> datasets.Dataset:
    if len(pool) == 0:
        raise ValueError(f"the {name} part of {source!r} is empty: expected at least one review")
    if size is not None and size > len(pool):
        raise ValueError(
            f"{name}_size={size:,} asks for more reviews than the {name} part of {source!r} has: "
            f"{len(pool):,}; use a smaller {name}_size, or None for all"
        )
    return pool.select(range(len(pool) if size is None else size))


def ids_sha256(ids: Sequence[str]) -> str:
    """Return the SHA-256 of reviews' ids, to tell which reviews a run learnt from."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
