"""Held-back reviews to guess at, with what their authors meant by them."""

import dataclasses
import itertools
import random
from collections.abc import Iterator

from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.dataset.reviews import load_reviews
from imdb_tutorial.machine.text import clean_text
from imdb_tutorial.presets import Preset, load_preset


@dataclasses.dataclass(frozen=True)
class Surprise:
    """A review that no model was trained on.

    Args:
        text: The review.
        label: What its author gave it, ``"NEGATIVE"`` or ``"POSITIVE"``.
    """

    text: str
    label: str


class Surprises:
    """The test reviews in one fixed shuffled order, for ever; they are loaded with the first.

    Args:
        preset: Says where they come from; without it, the preset in use.
    """

    def __init__(self, preset: Preset | None = None):
        self._preset = preset
        self._reviews: Iterator[Surprise] | None = None

    def draw(self) -> Surprise:
        """Return the next review."""
        if self._reviews is None:
            self._reviews = self._shuffled()
        return next(self._reviews)

    def _shuffled(self) -> Iterator[Surprise]:
        preset = self._preset or load_preset()
        pool = load_reviews(preset)["test"]
        order = random.Random(preset.seed).sample(range(len(pool)), len(pool))
        reviews = (pool[row] for row in itertools.cycle(order))
        return (Surprise(clean_text(review["text"]), LABELS[review["label"]]) for review in reviews)
