"""Trials: a fault, then a fresh start, then a look at what is there."""

import dataclasses
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import Child, Ending
from injection import at_each_step
from scenarios import Scenario

# What the command line turns into one line; anything else would be a traceback.
ONE_LINE_ERRORS = {
    *("OSError", "FileNotFoundError", "FileExistsError", "PermissionError", "NotADirectoryError"),
    *("IsADirectoryError", "BlockingIOError", "ConnectionError"),
    *("ValueError", "RuntimeError", "DamagedFileError"),
}
LEFT_OVER = (".part", ".old", ".tmp")


@dataclasses.dataclass(frozen=True)
class Known:
    """A scenario, where it starts from, and what it comes to without a fault.

    Args:
        scenario: What is done.
        start: The folder as it is before; every trial works in a copy.
        outcome: What the work returns.
        before: What the saved answers before.
        after: What the saved answers afterwards.
        steps: Number of steps that change the folder.
        seconds: How long the work takes here.
    """

    scenario: Scenario
    start: Path
    outcome: Any
    before: Any
    after: Any
    steps: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Trial:
    """One line of the table is many of these.

    Args:
        fault: What goes wrong.
        subject: What is at work, or what is damaged.
        attempt: Called with a folder of its own; says what was lost, or nothing. ``None`` where the
            fault came too late to hit anything.
    """

    fault: str
    subject: str
    attempt: Callable[[Path], str | None]


def get_to_know(scenario: Scenario, folder: Path) -> Known:
    """Run a scenario once without a fault."""
    start, place = folder / "start", folder / "place"
    start.mkdir(parents=True)
    must(child(lambda: scenario.prepare(start), start))
    shutil.copytree(start, place)

    def whole() -> dict:
        before = scenario.saved(place)
        work = scenario.ready(place)
        began = time.perf_counter()
        stop = at_each_step(place, lambda number, name: None)
        outcome = work()
        seconds, steps = time.perf_counter() - began, stop()
        after = scenario.saved(place)
        return {"before": before, "outcome": outcome, "after": after} | {
            "steps": steps,
            "seconds": seconds,
        }

    found = must(child(whole, place))
    if found["after"] is not None and found["before"] == found["after"]:
        raise ValueError(f"{scenario.name}: the older and the newer one answer the same")
    return Known(scenario, start, **found)


class TooLateError(Exception):
    """The fault hit nothing, because the work was done before."""


def goes_on(known: Known, place: Path, anybody: bool = False) -> str | None:
    """Look at what is saved, start again without a fault, and say what was lost, if anything.

    Args:
        known: The scenario.
        place: Its folder after the fault.
        anybody: What is saved now may be of any of several writers, as long as it opens.
    """
    scenario = known.scenario

    def again() -> list:
        saved = scenario.saved(place)
        outcome = scenario.ready(place)()
        return [saved, outcome, scenario.saved(place)]

    ending = child(again, place)
    if not ending.done:
        return f"the next start failed: {what(ending)}"
    saved, outcome, after = ending.answer
    if saved not in (known.before, known.after) and not anybody:
        return "what is saved is neither the old nor the new one"
    if outcome != known.outcome:
        return "the next start ends with another result"
    if after != known.after:
        return "the next start saved something else"
    left = sorted(str(path.relative_to(place)) for path in place.rglob("*"))
    left = [name for name in left if name.endswith(LEFT_OVER)]
    return f"left behind: {', '.join(left)}" if left else None


def child(work: Callable[[], Any], place: Path, disarm=lambda: None) -> Ending:
    return Child(work, answer_of(place), disarm).ending()


def answer_of(place: Path, number: int = 0) -> Path:
    """Return a file outside of the place; the cache's own folder is inside."""
    os.environ["IMDB_TUTORIAL_CACHE"] = str(place / "cache")
    return place.with_name(f"{place.name}.answer{number}.json")


def copy(whole: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole, place, symlinks=True)


def unclear(ending: Ending) -> str | None:
    """Say what is wrong with how a child gave up: it must say why in one line."""
    if ending.error is None:
        return what(ending)
    kind, message, _ = ending.error
    if kind not in ONE_LINE_ERRORS or "\n" in message or not message:
        return f"no clear error: {what(ending)}"
    return None


def what(ending: Ending) -> str:
    if ending.hung:
        return "it hung"
    if ending.killed:
        return "it died"
    if ending.error is None:
        return "it came to its end"
    kind, message, trace = ending.error
    last = [line.strip() for line in trace.splitlines() if line.strip().startswith("File")][-1:]
    return f"{kind}: {message!r:.300} ({''.join(last)})"


def must(ending: Ending) -> Any:
    if not ending.done:
        raise RuntimeError(f"without a fault: {what(ending)}\n{(ending.error or ['', '', ''])[2]}")
    return ending.answer
