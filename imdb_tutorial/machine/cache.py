"""Tensors computed once and kept on disk: found by key, checked on reading, whole or absent."""

import contextlib
import hashlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from imdb_tutorial.machine.files import only_writer, write_whole
from imdb_tutorial.machine.progress import progress_bar


class CacheInfo(NamedTuple):
    """Where the cache is and what it holds.

    Args:
        folder: The folder; ``IMDB_TUTORIAL_CACHE`` names another one.
        files: Number of stored tensors.
        bytes: Their size on disk.
    """

    folder: Path
    files: int
    bytes: int


def cache_info() -> CacheInfo:
    """Return the cache's folder, its number of files and its size in bytes."""
    folder = _folder()
    sizes = []
    for file in folder.glob("*.safetensors"):
        with contextlib.suppress(OSError):  # another process may have removed it just now
            sizes.append(file.stat().st_size)
    return CacheInfo(folder, len(sizes), sum(sizes))


def clear_cache() -> CacheInfo:
    """Delete everything this project has cached, but for what is being computed just now.

    Returns:
        What was there.

    Raises:
        OSError: The disk refuses.
    """
    before = cache_info()
    for target in _targets(before.folder):
        with contextlib.suppress(BlockingIOError), only_writer(target, wait=False):
            target.unlink(missing_ok=True)
    return before


def read(key: str, shape: tuple[int, ...]) -> torch.Tensor | None:
    """Return a stored tensor, or nothing if there is none that is sound.

    Args:
        key: What it was stored under.
        shape: The shape it must have.

    Returns:
        The float32 tensor, mapped from the file, or ``None``. A damaged file is deleted with a
        warning, so that the caller computes and stores it again.
    """
    file = _folder() / f"{key}.safetensors"
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensor = opened.get_tensor("tensor")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        _discard(file, str(error))
        return None
    if tensor.dtype != torch.float32 or tuple(tensor.shape) != shape:
        _discard(file, f"it holds {tensor.dtype} {tuple(tensor.shape)}, not float32 {shape}")
        return None
    if metadata.get("key") != key or metadata.get("sha256") != _digest(tensor):
        _discard(file, "its checksum is wrong")
        return None
    return tensor


def write(key: str, tensor: torch.Tensor) -> None:
    """Store a tensor, whole or not at all; where the disk refuses, warn and go on without.

    Args:
        key: What to find it under.
        tensor: float32.
    """
    file = _folder() / f"{key}.safetensors"
    tensor = tensor.contiguous()
    try:
        write_whole(file, save({"tensor": tensor}, {"key": key, "sha256": _digest(tensor)}))
    except OSError as error:
        warnings.warn(
            f"cannot keep features in {file.parent} ({error.strerror or error}): going on without "
            "the cache; set IMDB_TUTORIAL_CACHE to a folder that can be written",
            stacklevel=3,
        )


@contextlib.contextmanager
def locked(key: str, work: str = "computes the same features") -> Iterator[None]:
    """Let one process at a time compute what belongs to a key; the others wait, then read it.

    The operating system frees the lock when its owner dies. Where locks cannot be made the work is
    done without one.

    Args:
        key: Names what is computed.
        work: What it does, for the line that those who wait show.
    """
    target = _folder() / key
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(only_writer(target, wait=False))
        except BlockingIOError:
            waiting = f"another process {work}, waiting for it"
            with progress_bar(desc=waiting, bar_format="{desc} [{elapsed}]"):
                stack.enter_context(only_writer(target))
        except OSError:
            pass  # no place to keep anything: the work is done all the same
        yield


def _targets(folder: Path) -> set[Path]:
    """Find what is stored in a folder, and what was to be stored by processes that were killed."""
    stored = set(folder.glob("*.safetensors"))
    locked = {file.name[1:].removesuffix(".lock") for file in folder.glob(".*.lock")}
    begun = {file.name[1:].rsplit(".", 2)[0] for file in folder.glob(".*.part")}
    return stored | {folder / name for name in locked | begun}


def models_folder() -> Path:
    """Return the folder of the encoders that were put together from what pip installed."""
    return _folder() / "models"


def _folder() -> Path:
    named = os.environ.get("IMDB_TUTORIAL_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("imdb_tutorial")


def _digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.numpy().data).hexdigest()


def _discard(file: Path, reason: str) -> None:
    warnings.warn(
        f"the cached file {file.name} is damaged ({reason}): computing it again", stacklevel=4
    )
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
