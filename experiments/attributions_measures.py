"""How good an attribution is: what is lost without its strongest words, and what they hold alone.

Comprehensiveness and sufficiency are those of ERASER (DeYoung et al., 2020), with the area over the
perturbation curve: the mean over shares of the words. The share 0, which their formula also counts,
is the same for every method and left out.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit
from scipy.stats import spearmanr

from experiments.attributions_asked import REMOVALS, Asked
from experiments.attributions_gradients import Shares
from imdb_tutorial.explorer.reading import Reading

PERCENTS = (1, 5, 10, 20, 50)
COMPREHENSIVENESS, SUFFICIENCY = "comprehensiveness", "sufficiency"
PROBABILITY, LOGITS = "probability", "logits"
UNITS = {PROBABILITY: expit, LOGITS: lambda margins: margins}


def strongest_counts(words: int) -> list[int]:
    """Return how many words each share of ``PERCENTS`` is, rounded up."""
    return [-(-percent * words // 100) for percent in PERCENTS]


def versions_kept(pushes: np.ndarray, is_positive: bool) -> np.ndarray:
    """Return which words are kept where the strongest are out, and where they stand alone.

    Args:
        pushes: Of each word; of equal ones the first is the stronger.
        is_positive: Whether the verdict is POSITIVE; the strongest push most towards it.

    Returns:
        True or false, ``[2, shares, words]``: without them, and they alone.
    """
    order = np.argsort(-pushes if is_positive else pushes, kind="stable")
    alone = np.zeros((len(PERCENTS), len(pushes)), dtype=bool)
    for row, count in enumerate(strongest_counts(len(pushes))):
        alone[row, order[:count]] = True
    return np.stack([~alone, alone])


def ask_whole(asked: Asked, readings: Sequence[Reading]) -> np.ndarray:
    """Ask about the texts themselves, and return their margins ``[texts]``."""
    return asked.margins([reading.inputs["input_ids"][0].tolist() for reading in readings])


def ask_versions(
    asked: Asked, readings: Sequence[Reading], pushes: Sequence[np.ndarray], whole: np.ndarray
) -> np.ndarray:
    """Ask about texts without their strongest words, and about these alone.

    Args:
        asked: The classifier.
        readings: The texts.
        pushes: Of each text's words.
        whole: The margin of each text, ``[texts]``.

    Returns:
        Margins ``[texts, removals, 2, shares]``.
    """
    versions = [
        ids
        for reading, some, margin in zip(readings, pushes, whole, strict=True)
        for removal in REMOVALS
        for kept in versions_kept(some, margin > 0)
        for ids in asked.versions(reading, kept, removal)
    ]
    shape = (len(readings), len(REMOVALS), 2, len(PERCENTS))
    return asked.margins(versions).reshape(shape)


def losses(whole: np.ndarray, margins: np.ndarray) -> dict[tuple[str, str, str], np.ndarray]:
    """Return what the verdict loses, by measure, removal and unit.

    Args:
        whole: The margin of each text, ``[texts]``.
        margins: From ``ask_versions``.

    Returns:
        ``[texts, shares]`` each. Without the strongest words (comprehensiveness) more is better;
        with nothing but them (sufficiency) less is better.
    """
    sign = np.where(whole > 0, 1.0, -1.0)  # [texts]
    found = {}
    for number, measure in enumerate((COMPREHENSIVENESS, SUFFICIENCY)):
        for row, removal in enumerate(REMOVALS):
            for unit, of in UNITS.items():
                before = of(sign * whole)[:, None]  # [texts, 1]
                after = of(sign[:, None] * margins[:, row, number])  # [texts, shares]
                found[measure, removal, unit] = before - after
    return found


def completeness_errors(shares: Sequence[Shares]) -> np.ndarray:
    """Return by how much of what they should reach the sums miss it, ``[texts]``."""
    missed = [abs(one.pushes.sum() + one.other - one.reached) for one in shares]
    return np.array(missed) / np.abs([one.reached for one in shares])


def rank_agreement(pushes: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Return how alike classifiers rank the words: the mean Spearman correlation of their pairs.

    Args:
        pushes: For each classifier those of each text's words.

    Returns:
        ``[texts]``; not a number for a text of one word.
    """
    means = []
    for of_text in zip(*pushes, strict=True):
        ranks = [
            spearmanr(one, other).statistic
            for number, one in enumerate(of_text)
            for other in of_text[:number]
            if len(one) > 1
        ]
        means.append(np.mean(ranks) if ranks else np.nan)
    return np.array(means)
