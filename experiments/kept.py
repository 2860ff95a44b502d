"""Arrays that took long to compute, kept with what made them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.tensors import pack, unpack


def kept(file: Path, key: Sequence[str], make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array that was made before for the same key, or make it and keep it."""
    if (found := read_kept(file, key)) is not None:
        return found
    array = make()
    keep(file, key, array)
    return array


def read_kept(file: Path, key: Sequence[str]) -> np.ndarray | None:
    """Return an array that was kept for the same key; nothing where none is, or no sound one."""
    try:
        tensors, about = unpack(file, "about")
        return tensors["array"].numpy() if about["key"] == list(key) else None
    except (OSError, ValueError, KeyError):
        return None


def keep(file: Path, key: Sequence[str], array: np.ndarray) -> None:
    """Keep an array with what made it."""
    write_whole(file, pack({"array": torch.from_numpy(array)}, "about", {"key": list(key)}))


def digest_of(array: np.ndarray) -> str:
    """Digest an array's bytes."""
    return hashlib.sha256(array.tobytes()).hexdigest()
