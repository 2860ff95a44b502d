"""A record and its units: which rows are whose, what need not be run again, what is written."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments import data
from experiments.recipe import Recipe
from experiments.units import PACKAGES, Found, Unit, digest_of, keep_unit, read_unit
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.paired_files import read_paired_files
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.packages import DamagedFileError
from imdb_tutorial.machine.provenance import provenance


def read_committed(recipe: Recipe) -> tuple[dict[str, Found], str | None]:
    """Take the committed record apart into its units.

    Returns:
        What each unit found, by its name, and why nothing could be read, if so. Where there is no
        record there are no units.
    """
    names = (recipe.record.name, recipe.answers.name)
    try:
        read = read_paired_files(recipe.record.parent, names, recipe.record_format, recipe.renew)
        return take_apart(*read), None
    except FileNotFoundError:
        return {}, None
    except (ValueError, DamagedFileError) as error:
        return {}, str(error)


def take_apart(record: dict, arrays: Mapping[str, np.ndarray]) -> dict[str, Found]:
    """Return what each unit of a record found, by its name.

    Raises:
        ValueError: The list of units does not fit the rows.
    """
    found: dict[str, Found] = {}
    rest = {name: len(rows) for name, rows in record["experiments"].items()}
    try:
        for unit in record["units"]:
            experiment = unit["experiment"]
            rows = record["experiments"][experiment][slice(*unit["rows"])]
            answers = {
                key: arrays[f"{experiment}/{key}"][slice(*place)]
                for key, place in unit["answers"].items()
            }
            rest[experiment] -= len(rows)
            found[unit["name"]] = Found(unit["digest"], rows, unit["seconds"], answers)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the record does not say which rows are whose ({error!r})") from None
    if any(rest.values()):
        raise ValueError(f"the record has rows of no unit, or of two: {rest}")
    return found


def restore(recipe: Recipe, committed: Mapping[str, Found], digest: str) -> int:
    """Keep the committed units that the same code and data made, so that they are not run again.

    Returns:
        How many were taken from the record.
    """
    taken = 0
    for unit in recipe.units:
        known = committed.get(str(unit))
        if known and known.digest == digest_of(unit, digest):
            if read_unit(unit, recipe.folder, digest) is None:
                keep_unit(unit, recipe.folder, known)
                taken += 1
    return taken


def put_together(
    recipe: Recipe, committed: Mapping[str, Found], digest: str
) -> tuple[dict, dict[str, np.ndarray]]:
    """Put the units together: those that are finished, and else those of the committed record.

    Returns:
        The record, and the answers by name. ``stale`` lists the units that were not made by this
        code and data, ``missing`` those that were never run.

    Raises:
        ValueError: The units of one experiment have different answers.
    """
    experiments: dict[str, list] = {}
    arrays: dict[str, list[np.ndarray]] = {}
    seconds: dict[str, float] = {}
    units, stale, missing = [], [], []
    for unit in recipe.units:
        name = unit.experiment
        found = read_unit(unit, recipe.folder, digest) or committed.get(str(unit))
        if found is None:
            missing.append(str(unit))
            continue
        if found.digest != digest_of(unit, digest):
            stale.append(str(unit))
        rows = experiments.setdefault(name, [])
        _require_alike(unit, found, arrays, first=not rows)
        places = {}
        for key, array in found.answers.items():
            before = arrays.setdefault(f"{name}/{key}", [])
            places[key] = _place(sum(map(len, before)), len(array))
            before.append(array)
        units.append(
            {
                "name": str(unit),
                "experiment": name,
                "digest": found.digest,
                "seconds": found.seconds,
                "rows": _place(len(rows), len(found.rows)),
                "answers": places,
            }
        )
        rows += found.rows
        if found.seconds is not None:
            seconds[name] = round(seconds.get(name, 0) + found.seconds, 1)
    record = {
        "seeds": list(recipe.seeds),
        "reviews": {
            part: {
                "count": len(data.reviews()[part]),
                "ids_sha256": ids_sha256(data.reviews()[part]["id"][:]),
            }
            for part in recipe.pools
        },
        **provenance(*PACKAGES),
        "seconds": seconds,
        "missing": missing,
        "stale": stale,
        "units": units,
        "experiments": experiments,
    }
    return record, {key: np.concatenate(parts) for key, parts in arrays.items()}


def write_record(
    recipe: Recipe, record: dict, arrays: Mapping[str, np.ndarray], output: Path
) -> None:
    """Write a record and the answers behind it into a folder, and seal them."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    packed = buffer.getvalue()
    about = {
        "format": recipe.record_format,
        "probabilities_sha256": hashlib.sha256(packed).hexdigest(),
    }
    write_whole(output / recipe.answers.name, packed)
    text = json.dumps(about | record) + "\n"
    write_whole(output / recipe.record.name, text.encode())
    seal_records(output)


def _place(start: int, count: int) -> list[int]:
    return [start, start + count]


def _require_alike(unit: Unit, found: Found, arrays: Mapping[str, list], first: bool) -> None:
    """Refuse answers under other names than the experiment's units before have."""
    before = {key.partition("/")[2] for key in arrays if key.startswith(f"{unit.experiment}/")}
    if not first and before != set(found.answers):
        raise ValueError(
            f"{unit} has the answers {', '.join(found.answers) or 'none'}, the units before it "
            f"{', '.join(sorted(before)) or 'none'}: run all of {unit.experiment} before it is "
            "recorded again"
        )
