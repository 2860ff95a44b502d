"""What the commands that make a record have in common: their options, and the way it goes."""

import argparse
import time
from pathlib import Path

from experiments.recipe import Recipe, data_digest
from experiments.record import put_together, read_committed, restore, write_record
from experiments.runner import run_recipe


def add_options(parser: argparse.ArgumentParser, output: Path, seeds: str) -> None:
    """Give a command its options.

    Args:
        parser: The command's.
        output: Where the record is written without an option.
        seeds: How many seeds there are, in words.
    """
    parser.add_argument("--first-seed", type=int, default=0, help=f"the first of {seeds} seeds")
    parser.add_argument("--only", help="experiments, or single units of a record, by commas")
    parser.add_argument("--minutes", type=float, help="begin no unit after so many minutes")
    parser.add_argument("--collect", action="store_true", help="run nothing, write the record")
    parser.add_argument("--output", type=Path, default=output, help="folder of the record")


def make_record(recipe: Recipe, options: argparse.Namespace) -> None:
    """Take what the committed record has, run what is missing, write the record.

    Raises:
        ValueError: Unknown names, or a committed record that cannot be read where only a part of
            its units is there to replace it.
    """
    until = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    wanted = recipe.named(options.only.split(",")) if options.only else recipe.units
    digest = data_digest(recipe.pools)
    committed, damage = read_committed(recipe)
    if damage:
        print(f"nothing is taken from the committed record: {damage}")
    if taken := restore(recipe, committed, digest):
        print(f"{taken} units are taken from the committed record")
    if not options.collect:
        run_recipe(recipe, wanted, digest, until)
    record, arrays = put_together(recipe, committed, digest)
    if damage and record["missing"]:
        raise ValueError(
            f"{recipe.record} cannot be read, and {len(record['missing'])} units that it may hold "
            "are not finished: get it back from git, run the whole command, or remove the file"
        )
    write_record(recipe, record, arrays, options.output)
    print(
        f"wrote {recipe.record.name} and {recipe.answers.name} into {options.output}: of "
        f"{len(recipe.units)} units {len(record['missing'])} are missing and "
        f"{len(record['stale'])} were made by other code or data, or it is not known by which"
    )
