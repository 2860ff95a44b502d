"""Whether answers are as expected: rates with intervals, and how sure a model is where none can be.

A probability is always that of POSITIVE, 0 to 1.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from experiments.behaviour_lists import TESTS, Lists
from imdb_tutorial.classifier.certainty import is_unsure
from imdb_tutorial.evaluation.clusters import grouped_interval
from imdb_tutorial.evaluation.intervals import accuracy_interval

# What counts as a change, as in CheckList's directional tests.
STEP = 0.1
SURE = 0.95
ALL = "all"


class Answers(NamedTuple):
    """What a model said, in the order of the lists.

    Args:
        texts: Of each text, ``[texts]``.
        first: Of each pair's first text, ``[pairs]``.
        second: Of each pair's second text, ``[pairs]``.
    """

    texts: np.ndarray
    first: np.ndarray
    second: np.ndarray


Ask = Callable[[Sequence[str]], np.ndarray]


def answer_lists(ask: Ask, lists: Lists) -> Answers:
    """Ask a model everything, to five digits: what is judged is what the record keeps.

    Args:
        ask: Texts in, probabilities out.
        lists: What is asked.

    Raises:
        ValueError: An answer that is no probability, or not one answer a text.
    """
    asked = [
        [row.text for row in lists.texts],
        [row.first for row in lists.pairs],
        [row.second for row in lists.pairs],
    ]
    found = np.asarray(ask([text for part in asked for text in part]), dtype=float)
    wanted = sum(map(len, asked))
    if found.shape != (wanted,):
        raise ValueError(f"{wanted} texts were asked, the answers have the shape {found.shape}")
    if not np.all((found >= 0) & (found <= 1)):  # not a number is neither
        raise ValueError("a model's answer is no probability: expected numbers from 0 to 1")
    return Answers(*np.split(found.round(5), np.cumsum([len(part) for part in asked])[:-1]))


def text_passes(expected: str, probability: float) -> bool:
    """Return whether a text's answer is as expected; a tie is no verdict."""
    if expected == "unsure":
        return bool(is_unsure(probability))
    return _verdict(probability) == expected


def pair_passes(expected: str, first: float, second: float) -> bool:
    """Return whether a pair's answers are as expected: both verdicts, or how they differ."""
    if expected == "same":
        return _verdict(first) == _verdict(second)
    if ", " in expected:
        return f"{_verdict(first)}, {_verdict(second)}" == expected
    change = round(second - first, 5)
    return {
        "higher": change >= STEP,
        "lower": change <= -STEP,
        "not higher": change <= STEP,
        "not lower": change >= -STEP,
    }[expected]


def rate_texts(lists: Lists, answers: Answers) -> list[dict]:
    """Return how often texts are answered as expected: all, by what is expected, by kind.

    Each text stands for itself, so its intervals are Wilson's.
    """
    rows = list(zip(lists.texts, answers.texts, strict=True))
    wanted = {row.expected for row in lists.texts}
    kinds = dict.fromkeys((row.kind, row.expected) for row in lists.texts)
    groups = [(ALL, ALL), *((ALL, e) for e in ("positive", "negative", "unsure") if e in wanted)]
    found = []
    for kind, expected in [*groups, *kinds]:
        here = [
            (row, probability)
            for row, probability in rows
            if kind in (ALL, row.kind) and expected in (ALL, row.expected)
        ]
        passed = [text_passes(row.expected, probability) for row, probability in here]
        found.append(
            {"kind": kind, "expected": expected}
            | _rate(accuracy_interval(passed))
            | _how_sure([probability for _, probability in here])
        )
    return found


def rate_pairs(lists: Lists, answers: Answers) -> list[dict]:
    """Return how often pairs are answered as expected: all, by kind of test, by what is changed.

    Pairs from one sentence are alike, so intervals count sentences (see ``grouped_interval``).
    """
    rows = list(zip(lists.pairs, answers.first, answers.second, strict=True))
    tests = dict.fromkeys(TESTS[row.expected] for row in lists.pairs)
    kinds = dict.fromkeys((TESTS[row.expected], row.kind) for row in lists.pairs)
    found = []
    for test, kind in [(ALL, ALL), *((test, ALL) for test in tests), *kinds]:
        here = [
            row
            for row in rows
            if test in (ALL, TESTS[row[0].expected]) and kind in (ALL, row[0].kind)
        ]
        passed = [pair_passes(pair.expected, first, second) for pair, first, second in here]
        interval = grouped_interval(passed, [pair.source for pair, _, _ in here])
        change = np.mean([abs(second - first) for _, first, second in here])
        found.append(
            {"test": test, "kind": kind}
            | _rate(interval)
            | {"sentences": interval.groups, "mean_change": round(float(change), 4)}
        )
    return found


def _verdict(probability: float) -> str:
    return "positive" if probability > 0.5 else "negative" if probability < 0.5 else "none"


def _rate(interval) -> dict:
    """Return the rate and its interval, as the record keeps them."""
    return {
        "rate": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "count": interval.reviews,
    }


def _how_sure(probabilities: Sequence[float]) -> dict:
    sure = np.maximum(probabilities, 1 - np.asarray(probabilities))
    return {
        "mean_confidence": round(float(sure.mean()), 4),
        "share_sure": round(float(np.mean(sure > SURE)), 4),
        "share_positive": round(float(np.mean(np.asarray(probabilities) > 0.5)), 4),
    }
