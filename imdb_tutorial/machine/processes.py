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

from imdb_tutorial.machine.text import one_line

Value = TypeVar("Value")

# Who was started by hand may be late; who computes may take long. Who is gone is noticed at once.
TO_MEET = timedelta(minutes=3)
TO_WAIT = timedelta(days=7)
SECONDS_BETWEEN_CHECKS = 1.0
SECONDS_TO_DIE = 2.0
NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
HOW = "start it with accelerate launch or torchrun, which set all of them"
# Where MPI starts the processes, it says so by names of its own.
OF_MPI = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


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


def are_several() -> bool:
    """Say whether the environment names more processes than this one.

    Raises:
        ValueError: Environment variables that contradict each other.
    """
    if "WORLD_SIZE" not in os.environ and any(_number(name, 1) > 1 for name in OF_MPI):
        _translate_mpi()
    size = _number("WORLD_SIZE", None)
    given = [name for name in NEEDED if os.environ.get(name)]
    told = [name for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE") if name in given]
    if not told or (size == 1 and "LOCAL_RANK" not in told):
        return False
    if missing := [name for name in NEEDED if name not in given]:
        raise ValueError(
            f"{told[0]} is {os.environ[told[0]]!r} but nothing is said of {', '.join(missing)}: "
            f"{HOW}, or unset {told[0]}"
        )
    for name, limit in (("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE")):
        if (below := _number(limit, None)) is not None and (_number(name, None) or 0) >= below:
            raise ValueError(
                f"{name} is {os.environ[name]!r} but {limit} is {os.environ[limit]!r}: expected a "
                f"number from 0 to {below - 1}; {HOW}"
            )
    return size > 1


def is_main_process() -> bool:
    """Say whether this process is the one that prints and saves; nobody is asked."""
    return not os.environ.get("WORLD_SIZE") or (os.environ.get("RANK") or "0") == "0"


def local_number() -> int:
    """Return which process of its machine this one is: on several GPUs, which GPU it takes."""
    return _number("LOCAL_RANK", 0) or 0


def cpu_is_asked_for() -> bool:
    """Say whether ``accelerate launch`` was told to leave GPUs alone."""
    return os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")


def _number(name: str, otherwise: Any) -> Any:
    text = os.environ.get(name)
    if not text:
        return otherwise
    if not text.isdecimal() or (name.endswith("SIZE") and int(text) == 0):
        raise ValueError(f"{name} is {text!r}: expected a whole number; {HOW}, or unset it")
    return int(text)


def _translate_mpi() -> None:
    from accelerate.utils import get_cpu_distributed_information

    found = get_cpu_distributed_information()
    os.environ["RANK"], os.environ["WORLD_SIZE"] = str(found.rank), str(found.world_size)
    os.environ["LOCAL_RANK"] = str(found.local_rank)


class _Met(Processes):
    """Several processes, which have met."""

    def __init__(self) -> None:
        import torch.distributed
        from accelerate import PartialState

        self.count = _number("WORLD_SIZE", 1)
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        self._store, options = None, {}
        try:
            if not torch.distributed.is_initialized():
                self._store = self._agree()
                options = {"store": self._store, "rank": _number("RANK", 0)}
                options["world_size"] = self.count
            on_cpu = cpu_is_asked_for() or not torch.cuda.is_available()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="OMP_NUM_THREADS")
                state = PartialState(cpu=on_cpu, **options)
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
                signal.signal(signal.SIGTERM, before)

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
