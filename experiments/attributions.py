"""Compares ways to say which words did it, for the packaged classifier, on validation reviews.

``python -m experiments.attributions`` attributes 300 short validation reviews by every method,
takes the strongest words out, or leaves only them, and measures what becomes of the verdict. It
says beforehand how long it will take, goes on where it was killed, and writes the record. Given
folders with classifiers of several seeds, it measures how alike these rank the words.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.attributions_asked import REMOVALS, Asked
from experiments.attributions_cost import (
    WORDS,
    expected_minutes,
    first_words,
    machine_load,
    time_methods,
)
from experiments.attributions_gradients import Shares
from experiments.attributions_measures import (
    PERCENTS,
    completeness_errors,
    losses,
    rank_agreement,
)
from experiments.attributions_methods import FROM_MASK, METHODS, PASSES
from experiments.attributions_pieces import SEED, Found, find_all
from experiments.attributions_summary import (
    DRAWS,
    choose,
    grouped_mean,
    is_clearly_better,
    spread,
    summarise,
)
from experiments.behaviour_models import packaged_sha256
from experiments.data import labels, reviews
from imdb_tutorial import choose_dtype, load_classifier
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.provenance import provenance

RECORD = "attributions.json"
TODAY = FROM_MASK  # what the explorer does
COMMAND = "python -m experiments.attributions"
FOLDER = Path("build/attributions")
POOL, PER_LABEL, SHORTEST, LONGEST = "validation", 150, 30, 100
PACKAGES = ("torch", "transformers", "peft", "captum", "scikit-learn", "scipy", "numpy")


def choose_rows(texts: Sequence[str], truth: np.ndarray, per_label: int) -> np.ndarray:
    """Choose reviews of 30 to 100 words by a seed, as many of either label.

    Args:
        texts: A pool.
        truth: Its labels, 0 or 1.
        per_label: So many of each.

    Returns:
        Row numbers, rising.

    Raises:
        ValueError: There are not so many.
    """
    words = np.array([len(text.split()) for text in texts])
    order = np.random.default_rng(SEED).permutation(len(texts))
    order = order[(words[order] >= SHORTEST) & (words[order] <= LONGEST)]
    halves = [order[truth[order] == label][:per_label] for label in (0, 1)]
    if any(len(half) < per_label for half in halves):
        raise ValueError(
            f"the pool has {[len(half) for half in halves]} negative and positive reviews of "
            f"{SHORTEST} to {LONGEST} words: expected at least {per_label} of each"
        )
    return np.sort(np.concatenate(halves))


def blanks(shares: Mapping[str, Sequence[Shares]]) -> list[dict]:
    """Return what the classifier says of the baselines themselves, in logits, by method."""
    found = []
    for name, of_texts in shares.items():
        margins = np.array([one.blank for one in of_texts])
        if np.isfinite(margins).all() and not METHODS[name].mean_of:
            found.append(
                {"method": name, **spread(margins)}
                | {"share_positive": round(float(np.mean(margins > 0)), 4)}
            )
    return found


def completeness(shares: Mapping[str, Sequence[Shares]]) -> list[dict]:
    """Return by how much sums miss what they promise, relatively, by method that promises."""
    return [
        {"method": name, **spread(errors), "share_within_5_percent": within}
        for name, of_texts in shares.items()
        if METHODS[name].adds_up
        for errors in [completeness_errors(of_texts)]
        for within in [round(float(np.mean(errors <= 0.05)), 4)]
    ]


def agreement(
    all_shares: Sequence[Mapping[str, Sequence[Shares]]], films: np.ndarray
) -> list[dict]:
    """Return how alike classifiers of several seeds rank the words, by method.

    Args:
        all_shares: For each classifier, by method, of each text.
        films: The film of each text.
    """
    rows = []
    for name in all_shares[0]:
        alike = rank_agreement([[one.pushes for one in shares[name]] for shares in all_shares])
        mean, low, high, _ = (round(number, 4) for number in grouped_mean(alike, films))
        rows.append({"method": name, "rank_correlation": mean, "low": low, "high": high})
    return rows


def make_record(output: Path, folder: Path, seeds: Sequence[Path], per_label: int) -> dict:
    """Measure everything, and write the record; where a folder has sealed ones, seal them anew.

    Args:
        output: Where the record is written.
        folder: Where pieces are kept.
        seeds: Folders with classifiers of the same kind, one a seed: none, or two or more. The
            packaged one is not compared with them, for it may be their mean.
        per_label: So many reviews of either label.

    Raises:
        ValueError: The folder of a single seed.
    """
    if len(seeds) == 1:
        raise ValueError(f"{str(seeds[0])!r} is a single seed: expected two or more, or none")
    pool, truth = reviews()[POOL], labels(POOL)
    texts = pool["text"][:]
    rows = choose_rows(texts, truth, per_label)
    chosen, films = [texts[row] for row in rows], np.array(pool["film"][:])[rows]
    asked = Asked(load_classifier("packaged"))
    minutes = expected_minutes(asked, chosen, METHODS, len(seeds))
    print(f"{len(chosen)} reviews, {len(METHODS)} methods: about {minutes:.0f} min from the start")
    found = find_all(asked, chosen, METHODS, folder)
    asking = {name: method for name, method in METHODS.items() if method.asks}
    of_seeds = [
        find_all(Asked(load_classifier(seed)), chosen, asking, folder, measured=False).shares
        for seed in seeds
    ]
    times = time_methods(asked, first_words(texts), METHODS, TODAY)
    record = _describe(found, films, times)
    record["agreement"] = {
        "classifiers": len(of_seeds),
        "rows": agreement(of_seeds, films) if of_seeds else [],
    }
    record["reviews"] = {
        "pool": POOL,
        "count": len(rows),
        "positive": int(truth[rows].sum()),
        "films": len(np.unique(films)),
        "words": [SHORTEST, LONGEST],
        "ids_sha256": ids_sha256([pool["id"][:][row] for row in rows]),
    }
    write_whole(output / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    if (output / "manifest.json").is_file():
        seal_records(output)
    print(f"wrote {RECORD} into {output}; the best is {record['best']['method']}")
    return record


def _describe(found: Found, films: np.ndarray, times: Mapping[str, dict]) -> dict:
    measures = {name: losses(found.whole, found.margins[name]) for name in METHODS}
    rows = summarise(measures, TODAY, films)
    seconds = {name: row["seconds"] for name, row in times.items()}
    best = choose({name: measures[name] for name in seconds}, seconds, films)
    best["clearly_better_than_today"] = bool(
        best["method"] not in (None, TODAY) and is_clearly_better(rows, best["method"])
    )
    return {
        "command": COMMAND,
        "classifier_sha256": packaged_sha256(),
        "today": TODAY,
        "methods": list(METHODS),
        "controls": [name for name, method in METHODS.items() if not method.asks],
        "words": "those that the explorer shows: what the tokenizer takes for words, so a full "
        "stop is one, too; the length of a review counts what stands between blanks",
        "removals": {
            REMOVALS[0]: "cut out of the text, as without_words does, and read anew; so do leaving "
            "words out and Shapley values when they attribute",
            REMOVALS[1]: "every token of the word is [MASK], the others stay where they are",
        },
        "measures": "DeYoung et al. (2020), ERASER: what the verdict loses without the strongest "
        "words (comprehensiveness: more is better) and with nothing but them (sufficiency: less is "
        "better), as the mean over shares of the words, each rounded up to whole words; strongest "
        "are those that push most towards the verdict",
        "percents": list(PERCENTS),
        "precision": f"gradients in float32; all else asked in {choose_dtype('cpu')}".replace(
            "torch.", ""
        ),
        "shapley_passes": PASSES,
        "interval": "95 %, a bootstrap over films; p-values of all differences to today's method "
        "are corrected together (Holm)",
        "draws": DRAWS,
        "seed": SEED,
        "rows": rows,
        "completeness": completeness(found.shares),
        "blanks": blanks(found.shares),
        "cost": {
            "words": WORDS,
            "turns": "each text by today's method and by the other in turn",
            **machine_load(),
            "methods": dict(times),
        },
        "best": best,
        **provenance(*PACKAGES),
    }


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DATA, help="folder of the record")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of what is kept")
    parser.add_argument(
        "--seeds", type=Path, nargs="*", default=[], help="a folder for each of several seeds"
    )
    options = parser.parse_args()
    try:
        make_record(options.output, options.folder, options.seeds, PER_LABEL)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
