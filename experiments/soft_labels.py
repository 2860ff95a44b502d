"""What the teacher answers to all that the small classifier learns from, kept text by text.

Asking it takes most of an hour. Its answers lie in its own folder, or beside what is being taught;
the same teacher is never asked twice about a text.
"""

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch

from experiments.saved_classifier import RECORD_FILE, ask_saved
from experiments.teaching import digests_of_saved, softmax
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.tensors import pack, unpack

SOFT_LABELS_FILE = "soft_labels.safetensors"
AT_ONCE = 512  # so many texts are asked between two writes


class SoftLabels:
    """A saved teacher's probabilities of positive, by text.

    Args:
        teacher: Its folder.
        encoder: What ``load_encoder`` takes.
        folder: Where its answers are kept; those that lie in its own folder count, too.
    """

    def __init__(self, teacher: Path, encoder: str, folder: Path):
        self._teacher, self._encoder, self._file = teacher, encoder, folder / SOFT_LABELS_FILE
        self._key = _answers_by(teacher)
        self._known: dict[int, float] = {}  # a text's number -> its probability of positive
        self._timed = {"texts": 0, "seconds": 0.0}
        for file in (teacher / SOFT_LABELS_FILE, self._file):
            if found := _read(file, self._key):
                known, self._timed = found
                self._known |= known

    def missing(self, texts: list[str]) -> list[str]:
        """Return those texts that the teacher was not asked about."""
        return [text for text in texts if number_of(text) not in self._known]

    def seconds_for(self, count: int) -> float:
        """Return how long it takes to ask about so many texts, by those that were timed."""
        return self._timed["seconds"] / max(1, self._timed["texts"]) * count

    def add(self, texts: list[str], positive: np.ndarray, seconds: float) -> None:
        """Keep answers, ``[texts]``, and how long it took to have them."""
        # As they are kept, so that whoever reads them later has the same numbers.
        rounded = positive.astype(np.float32).tolist()
        self._known |= dict(zip(map(number_of, texts), rounded, strict=True))
        self._timed = {
            "texts": self._timed["texts"] + len(texts),
            "seconds": self._timed["seconds"] + seconds,
        }
        numbers = torch.tensor(list(self._known), dtype=torch.int64)
        answers = torch.tensor(list(self._known.values()), dtype=torch.float32)
        tensors = {"texts": numbers, "positive": answers}
        about = {"teacher": self._key, "timed": self._timed}
        write_whole(self._file, pack(tensors, "about", about))

    def of(self, texts: list[str]) -> np.ndarray:
        """Return the teacher's probabilities ``[texts, 2]``; it is asked where it was not yet."""
        ahead = self.missing(texts)
        with progress_bar(total=len(ahead), desc="asking the teacher", disable=not ahead) as bar:
            for start in range(0, len(ahead), AT_ONCE):
                some = ahead[start : start + AT_ONCE]
                began = time.perf_counter()
                answers = softmax(ask_saved(self._teacher, self._encoder, some))
                self.add(some, answers[:, 1], time.perf_counter() - began)
                bar.update(len(some))
        positive = np.array([self._known[number_of(text)] for text in texts])
        return np.stack([1 - positive, positive], axis=1)


def number_of(text: str) -> int:
    """Return a number that no two of a few thousand texts share."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def _answers_by(teacher: Path) -> list[str]:
    """Return whose answers count: a teacher's own, or those it gave before it went on learning."""
    record = json.loads((teacher / RECORD_FILE).read_bytes())
    return record.get("answers_by", digests_of_saved(teacher))


def _read(file: Path, key: list[str]) -> tuple[dict[int, float], dict] | None:
    """Return what a file has of a teacher's answers, and what was timed; nothing without any."""
    try:
        tensors, about = unpack(file, "about")
        if about["teacher"] != key:
            return None
        numbers, positive = tensors["texts"].tolist(), tensors["positive"].tolist()
        return dict(zip(numbers, positive, strict=True)), about["timed"]
    except (OSError, ValueError, KeyError):
        return None
