"""One line of the doctor's answer."""

import os
from pathlib import Path
from typing import Literal, NamedTuple


class Check(NamedTuple):
    """One line of the doctor's answer.

    Args:
        what: What was looked at.
        state: ``"ok"``; ``"note"`` where the lessons run, but something is worth knowing;
            ``"problem"`` where they will not run as they should.
        found: What was found.
        remedy: What to do; empty where all is well.
    """

    what: str
    state: Literal["ok", "note", "problem"]
    found: str
    remedy: str = ""


def short(path: str | os.PathLike) -> str:
    """Write a path for reading, with ``~`` for the home folder."""
    path, home = Path(path), Path.home()
    return str("~" / path.relative_to(home) if path.is_relative_to(home) else path)
