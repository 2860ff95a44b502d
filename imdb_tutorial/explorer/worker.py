"""A thread for slow work in which the newest wish takes the place of the older ones."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

IsWanted = Callable[[], bool]


class SupersededError(RuntimeError):
    """Nobody waits for this answer any more."""


class LatestOnly:
    """Works in one thread of its own, and tells work when something newer was asked for.

    Who holds ``lock`` can rely on it that nothing newer is asked for meanwhile.

    Args:
        name: What it works for; the thread is called so.
    """

    def __init__(self, name: str):
        self.lock = threading.RLock()
        self._name = name
        self._is_closed = False
        self._ticket = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def submit(self, work: Callable[[IsWanted], object]) -> Future:
        """Let the thread work; what it was asked before is given up.

        Args:
            work: Called with a function that says whether its result is still wanted.

        Returns:
            What will hold the work's result.

        Raises:
            RuntimeError: It was closed.
        """
        with self.lock:
            if self._is_closed:
                raise RuntimeError(f"this {self._name} was closed: make a new one")
            self._ticket += 1
            ticket = self._ticket
            return self._executor.submit(work, lambda: ticket == self._ticket)

    def give_up(self) -> None:
        """Ask for nothing any more."""
        with self.lock:
            self._ticket += 1

    def close(self) -> None:
        """Give up, and end the thread."""
        with self.lock:
            self._is_closed = True
            self.give_up()
        self._executor.shutdown(wait=False, cancel_futures=True)
