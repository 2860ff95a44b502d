"""Calibration on short texts: the first sentences of reviews, and sentences of another source."""

import re

import numpy as np

from experiments.behaviour_scores import SURE, Ask
from imdb_tutorial.evaluation.calibration import calibration_error
from imdb_tutorial.evaluation.clusters import grouped_interval

BINS, DRAWS, SEED = 20, 2_000, 0
_AT_ONCE = 200  # draws that are held at one time
_TAG = re.compile(r"<[^<>]*>")
_END = re.compile(r"""[.!?…]+["'”’)\]]*\s+(?=["'“‘(\[]*[A-Z0-9])""")
# After these a full stop ends no sentence; nor does it after a single capital letter.
_SHORT = {"mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "no", "vol", "lt", "capt", "sgt"}


def first_sentences(text: str, count: int) -> str:
    """Return the first sentences of a review; a review that has no more is returned whole.

    Args:
        text: A review; its markup is taken out.
        count: How many sentences.
    """
    text = " ".join(_TAG.sub(" ", text).split())
    ends = [end.end() for end in _END.finditer(text) if not _is_short(text, end)]
    return text[: ends[count - 1]].rstrip() if len(ends) >= count else text


def calibrate(ask: Ask, texts: list[str], truth: np.ndarray, groups: np.ndarray) -> dict:
    """Return how often a model is right about texts, and whether as often as it thinks.

    Args:
        ask: Texts in, probabilities of being positive out.
        texts: The texts.
        truth: The label of what each was taken from, 0 or 1.
        groups: What texts belong to, such as their film: intervals count these.
    """
    probabilities = np.asarray(ask(texts), dtype=float)
    sure = np.maximum(probabilities, 1 - probabilities)  # [texts]
    right = (probabilities > 0.5) == truth  # [texts]
    accuracy = grouped_interval(right, groups, draws=DRAWS, seed=SEED)
    errors, gaps = _drawn(sure, right, np.unique(groups, return_inverse=True)[1])
    return {
        "count": len(texts),
        "groups": accuracy.groups,
        "accuracy": _rounded(*accuracy[:3]),
        "mean_confidence": round(float(sure.mean()), 4),
        "share_sure": round(float(np.mean(sure > SURE)), 4),
        "error": _rounded(
            calibration_error(y_true=truth, y_proba=probabilities, n_bins=BINS), *_middle(errors)
        ),
        "confidence_less_accuracy": _rounded(sure.mean() - right.mean(), *_middle(gaps)),
    }


def _is_short(text: str, end: re.Match) -> bool:
    before = text[: end.start()].rpartition(" ")[2].strip("\"'“‘([")
    initial = len(before) == 1 and before.isupper() and before != "I"
    return end[0].strip() == "." and (before.lower() in _SHORT or initial)


def _drawn(sure: np.ndarray, right: np.ndarray, codes: np.ndarray):
    """Return the calibration error and the mean gap of drawn groups, one number a draw each.

    Of drawn texts the error is a little larger than of the same number of new ones: chance is in it
    twice. So its interval is on the high side.
    """
    edges = np.linspace(0, 1, BINS + 1)
    number = np.clip(np.searchsorted(edges, sure) - 1, BINS // 2, None)  # [texts]: in which bin
    groups = codes.max() + 1
    apart = np.zeros((groups, BINS))
    np.add.at(apart, (codes, number), sure - right)
    counts = np.bincount(codes)  # [groups]
    random = np.random.default_rng(SEED)
    errors, gaps = [], []
    for _ in range(DRAWS // _AT_ONCE):
        times = random.multinomial(groups, np.full(groups, 1 / groups), size=_AT_ONCE)
        sums, texts = times @ apart, times @ counts  # [draws, bins], [draws]
        errors.append(np.abs(sums).sum(axis=1) / texts)
        gaps.append(sums.sum(axis=1) / texts)
    return np.concatenate(errors), np.concatenate(gaps)


def _middle(drawn: np.ndarray) -> np.ndarray:
    return np.quantile(drawn, [0.025, 0.975])


def _rounded(*numbers: float) -> list[float]:
    return [round(float(number), 4) for number in numbers]
