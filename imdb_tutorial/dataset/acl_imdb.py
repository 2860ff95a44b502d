"""Reviews in an unpacked ``aclImdb`` folder, the original archive of IMDb (Maas et al., 2011).

A review is a file such as ``train/neg/7_3.txt``: the eighth negative one, with three stars. Line 8
of ``train/urls_neg.txt`` is the address of its film.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import datasets

from imdb_tutorial.dataset.labels import SHORT_LABELS
from imdb_tutorial.dataset.rows import Row, to_dataset
from imdb_tutorial.machine.progress import progress_bar

if TYPE_CHECKING:
    from tqdm import tqdm

SPLITS = ("train", "test")
UNPACK = "unpack the archive again, all of it (tar -xzf aclImdb_v1.tar.gz)"


def load_acl_imdb(folder: Path) -> datasets.DatasetDict:
    """Read an unpacked ``aclImdb`` folder: its train split and its own test split.

    Args:
        folder: The one that holds ``train`` and ``test``.

    Returns:
        ``train`` and ``test``, the negative reviews first, by their numbers: the columns ``text``,
        ``label``, ``id`` (``"train/neg/7_3"`` for the file of that name) and, where the archive's
        lists of films are there, ``group``, the title number that IMDb gives to the film.

    Raises:
        FileNotFoundError: A folder without reviews.
        ValueError: Reviews or lines of the lists that are missing, or a file that is no review.
    """
    parts = [(split, label) for split in SPLITS for label in SHORT_LABELS]
    for split, label in parts:
        if not (folder / split / label).is_dir():
            raise FileNotFoundError(
                f"the folder {str(folder)!r} has no {split}/{label}: expected an unpacked aclImdb "
                f"with train and test, and neg and pos in both; {UNPACK}"
            )
    files = {part: _numbered(folder / part[0] / part[1]) for part in parts}
    _require_all(folder, {f"{s}/{label}": len(found) for (s, label), found in files.items()})
    films = {part: _films(folder / part[0] / f"urls_{part[1]}.txt", files[part]) for part in parts}
    _require_all_lists(folder, films)
    total = sum(map(len, files.values()))
    with progress_bar(total=total, desc="reading reviews", disable=total < 5_000) as bar:
        return datasets.DatasetDict(
            {split: _read_split(folder, split, files, films, bar) for split in SPLITS}
        )


def _read_split(
    folder: Path, split: str, files: dict, films: dict, bar: "tqdm"
) -> datasets.Dataset:
    names: list[str] = []

    def rows() -> Iterator[Row]:
        for label in SHORT_LABELS:
            found, film_of = files[split, label], films[split, label]
            for number, path in enumerate(found):
                names.append(f"{split}/{label}/{path.stem}")
                yield Row(_text(path), label, None, film_of[number] if film_of else None)
                bar.update()

    read = to_dataset(rows(), folder / split, split)
    return read.remove_columns("id").add_column("id", names)


def _numbered(folder: Path) -> list[Path]:
    """Return a folder's reviews by their numbers; refuse it where one is missing."""
    paths: dict[int, Path] = {}
    for path in folder.glob("*.txt"):
        found = re.fullmatch(r"(\d+)_(\d+)", path.stem)
        if not found:
            raise ValueError(
                f"{str(path)!r} is no review of aclImdb: expected a name such as 7_3.txt, its "
                "number and its stars; move the file away"
            )
        number = int(found[1])
        if number in paths:
            raise ValueError(
                f"{str(folder)!r} has two reviews of the number {number}, {paths[number].name} and "
                f"{path.name}: {UNPACK}, into an empty folder"
            )
        paths[number] = path
    if not paths:
        raise FileNotFoundError(f"{str(folder)!r} holds no reviews such as 0_3.txt: {UNPACK}")
    wanted = max(paths) + 1
    if len(paths) < wanted:
        first = next(number for number in range(wanted) if number not in paths)
        raise ValueError(
            f"{wanted - len(paths):,} of {wanted:,} reviews are missing in {str(folder)!r}, the "
            f"first is number {first}: {UNPACK}"
        )
    return [paths[number] for number in range(wanted)]


def _require_all(folder: Path, sizes: dict[str, int]) -> None:
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size:,} in {part}" for part, size in sizes.items())
        raise ValueError(
            f"reviews are missing in {str(folder)!r}: expected as many in each of the four parts, "
            f"12,500 in the official archive, found {found}; {UNPACK}"
        )


def _films(addresses: Path, files: list[Path]) -> list[str] | None:
    """Read the film of each review from the list of addresses; without the list there is none."""
    if not addresses.is_file():
        return None
    lines = addresses.read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) != len(files):
        raise ValueError(
            f"{str(addresses)!r} has {len(lines):,} lines for {len(files):,} reviews: reviews or "
            f"lines are missing; {UNPACK}"
        )
    films = []
    for number, line in enumerate(lines, start=1):
        title = re.search(r"/title/(tt\d+)", line)
        if title is None:
            raise ValueError(
                f"line {number} of {str(addresses)!r} is no address of a film ({line[:60]!r}): "
                "expected one such as http://www.imdb.com/title/tt0064354/usercomments; "
                f"{UNPACK}, or remove all urls_*.txt to go without films"
            )
        films.append(title[1])
    return films


def _require_all_lists(folder: Path, films: dict) -> None:
    for split in SPLITS:
        absent = [f"urls_{label}.txt" for label in SHORT_LABELS if films[split, label] is None]
        if len(absent) == 1:
            raise FileNotFoundError(
                f"{str(folder / split)!r} has no {absent[0]} beside the other list of films: "
                f"{UNPACK}, or remove both to go without films"
            )


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 ({error.reason} at byte {error.start})"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    else:
        if text.strip():
            return text
        reason = "is empty"
    raise ValueError(f"{str(path)!r} {reason}: {UNPACK}")
