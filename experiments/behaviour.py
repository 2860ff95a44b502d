"""What the packaged classifier makes of short and odd texts, of negation, of what must not matter.

``python -m experiments.behaviour`` asks it everything in ``behaviour_texts.toml`` and all pairs by
rule, and beside it two bags of words; it measures whether confidence is right on the first
sentences of validation reviews and on sentences of another source; and it writes the record. The
answers of the classifier that the record was begun with are kept as ``"before"`` when another one
is packaged. Minutes.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.behaviour_lists import Lists, read_lists
from experiments.behaviour_models import bag_of_words, packaged, packaged_sha256
from experiments.behaviour_scores import (
    STEP,
    SURE,
    Ask,
    answer_lists,
    rate_pairs,
    rate_texts,
)
from experiments.behaviour_sentences import BINS, DRAWS, SEED, calibrate, first_sentences
from experiments.data import labels, reviews
from imdb_tutorial.classifier.certainty import UNSURE
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.provenance import provenance

RECORD = "behaviour.json"
COMMAND = "python -m experiments.behaviour"
PACKAGES = ("torch", "transformers", "peft", "scikit-learn", "scipy", "numpy")
NOW, BEFORE = "packaged", "before"
BAGS = ("NB words", "TF-IDF")
COUNTS = ("one sentence", "two sentences", "three sentences")
OTHERS = "Rotten Tomatoes sentences"


def short_parts() -> dict[str, dict]:
    """Return what to calibrate on, by name: ``texts``, their ``truth``, and their ``groups``."""
    pool = reviews()["validation"]
    parts = {
        name: {
            "texts": [first_sentences(text, count) for text in pool["text"]],
            "truth": labels("validation"),
            "groups": np.array(pool["film"][:]),
        }
        for count, name in enumerate(COUNTS, start=1)
    }
    sentences = reviews()["sentences"]["text"][:]
    alone = {"truth": labels("sentences"), "groups": np.arange(len(sentences))}
    return parts | {OTHERS: {"texts": sentences, **alone}}


def measure(ask: Ask, lists: Lists, parts: dict[str, dict]) -> dict:
    """Ask a model everything.

    Args:
        ask: Texts in, probabilities of being positive out.
        lists: Short and odd texts, and pairs.
        parts: From ``short_parts``.

    Returns:
        Its part of the record: rates of texts and of pairs, calibration, and every answer.
    """
    answers = answer_lists(ask, lists)
    return {
        "texts": rate_texts(lists, answers),
        "pairs": rate_pairs(lists, answers),
        "calibration": [{"texts": name} | calibrate(ask, **part) for name, part in parts.items()],
        "answers": {name: part.tolist() for name, part in answers._asdict().items()},
    }


def kept_before(committed: dict | None, classifier: str, lists: str) -> dict[str, dict]:
    """Return what an earlier classifier answered, to be kept beside what today's answers.

    Args:
        committed: The record so far, if there is one.
        classifier: The digest of today's packaged classifier.
        lists: The digest of today's lists.

    Returns:
        ``"before"``, where the record was begun with another classifier; else nothing.

    Raises:
        ValueError: The earlier one was asked other lists, so the two cannot be compared.
    """
    if committed is None:
        return {}
    earlier = committed["models"].get(BEFORE, committed["models"][NOW])
    if earlier["sha256"] == classifier:
        return {}
    if committed["lists_sha256"] != lists:
        raise ValueError(
            f"{RECORD} was begun with another classifier and other texts than those of today: get "
            "the texts back from git, or remove the file to begin anew without a comparison"
        )
    return {BEFORE: earlier}


def make_record(output: Path, askers: dict[str, Callable[[], Ask]]) -> None:
    """Ask everyone, and write the record into a folder; where it has sealed ones, seal them anew.

    Args:
        output: The folder.
        askers: By name, what makes that which asks a model.
    """
    file = output / RECORD
    committed = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    lists, classifier = read_lists(), packaged_sha256()
    before = kept_before(committed, classifier, lists.sha256)
    parts, models = short_parts(), {}
    with progress_bar(askers.items(), desc="models", unit="model") as bar:
        for name, make in bar:
            models[name] = measure(make(), lists, parts)
    now = {NOW: {"sha256": classifier} | models.pop(NOW)}
    record = {
        "command": COMMAND,
        "texts": "experiments/behaviour_texts.toml and experiments/behaviour_rules.py, which say "
        "what is expected of each; kinds of test from CheckList (Ribeiro et al., 2020)",
        "lists_sha256": lists.sha256,
        "counts": {"texts": len(lists.texts), "pairs": len(lists.pairs)},
        "unsure_band": UNSURE,
        "step": STEP,
        "sure_above": SURE,
        "interval": "95 %; of texts Wilson's; of pairs a bootstrap over the sentences that were "
        "filled; of calibration a bootstrap over films, or over single Rotten Tomatoes sentences",
        "calibration": "the first sentences of the validation reviews, with the review's label; "
        "no model was trained on these reviews, but the packaged classifier was watched on some of "
        "them; error is the expected calibration error",
        "bins": BINS,
        "draws": DRAWS,
        "seed": SEED,
        "models": now | before | models,
        **provenance(*PACKAGES),
    }
    write_whole(file, (json.dumps(record, indent=1) + "\n").encode())
    if (output / "manifest.json").is_file():
        seal_records(output)
    print(f"wrote {RECORD} into {output}")


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DATA, help="folder of the record")
    options = parser.parse_args()
    bags = {name: lambda name=name: bag_of_words(name) for name in BAGS}
    try:
        make_record(options.output, {NOW: packaged} | bags)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
