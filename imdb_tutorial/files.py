"""Writing a file whole or not at all."""

import os
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
