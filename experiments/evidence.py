"""Runs the evidence: bags of words, frozen encoders and fine-tuning at the same budgets of labels.

Every finished unit is kept with a digest of the code and the data that made it, under
``build/evidence`` and then in the record, so that a changed experiment is run again and nothing
else. Several of these processes can share the work: each takes units that no other one is at.
"""

import argparse
from pathlib import Path

from experiments import bags, budget, data, frozen, frozen_base, tuned
from experiments.command import add_options, make_record
from experiments.recipe import Cost, Recipe, why_no_base
from experiments.units import Unit
from imdb_tutorial.evaluation.evidence import FORMAT, RECORD, RENEW

SEEDS = 3
POOLS = ("train", "test")
MIDDLE = (2_000, None)  # where a whole curve would say no more
LAYERS = range(7)
COSTS = {
    "words": Cost(40, beside=True),
    "frozen": Cost(30),
    "lengths": Cost(40),
    "layers": Cost(30),
    "tuned": Cost(500),
}


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


def recipe(seeds: range) -> Recipe:
    """Return how the evidence's record is made."""
    return Recipe(
        record=RECORD,
        record_format=FORMAT,
        renew=RENEW,
        folder=Path("build/evidence"),
        seeds=seeds,
        units=plan(seeds),
        costs=COSTS,
        pools=POOLS,
        prepare=data.word_counts,
        why_not=why_no_base,
    )


def main() -> None:
    """Read the options, run what is missing, write the record."""
    parser = argparse.ArgumentParser(prog="python -m experiments.evidence", description=__doc__)
    add_options(parser, RECORD.parent, "three")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + SEEDS)
    try:
        make_record(recipe(seeds), options)
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
