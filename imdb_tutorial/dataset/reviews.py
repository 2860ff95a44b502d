"""Reviews as a ``datasets.DatasetDict`` with the columns ``text``, ``label`` and ``id``."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import pandas as pd
import torch

from imdb_tutorial.dataset import pools
from imdb_tutorial.dataset.labels import SHORT_LABELS
from imdb_tutorial.machine import sources

if TYPE_CHECKING:
    from imdb_tutorial.presets import Preset

IMDB_ROWS_PER_LABEL = 12_500
SENTENCES_PER_LABEL = 4_265
IMDB_BLOCK = 500

FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=list(SHORT_LABELS)),
        "id": datasets.Value("string"),
    }
)

_LABEL_NUMBERS = {
    "0": 0,
    "1": 1,
    "neg": 0,
    "pos": 1,
    "negative": 0,
    "positive": 1,
}
_READERS = {
    ".csv": functools.partial(
        pd.read_csv, dtype={"text": str}, keep_default_na=False, na_values={"text": [""]}
    ),
    ".parquet": pd.read_parquet,
    ".jsonl": functools.partial(pd.read_json, lines=True, dtype=False),
}


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


def load_reviews(preset: "Preset") -> datasets.DatasetDict:
    """Load the train, validation and test reviews that a preset asks for.

    Every pool has one fixed order, balanced between the labels, and a preset takes the first so
    many of it: a smaller size is a part of a larger one, and no size of train ever meets any size
    of test.

    Args:
        preset: Says where the reviews come from and how many are wanted.

    Returns:
        ``train``, ``validation`` and ``test``, each with the columns ``text``, ``label`` (0
        negative, 1 positive) and ``id``.

    Raises:
        ValueError: A file without ``text`` or ``label``, unusable rows, an empty pool, or more
            reviews asked for than there are.
        FileNotFoundError: A missing file.
        sources.DamagedFileError: The packaged file is not the one this project was made with.
        ConnectionError: The hub is asked for and does not answer.
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


def load_raw_reviews(preset: "Preset") -> datasets.DatasetDict:
    """Load the reviews as the file has them: in its order, with its duplicates, not cut.

    Args:
        preset: Says where the reviews come from.

    Returns:
        ``train``, and ``test`` where the source has one of its own (the hub).

    Raises:
        ValueError: A file that does not hold labelled reviews.
        FileNotFoundError: A missing file.
        sources.DamagedFileError: The packaged file is not the one this project was made with.
        ConnectionError: The hub is asked for and does not answer.
    """
    if preset.reviews == "packaged":
        frame = _packaged_frame("imdb", IMDB_ROWS_PER_LABEL)
        return datasets.DatasetDict({"train": _to_dataset(frame, "train")})
    path = Path(preset.reviews).expanduser()
    if path.exists() or path.suffix in _READERS:
        return datasets.DatasetDict({"train": _to_dataset(_read_file(path), path.stem)})
    return _load_from_hub(preset.reviews)


def load_sentences() -> datasets.Dataset:
    """Load the packaged Rotten Tomatoes sentences: another kind of text with the same two labels.

    Returns:
        8,530 one-line opinions with the columns ``text``, ``label`` and ``id``.

    Raises:
        FileNotFoundError: The package that brings them is not installed.
        sources.DamagedFileError: The packaged file is not the one this project was made with.
    """
    return _to_dataset(_packaged_frame("rotten_tomatoes", SENTENCES_PER_LABEL), "sentence")


@functools.lru_cache(maxsize=2)
def _packaged_frame(source: str, rows_per_label: int) -> pd.DataFrame:
    frame = pd.read_csv(sources.packaged_path(sources.PACKAGED_REVIEWS))
    frame = frame.loc[frame["source"] == source, ["text", "label"]].reset_index(drop=True)
    counts = frame["label"].value_counts().to_dict()
    if counts != {0: rows_per_label, 1: rows_per_label}:
        raise sources.DamagedFileError(
            f"the packaged file holds {counts} {source} reviews per label, expected "
            f"{rows_per_label:,} of each: reinstall {sources.PACKAGED_REVIEWS.distribution}"
        )
    return frame


