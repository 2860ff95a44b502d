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
    try:
        tensors, about = unpack(file, "about")
        if about["key"] == list(key):
            return tensors["array"].numpy()
    except (OSError, ValueError, KeyError):
        pass  # nothing there, or nothing sound: it is made again
    array = make()
    write_whole(file, pack({"array": torch.from_numpy(array)}, "about", {"key": list(key)}))
    return array


def digest_of(array: np.ndarray) -> str:
    """Digest an array's bytes."""
    return hashlib.sha256(array.tobytes()).hexdigest()
