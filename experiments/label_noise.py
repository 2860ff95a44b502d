"""How many labels are wrong: suspects, a sheet for a judge who sees no label, and the record.

``python -m experiments.label_noise sheet`` finds the suspects and writes the sheet; the judge
writes ``label_noise_judgements.json``; ``python -m experiments.label_noise record`` joins the two.
Needs cleanlab: ``pip install --constraint constraints.txt '.[study]'``.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from experiments.noise_sheet import SAMPLED, SEED, draw, sheet_sha256, write_sheet
from experiments.noise_suspects import (
    FOLDS,
    POOLS,
    Everything,
    bag_of_words,
    everything,
    find_suspects,
)
from imdb_tutorial.evaluation.label_noise import wrong_shares
from imdb_tutorial.evaluation.recorded_study import load_study
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.provenance import provenance

RECORD = "label_noise.json"
SHEET = Path("build/label_noise/sheet.txt")
JUDGEMENTS = Path(__file__).with_name("label_noise_judgements.json")
JUDGE = (
    "one reader, a language model; blind to label, stars, suspicion and every model's answer; "
    "knew how many of the sheet's reviews were suspects, not which; a language model may have met "
    "IMDb's public reviews, with their labels, when it was trained"
)
PACKAGES = ("cleanlab", "scikit-learn", "scipy", "numpy")


def judge_all(data: Everything, suspects: np.ndarray, judgements: dict) -> list[dict]:
    """Put each judgement beside its review, whose label the judge did not see.

    Raises:
        ValueError: The judgements were made on another sheet.
    """
    rows = draw(suspects)
    sheet = write_sheet([data.texts[row] for row in rows])
    if judgements["sheet_sha256"] != sheet_sha256(sheet):
        raise ValueError(
            f"{JUDGEMENTS.name} judges another sheet than this one, whose reviews or suspects "
            "differ: write the sheet, and judge it anew"
        )
    found = []
    for number, row in enumerate(rows, start=1):
        judgement, reason = judgements["judgements"][str(number)]
        found.append(
            {
                "id": str(data.ids[row]),
                "pool": str(data.pool[row]),
                "suspect": bool(suspects[row]),
                "label": int(data.labels[row]),
                "judgement": judgement,
                "reason": reason,
            }
        )
    return found


def suspects_by_packaged(data: Everything) -> tuple[np.ndarray, str]:
    """Return the packaged classifier's suspects in test, and a digest of the answers it gave."""
    margins = load_study().margins("packaged")  # [test reviews]
    flags = np.zeros(len(data.labels), dtype=bool)
    probabilities = 1 / (1 + np.exp(-margins.astype(float)))
    test = data.pool == "test"
    flags[test] = find_suspects(data.labels[test], probabilities).flags
    return flags, hashlib.sha256(margins.tobytes()).hexdigest()


def make_record(output: Path) -> None:
    """Write the record into a folder, and seal it."""
    data = everything()
    by_words = find_suspects(data.labels, bag_of_words()).flags
    by_packaged, answers = suspects_by_packaged(data)
    judged = judge_all(data, by_words, json.loads(JUDGEMENTS.read_text(encoding="utf-8")))
    reviews = {
        pool: {
            "suspects": int(by_words[data.pool == pool].sum()),
            "others": int((~by_words[data.pool == pool]).sum()),
        }
        for pool in POOLS
    }
    record = {
        "command": "python -m experiments.label_noise record",
        "finder": f"cleanlab's find_label_issues on TF-IDF probabilities, {FOLDS} folds by film",
        "judge": JUDGE,
        "interval": "Wilson per stratum, joined by Newcombe's square-and-add (MOVER); 95 %; "
        "counts reviews, not films",
        "seed": SEED,
        "sampled": SAMPLED,
        "reviews": reviews,
        "suspects": {
            "TF-IDF": [str(name) for name in data.ids[by_words]],
            "packaged": [str(name) for name in data.ids[by_packaged]],
        },
        "packaged_margins_sha256": answers,
        "wrong": {name: list(share) for name, share in wrong_shares(judged, reviews).items()},
        "judged": judged,
        **provenance(*PACKAGES),
    }
    write_whole(output / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    seal_records(output)
    print(f"wrote {RECORD} into {output}")


def make_sheet() -> None:
    """Write the sheet for the judge."""
    data = everything()
    rows = draw(find_suspects(data.labels, bag_of_words()).flags)
    SHEET.parent.mkdir(parents=True, exist_ok=True)
    write_whole(SHEET, write_sheet([data.texts[row] for row in rows]).encode())
    print(f"wrote {len(rows)} texts into {SHEET}")


def main() -> None:
    """Read the options, and do one of the two."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.label_noise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=("sheet", "record"))
    parser.add_argument("--output", type=Path, default=DATA, help="folder of the record")
    options = parser.parse_args()
    try:
        make_sheet() if options.step == "sheet" else make_record(options.output)
    except (ImportError, OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
