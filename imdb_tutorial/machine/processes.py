"""The processes of one launch: how many, which of them this is, and what they tell each other.

accelerate or torchrun starts them, and torch.distributed carries what they say. One process alone,
which is what there mostly is, takes part in all of this without anything being loaded or asked.
"""

import contextlib
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from imdb_tutorial.machine.rank import HOW, are_several, cpu_is_asked_for, number_of
from imdb_tutorial.machine.text import one_line

Value = TypeVar("Value")

# Who was started by hand may be late; who computes may take long. Who is gone is noticed at once.
TO_MEET = timedelta(minutes=3)
TO_WAIT = timedelta(days=7)
SECONDS_BETWEEN_CHECKS = 1.0
SECONDS_TO_DIE = 2.0


class LostProcessError(RuntimeError):
    """Another process of this launch is gone, so that this one cannot go on."""


class Processes:
    """One process alone: it has all of the work and nobody to wait for."""

    number, count = 0, 1
    is_main = is_local_main = True

    def share(self, items: list[Value]) -> list[Value]:
        """Return this process's part of a list: as many as the others', one after the other."""
        return items

    def gather(self, value: Value) -> list[Value]:
        """Return what every process gives here, in their order; wait for the slowest.

        Args:
            value: Anything that can be pickled.

        Raises:
            LostProcessError: One of them is gone.
        """
        return [value]

    def check(self) -> None:
        """Look now and then, while there is much to compute, whether the others are still there.

        Raises:
            LostProcessError: One of them is gone.
        """

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Do what needs all processes; where one is gone, or all are told to end, end by an error.

        Raises:
            LostProcessError: One of them is gone.
        """
        yield

    @contextlib.contextmanager
    def only_main_speaks(self) -> Iterator[None]:
        """Keep what the others print and warn of to themselves; errors are still heard."""
        yield

    def is_first_to_say(self) -> bool:
        """Say whether no other process has asked this: of many errors of one cause, one is told."""
        return True

    def leave(self) -> None:
        """Let go of the others, once all is done."""


_met: Processes | None = None


def processes() -> Processes:
    """Return the processes of this launch; at the first call they meet, so all must call it.

    Returns:
        All of them, or this one alone where nothing says that there are others.

    Raises:
        ValueError: Environment variables that contradict each other.
        ConnectionError: The others did not come.
    """
    global _met
    if _met is not None:
        return _met
    if not are_several():
        return Processes()
    _met = _Met()
    return _met


class _Met(Processes):
    """Several processes, which have met."""

    def __init__(self) -> None:
        import torch.distributed
        from accelerate import PartialState

        self.count = number_of("WORLD_SIZE", 1)
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        self._store, options = None, {}
        try:
            if not torch.distributed.is_initialized():
                self._store = self._agree()
                options = {"store": self._store, "rank": number_of("RANK", 0)}
                options["world_size"] = self.count
            on_cpu = cpu_is_asked_for() or not torch.cuda.is_available()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="OMP_NUM_THREADS")
                state = PartialState(cpu=on_cpu, **options)
            if not torch.distributed.is_initialized():
                raise ValueError(
                    f"accelerate was told of one process but WORLD_SIZE is {self.count}: on "
                    "processors, make an Accelerator(cpu=True)"
                )
            # What is told is small and lies in the main memory, also where gradients go by NCCL.
            self._group = torch.distributed.new_group(backend="gloo", timeout=TO_WAIT)
        except RuntimeError as error:  # among them torch.distributed's own
            raise ConnectionError(
                f"the {self.count} processes did not meet at {place} "
                f"({one_line(error)}): expected all of them within "
                f"{TO_MEET.total_seconds():.0f} seconds; {HOW}"
            ) from error
        os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
        self.number = torch.distributed.get_rank()
        self.is_main, self.is_local_main = state.is_main_process, state.is_local_main_process
        self._peers = self._find_peers()
        self._checked_at = time.monotonic()

    def _agree(self) -> Any:
        """Go to the place where processes meet, and see that everyone means the same launch."""
        import torch.distributed

        store, rank, size = next(torch.distributed.rendezvous("env://", timeout=TO_MEET))
        mine = torch.distributed.PrefixStore(
            f"imdb_tutorial/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store
        )
        first = mine.compare_set("size", "", str(size)).decode()
        if first != str(size):
            raise ValueError(
                f"WORLD_SIZE is {size} here but {first} in another process of this launch: {HOW}"
            )
        if mine.add(f"rank {rank}", 1) > 1:
            raise ValueError(f"two processes of this launch have RANK {rank}: {HOW}")
        mine.set(f"here {rank}", "")
        mine.wait([f"here {number}" for number in range(size)], TO_MEET)
        return mine

    def _find_peers(self) -> dict[int, Any]:
        """Find the others that this machine can see; with several machines, not all of them."""
        import psutil

        me = psutil.Process()
        found = {}
        for number, (host, pid, begun) in enumerate(
            self.gather((socket.gethostname(), me.pid, me.create_time()))
        ):
            with contextlib.suppress(psutil.Error):
                if host == socket.gethostname() and number != self.number:
                    peer = psutil.Process(pid)
                    if peer.create_time() == begun:
                        found[number] = peer
        return found

    def share(self, items: list[Value]) -> list[Value]:
        from accelerate import PartialState

        with PartialState().split_between_processes(items) as mine:
            return mine

    def gather(self, value: Value) -> list[Value]:
        import torch.distributed

        found: list[Any] = [None] * self.count
        try:
            torch.distributed.all_gather_object(found, value, group=self._group)
        except RuntimeError as error:
            raise self._lost(self._gone(SECONDS_TO_DIE)) from error
        return found

    def check(self) -> None:
        if time.monotonic() - self._checked_at < SECONDS_BETWEEN_CHECKS:
            return
        self._checked_at = time.monotonic()
        if gone := self._gone():
            raise self._lost(gone)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        handles = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, self._told_to_end) if handles else None
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, LostProcessError) or not (gone := self._gone(SECONDS_TO_DIE)):
                raise
            raise self._lost(gone) from error
        finally:
            if handles:
                signal.signal(signal.SIGTERM, before or signal.SIG_DFL)

    @contextlib.contextmanager
    def only_main_speaks(self) -> Iterator[None]:
        if self.is_main:
            yield
            return
        with open(os.devnull, "w", encoding="utf-8") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(nowhere):
                yield

    def is_first_to_say(self) -> bool:
        gone = self._gone()
        if self._store is None or 0 in gone:  # who may have kept the count is gone
            return all(number in gone for number in self._peers if number < self.number)
        return self._store.add("said", 1) == 1

    def leave(self) -> None:
        import torch.distributed

        global _met
        self.gather(None)
        torch.distributed.destroy_process_group()
        _met = None

    def _told_to_end(self, *_: object) -> None:
        # Whoever started all processes tells the rest to end where one is gone.
        raise self._lost(self._gone())

    def _gone(self, seconds: float = 0.0) -> list[int]:
        import psutil

        until = time.monotonic() + seconds
        while True:
            gone = []
            for number, peer in self._peers.items():
                try:
                    if not peer.is_running() or peer.status() == psutil.STATUS_ZOMBIE:
                        gone.append(number)
                except psutil.Error:
                    gone.append(number)
            if gone or time.monotonic() >= until:
                return gone
            time.sleep(0.05)

    def _lost(self, gone: list[int]) -> LostProcessError:
        if gone:
            names = " and ".join(f"process {number + 1} of {self.count}" for number in gone)
            why = f"{names} is gone (killed, or no memory left?)"
        else:
            why = f"the {self.count} processes were told to end, or one on another machine is gone"
        return LostProcessError(
            f"{why}, so all end: start the same command again, and it goes on with what was kept"
        )
