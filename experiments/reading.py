"""What of a long review the packaged classifier should read, and its temperature, by validation.

``python -m experiments.reading`` asks the packaged classifier in several ways about the validation
reviews that are too long for it: one part of them or another, or several parts one by one with the
mean of their logits. What it says of the others, which are read whole in any case, stands in the
study. For each way it measures accuracy, time and calibration, and it writes the record. Single
answers are kept under ``build/reading``: a run that was killed goes on where it was. The test
reviews play no part.
"""

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from experiments.behaviour_models import packaged_sha256
from experiments.data import labels, reviews
from experiments.kept import digest_of, kept
from experiments.learning import ask
from imdb_tutorial import (
    calibration_error,
    compare_grouped,
    fit_temperature,
    grouped_interval,
    holm,
    load_classifier,
    tokenize,
)
from imdb_tutorial.classifier.long_texts import HEAD, HEAD_AND_TAIL, ends_of
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.encoder.tokens import join, pad
from imdb_tutorial.evaluation.recorded_study import load_study
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.provenance import provenance

RECORD = "reading.json"
COMMAND = "python -m experiments.reading"
WORK = Path("build/reading")
WHOLE = 10**6  # no review has so many tokens
AT_ONCE = 100  # pieces between two files of answers
CHECKED = 8  # short reviews
TIMED, ROUNDS = 6, 3
PACKAGES = ("torch", "transformers", "peft", "datasets", "scipy", "numpy")

Pieces = list[np.ndarray]


def head(ids: np.ndarray, size: int) -> Pieces:
    """Read the first tokens, as the tokenizer cuts a text."""
    return [np.concatenate([ids[: size - 1], ids[-1:]])]


def tail(ids: np.ndarray, size: int) -> Pieces:
    """Read the last tokens."""
    return [np.concatenate([ids[:1], ids[1 - size :]])]


def head_and_tail(ids: np.ndarray, size: int) -> Pieces:
    """Read half of the tokens at each end, in one input."""
    return [np.concatenate([ids[end] for end in ends_of(len(ids), size)])]


def head_tail_mean(ids: np.ndarray, size: int) -> Pieces:
    """Read head and tail one by one."""
    return head(ids, size) + tail(ids, size)


def windows_mean(ids: np.ndarray, size: int) -> Pieces:
    """Read all of it, one window after the other; the last one begins where it must to be full."""
    words, room = ids[1:-1], size - 2
    starts = [*range(0, len(words) - room, room), len(words) - room]
    return [np.concatenate([ids[:1], words[start : start + room], ids[-1:]]) for start in starts]


TAUGHT, SURE = HEAD_AND_TAIL, 0.05
# By the name in the record. The first is what the others are compared with.
WAYS: dict[str, Callable[[np.ndarray, int], Pieces]] = {
    HEAD: head,
    "tail": tail,
    HEAD_AND_TAIL: head_and_tail,
    "mean of head and tail": head_tail_mean,
    "mean of all windows": windows_mean,
}


def logits_of(classifier: SentimentPipeline, pieces: Pieces) -> np.ndarray:
    """Return the model's own logits ``[pieces, 2]``, not divided by any temperature."""
    tokens = join(pieces, [np.array([len(ids) for ids in pieces], dtype=np.int64)])
    model, pad_id = classifier.model.cpu(), classifier.tokenizer.pad_token_id

    def compute(rows: np.ndarray) -> torch.Tensor:
        return model(**pad(tokens, rows, pad_id, model.device)).logits  # [batch, 2]

    return ask(compute, tokens.lengths())


def asked_once(classifier: SentimentPipeline, pieces: Pieces, work: Path, weights: str) -> Pieces:
    """Return the logits ``[2]`` of each piece; what stands there twice is asked once, and kept."""
    different = list({ids.tobytes(): ids for ids in pieces}.values())
    found: dict[bytes, np.ndarray] = {}
    for start in progress_bar(range(0, len(different), AT_ONCE), desc="asking"):
        some = different[start : start + AT_ONCE]
        key = [weights, digest_of(np.concatenate(some))]
        make = functools.partial(logits_of, classifier, some)
        logits = kept(work / f"{start}.safetensors", key, make)  # [pieces, 2]
        found |= {ids.tobytes(): row for ids, row in zip(some, logits, strict=True)}
    return [found[ids.tobytes()] for ids in pieces]


