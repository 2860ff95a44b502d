"""Runs the evidence: bags of words, frozen encoders and fine-tuning at the same budgets of labels.

Every finished unit is kept under ``build/evidence`` with a digest of the code and the data that
made it, so that a changed experiment is run again and nothing else. Several of these processes can
share the work: each takes units that no other one is at.
"""

import argparse
import hashlib
import io
import json
import os
import time
from pathlib import Path

import numpy as np

from experiments import bags, budget, data, frozen, frozen_base, tuned
from experiments.units import PACKAGES, Unit, read_unit, run_missing
from imdb_tutorial import model_source
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.evidence import FORMAT, PROBABILITIES, RECORD
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.provenance import provenance

UNITS = Path("build/evidence")
SEEDS = 3
POOLS = ("train", "test")
MIDDLE = (2_000, None)  # where a whole curve would say no more
LAYERS = range(7)
# About how many seconds a unit takes, for the time left.
WEIGHTS = {"words": 40, "frozen": 30, "lengths": 40, "layers": 30, "tuned": 500}


def plan(seeds: range) -> list[Unit]:
    """List every unit, the expensive ones last; all labels are one sample, so one seed does."""

    def samples(sizes):
        return [{"size": n, "seed": s} for n in sizes for s in (seeds if n else seeds[:1])]

    units = [Unit("words", bags.fit_bags, some) for some in samples(budget.SIZES)]
    for encoder in ("packaged", "random"):
        units += [
            Unit("frozen", frozen.fit_frozen, {"encoder": encoder} | some)
            for some in samples(budget.SIZES)
        ]
    units += [
        Unit("lengths", frozen.fit_lengths, {"length": length} | some)
        for length in frozen.SHORTER
        for some in samples(MIDDLE)
    ]
    units += [
        Unit("layers", frozen.fit_layers, {"layer": layer} | some)
        for layer in LAYERS
        for some in samples(MIDDLE)
    ]
    units += [
        Unit("frozen", frozen_base.fit_base, {"encoder": "base"} | some)
        for some in samples(frozen_base.BASE_SIZES)
    ]
    units += [
        Unit("tuned", tuned.fit_tuned, {"way": way} | some)
        for way in tuned.WAYS
        for some in samples(tuned.SIZES)
    ]
    return units


def data_digest() -> str:
    """Digest the reviews that the units learn from and are asked."""
    digest = hashlib.sha256()
    for part in POOLS:
        split = data.reviews()[part]
        for column in ("id", "text", "label"):
            digest.update(json.dumps([part, column, split[column][:]]).encode())
    return digest.hexdigest()


def why_not(unit: Unit) -> str | None:
    """Say why a unit cannot be run on this machine, if so."""
    if unit.varies.get("encoder") != "base":
        return None
    try:
        model_source("base")
    except FileNotFoundError as error:
        return str(error)
    return None


def collect(units: list[Unit], folder: Path, digest: str, seeds: range) -> tuple[dict, bytes]:
    """Put the finished units together: the record, which lists the missing ones, and answers."""
    experiments: dict[str, list] = {}
    arrays: dict[str, list] = {}
    seconds: dict[str, float] = {}
    missing = []
    for unit in units:
        if (kept := read_unit(unit, folder, digest)) is None:
            missing.append(str(unit))
            continue
        about, answers = kept
        name = unit.experiment
        experiments.setdefault(name, []).extend(about["rows"])
        seconds[name] = round(seconds.get(name, 0) + about["seconds"], 1)
        for key, array in answers.items():
            arrays.setdefault(f"{name}/{key}", []).append(array)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{key: np.concatenate(parts) for key, parts in arrays.items()})
    record = {
        "format": FORMAT,
        "probabilities_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "seeds": list(seeds),
        "reviews": {
            part: {
                "count": len(data.reviews()[part]),
                "ids_sha256": ids_sha256(data.reviews()[part]["id"][:]),
            }
            for part in POOLS
        },
        **provenance(*PACKAGES),
        "seconds": seconds,
        "missing": missing,
        "experiments": experiments,
    }
    return record, buffer.getvalue()


def run(units: list[Unit], digest: str, until: float) -> None:
    """Run what is missing, with a bar; say what cannot be run here."""
    reasons = {unit.varies.get("encoder"): why_not(unit) for unit in units}
    for encoder, reason in reasons.items():
        if reason:
            print(f"skipped: the units of the encoder {encoder!r} ({reason})")
    able = [unit for unit in units if not reasons[unit.varies.get("encoder")]]
    missing = [unit for unit in able if not read_unit(unit, UNITS, digest)]
    total, left = (sum(WEIGHTS[u.experiment] for u in some) for some in (able, missing))
    print(f"{len(missing)} of {len(able)} units to run, about {left / 60:.0f} minutes")
    inner = os.environ.get("TQDM_DISABLE")
    with progress_bar(total=total, initial=total - left, desc="evidence", unit="s") as bar:
        os.environ["TQDM_DISABLE"] = "1"  # one bar is enough
        try:
            for unit in run_missing(missing, UNITS, digest, until):
                bar.set_postfix_str(str(unit), refresh=False)
                bar.update(WEIGHTS[unit.experiment])
        finally:
            os.environ.pop("TQDM_DISABLE")
            if inner is not None:
                os.environ["TQDM_DISABLE"] = inner


def main() -> None:
    """Read the options, run what is missing, write the record."""
    parser = argparse.ArgumentParser(prog="python -m experiments.evidence", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=0, help="the first of three seeds")
    parser.add_argument("--minutes", type=float, help="begin no unit after so many minutes")
    parser.add_argument("--only", help=f"experiments, by commas: {','.join(WEIGHTS)}")
    parser.add_argument("--collect", action="store_true", help="run nothing, write the record")
    parser.add_argument("--output", type=Path, default=RECORD.parent, help="folder of the record")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(WEIGHTS)
    if unknown := set(wanted) - set(WEIGHTS):
        parser.error(f"no experiment {', '.join(sorted(unknown))}: expected {', '.join(WEIGHTS)}")
    until = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    seeds = range(options.first_seed, options.first_seed + SEEDS)
    units, digest = plan(seeds), data_digest()
    if not options.collect:
        run([unit for unit in units if unit.experiment in wanted], digest, until)
    record, probabilities = collect(units, UNITS, digest, seeds)
    write_whole(options.output / PROBABILITIES.name, probabilities)
    write_whole(options.output / RECORD.name, (json.dumps(record) + "\n").encode())
    seal_records(options.output)
    print(
        f"wrote {RECORD.name} and {PROBABILITIES.name} into {options.output}: "
        f"{len(record['missing'])} of {len(units)} units are missing"
    )


if __name__ == "__main__":
    main()
