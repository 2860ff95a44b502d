"""Work in a child process that may be killed at any moment, and how it ended."""

import json
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TOO_LONG_S = 300


class Ending(NamedTuple):
    """How a child ended.

    Args:
        answer: What its work returned, where it came to its end.
        error: The kind, the message and the traceback of what was raised instead.
        warned: What it warned of.
        killed: It was ended by a signal.
        hung: It was still at work after ``TOO_LONG_S``.
    """

    answer: Any = None
    error: tuple[str, str, str] | None = None
    warned: tuple[str, ...] = ()
    killed: bool = False
    hung: bool = False

    @property
    def done(self) -> bool:
        return not (self.error or self.killed or self.hung)


class Child:
    """A forked process, which inherits all that is imported here.

    Args:
        work: What it does; the answer must fit into JSON.
        answer: A file that nobody else uses, for its answer.
        disarm: Called after the work, so that its answer can be written.
    """

    def __init__(
        self, work: Callable[[], Any], answer: Path, disarm: Callable[[], None] = lambda: None
    ):
        self.answer = answer
        self.answer.unlink(missing_ok=True)
        self.pid = os.fork()
        if self.pid == 0:
            self._live(work, disarm)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def ending(self) -> Ending:
        """Wait for its end."""
        latest = time.monotonic() + TOO_LONG_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > latest:
                self.kill()
                os.waitpid(self.pid, 0)
                return Ending(hung=True)
            time.sleep(0.002)
        if os.WIFSIGNALED(status):
            return Ending(killed=True)
        found = json.loads(self.answer.read_text(encoding="utf-8"))
        return Ending(found["answer"], found["error"] and tuple(found["error"]), found["warned"])

    def _live(self, work, disarm) -> None:
        """Do the work and end without what Python does at its end: that belongs to the parent."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            answer = error = None
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    answer = work()
                except BaseException as raised:
                    error = type(raised).__name__, str(raised), traceback.format_exc()
            disarm()
            warned = [str(warning.message) for warning in caught]
            found = {"answer": answer, "error": error, "warned": warned}
            self.answer.write_text(json.dumps(found), encoding="utf-8")
            os._exit(0)
        finally:
            os._exit(1)


def together(children: list[Child]) -> list[Ending]:
    """Wait for the end of all."""
    return [child.ending() for child in children]
