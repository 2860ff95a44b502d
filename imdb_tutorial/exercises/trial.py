"""Runs a learner's answer so that the rest of the lesson still runs: timed, caught, put back."""

import contextlib
import copy
import ctypes
import dataclasses
import io
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import torch

from imdb_tutorial.exercises.outcomes import alike

SECONDS = 5.0
OWN_FILES = (__file__, contextlib.__file__)
LOOK_AT = {
    "NameError": "a name is misspelt, or the cell that defines it was not run",
    "AttributeError": "the object before the dot has no such thing: print its type",
    "TypeError": "a function got the wrong kind or number of arguments: print what you pass",
    "IndexError": "an index is larger than what is there: print the length",
    "KeyError": "the dictionary has no such key: print its keys",
    "ValueError": "a value does not fit: print it, and its length",
    "RuntimeError": "tensors may not fit each other: print their shapes",
    "ZeroDivisionError": "you divide by zero: think of the case that has nothing to count",
    "UnboundLocalError": "a variable is used before it is given a value",
    "RecursionError": "a function calls itself without an end",
    "AssertionError": "an assert in your answer failed",
    "NotImplementedError": "a part of the answer is not written yet",
    "SystemExit": "leave out exit(): it would end the notebook",
    "EOFError": "leave out input(): the check cannot type",
    "StdinNotImplementedError": "leave out input(): the check cannot type",
}


@dataclasses.dataclass(frozen=True)
class Failure:
    """An answer that gave no outcome.

    Args:
        kind: What happened, to tell failures apart.
        message: One line for the learner.
        is_open: The three dots are still there.
    """

    kind: str
    message: str
    is_open: bool = False


class _TooLong(BaseException):
    """Not an Exception, so that an answer's own ``except Exception`` does not swallow it."""


def run_guarded(
    trial: Callable[[Any], Any], answer: Any, may_draw: bool = False, may_change: bool = False
) -> Any:
    """Run a trial of an answer; what it does to the notebook is put back.

    Args:
        trial: Runs the answer on toy inputs.
        answer: A function, a class or a value.
        may_draw: Global random numbers may be drawn.
        may_change: What the answer is given may be changed.

    Returns:
        The trial's outcome, or a ``Failure``: the answer raised, ran too long, returned nothing,
        changed what it was given, or used the global random numbers.
    """
    printed = io.StringIO()
    calls = _Calls()
    watched = calls.watch(answer)
    state = _random_state()
    try:
        with _stopped_after(SECONDS), contextlib.redirect_stdout(printed), torch.enable_grad():
            outcome = trial(watched)
    except _TooLong:
        return Failure(
            "too long",
            f"Not yet. It did not end within {SECONDS:.0f} seconds and was stopped: look for a "
            "loop whose condition never becomes false.",
        )
    except Exception as error:
        if calls.returned_dots:
            return Failure("open", "", is_open=True)
        if calls.returned_nothing:
            return _nothing(printed.getvalue())
        return _raised(error, answer)
    except (SystemExit, GeneratorExit) as error:
        return _raised(error, answer)
    finally:
        _restore(state)
    if calls.returned_dots or outcome is ...:
        return Failure("open", "", is_open=True)
    if calls.returned_nothing or outcome is None:
        return _nothing(printed.getvalue())
    if calls.changed and not may_change:
        return Failure(
            "changed data",
            "Not yet. It changes what it is given, and the caller still needs that: make a new "
            "list or tensor instead of changing the old one.",
        )
    if calls.drew and not may_draw:
        return Failure(
            "global seed",
            "Not yet. It changes the global random numbers, and with them every cell that follows: "
            "leave out seeds and drawing, or draw from a generator of your own.",
        )
    return outcome


class _Calls:
    """Remembers what an answer returned, and what it did to its data and to random numbers."""

    def __init__(self) -> None:
        self.returned_dots = self.returned_nothing = self.changed = self.drew = False

    def watch(self, answer: Any) -> Any:
        if not callable(answer) or isinstance(answer, type | torch.nn.Module):
            return answer

        def watched(*args: Any, **kwargs: Any) -> Any:
            given = [item for item in (*args, *kwargs.values()) if _is_data(item)]
            before, state = copy.deepcopy(given), _random_state()
            result = answer(*args, **kwargs)
            self.drew |= not _same_state(_random_state(), state)
            parts = result if isinstance(result, tuple) else (result,)
            self.returned_dots |= any(part is ... for part in parts)
            self.returned_nothing |= result is None
            self.changed |= not alike(before, given)
            return result

        return watched


def _is_data(item: Any) -> bool:
    """Say whether it can be copied and compared: no model, optimizer or loader."""
    if isinstance(item, torch.Tensor):
        return not item.requires_grad
    if isinstance(item, dict):
        return all(map(_is_data, item.values()))
    if isinstance(item, list | tuple):
        return all(map(_is_data, item))
    return isinstance(item, np.ndarray | str | int | float | None)


def _nothing(printed: str) -> Failure:
    if printed.strip():
        return Failure(
            "prints", "Not yet. It prints its result and returns nothing: write return, not print."
        )
    return Failure(
        "nothing", "Not yet. It returns nothing: end the function with return and the result."
    )


def _raised(error: BaseException, answer: Any) -> Failure:
    kind = type(error).__name__
    reason = " ".join(str(error).split())
    line = _line_of(error, answer)
    where = f" in line {line} of your answer" if line else ""
    look = LOOK_AT.get(kind) or next(
        (LOOK_AT[base.__name__] for base in type(error).__mro__ if base.__name__ in LOOK_AT),
        "read the message from its end, and print what goes in",
    )
    return Failure(
        f"raised {kind}", f"Not yet. {kind}{where}: {reason[:160] or kind}. Look: {look}."
    )


def _line_of(error: BaseException, answer: Any) -> int | None:
    """Return the line, counted from 1, of the answer's own code that raised."""
    code = getattr(answer, "__code__", None)
    frames = list(traceback.walk_tb(error.__traceback__))
    for frame, line in reversed(frames):
        if code is not None and frame.f_code is code:
            return line - code.co_firstlineno + 1
    return None


def _random_state() -> tuple[Any, Any, bytes]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state().numpy().tobytes()


def _same_state(one: tuple[Any, Any, bytes], other: tuple[Any, Any, bytes]) -> bool:
    arrays = np.array_equal(one[1][1], other[1][1]) and one[1][2:] == other[1][2:]
    return one[0] == other[0] and arrays and one[2] == other[2]


def _restore(state: tuple[Any, Any, bytes]) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(torch.frombuffer(bytearray(state[2]), dtype=torch.uint8))


@contextlib.contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Raise ``_TooLong`` inside the block once the time is over, and again until it has ended."""
    in_main = threading.current_thread() is threading.main_thread()
    if hasattr(signal, "setitimer") and in_main:
        with _alarm(seconds):
            yield
    else:
        with _watchdog(seconds):
            yield


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def again(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            raise _TooLong
        return None if event == "call" else again

    def stop(_: int, frame: FrameType | None) -> None:
        # A bare except inside the loop swallows this one; then its next line raises as well.
        while frame is not None and frame.f_code.co_filename not in OWN_FILES:
            frame.f_trace = again
            frame = frame.f_back
        sys.settrace(again)
        raise _TooLong

    handler, trace = signal.signal(signal.SIGALRM, stop), sys.gettrace()
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        sys.settrace(trace)


@contextlib.contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    """For systems without alarms, and for other threads: cannot end a call that waits in C."""
    thread = threading.get_ident()
    ended = threading.Event()

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(_TooLong)
            )
            wait = 0.2

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
