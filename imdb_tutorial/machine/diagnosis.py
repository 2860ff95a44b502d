"""What this machine has, and whether the lessons will run on it."""

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from imdb_tutorial.machine import cache, sources
from imdb_tutorial.machine.device import best_device, choose_dtype
from imdb_tutorial.presets import load_preset


class Check(NamedTuple):
    """One line of the doctor's answer.

    Args:
        what: What was looked at.
        found: What was found.
        remedy: What to do, or nothing where all is well.
    """

    what: str
    found: str
    remedy: str = ""


def doctor() -> list[Check]:
    """Look at this machine and say what it has; nothing is changed and no network is used.

    Returns:
        The checks, in the order they are printed. One with a remedy is a problem.
    """
    checks = [
        Check("Python", platform.python_version()),
        Check("torch", version("torch")),
        Check("transformers", version("transformers")),
        Check("processor cores", str(os.cpu_count())),
        _check(_device, "BERT runs on"),
        _check(_preset, "preset"),
        _check(_reviews, "packaged reviews"),
        _check(_encoder, "packaged encoder"),
        _check(_cache, "feature cache"),
    ]
    width = max(len(check.what) for check in checks)
    for check in checks:
        mark = "problem" if check.remedy else "ok"
        print(f"{check.what:<{width}}  {mark:<7}  {check.remedy or check.found}")
    return checks


def _check(look: Callable[[], str], what: str) -> Check:
    try:
        return Check(what, look())
    except (OSError, ValueError, RuntimeError) as error:
        return Check(what, "", str(error))


def _device() -> str:
    device = best_device()
    return f"{device.type}, in {str(choose_dtype(device)).removeprefix('torch.')}"


def _preset() -> str:
    return load_preset().name


def _reviews() -> str:
    sources.packaged_path(sources.PACKAGED_REVIEWS)
    return "25,000 IMDb reviews, verified"


def _encoder() -> str:
    sources.packaged_encoder_folder()
    return "MiniLM, 22.7 M parameters, verified"


def _cache() -> str:
    info = cache.cache_info()
    folder, home = info.folder, Path.home()
    if folder.is_relative_to(home):
        folder = "~" / folder.relative_to(home)
    return f"{info.files} files, {info.bytes / 1e6:,.0f} MB in {folder}"
