"""Writing a file or a folder whole or not at all, one writer at a time."""

import contextlib
import glob
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout
from safetensors import SafetensorError

ID_DIGITS = 8
ID_PATTERN = "[0-9a-f]" * ID_DIGITS


def write_whole(target: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it, so that nobody ever sees half of it.

    Args:
        target: The file; its folder is made if it does not exist. What was there is replaced.
        content: Its bytes.

    Raises:
        OSError: The disk refuses. What was there before is kept and nothing else is left.
    """
    with whole_file(target) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Let a file be written piece by piece, and put it in place once it is complete.

    Args:
        target: The file; its folder is made if it does not exist. What was there is replaced.

    Yields:
        The temporary file, to be written and read.

    Raises:
        OSError: The disk refuses. What was there before is kept and nothing else is left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(target):
        partial = _partial(target)
        with partial.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)


@contextlib.contextmanager
def whole_folder(target: Path, *known_by: str) -> Iterator[Path]:
    """Let a folder be filled under a temporary name, and put it in place once it is complete.

    A full folder cannot be replaced in one step everywhere, so for a moment the older one has been
    moved aside and the new one is not there yet. A writer that is killed just then leaves the older
    one to ``recover_folder``.

    Args:
        target: The folder. An older one of the same kind is replaced.
        known_by: Files; one of them tells an older one of the same kind from somebody else's
            folder.

    Yields:
        The temporary folder to write into.

    Raises:
        FileExistsError: The target holds something else, which is kept.
        OSError: The disk refuses. What was there before is kept and nothing else is left.
    """
    target = target.resolve()  # a link to a folder stays a link
    target.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(target):
        _require_kind(target, known_by)
        partial = _partial(target)
        partial.mkdir()
        yield partial
        for path in partial.rglob("*"):
            if path.is_file():
                with path.open("r+b") as file:
                    os.fsync(file.fileno())
        _require_kind(target, known_by)  # somebody may have put something there meanwhile
        if target.exists():
            target.rename(_older(target))
        partial.rename(target)


def recover_folder(target: Path) -> None:
    """Put back the folder that a writer was replacing when it was killed, if there is one.

    Args:
        target: Where ``whole_folder`` wrote; call this before it is read.

    Raises:
        OSError: The disk refuses.
    """
    target = target.resolve()
    if _older(target).exists() and not target.exists():
        with only_writer(target):
            pass  # which clears up


@contextlib.contextmanager
def only_writer(target: Path, wait: bool = True) -> Iterator[None]:
    """Let other writers of the same path wait; clear up after killed ones, and after this one.

    The system frees a lock when its owner dies. So whoever holds it knows that everything that is
    left of other writers is abandoned. Where there are no locks the work is done without.

    Args:
        target: The file or folder.
        wait: Wait for a writer that was here before.

    Raises:
        BlockingIOError: There is one, and it is not waited for.
        OSError: The disk refuses.
    """
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise BlockingIOError(
            f"another process is writing to {str(target)!r}: wait until it has ended, or choose "
            "another place"
        ) from None
    except (OSError, NotImplementedError):
        pass  # no locks here
    try:
        _clear_up(target)
        try:
            yield
        finally:
            _clear_up(target)
    finally:
        # While it is held: who waits for it notices and makes a new one. Windows does it itself.
        if lock.is_locked:
            with contextlib.suppress(OSError):
                os.unlink(lock.lock_file)
        lock.release()


@contextlib.contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Turn what libraries raise when they cannot write a file into an error of one line.

    Args:
        target: Where they write, for the message.

    Raises:
        OSError: The disk refuses.
    """
    try:
        yield
    except (SafetensorError, RuntimeError, shutil.Error) as error:
        if isinstance(error, shutil.Error):
            _, _, reason = error.args[0][0]  # of the first file that could not be copied
        # In the words of safetensors' and of torch's writer, which have no class for it.
        elif "while serializing" in str(error) or "inline_container" in str(error):
            reason = str(error).splitlines()[0]
        else:
            raise
        raise OSError(
            f"cannot write to {str(target)!r} ({reason}): make room on the disk, or choose another "
            "place"
        ) from error


def _clear_up(target: Path) -> None:
    older = _older(target)
    if older.exists():
        # Not deleted under this name: half of it would be put back after a kill.
        older.rename(_partial(target) if target.exists() else target)
    for abandoned in target.parent.glob(f".{glob.escape(target.name)}.{ID_PATTERN}.part"):
        if abandoned.is_dir():
            shutil.rmtree(abandoned, ignore_errors=True)
        else:
            abandoned.unlink(missing_ok=True)


def _require_kind(target: Path, known_by: Sequence[str]) -> None:
    if not target.exists() or any((target / name).is_file() for name in known_by):
        return
    if not target.is_dir() or any(target.iterdir()):
        raise FileExistsError(
            f"{str(target)!r} exists and holds something else (no {' or '.join(known_by)}): "
            "choose another folder, or remove it first"
        )


def _partial(target: Path) -> Path:
    """Name what is being written: of this target alone, and of no other writer."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:ID_DIGITS]}.part")


def _older(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")
