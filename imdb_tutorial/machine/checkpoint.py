"""A training run's whole state in one file, written whole or not at all, with its checksum."""

from pathlib import Path

import torch

from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.tensors import pack, unpack

CHECKPOINT_FILE = "checkpoint.safetensors"


def write_checkpoint(folder: Path, tensors: dict[str, torch.Tensor], state: dict) -> None:
    """Write a checkpoint over the one before it, so that at every moment one of them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        tensors: Tensors by name.
        state: Everything else, in what JSON can hold; its floats come back bit for bit.

    Raises:
        OSError: The disk refuses; the checkpoint before this one is kept.
    """
    write_whole(folder / CHECKPOINT_FILE, pack(tensors, "state", state))


def read_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict] | None:
    """Read the checkpoint in a folder.

    Args:
        folder: Where ``write_checkpoint`` wrote.

    Returns:
        Tensors and state, or nothing where there is no checkpoint.

    Raises:
        ValueError: A byte of the file is not as it was written.
    """
    file = folder / CHECKPOINT_FILE
    if not file.is_file():
        return None
    try:
        return unpack(file, "state")
    except ValueError as error:
        raise ValueError(
            f"the checkpoint {str(file)!r} is damaged ({error}): delete it to start again"
        ) from error
