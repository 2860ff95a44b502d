"""Runs the whole study, or what is still missing of it, and writes its record.

Every experiment is cut into units. A finished unit is kept with a digest of the code and the data
that made it, under ``build/study`` and then in the record: what was interrupted goes on, and a
changed experiment is run again and nothing else. ``official`` measures on the official test split
instead, which pip does not bring.
"""

import argparse
from pathlib import Path

from experiments import official, study
from experiments.command import add_options, make_record


def main() -> None:
    """Read the options, and do what they say."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    add_options(parser, study.RECORD.parent, "five")
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
    try:
        if options.command == "official":
            official.run(options.reviews, options.output, options.seed)
        else:
            seeds = range(options.first_seed, options.first_seed + study.SEEDS)
            make_record(study.recipe(seeds), options)
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
