"""Every seed of a taught classifier in a folder of its own, to see how alike they are.

``python -m experiments.saved_seeds`` takes what ``make classifier`` keeps, and teaches nothing.
"""

import argparse
import json
from pathlib import Path

from experiments.adapted import Adapted
from experiments.classifier import FOLDER
from experiments.saved_classifier import RECORD_FILE, save
from experiments.teaching_settings import STUDENT, Settings, for_this_machine
from imdb_tutorial.machine.checkpoint import read_checkpoint


def save_seeds(settings: Settings, taught: Path, work: Path, to: Path) -> list[Path]:
    """Save every seed as a classifier that ``load_classifier`` opens.

    Args:
        settings: How they were taught.
        taught: The folder of what was kept in the end, with its record.
        work: Where the runs of all seeds are kept.
        to: Where the folders go; each is named by its seed.

    Returns:
        The folders.

    Raises:
        FileNotFoundError: There is no record, or a seed's run is gone.
    """
    record = json.loads((taught / RECORD_FILE).read_text(encoding="utf-8"))
    folders = []
    for seed in (run["seed"] for run in record["runs"]):
        found = read_checkpoint(work / f"seed-{seed}")
        if found is None:
            raise FileNotFoundError(
                f"no run of seed {seed} in {str(work)!r}: run make classifier again"
            )
        model, (tensors, _) = Adapted(settings, seed), found
        model.take(tensors)
        # It was not asked about anything: the accuracies in the record are not its own.
        about = {"seed": seed} | {name: record[name] for name in ("reading", "temperature")}
        save(model, settings, about, {}, to / f"seed-{seed}", work)
        folders.append(to / f"seed-{seed}")
    return folders


def main() -> None:
    """Read the options, and save the small classifier's seeds."""
    parser = argparse.ArgumentParser(prog="python -m experiments.saved_seeds", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of make classifier")
    parser.add_argument("--to", type=Path, default=FOLDER / "seeds", help="where they go")
    options = parser.parse_args()
    work, settings = options.folder / "work/student", for_this_machine(STUDENT, None)
    try:
        folders = save_seeds(settings, options.folder / "student", work, options.to)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    print("\n".join(str(folder) for folder in folders))


if __name__ == "__main__":
    main()
