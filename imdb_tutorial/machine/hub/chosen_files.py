"""Which files of a repository are wanted, and whether a folder of the cache has all of them."""

import fnmatch
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

SPLITS = ("train", "test")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors")
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
# What stands last is downloaded last: where it is, the others are as well.
SETTINGS = (
    "added_tokens.json",
    "special_tokens_map.json",
    "merges.txt",
    "tokenizer_config.json",
    *VOCABULARIES[::-1],
    "config.json",
)


def model_files(folder: Path, weights: bool, surely: bool = True) -> list[Path]:
    """Return a model's files in a folder of the cache, or none where it is not whole.

    Args:
        folder: The folder.
        weights: The weights as well.
        surely: Want a file that not every model has, but most: without it, one may be missing.

    Returns:
        The files, settings last.
    """
    names = [path.name for path in folder.iterdir() if path.is_file()]
    needed = {"config.json", "tokenizer_config.json"} if surely else {"config.json"}
    if not needed <= set(names) or not any(_match(names, pattern) for pattern in VOCABULARIES):
        return []
    if weights and not _is_whole(_match(names, WEIGHTS[0]) or _match(names, WEIGHTS[2])):
        return []
    return [folder / name for name in _wanted(names, weights)]


def cached_splits(folder: Path) -> dict[str, list[Path]]:
    """Return the parquet files of both splits in a folder of the cache, or none unless all."""
    files = [path for path in folder.rglob("*.parquet") if path.is_file()]  # no broken link
    names = [path.relative_to(folder).as_posix() for path in files]
    splits = {split: _of_split(names, split) for split in SPLITS}
    if not all(len(_folders(files)) == 1 and _is_whole(files) for files in splits.values()):
        return {}
    return {split: [folder / name for name in files] for split, files in splits.items()}


def choose_splits(name: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Choose the parquet files of a data set's train and test splits.

    Args:
        name: The data set, for the messages.
        names: All files of it.

    Returns:
        Their names by split.

    Raises:
        ValueError: A split is missing, or there are several of it.
    """
    splits = {split: _of_split(names, split) for split in SPLITS}
    for split, files in splits.items():
        if len(_folders(files)) > 1:
            raise ValueError(
                f"the hub data set {name!r} has several versions of its split {split} "
                f"({', '.join(sorted(_folders(files))[:4])}): download the one you mean and give "
                "its file, reviews='train.parquet'"
            )
    missing = [split for split, files in splits.items() if not files]
    if missing:
        kinds = sorted({PurePosixPath(file).suffix or file for file in names})
        found = (
            f"found {', '.join(sorted(n for n in names if n.endswith('.parquet'))[:4])}"
            if any(n.endswith(".parquet") for n in names)
            else f"found only {', '.join(kinds[:6]) or 'no files'}; a loading script is never run"
        )
        raise ValueError(
            f"the hub data set {name!r} has no split {' and no split '.join(missing)} "
            f"as parquet ({found}): choose another data set, or give the reviews as a file of your "
            "own"
        )
    return splits


def choose_model(name: str, revision: str, names: Sequence[str], weights: bool) -> list[str]:
    """Choose a model's files: settings and tokenizer, and its weights as safetensors.

    Args:
        name: The model, for the messages.
        revision: Which revision of it, for the messages.
        names: All files of it.
        weights: The weights as well.

    Returns:
        Their names, settings last.

    Raises:
        ValueError: It is no model, or has no safetensors.
    """
    if "config.json" not in names:
        raise ValueError(
            f"{name!r} on the hub is no model that transformers saved (no config.json): choose "
            "another one, such as 'google-bert/bert-base-cased'"
        )
    if not any(_match(names, pattern) for pattern in (WEIGHTS[0], WEIGHTS[2])):
        pickles = [n for n in names if n.endswith((".bin", ".pt", ".ckpt", ".pkl"))]
        found = f"only {pickles[0]}, a pickle, which can run any code" if pickles else "no weights"
        raise ValueError(
            f"the hub model {name!r} has no model.safetensors at {revision!r}, {found}: "
            "choose a revision or a model that has them"
        )
    return _wanted(names, weights)


def _wanted(names: Sequence[str], weights: bool) -> list[str]:
    patterns = (*WEIGHTS, *SETTINGS) if weights else SETTINGS
    return [name for pattern in patterns for name in _match(names, pattern)]


def _match(names: Sequence[str], pattern: str) -> list[str]:
    return sorted(fnmatch.filter([name for name in names if "/" not in name], pattern))


def _is_whole(names: Sequence[str]) -> bool:
    """Say whether no part is missing of files that are numbered ``-00000-of-00003``."""
    totals = {int(m[1]) for name in names if (m := re.search(r"-of-0*(\d+)\.\w+$", name))}
    return bool(names) and (not totals or totals == {len(names)})


def _of_split(names: Sequence[str], split: str) -> list[str]:
    """Find a split's files, such as ``train-00000-of-00002.parquet`` or ``train/0.parquet``."""
    begins = re.compile(rf"{split}(?![a-z0-9])", re.IGNORECASE)
    return sorted(
        name
        for name in names
        if name.endswith(".parquet")
        and any(begins.match(part) for part in PurePosixPath(name).parts[-2:])
    )


def _folders(names: Sequence[str]) -> set[str]:
    return {str(PurePosixPath(name).parent) for name in names}
