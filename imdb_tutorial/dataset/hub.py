"""Reviews from the Hugging Face hub."""

import datasets

from imdb_tutorial.dataset.rows import Row, require_columns, to_dataset
from imdb_tutorial.machine import sources


def load_hub(source: str) -> datasets.DatasetDict:
    """Load the train and test reviews of a data set of the hub, in its order.

    Args:
        source: A name such as ``"stanfordnlp/imdb"``; ``"name@revision"`` pins a version.

    Returns:
        ``train`` and ``test``, each with the columns ``text``, ``label`` (0 negative, 1 positive)
        and ``id``.

    Raises:
        ValueError: A name that is none, or a data set without labelled reviews.
        ConnectionError: The data set cannot be loaded.
    """
    name, _, revision = source.partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(
            f"no reviews at {source!r}: expected 'packaged', a csv, parquet or jsonl file, or a "
            "hub name such as 'stanfordnlp/imdb'"
        )
    sources.require_hub(name)
    loaded = _download(name, revision or sources.HUB_REVISIONS.get(name))
    missing = {"train", "test"} - set(loaded)
    if missing:
        raise ValueError(f"the hub data set {name!r} has no split {', '.join(sorted(missing))}")
    return datasets.DatasetDict(
        {split: _read(loaded[split], f"{name} ({split})", split) for split in ("train", "test")}
    )


def _download(name: str, revision: str | None) -> datasets.DatasetDict:
    try:
        return datasets.load_dataset(name, revision=revision)
    # A failing download ends in errors of four libraries, some of which they do not export.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConnectionError(
            f"could not load {name!r} from the hub ({reason[:300]}): {sources.HUB_WAYS_OUT}"
        ) from None


def _read(split: datasets.Dataset, source: str, prefix: str) -> datasets.Dataset:
    require_columns(source, split.column_names)
    labels = split["label"][:]
    if isinstance(split.features["label"], datasets.ClassLabel):
        # By name: another data set may call the positive reviews 0. -1 means no label.
        names = dict(enumerate(split.features["label"].names))
        labels = [names.get(label, label) for label in labels]
    return to_dataset(map(Row, split["text"][:], labels), source, prefix)
