"""A system that refuses: no space, a read-only place, no permission."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from injection import REFUSALS, at_each_step, limit_files, refuse_from
from trials import Known, Trial, child, copy, goes_on, unclear


def refusals(known: Known, chance: random.Random, steps: int) -> list[Trial]:
    """Let the system refuse: from a step on, for large files, in a place that is read-only.

    Args:
        known: The scenario.
        chance: Where steps and sizes are drawn from.
        steps: Number of steps from which on the disk is full, and of file sizes.
    """
    trials = []
    for name, reason in REFUSALS.items():
        numbers = [1, *(chance.randint(2, known.steps) for _ in range(steps))]
        trials += [
            Trial(name, known.scenario.name, _refuse(known, number, reason))
            for number in (numbers if name == "disk full" else [1, numbers[-1]])
        ]
    for _ in range(steps):
        size = int(2 ** chance.uniform(4, 16))
        trials.append(Trial("disk full", known.scenario.name, _refuse_size(known, size)))
    return trials


def _refuse(known: Known, number: int, reason: int) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        stop = [lambda: None]

        def work() -> Any:
            ready = known.scenario.ready(place)
            stop[0] = at_each_step(place, refuse_from(number, reason))
            return ready()

        lost = _after_a_refusal(known, place, work, lambda: stop[0]())
        return lost and f"step {number}: {lost}"

    return attempt


def _refuse_size(known: Known, size: int) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        stop = [lambda: None]

        def work() -> Any:
            ready = known.scenario.ready(place)
            stop[0] = limit_files(size, deadly=False)
            return ready()

        lost = _after_a_refusal(known, place, work, lambda: stop[0]())
        return lost and f"{size} bytes: {lost}"

    return attempt


def _after_a_refusal(known: Known, place: Path, work, disarm) -> str | None:
    copy(known.start, place)
    ending = child(work, place, disarm)
    if ending.done and ending.answer != known.outcome:
        return "another result, silently"
    if not ending.done and (lost := unclear(ending)):
        return lost
    return goes_on(known, place)
