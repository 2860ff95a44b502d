"""What goes wrong inside a child: it dies, or the system refuses, at a step that can be counted.

Python announces every system call that changes a folder to its audit hooks (PEP 578) before it is
made, so the n-th such call is a gap between two steps that can be hit again and again. ``fsync`` is
not announced and is counted as well. What compiled libraries write (safetensors, torch) is seen by
the operating system alone: there a limit on the size of a file ends the process in mid-write.
"""

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

REMOVING = ("os.remove", "os.rmdir")

Step = Callable[[int, str], None]


def at_each_step(place: Path, step: Step) -> Callable[[], int]:
    """Call a function before each step that changes a folder.

    Args:
        place: The folder; what happens elsewhere is not counted.
        step: Gets the step's number, from 1 on, and its name. It may raise, and may not return.

    Returns:
        A function that stops this and returns the number of steps.
    """
    count, active = 0, True
    inside = str(place)
    fsync = os.fsync

    def reached(name: str) -> None:
        nonlocal count
        count += 1
        step(count, name)

    def is_inside(name: object) -> bool:
        if not isinstance(name, str | bytes | os.PathLike):
            return False
        path = os.fsdecode(name)
        # A bare name is what rmtree gives, together with an open folder.
        return path.startswith(inside) or "/" not in path

    def hook(event: str, arguments: tuple) -> None:
        if not active:
            return
        if event == "open":
            name, _, flags = arguments
            if isinstance(flags, int) and flags & WRITING and is_inside(name):
                reached(event)
        elif event in CHANGES and is_inside(arguments[0]):
            reached(event)

    def counted_fsync(descriptor: int) -> None:
        if active:
            reached("fsync")
        fsync(descriptor)

    def stop() -> int:
        nonlocal active
        active = False
        return count

    sys.addaudithook(hook)
    os.fsync = counted_fsync
    return stop


def die_at(number: int) -> Step:
    """Return what kills this process before a step, as pulling the plug on it would."""

    def step(count: int, name: str) -> None:
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def refuse_from(number: int, reason: int) -> Step:
    """Return what makes the system refuse a step and all after it.

    Args:
        number: The first step that is refused.
        reason: An ``errno``, for example ``ENOSPC``.
    """

    def step(count: int, name: str) -> None:
        # A full disk can still be tidied up.
        if count >= number and not (reason == errno.ENOSPC and name in REMOVING):
            raise OSError(reason, os.strerror(reason))

    return step


def limit_files(size: int, deadly: bool) -> Callable[[], None]:
    """Let no file grow beyond so many bytes, whoever writes it.

    Args:
        size: The limit in bytes.
        deadly: End the process in mid-write; otherwise the write fails, as on a full disk.

    Returns:
        A function that takes the limit away.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


REFUSALS = {
    "disk full": errno.ENOSPC,
    "read-only place": errno.EROFS,
    "no permission": errno.EACCES,
}
