"""The study's plan, cut into units that are run, kept and put together."""

import hashlib
import io
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from experiments import data, models, probes, words
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.recorded_study import FORMAT
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.provenance import provenance

UNITS = Path("build/study")
SEEDS = 5
RUN = {
    "probes": probes.train_probes,
    "choosing": probes.choose,
    "cutting": words.cut_reviews,
    "padding": models.pay_for_padding,
    "ladder": models.climb,
    "curve": words.learn_from,
    "fine_tuning": models.fine_tune_on,
    "parts": models.cut_texts,
}
# These use all cores, or are timed; the others run side by side, one thread each.
ALONE = ("padding", "ladder", "fine_tuning", "parts")
# About how long a unit takes, for the time left: the units differ too much to be counted.
WEIGHTS = {
    "probes": 50,
    "choosing": 10,
    "cutting": 15,
    "padding": 100,
    "ladder": 150,
    "curve": 10,
    "fine_tuning": 150,
    "parts": 60,
}
CURVE = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
PACKAGES = ("torch", "transformers", "datasets", "scikit-learn", "scipy", "numpy", "peft")


def plan(seeds: range) -> list[tuple[str, dict]]:
    """List every unit: the experiment's name, and what the unit varies."""
    few = seeds[:3]
    units = [("probes", {"size": n, "seed": s}) for n in (200, 2_000) for s in seeds]
    units += [("probes", {"size": None, "seed": s}) for s in few]
    units += [("choosing", {"seed": s}) for s in seeds]
    units += [("cutting", {"by": b, "seed": s}) for b in data.CUTS for s in seeds]
    units += [("curve", {"size": n, "seed": s}) for n in CURVE for s in seeds]
    units += [("curve", {"size": None, "seed": seeds[0]})]
    units += [("padding", {"seed": seeds[0]})]
    units += [
        ("ladder", {"model": m, "seed": seeds[0]}) for m in models.LADDER if m != "fine-tuned"
    ]
    units += [
        ("parts", {"size": n, "part": p}) for n in (128, 512) for p in ("head", "tail", "both")
    ]
    units += [("ladder", {"model": "fine-tuned", "seed": s}) for s in few]
    units += [("fine_tuning", {"size": n, "seed": s}) for n in (100, 300) for s in few[:2]]
    return units


def file_of(name: str, unit: dict) -> Path:
    """Return where a finished unit is kept."""
    parts = "-".join(f"{key}={value}" for key, value in unit.items())
    return UNITS / f"{name}-{parts.replace(' ', '_')}.npz"


def run_unit(name: str, unit: dict) -> None:
    """Run one unit and keep its rows and arrays."""
    began = time.perf_counter()
    rows, arrays = RUN[name](unit)
    about = {"rows": rows, "seconds": round(time.perf_counter() - began, 1)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, about=np.array(json.dumps(about)))
    write_whole(file_of(name, unit), buffer.getvalue())


def one_thread() -> None:
    """Prepare a process that runs beside others."""
    import torch

    torch.set_num_threads(1)
    os.environ["TQDM_DISABLE"] = "1"  # one bar for the whole study is enough


def run_all(units: list[tuple[str, dict]]) -> Iterator[str]:
    """Run the units; yield the experiment's name after each."""
    together = [unit for unit in units if unit[0] not in ALONE]
    if together:
        for part in data.PARTS:  # once, with all cores, before the processes read them
            data.features(part)
        data.word_counts()
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), spawn, one_thread) as workers:
            running = {workers.submit(run_unit, *unit): unit[0] for unit in together}
            for done in as_completed(running):
                done.result()
                yield running[done]
    for unit in units:
        if unit[0] in ALONE:
            run_unit(*unit)
            yield unit[0]


def collect(units: list[tuple[str, dict]], seeds: range) -> tuple[dict, bytes]:
    """Put the units together: the record, and the probabilities behind it."""
    experiments: dict[str, list] = {}
    arrays: dict[str, list] = {}
    seconds: dict[str, float] = {}
    for name, unit in units:
        with np.load(file_of(name, unit)) as kept:
            about = json.loads(str(kept["about"]))
            experiments.setdefault(name, []).extend(about["rows"])
            seconds[name] = round(seconds.get(name, 0) + about["seconds"], 1)
            for key in kept.files:
                if key != "about":
                    arrays.setdefault(f"{name}/{key}", []).append(kept[key])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{key: np.concatenate(parts) for key, parts in arrays.items()})
    record = {
        "format": FORMAT,
        "probabilities_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "seeds": list(seeds),
        "reviews": {
            part: {"count": len(split), "ids_sha256": ids_sha256(split["id"][:])}
            for part, split in data.reviews().items()
        },
        **provenance(*PACKAGES),
        "seconds": seconds,
        "experiments": experiments,
    }
    return record, buffer.getvalue()
