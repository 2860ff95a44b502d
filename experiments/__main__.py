"""Runs the whole study, or what is still missing of it, and writes its record.

Every experiment is cut into units. A finished unit is kept under ``build/study``; a study that was
interrupted goes on with the units that are missing. ``official`` measures on the official test
split instead, which pip does not bring.
"""

import argparse
import json
from pathlib import Path

from experiments import official, runner
from imdb_tutorial.evaluation.recorded_study import PROBABILITIES, RECORD
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar


def main() -> None:
    """Read the options, run what is missing, write the record."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=0, help="the first of five seeds")
    parser.add_argument("--output", type=Path, default=RECORD.parent, help="folder of the record")
    official_parser = parser.add_subparsers(dest="command").add_parser(
        "official", help="measure on the official test split"
    )
    official_parser.add_argument(
        "--reviews", default="stanfordnlp/imdb", help="an unpacked aclImdb folder, or a hub name"
    )
    official_parser.add_argument("--seed", type=int, default=0)
    official_parser.add_argument(
        "--output",
        type=Path,
        default=Path("build/official"),
        help="folder of the record; imdb_tutorial/data replaces the figures that are kept",
    )
    options = parser.parse_args()
    if options.command == "official":
        try:
            return official.run(options.reviews, options.output, options.seed)
        except (OSError, ValueError, RuntimeError) as error:
            parser.exit(1, f"error: {error}\n")
    seeds = range(options.first_seed, options.first_seed + runner.SEEDS)
    units = runner.plan(seeds)
    missing = [unit for unit in units if not runner.file_of(*unit).is_file()]
    total, left = (sum(runner.WEIGHTS[name] for name, _ in some) for some in (units, missing))
    with progress_bar(total=total, initial=total - left, desc="study", unit="part") as bar:
        for name in runner.run_all(missing):
            bar.update(runner.WEIGHTS[name])
    record, probabilities = runner.collect(units, seeds)
    write_whole(options.output / PROBABILITIES.name, probabilities)
    write_whole(options.output / RECORD.name, (json.dumps(record) + "\n").encode())
    seal_records(options.output)
    print(f"wrote {RECORD.name} and {PROBABILITIES.name} into {options.output}")


if __name__ == "__main__":
    main()
