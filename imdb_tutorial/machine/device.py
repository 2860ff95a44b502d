"""Where BERT runs and in which precision, chosen in one place."""

import functools
import os

import torch

from imdb_tutorial.machine.rank import (
    are_several,
    cpu_is_asked_for,
    is_main_process,
    local_number,
)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def choose_device() -> torch.device:
    """Choose where BERT runs: an NVIDIA GPU, an Apple GPU, or else the processor; say so once.

    Returns:
        ``cuda``, ``mps`` or ``cpu``.
    """
    device = best_device()
    _say_once(f"BERT runs on: {device.type}")
    return device


def best_device() -> torch.device:
    """Return the fastest device of this machine, without a word; of several processes, each's own.

    Processes beyond the number of GPUs share them. They cannot share Apple's.
    """
    if cpu_is_asked_for():
        return torch.device("cpu")
    if torch.cuda.is_available():
        if are_several():
            return torch.device("cuda", local_number() % torch.cuda.device_count())
        return torch.device("cuda")
    if torch.backends.mps.is_available() and not are_several():
        return torch.device("mps")
    return torch.device("cpu")


@functools.cache
def _say_once(line: str) -> None:
    if is_main_process():
        print(line)


def choose_dtype(device: torch.device | str = "cpu") -> torch.dtype:
    """Choose the precision BERT computes in: bfloat16 where the hardware has it, else float32.

    The environment variable ``IMDB_TUTORIAL_DTYPE`` (``float32`` or ``bfloat16``) decides instead.

    Args:
        device: Where BERT runs.

    Returns:
        ``torch.bfloat16`` or ``torch.float32``.

    Raises:
        ValueError: The environment variable names another precision.
    """
    forced = os.environ.get("IMDB_TUTORIAL_DTYPE")
    if forced:
        if forced not in DTYPES:
            raise ValueError(
                f"IMDB_TUTORIAL_DTYPE is {forced!r}: expected one of {', '.join(DTYPES)}, or unset"
            )
        return DTYPES[forced]
    device = torch.device(device)
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        # Other processors emulate bfloat16, which is slower than float32.
        has = torch.cpu.get_capabilities()
        native = has.get("avx512_bf16", False) or has.get("amx_bf16", False)
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


def copied_to(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a tensor to where BERT runs; to an NVIDIA GPU without waiting for what it is busy with.

    Args:
        tensor: In the main memory.
        device: Where to.

    Returns:
        The copy; on the CPU the tensor itself.
    """
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
