"""A training run's whole state in one safetensors file, written whole or not at all."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from imdb_tutorial.machine.files import write_whole

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
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(packed, metadata={"state": json.dumps(state)})
    write_whole(folder / CHECKPOINT_FILE, content)


def read_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict] | None:
    """Read the checkpoint in a folder.

    Args:
        folder: Where ``write_checkpoint`` wrote.

    Returns:
        Tensors and state, or nothing where there is no checkpoint.

    Raises:
        ValueError: The file is damaged.
    """
    file = folder / CHECKPOINT_FILE
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as opened:
            state = json.loads((opened.metadata() or {})["state"])
            # Cloned, because what is read is mapped from a file that will be replaced.
            return {name: opened.get_tensor(name).clone() for name in opened.keys()}, state
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"the checkpoint {str(file)!r} is damaged ({error}): delete it to start again"
        ) from error
