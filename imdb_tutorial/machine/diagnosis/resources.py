"""The machine itself: processor, memory, disk, and where BERT runs."""

import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from imdb_tutorial.machine.diagnosis.check import Check, short
from imdb_tutorial.machine.diagnosis.installation import how_to_install

# Features of some thousand reviews take 1.7 GB, a checkpoint of fine-tuning takes 0.3 GB.
COMFORTABLE_MEMORY_GB, LEAST_MEMORY_GB, LEAST_DISK_GB = 2.0, 1.0, 1.0
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def cores() -> Check:
    """Count the processor's cores."""
    return Check("processor cores", "ok", str(os.cpu_count()))


def memory() -> Check:
    """Say how much memory is free, as far as a container's limit allows."""
    import psutil

    state = psutil.virtual_memory()
    total = min([state.total, *_container_limits()])
    free_gb = min(state.available, total) / 1e9
    found = f"{free_gb:.1f} GB free of {total / 1e9:.1f} GB"
    if free_gb >= COMFORTABLE_MEMORY_GB:
        return Check("memory", "ok", found)
    remedy = "close other programs, or take fewer reviews: load_preset().replace(train_size=500)"
    return Check("memory", "note" if free_gb >= LEAST_MEMORY_GB else "problem", found, remedy)


def _container_limits() -> list[int]:
    limits = [file.read_text(encoding="ascii").strip() for file in CGROUP_LIMITS if file.is_file()]
    return [int(limit) for limit in limits if limit.isdigit()]


def disk() -> Check:
    """Say how much disk is free where features, temporary files and results are written."""
    from imdb_tutorial.machine.cache import cache_info

    places = {
        "IMDB_TUTORIAL_CACHE": cache_info().folder,
        "TMPDIR (on Windows TEMP)": Path(tempfile.gettempdir()),
        "the folder you work in": Path.cwd(),
    }
    free = {name: shutil.disk_usage(_existing(place)).free / 1e9 for name, place in places.items()}
    scarcest = min(free, key=free.__getitem__)
    found = f"{free[scarcest]:.1f} GB free"
    if free[scarcest] >= LEAST_DISK_GB:
        return Check("disk", "ok", found)
    place = short(places[scarcest])
    remedy = f"free {LEAST_DISK_GB:.0f} GB there, or move {scarcest} to another disk"
    return Check("disk", "problem", f"{found} in {place}", remedy)


def feature_cache() -> Check:
    """Say what the cache of features holds, and whether it can be written."""
    from imdb_tutorial.machine.cache import cache_info

    info = cache_info()
    place = _existing(info.folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        found = f"cannot write in {short(place)} ({error.strerror})"
        remedy = "set IMDB_TUTORIAL_CACHE to a folder that can be written"
        return Check("feature cache", "problem", found, remedy)
    found = f"{info.files} files, {info.bytes / 1e6:,.0f} MB in {short(info.folder)}"
    return Check("feature cache", "ok", found)


def device() -> Check:
    """Load torch and say where BERT runs, and in which precision."""
    try:
        importlib.import_module("torch")
    except (ImportError, OSError) as error:
        (reason, *_) = str(error).splitlines() or [type(error).__name__]
        remedy = f"{how_to_install('torch')} --force-reinstall"
        if sys.platform == "win32":
            remedy += ", and the Microsoft Visual C++ Redistributable"
        return Check("BERT runs on", "problem", f"torch cannot be loaded ({reason})", remedy)
    from imdb_tutorial.machine.device import best_device, choose_dtype

    best = best_device()
    dtype = str(choose_dtype(best)).removeprefix("torch.")
    return Check("BERT runs on", "ok", f"{best.type}, in {dtype}")


def _existing(place: Path) -> Path:
    """Return the folder itself, or the nearest one above it that is already there."""
    place = place.absolute()
    while not place.exists():
        place = place.parent
    return place
