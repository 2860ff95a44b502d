"""Work that is killed: between two steps, in mid-write, at any moment."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import Child, Ending
from injection import at_each_step, die_at, limit_files
from trials import Known, TooLateError, Trial, answer_of, child, copy, goes_on, what


def kills(known: Known, chance: random.Random, gaps: int, moments: int) -> list[Trial]:
    """Kill the work between two steps, in mid-write, and at any moment.

    Args:
        known: The scenario.
        chance: Where the gaps, sizes and moments are drawn from.
        gaps: Number of gaps that are tried; all of them if there are no more.
        moments: Number of seeded moments, and half as many writes cut short.
    """
    everywhere = range(1, known.steps + 1)
    chosen = everywhere if gaps >= known.steps else sorted(chance.sample(everywhere, gaps))
    trials = [
        Trial("killed between two steps", known.scenario.name, _kill_at_step(known, number))
        for number in chosen
    ]
    for _ in range(moments // 2):
        size = int(2 ** chance.uniform(4, 16))
        trials.append(Trial("killed in mid-write", known.scenario.name, _kill_at_size(known, size)))
    for _ in range(moments):
        delay = chance.uniform(0, known.seconds)
        trials.append(Trial("killed at any moment", known.scenario.name, _kill_after(known, delay)))
    return trials


def _kill_at_step(known: Known, number: int) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        def work() -> Any:
            ready = known.scenario.ready(place)
            at_each_step(place, die_at(number))
            return ready()

        return _after_a_kill(known, place, lambda: child(work, place), f"step {number}")

    return attempt


def _kill_at_size(known: Known, size: int) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        def work() -> Any:
            ready = known.scenario.ready(place)
            unlimited = limit_files(size, deadly=True)
            answer = ready()
            unlimited()
            return answer

        return _after_a_kill(known, place, lambda: child(work, place), f"{size} bytes")

    return attempt


def _kill_after(known: Known, delay: float) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        def strike() -> Ending:
            reading, writing = os.pipe()

            def work() -> Any:
                ready = known.scenario.ready(place)
                os.write(writing, b"!")
                return ready()

            child = Child(work, answer_of(place))
            os.close(writing)
            os.read(reading, 1)
            os.close(reading)
            time.sleep(delay)
            child.kill()
            return child.ending()

        return _after_a_kill(known, place, strike, f"after {delay:.3f} s")

    return attempt


def _after_a_kill(
    known: Known, place: Path, strike: Callable[[], Ending], where: str
) -> str | None:
    copy(known.start, place)
    ending = strike()
    if ending.done:
        raise TooLateError
    if not ending.killed:
        return f"{where}: {what(ending)}"
    return (lost := goes_on(known, place)) and f"{where}: {lost}"
