"""Errors that say all a reader needs: a notebook shows their line, and no traceback above it."""

import functools
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def plain_in_notebooks(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let IPython show what a function refuses in one line.

    A traceback through a dozen of our files says nothing about a hub that is ill or a row that is
    broken. What a library raised, or Python itself, keeps its traceback: it is nobody's refusal.

    Args:
        function: One that raises errors whose message is enough.

    Returns:
        The function; in plain Python its errors are what they were.
    """

    @functools.wraps(function)
    def plain(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return function(*arguments, **options)
        except (OSError, ValueError, RuntimeError) as error:
            line = f"{type(error).__name__}: {error}"
            if _is_ours(error) and "\n" not in line:
                # IPython asks an error for this before it makes a traceback of its own.
                vars(error)["_render_traceback_"] = lambda: [line]
            raise

    return plain


def _is_ours(error: BaseException) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return frames[-1].f_globals["__name__"].partition(".")[0] == __name__.partition(".")[0]
