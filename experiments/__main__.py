"""Runs the whole study, or what is still missing of it, and writes its record.

Every experiment is cut into units. A finished unit is kept under ``build/study``; a study that was
interrupted goes on with the units that are missing.
"""

import argparse
import json
from pathlib import Path

from experiments import runner
from imdb_tutorial.evaluation.recorded_study import PROBABILITIES, RECORD
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar


def main() -> None:
    """Read the options, run what is missing, write the record."""
    parser = argparse.ArgumentParser(prog="python -m study", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=0, help="the first of five seeds")
    parser.add_argument("--output", type=Path, default=RECORD.parent, help="folder of the record")
    options = parser.parse_args()
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