def _read_file(path: Path) -> pd.DataFrame:
    if path.suffix not in _READERS:
        raise ValueError(f"cannot read {path}: expected a file ending in {', '.join(_READERS)}")
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: give reviews= an existing {path.suffix} file")
    try:
        frame = _READERS[path.suffix](path)
    except (ValueError, OSError) as error:
        raise ValueError(f"cannot read {path} as {path.suffix[1:]}: {error}") from None
    missing = [column for column in ("text", "label") if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{path} has no column {' and no column '.join(missing)}: expected the columns text "
            f"and label, found {', '.join(map(str, frame.columns)) or 'none'}"
        )
    if frame.empty:
        raise ValueError(f"{path} holds no reviews: expected at least one row")
    for row, text in enumerate(frame["text"]):
        if not isinstance(text, str):
            raise ValueError(f"row {row} of {path} has the text {text!r}: expected a string")
    return pd.DataFrame(
        {
            "text": frame["text"],
            "label": [_label_number(x, row, path) for row, x in enumerate(frame["label"])],
        }
    )


def _label_number(value: object, row: int, path: Path) -> int:
    as_text = str(value).strip().lower().removesuffix(".0")
    if as_text not in _LABEL_NUMBERS:
        raise ValueError(
            f"row {row} of {path} has the label {value!r}: expected 0 or neg, 1 or pos"
        )
    return _LABEL_NUMBERS[as_text]


def _to_dataset(frame: pd.DataFrame, prefix: str) -> datasets.Dataset:
    columns = {
        "text": frame["text"].tolist(),
        "label": frame["label"].tolist(),
        "id": [f"{prefix}/{row}" for row in range(len(frame))],
    }
    return datasets.Dataset.from_dict(columns, features=FEATURES)


def _load_from_hub(source: str) -> datasets.DatasetDict:
    name, _, revision = source.partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(
            f"no reviews at {source!r}: expected 'packaged', a csv, parquet or jsonl file, or a "
            "hub name such as 'stanfordnlp/imdb'"
        )
    sources.require_hub(name)
    revision = revision or sources.HUB_REVISIONS.get(name)
    try:
        loaded = datasets.load_dataset(name, revision=revision)
    except OSError as error:
        raise ConnectionError(
            f"could not load {name!r} from the hub ({error}): {sources.HUB_WAYS_OUT}"
        ) from error
    missing = {"train", "test"} - set(loaded)
    if missing:
        raise ValueError(f"the hub data set {name!r} has no split {', '.join(sorted(missing))}")
    return datasets.DatasetDict(
        {split: _to_dataset(loaded[split].to_pandas(), split) for split in ("train", "test")}
    )


def _whole_pools(raw: datasets.DatasetDict, preset: "Preset") -> dict[str, datasets.Dataset]:
    train = raw["train"]
    if "test" in raw and preset.validation_from == "test":
        return {pool: _in_order(raw[pool]) for pool in ("train", "test")}
    is_imdb = len(train) == 2 * IMDB_ROWS_PER_LABEL
    rows = _pool_rows(*(tuple(train[column][:]) for column in ("id", "text", "label")), is_imdb)
    if "test" in raw:
        # The source has a test set of its own: what would be the test pool stays in train.
        return {
            "train": train.select(rows["train"] + rows["test"]),
            "validation": train.select(rows["validation"]),
            "test": _in_order(raw["test"]),
        }
    return {pool: train.select(chosen) for pool, chosen in rows.items()}


@functools.lru_cache(maxsize=2)
def _pool_rows(ids, texts, labels, is_imdb) -> dict[str, list[int]]:
    block_size = IMDB_BLOCK if is_imdb else None
    return pools.cut_pools(ids, texts, labels, block_size, balance=is_imdb)


def _in_order(split: datasets.Dataset) -> datasets.Dataset:
    return split.select(pools.order_pool(split["id"][:], split["label"][:]))


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
