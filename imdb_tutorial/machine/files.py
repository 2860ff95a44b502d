"""Writing a file or a folder whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it, so that nobody ever sees half of it.

    Args:
        target: The file; its folder is made if it does not exist. What was there is replaced.
        content: Its bytes.

    Raises:
        OSError: The disk refuses. What was there before is kept and nothing else is left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in target.parent.glob(f"{target.name}.*.part"):
        abandoned.unlink(missing_ok=True)  # of a process that was killed
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path, known_by: str) -> Iterator[Path]:
    """Let a folder be filled under a temporary name, and put it in place once it is complete.

    Args:
        target: The folder. An older one of the same kind is replaced.
        known_by: A file that tells an older one of the same kind from somebody else's folder.

    Yields:
        The temporary folder to write into.

    Raises:
        FileExistsError: The target holds something else, which is kept.
        OSError: The disk refuses. What was there before is kept and nothing else is left.
    """
    target = target.resolve()  # a link to a folder stays a link
    if target.exists() and not (target.is_dir() and (target / known_by).is_file()):
        if not target.is_dir() or any(target.iterdir()):
            raise FileExistsError(
                f"{str(target)!r} exists and holds something else (no {known_by}): choose another "
                "folder, or remove it first"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        partial.chmod(0o777 & ~_umask())
        yield partial
        if target.exists():
            older = partial.with_suffix(".old")
            target.rename(older)
            try:
                partial.rename(target)
            except BaseException:
                older.rename(target)
                raise
            shutil.rmtree(older)
        else:
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
