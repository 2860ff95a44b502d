"""The plan of the study: every experiment behind the lessons, cut into units."""

from pathlib import Path

from experiments import (
    data,
    fine_tuning,
    ladder_bags,
    ladder_probes,
    ladder_saved,
    padding,
    parts,
    probes,
    rates,
    words,
)
from experiments.recipe import Cost, Recipe, why_no_base
from experiments.units import Unit
from imdb_tutorial.evaluation.recorded_study import FORMAT, RECORD, RENEW

SEEDS = 5
LADDER = {
    "majority": ladder_bags.climb_majority,
    "TF-IDF": ladder_bags.climb_tfidf,
    "NB words": ladder_bags.climb_naive_bayes,
    "classic probe": ladder_probes.climb_classic,
    "mended probe": ladder_probes.climb_mended,
}
COSTS = {
    "probes": Cost(50, beside=True),
    "choosing": Cost(10, beside=True),
    "rates": Cost(30, beside=True),
    "cutting": Cost(15, beside=True),
    "padding": Cost(100),
    "ladder": Cost(150),
    "parts": Cost(60),
}


def plan(seeds: range) -> list[Unit]:
    """List every unit."""
    few = seeds[:3]
    trained = [(n, s) for n in (200, 2_000) for s in seeds] + [(None, s) for s in few]
    units = [Unit("probes", probes.train_probes, {"size": n, "seed": s}) for n, s in trained]
    units += [Unit("choosing", probes.choose, {"seed": s}) for s in seeds]
    units += [Unit("rates", rates.sweep_rates, {"size": n, "seed": s}) for n, s in trained]
    units += [
        Unit("cutting", words.cut_reviews, {"by": b, "seed": s}) for b in data.CUTS for s in seeds
    ]
    units += [Unit("padding", padding.pay_for_padding, {"seed": seeds[0]})]
    units += [Unit("ladder", climb, {"model": m, "seed": seeds[0]}) for m, climb in LADDER.items()]
    files = {m: ladder_saved.files_of(m) for m in ladder_saved.FOLDERS}
    units += [
        Unit("ladder", ladder_saved.climb_saved, {"model": m, "seed": seeds[0]}, some)
        for m, some in files.items()
    ]
    units += [
        Unit("ladder", fine_tuning.climb_fine_tuned, {"model": "fine-tuned", "seed": s})
        for s in few
    ]
    units += [
        Unit("parts", parts.cut_texts, {"size": n, "part": p}, files["packaged"])
        for n in (128, 512)
        for p in ("head", "tail", "both")
    ]
    return units


def prepare() -> None:
    """Make what all processes read."""
    for part in data.PARTS:
        data.features(part)
    data.word_counts()


def recipe(seeds: range) -> Recipe:
    """Return how the study's record is made."""
    return Recipe(
        record=RECORD,
        record_format=FORMAT,
        renew=RENEW,
        folder=Path("build/study"),
        seeds=seeds,
        units=plan(seeds),
        costs=COSTS,
        pools=data.PARTS,
        prepare=prepare,
        why_not=why_no_base,
    )
