"""Runs units: cheap ones side by side, with one thread each; the others alone, with all cores."""

import contextlib
import multiprocessing
import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from experiments.recipe import Recipe
from experiments.units import Unit, read_unit, run_unit
from imdb_tutorial.machine.progress import progress_bar


def run_missing(
    units: Sequence[Unit],
    folder: Path,
    data: str,
    until: float = float("inf"),
    beside: Collection[str] = (),
) -> Iterator[Unit]:
    """Run the units that are missing, with other commands at the same work; yield each when done.

    Args:
        units: In the order in which they are wanted.
        folder: Where they are kept.
        data: Digest of the data.
        until: No unit is begun after this time of ``time.monotonic``.
        beside: Experiments whose units run side by side, before the others.
    """
    missing = [unit for unit in units if not read_unit(unit, folder, data)]
    together = [unit for unit in missing if unit.experiment in beside]
    if len(together) > 1:
        yield from _run_side_by_side(together, folder, data, until)
        missing = [unit for unit in missing if unit not in together]
    for unit in missing:
        if _run_in_time(unit, folder, data, until):
            yield unit


def run_recipe(recipe: Recipe, units: Sequence[Unit], data: str, until: float) -> None:
    """Run what is missing of some units, with a bar; say what cannot be run here."""
    reasons = {str(unit): reason for unit in units if (reason := recipe.why_not(unit))}
    for reason in dict.fromkeys(reasons.values()):
        names = [name for name, why in reasons.items() if why == reason]
        print(f"skipped: {len(names)} units, the first is {names[0]} ({reason})")
    able = [unit for unit in units if str(unit) not in reasons]
    missing = [unit for unit in able if not read_unit(unit, recipe.folder, data)]
    total, left = recipe.seconds(able), recipe.seconds(missing)
    print(f"{len(missing)} of {len(able)} units to run, about {left / 60:.0f} minutes")
    if any(unit.experiment in recipe.beside for unit in missing) and time.monotonic() < until:
        recipe.prepare()
    with (
        progress_bar(total=total, initial=total - left, desc=recipe.record.stem, unit="s") as bar,
        _no_other_bars(),
    ):
        for unit in run_missing(missing, recipe.folder, data, until, recipe.beside):
            bar.set_postfix_str(str(unit), refresh=False)
            bar.update(recipe.costs[unit.experiment].seconds)


def _run_in_time(unit: Unit, folder: Path, data: str, until: float) -> bool:
    """Run a unit unless it is too late; say whether it is done, here or by another process."""
    if time.monotonic() >= until:
        return False
    return run_unit(unit, folder, data) or read_unit(unit, folder, data) is not None


def _run_side_by_side(
    units: Sequence[Unit], folder: Path, data: str, until: float
) -> Iterator[Unit]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), spawn, _one_thread) as workers:
        running = {workers.submit(_run_in_time, unit, folder, data, until): unit for unit in units}
        try:
            for done in as_completed(running):
                if done.result():
                    yield running[done]
        finally:  # interrupted: what has begun is finished and kept, nothing else begins
            workers.shutdown(cancel_futures=True)


def _one_thread() -> None:
    """Prepare a process that runs beside others."""
    import torch

    torch.set_num_threads(1)


@contextlib.contextmanager
def _no_other_bars() -> Iterator[None]:
    """Let nothing else draw a bar, in this process or in one that it starts."""
    before = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"
    try:
        yield
    finally:
        os.environ.pop("TQDM_DISABLE")
        if before is not None:
            os.environ["TQDM_DISABLE"] = before
