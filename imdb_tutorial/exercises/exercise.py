"""One exercise: its check compares what an answer does with what the solution does."""

import dataclasses
import functools
import html
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from imdb_tutorial.exercises.outcomes import alike, shown
from imdb_tutorial.exercises.trial import Failure, run_guarded

Trial = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Args:
        source: The code that a beginner would write, with the answer's name.
        message: What went wrong, in plain words; says nothing of the solution.
    """

    source: str
    message: str


@dataclasses.dataclass(frozen=True)
class Exercise:
    """A question whose answer is a function, a class or a value.

    An answer is right where its trial ends as the solution's does, however it is written. A mistake
    is recognised the same way, never by its source text.

    Args:
        name: Of the exercise and of the answer in the notebook; unique in the series.
        hints: From vague to clear.
        solution: Code that defines the answer under its name.
        trial: Runs an answer on toy inputs made fresh, and returns numbers, texts, tensors, or
            lists, tuples and dicts of them.
        mistakes: Typical wrong answers; each ends differently from the others.
        expects: What an answer should give, for the message when no mistake is recognised.
        may_draw: An answer may draw global random numbers.
        may_change: An answer may change what it is given.
        answer_name: Of the answer, where it is not the exercise's.
        prepare: Called before an answer's time begins to run, for imports that take seconds.
    """

    name: str
    hints: tuple[str, ...]
    solution: str
    trial: Trial
    mistakes: tuple[Mistake, ...]
    expects: str = ""
    may_draw: bool = False
    may_change: bool = False
    answer_name: str = ""
    prepare: Callable[[], object] | None = None

    def check(self, answer: Any) -> "Verdict":
        """Say whether an answer is right, and if not, what to look at. Never raises.

        Args:
            answer: The function, class or value itself, not its name.

        Returns:
            A verdict that a notebook shows as one line, with the hints and the solution folded.
        """
        if answer is ...:
            return self._verdict(False, STILL_OPEN)
        if self.prepare:
            self.prepare()
        wanted = self.answer_of(self.solution)
        if callable(wanted) and not callable(answer):
            kind = type(answer).__name__
            return self._verdict(
                False, f"Not yet. It is a value ({kind}): pass the {_kind(wanted)} itself, by name."
            )
        if callable(answer) and not callable(wanted):
            return self._verdict(False, f"Not yet. It is a {_kind(answer)}: pass a value.")
        outcome = run_guarded(self.trial, answer, self.may_draw, self.may_change)
        if isinstance(outcome, Failure):
            return self._verdict(False, STILL_OPEN if outcome.is_open else outcome.message)
        if alike(outcome, self._outcome(self.solution)):
            return self._verdict(True, "Right.")
        for mistake in self.mistakes:
            if alike(outcome, self._outcome(mistake.source)):
                return self._verdict(False, f"Not yet. {mistake.message}")
        expected = f" Expected {self.expects}." if self.expects else ""
        return self._verdict(False, f"Not yet. In the check it gives {shown(outcome)}.{expected}")

    def hint(self, number: int = 1) -> "Folded":
        """Return a hint, the first one where no number is given."""
        if not 1 <= number <= len(self.hints):
            return Folded(f"{self.name} has {len(self.hints)} hints: ask for 1 to that number.")
        return Folded(self.hints[number - 1])

    def solve(self) -> "Folded":
        """Return the solution, folded."""
        return Folded("The solution is folded here.", {"Solution": self.solution})

    def answer_of(self, source: str) -> Any:
        """Run the source of an answer and return what it defines."""
        namespace: dict[str, Any] = {"torch": torch, "nn": torch.nn, "np": np, "math": math}
        exec(compile(source, f"<{self.name}>", "exec"), namespace)
        return namespace[self.answer_name or self.name]

    @functools.cache  # noqa: B019 - exercises live as long as the process
    def _outcome(self, source: str) -> Any:
        return run_guarded(self.trial, self.answer_of(source), may_draw=True, may_change=True)

    def _verdict(self, right: bool, message: str) -> "Verdict":
        help_: dict[str, str] = {}
        if not right:
            help_ = {f"Hint {number}": hint for number, hint in enumerate(self.hints, start=1)}
            help_["Solution"] = self.solution
        return Verdict(message, help_, right)


def _kind(answer: Any) -> str:
    return "class" if isinstance(answer, type) else "function"


STILL_OPEN = "Still open: write your answer in place of the three dots, and run the cell again."


@dataclasses.dataclass(frozen=True)
class Folded:
    """A line of text, and what is folded away under it; nothing of it shows in plain text.

    Args:
        message: The line.
        folded: Texts by the line that unfolds them; ``"Solution"`` is code.
    """

    message: str
    folded: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(self.message)}</p>"]
        for title, text in self.folded.items():
            tag = "pre" if title == "Solution" else "p"
            body = html.escape(text.strip("\n"))
            parts.append(
                f"<details><summary>{html.escape(title)}</summary><{tag}>{body}</{tag}></details>"
            )
        return "\n".join(parts)


@dataclasses.dataclass(frozen=True, repr=False)
class Verdict(Folded):
    """What a check says.

    Args:
        message: The line.
        folded: Hints and solution, unless the answer is right.
        right: Whether it is.
    """

    right: bool = False
