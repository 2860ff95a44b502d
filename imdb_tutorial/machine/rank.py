"""Which process of how many this one is, as the environment says; nobody is asked."""

import os
from typing import Any

NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
HOW = "start it with accelerate launch or torchrun, which set all of them"
# Where MPI starts the processes, it says so by names of its own.
OF_MPI = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")


def are_several() -> bool:
    """Say whether the environment names more processes than this one.

    Raises:
        ValueError: Environment variables that contradict each other.
    """
    if "WORLD_SIZE" not in os.environ and any(number_of(name, 1) > 1 for name in OF_MPI):
        _translate_mpi()
    size = number_of("WORLD_SIZE", None)
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
        if (below := number_of(limit, None)) is not None and (number_of(name, None) or 0) >= below:
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
    return number_of("LOCAL_RANK", 0) or 0


def cpu_is_asked_for() -> bool:
    """Say whether ``accelerate launch`` was told to leave GPUs alone."""
    return os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")


def number_of(name: str, otherwise: Any) -> Any:
    """Return the number that an environment variable holds.

    Args:
        name: Its name.
        otherwise: What to return where it is not set.

    Raises:
        ValueError: It holds no whole number, or says that there are no processes.
    """
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
