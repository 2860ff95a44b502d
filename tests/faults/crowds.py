"""Several processes at the same work in the same place."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import Child, together
from trials import Known, Trial, answer_of, copy, goes_on, unclear, what


def crowds(known: Known, chance: random.Random, counts: tuple[int, ...]) -> list[Trial]:
    """Several processes at the same work in the same place, and one of them killed."""
    trials = []
    for count in counts:
        name = f"{count} processes at once"
        trials.append(Trial(name, known.scenario.name, _crowd(known, count)))
        delay = chance.uniform(0, known.seconds)
        name = f"{count} at once, one killed"
        trials.append(Trial(name, known.scenario.name, _crowd(known, count, delay)))
    return trials


def _crowd(known: Known, count: int, delay: float | None = None) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        copy(known.start, place)

        def look(variant: int) -> Callable[[], Any]:
            return lambda: known.scenario.ready(place, variant)()

        crowd = [Child(look(n), answer_of(place, n)) for n in range(count)]
        if delay is not None:
            time.sleep(delay)
            crowd[0].kill()
        endings = together(crowd)
        for ending in endings[delay is not None :]:
            if not ending.done and (lost := unclear(ending)):
                return lost
            if ending.done and ending.answer not in (known.outcome, *range(count)):
                return "another result, silently"
        # Where only one may work at a time, the others gave way to the one that was killed.
        if delay is None and not any(ending.done for ending in endings):
            return f"nobody came to an end: {what(endings[-1])}"
        return goes_on(known, place, anybody=True)

    return attempt