def margins_of(logits: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return positive less negative ``[reviews]``: the mean over so many pieces of each review."""
    each = np.split(logits[:, 1].astype(float) - logits[:, 0], np.cumsum(counts)[:-1])
    return np.array([margins.mean() for margins in each])


def calibrated(margins: np.ndarray, truth: np.ndarray, films: np.ndarray) -> dict[str, float]:
    """Fit a temperature, and measure it where it was not fitted: half of the films, then the other.

    Args:
        margins: Positive less negative, ``[reviews]``.
        truth: The labels, ``[reviews]``.
        films: The film of each, ``[reviews]``.

    Returns:
        ``temperature``, fitted on all; ``error_before`` and ``error_after``, the expected
        calibration error without it and with one that was fitted on the other half.
    """
    names = np.unique(films)
    first = np.isin(films, np.random.default_rng(0).permutation(names)[: len(names) // 2])
    fitted = np.empty(len(margins))
    for half in (first, ~first):
        fitted[half] = fit_temperature(y_true=truth[~half], logits=margins[~half])
    temperature = fit_temperature(y_true=truth, logits=margins)
    errors = [
        calibration_error(y_true=truth, y_proba=expit(some)) for some in (margins, margins / fitted)
    ]
    return {
        "temperature": round(temperature, 3),
        "error_before": round(errors[0], 5),
        "error_after": round(errors[1], 5),
    }


def seconds_in_turn(
    classifier: SentimentPipeline, long_ids: Pieces, size: int
) -> dict[str, list[float]]:
    """Let every way read the same reviews, one after the other, several times in turn.

    Returns:
        By way the seconds of each reading, in the same order for all of them.
    """
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for ids in long_ids[:: max(1, len(long_ids) // TIMED)]:
            for name, way in WAYS.items():
                began = time.perf_counter()
                logits_of(classifier, way(ids, size))
                taken[name].append(time.perf_counter() - began)
    return taken


def choose(rows: Sequence[dict]) -> str:
    """Choose head and tail, as it was taught, unless another way is surely ahead of it.

    Args:
        rows: A way each, with its ``accuracy``, its ``less_taught`` and its ``p_value``.

    Returns:
        The most accurate of the ways that are ahead, or head and tail.
    """
    ahead = [
        row
        for row in rows
        if row["less_taught"] and row["less_taught"][1] > 0 and row["p_value"] < SURE
    ]
    return max(ahead, key=lambda row: row["accuracy"][0])["name"] if ahead else TAUGHT


def check_short(classifier: SentimentPipeline, short: Pieces, known: np.ndarray) -> None:
    """Make sure that what is known of short reviews is what this classifier says of them.

    Raises:
        ValueError: It is another one's.
    """
    rows = range(0, len(short), max(1, len(short) // CHECKED))
    found = margins_of(logits_of(classifier, [short[row] for row in rows]), [1] * len(rows))
    if not np.allclose(found, known[list(rows)], atol=0.01):
        raise ValueError(
            "the study's answers are another classifier's than the packaged one's: run make study"
        )


def measure(
    classifier: SentimentPipeline, pool, truth: np.ndarray, known: np.ndarray, work: Path
) -> dict:
    """Ask the classifier in every way.

    Args:
        classifier: The packaged one.
        pool: Reviews, with the columns ``text`` and ``film``.
        truth: Their labels, ``[reviews]``.
        known: Its margins, not divided by any temperature, ``[reviews]``; those of long reviews are
            not looked at.
        work: Where answers are kept.

    Returns:
        ``reviews``, ``long_reviews``, ``ways`` and ``chosen``.
    """
    texts, films, size = pool["text"][:], np.array(pool["film"][:]), classifier.max_length
    tokens = tokenize(texts, classifier.tokenizer, WHOLE)
    all_ids = np.split(tokens.ids, tokens.starts[1:-1])
    is_long = tokens.lengths() > size
    weights = packaged_sha256()

    long_ids = [ids for ids in all_ids if len(ids) > size]
    check_short(classifier, [ids for ids in all_ids if len(ids) <= size], known[~is_long])
    by_way = {name: [way(ids, size) for ids in long_ids] for name, way in WAYS.items()}
    pieces = [ids for some in by_way.values() for one in some for ids in one]
    logits, margins, position = asked_once(classifier, pieces, work, weights), {}, 0
    for name, some in by_way.items():
        counts = [len(one) for one in some]
        mine = np.array(logits[position : position + sum(counts)])  # [pieces, 2]
        margins[name], position = known.copy(), position + sum(counts)
        margins[name][is_long] = margins_of(mine, counts)
    seconds = seconds_in_turn(classifier, long_ids, size)
    right = {name: (some > 0) == truth for name, some in margins.items()}
    against = {name: compare_grouped(flags, right[TAUGHT], films) for name, flags in right.items()}
    others = [name for name in WAYS if name != TAUGHT]
    p_values = dict(zip(others, holm([against[name].p_value for name in others]), strict=True))
    rows = []
    for name, some in margins.items():
        ahead = compare_grouped(right[name], right[HEAD], films)
        long_ahead = compare_grouped(right[name][is_long], right[HEAD][is_long], films[is_long])
        ratios = [mine / base for mine, base in zip(seconds[name], seconds[HEAD], strict=True)]
        rows.append(
            {
                "name": name,
                "accuracy": _with_ends(grouped_interval(right[name], films)),
                "accuracy_long": _with_ends(grouped_interval(right[name][is_long], films[is_long])),
                # Nothing was drawn where there is nothing to compare.
                "less_head": None if name == HEAD else _with_ends(ahead),
                "less_head_long": None if name == HEAD else _with_ends(long_ahead),
                "less_taught": None if name == TAUGHT else _with_ends(against[name]),
                "p_value": None if name == TAUGHT else round(p_values[name], 4),
                "times_head": round(statistics.median(ratios), 2),
            }
            | calibrated(some, truth, films)
        )
    return {
        "reviews": len(texts),
        "long_reviews": int(is_long.sum()),
        "max_length": size,
        "classifier_sha256": weights,
        "ways": rows,
        "chosen": choose(rows),
    }


def _with_ends(found) -> list[float]:
    """Return a value and the ends of its interval, as the record keeps them."""
    return [round(float(value), 5) for value in found[:3]]


def main() -> None:
    """Read the options, measure, write the record."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DATA, help="folder of the record")
    options = parser.parse_args()
    try:
        classifier = load_classifier("packaged")
        known = load_study().margins("packaged", "validation") * classifier.temperature
        found = measure(classifier, reviews()["validation"], labels("validation"), known, WORK)
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    record = {
        "command": COMMAND,
        "pool": "validation, all of it; the way and the temperature are chosen on it, so its "
        "accuracy flatters the chosen way a little",
        "rule": "head and tail, as the classifier was taught, unless another way is ahead of it "
        "with an interval above zero and a p-value below 0.05, after Holm's correction for the "
        "four that are compared with it",
        "interval": "95 %, a bootstrap over films",
        "calibration": "expected calibration error over all reviews; after: half of the films with "
        "the temperature that was fitted on the other half",
        "times": f"{TIMED} long reviews, {ROUNDS} rounds, every way in turn; medians; times_head "
        "is the median of the ratios to the head of the same review in the same round",
        **found,
        **provenance(*PACKAGES),
    }
    write_whole(options.output / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    if (options.output / "manifest.json").is_file():
        seal_records(options.output)
    print(f"wrote {RECORD} into {options.output}: {found['chosen']}")


if __name__ == "__main__":
    main()
