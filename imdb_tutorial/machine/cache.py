"""Tensors computed once and kept on disk: found by key, checked on reading, whole or absent."""

import contextlib
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import platformdirs
import torch
from safetensors import SafetensorError, safe_open

from imdb_tutorial.machine.files import only_writer, whole_file
from imdb_tutorial.machine.progress import progress_bar

# Row numbers [rows], and what belongs into these rows, float32 [rows, columns].
Piece = tuple[np.ndarray, np.ndarray]
SHARD_SUFFIX = ".shard"
CHUNK_BYTES = 1 << 24
UNSEALED = "0" * 64


class CacheInfo(NamedTuple):
    """Where the cache is and what it holds.

    Args:
        folder: The folder; ``IMDB_TUTORIAL_CACHE`` names another one.
        files: Number of stored tensors.
        bytes: The size on disk of all that is there.
        shards: Pieces of features whose extraction has not ended.
        models: Encoders put together from what pip installed.
    """

    folder: Path
    files: int
    bytes: int
    shards: int
    models: int


def cache_info() -> CacheInfo:
    """Say where the cache is, how much of what it holds, and its size in bytes."""
    folder = cache_folder()
    files = _sizes(folder.glob("*.safetensors"))
    shards = _sizes(folder.glob(f"*{SHARD_SUFFIX}"))
    models = _models()
    within = _sizes(path for model in models for path in model.glob("*"))
    half = _sizes(path for place in (folder, models_folder()) for path in _begun(place))
    size = sum((*files, *shards, *within, *half))
    return CacheInfo(folder, len(files), size, len(shards), len(models))


def clear_cache() -> CacheInfo:
    """Delete everything this project has cached, but for what is being computed just now.

    Returns:
        What was there.

    Raises:
        OSError: The disk refuses.
    """
    before = cache_info()
    for target in _targets(before.folder) | _targets(models_folder()) | set(_models()):
        with contextlib.suppress(BlockingIOError), contextlib.ExitStack() as held:
            if target.suffix == SHARD_SUFFIX:  # whoever computes has locked what it belongs to
                owner = target.with_name(target.name.partition("-")[0])
                held.enter_context(only_writer(owner, wait=False))
            held.enter_context(only_writer(target, wait=False))
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not there, or not empty
        models_folder().rmdir()
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
    file = cache_folder() / f"{key}.safetensors"
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensor = opened.get_tensor("tensor")
        digest = _digest(file)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        _discard(file, str(error))
        return None
    if tensor.dtype != torch.float32 or tuple(tensor.shape) != shape:
        _discard(file, f"it holds {tensor.dtype} {tuple(tensor.shape)}, not float32 {shape}")
        return None
    if metadata.get("key") != key or metadata.get("sha256") != digest:
        _discard(file, "its checksum is wrong")
        return None
    _remove_shards(key)
    return tensor


def is_stored(key: str) -> bool:
    """Say whether a tensor of that key is there; whether it is sound, ``read`` finds out."""
    return (cache_folder() / f"{key}.safetensors").is_file()


def _remove_shards(key: str) -> None:
    """Remove what a killed run has left of the shards of a table that is whole by now."""
    for pattern in (f"{key}-*{SHARD_SUFFIX}", f".{key}-*{SHARD_SUFFIX}.*"):
        for file in cache_folder().glob(pattern):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)


def write(key: str, shape: tuple[int, int], pieces: Iterable[Piece]) -> None:
    """Store a table whole or not at all, without ever holding all of it in memory.

    Args:
        key: What to find it under.
        shape: Rows and columns of the table.
        pieces: Its rows, each of them at least once, in any order.

    Raises:
        OSError: The disk refuses.
    """
    row_bytes = 4 * shape[1]
    with whole_file(cache_folder() / f"{key}.safetensors") as file:
        start = file.write(_header(key, shape, UNSEALED))
        for rows, values in pieces:
            content = np.ascontiguousarray(values, dtype="<f4").tobytes()
            for place, row in enumerate(rows.tolist()):
                file.seek(start + row * row_bytes)
                file.write(content[place * row_bytes : (place + 1) * row_bytes])
        file.seek(start)
        digest = _digest_rest(file)
        file.seek(0)
        file.write(_header(key, shape, digest))


def warn_of_no_place(error: OSError) -> None:
    """Say that features cannot be kept, and what to do about it.

    Args:
        error: Why.
    """
    warnings.warn(
        f"cannot keep features in {cache_folder()} ({error.strerror or error}): going on without "
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
    target = cache_folder() / key
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
    stored = {*folder.glob("*.safetensors"), *folder.glob(f"*{SHARD_SUFFIX}")}
    locked = {file.name[1:].removesuffix(".lock") for file in folder.glob(".*.lock")}
    begun = {file.name[1:].rsplit(".", 2)[0] for file in folder.glob(".*.part")}
    return stored | {folder / name for name in locked | begun}


def models_folder() -> Path:
    """Return the folder of the encoders that were put together from what pip installed."""
    return cache_folder() / "models"


def cache_folder() -> Path:
    """Return the folder of everything that is kept; ``IMDB_TUTORIAL_CACHE`` names another one."""
    named = os.environ.get("IMDB_TUTORIAL_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("imdb_tutorial")


def _models() -> list[Path]:
    return [path for path in models_folder().glob("[!.]*") if path.is_dir()]


def _begun(folder: Path) -> Iterator[Path]:
    """Find the files that are being written, or were by a process that was killed."""
    for partial in folder.glob(".*.part"):
        yield from partial.glob("*") if partial.is_dir() else (partial,)


def _sizes(files: Iterable[Path]) -> list[int]:
    sizes = []
    for file in files:
        with contextlib.suppress(OSError):  # another process may have removed it just now
            sizes.append(file.stat().st_size)
    return sizes


def _header(key: str, shape: tuple[int, int], sha256: str) -> bytes:
    """Return what stands before a table in the safetensors format; its length is that of any hash.

    safetensors' own writer wants the whole table in memory.
    """
    offsets = [0, 4 * shape[0] * shape[1]]
    header = {
        "__metadata__": {"key": key, "sha256": sha256},
        "tensor": {"dtype": "F32", "shape": list(shape), "data_offsets": offsets},
    }
    content = json.dumps(header).encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content


def _digest(file: Path) -> str:
    """Return the SHA-256 of a stored table, read in pieces: as a tensor all of it is in memory."""
    with file.open("rb") as opened:
        opened.seek(8 + int.from_bytes(opened.read(8), "little"))
        return _digest_rest(opened)


def _digest_rest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _discard(file: Path, reason: str) -> None:
    warnings.warn(
        f"the cached file {file.name} is damaged ({reason}): computing it again", stacklevel=4
    )
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
