"""What a record is made of: its units, what they read, what they cost, and where all is kept."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from experiments import data
from experiments.units import Unit
from imdb_tutorial import model_source


class Cost(NamedTuple):
    """About how many ``seconds`` one unit takes, and whether it can run ``beside`` others.

    What uses all cores, or is timed, runs alone.
    """

    seconds: float
    beside: bool = False


def nothing_stops(unit: Unit) -> str | None:
    """Say that a unit can be run on any machine."""
    return None


def why_no_base(unit: Unit) -> str | None:
    """Say why a unit that asks the base-size encoder cannot be run here, if so."""
    if "base" not in unit.varies.values():
        return None
    try:
        model_source("base")
    except FileNotFoundError as error:
        return str(error)
    return None


def nothing_before() -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Recipe:
    """How a record is made.

    Args:
        record: The committed record; the answers lie beside it.
        record_format: What its reader understands.
        renew: The command that makes it, for messages.
        folder: Where finished units are kept until then.
        seeds: The seeds of the units.
        units: In the order of the record.
        costs: By experiment.
        pools: The parts of the reviews that the units read.
        prepare: Makes once, with all cores, what units side by side read.
        why_not: Says why a unit cannot be run on this machine, if so.
    """

    record: Path
    record_format: int
    renew: str
    folder: Path
    seeds: range
    units: Sequence[Unit]
    costs: dict[str, Cost]
    pools: Sequence[str]
    prepare: Callable[[], object] = nothing_before
    why_not: Callable[[Unit], str | None] = nothing_stops

    @property
    def answers(self) -> Path:
        """The file with the answers behind the record."""
        return self.record.with_suffix(".npz")

    @property
    def beside(self) -> Collection[str]:
        """Names of the experiments whose units run side by side."""
        return [name for name, cost in self.costs.items() if cost.beside]

    def seconds(self, units: Sequence[Unit]) -> float:
        """Return about how long some units take."""
        return sum(self.costs[unit.experiment].seconds for unit in units)

    def named(self, names: Collection[str]) -> list[Unit]:
        """Return the units of some experiments, or single ones.

        Args:
            names: Of experiments, or of units, as a record lists them.

        Raises:
            ValueError: There is no such experiment or unit.
        """
        known = {unit.experiment for unit in self.units} | {str(unit) for unit in self.units}
        if unknown := sorted(set(names) - known):
            raise ValueError(
                f"no experiment or unit {', '.join(unknown)}: expected one of "
                f"{', '.join(self.costs)}, or a unit as the record names it"
            )
        return [unit for unit in self.units if {unit.experiment, str(unit)} & set(names)]


def data_digest(pools: Sequence[str]) -> str:
    """Digest the reviews that units learn from and are asked."""
    digest = hashlib.sha256()
    for part in pools:
        split = data.reviews()[part]
        for column in ("id", "text", "label"):
            digest.update(json.dumps([part, column, split[column][:]]).encode())
    return digest.hexdigest()
