"""All exercises of the series, by name."""

import difflib
import functools
import importlib
import pkgutil

import imdb_tutorial.exercises
from imdb_tutorial.exercises.exercise import Exercise


def exercise(name: str) -> Exercise:
    """Return an exercise of the lessons, whose ``check`` says how far an answer is right.

    Args:
        name: As the lesson writes it, for example ``"share_right"``.

    Returns:
        The exercise, with ``check(answer)``, ``hint(number)`` and ``solve()``.

    Raises:
        ValueError: There is no exercise of that name.
    """
    known = {each.name: each for some in exercises_by_lesson().values() for each in some}
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=3) or sorted(known)
        raise ValueError(f"no exercise {name!r}: expected a name such as {', '.join(close[:8])}")
    return known[name]


@functools.cache
def exercises_by_lesson() -> dict[str, tuple[Exercise, ...]]:
    """Return the exercises of each lesson that has any, by its number such as ``"04"``."""
    room = imdb_tutorial.exercises.__path__
    names = sorted(module.name for module in pkgutil.iter_modules(room))
    return {
        name.removeprefix("lesson_"): importlib.import_module(
            f"imdb_tutorial.exercises.{name}"
        ).EXERCISES
        for name in names
        if name.startswith("lesson_")
    }
