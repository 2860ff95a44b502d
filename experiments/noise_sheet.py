"""The sheet that the judge of labels reads: texts under numbers, and nothing else."""

import hashlib
from collections.abc import Sequence

import numpy as np

SEED = 14
SAMPLED = {"suspects": 64, "others": 96}


def draw(flags: np.ndarray, sizes: dict[str, int] = SAMPLED, seed: int = SEED) -> np.ndarray:
    """Draw suspects and others at random, and mix them.

    Args:
        flags: Whether a review's label is a suspect, ``[reviews]``.
        sizes: How many of the ``suspects`` and of the ``others``.
        seed: Chooses and mixes.

    Returns:
        The rows of the reviews, in the order in which they are read.
    """
    random = np.random.default_rng(seed)
    groups = {"suspects": np.flatnonzero(flags), "others": np.flatnonzero(~flags)}
    drawn = [random.choice(groups[name], size, replace=False) for name, size in sizes.items()]
    return random.permutation(np.concatenate(drawn))


def write_sheet(texts: Sequence[str]) -> str:
    """Return the sheet: numbers and texts alone. (The file is sorted: an id tells the label.)"""
    return "".join(
        f"### {number}\n{' '.join(text.replace('<br />', ' ').split())}\n\n"
        for number, text in enumerate(texts, start=1)
    )


def sheet_sha256(sheet: str) -> str:
    """Return what tells this sheet from any other, so that judgements stay with their texts."""
    return hashlib.sha256(sheet.encode()).hexdigest()
