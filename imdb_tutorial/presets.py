"""Which reviews, which BERT, how many and how long: everything a lesson can vary."""

import dataclasses
import math
import os
from typing import Any, Literal

Pooling = Literal["cls", "mean", "pooler"]
POOLINGS: tuple[Pooling, ...] = ("cls", "mean", "pooler")

# The classic experiment's values are the defaults of every function that has them.
POOLING: Pooling = "cls"
MAX_LENGTH = 500


@dataclasses.dataclass(frozen=True)
class Preset:
    """One complete set of choices for the lessons.

    Args:
        name: How the preset is called, for example ``"laptop"``.
        reviews: ``"packaged"``, the hub data set ``"stanfordnlp/imdb"``, an unpacked ``aclImdb``
            folder, or a csv (also as csv.gz), tsv, parquet, json or jsonl file with the columns
            ``text`` and ``label``, and perhaps ``group``.
        encoder: ``"packaged"``, ``"base"``, the hub name of a BERT (``"name@revision"`` pins a
            version), or a folder saved by transformers.
        train_size: Number of training reviews; ``None`` takes all there are.
        validation_size: Number of validation reviews; ``None`` takes all there are.
        test_size: Number of test reviews; ``None`` takes all there are.
        validation_from: ``"train"`` keeps validation reviews apart from the test reviews;
            ``"test"`` is the classic protocol, which looks at the test reviews after every epoch.
        pooling: How a review's token vectors become one: ``"cls"``, ``"mean"`` or ``"pooler"``.
        max_length: Longest input, in tokens; what is longer is cut.
        batch_size: Reviews in a batch.
        learning_rate: AdamW's step size in the first epoch.
        gamma: The learning rate is multiplied by this after every epoch.
        num_epochs: Passes over the training reviews.
        seed: Seed of the shuffling and of the initial weights.

    Raises:
        ValueError: A value that no lesson can work with; the message names it.
    """

    name: str
    reviews: str
    encoder: str
    train_size: int | None
    validation_size: int | None
    test_size: int | None
    validation_from: Literal["train", "test"] = "train"
    pooling: Pooling = POOLING
    max_length: int = MAX_LENGTH
    batch_size: int = 32
    learning_rate: float = 1e-3
    gamma: float = 0.95
    num_epochs: int = 30
    seed: int = 0

    def __post_init__(self):
        for field in ("train_size", "validation_size", "test_size"):
            value = getattr(self, field)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(
                    f"{field} is {value!r}: expected a whole number of reviews, 1 or more, "
                    "or None for all there are"
                )
        for field in ("max_length", "batch_size", "num_epochs"):
            value = getattr(self, field)
            if type(value) is not int or value < 1:
                raise ValueError(f"{field} is {value!r}: expected a whole number, 1 or more")
        for field, allowed in (("pooling", POOLINGS), ("validation_from", ("train", "test"))):
            value = getattr(self, field)
            if value not in allowed:
                raise ValueError(f"{field} is {value!r}: expected one of {', '.join(allowed)}")
        for field in ("learning_rate", "gamma"):
            if not 0 < getattr(self, field) < math.inf:
                raise ValueError(
                    f"{field} is {getattr(self, field)!r}: expected a finite number above 0"
                )

    def replace(self, **changes: Any) -> "Preset":
        """Return a copy with some fields changed.

        Args:
            changes: New values by field name, for example ``train_size=500``.

        Returns:
            The changed copy; the preset itself stays as it is.

        Raises:
            ValueError: An unknown field, or a value that no lesson can work with.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        unknown = sorted(set(changes) - set(fields))
        if unknown:
            raise ValueError(
                f"a preset has no field {', '.join(unknown)}: choose from {', '.join(fields)}"
            )
        return dataclasses.replace(self, **changes)

    def for_fine_tuning(self) -> "Preset":
        """Return this preset's choices for fine-tuning, where BERT itself learns.

        Returns:
            A copy with fewer reviews, a smaller step and fewer epochs. Its learning rate falls in a
            straight line to zero, so ``gamma`` and ``pooling`` play no part.
        """
        return self.replace(**FINE_TUNING.get(self.name, FINE_TUNING["full"]))


# The laptop's fit into two minutes on two cores; the full ones are the classic values.
FINE_TUNING = {
    "laptop": {
        "train_size": 500,
        "validation_size": 200,
        "test_size": 1_000,
        "max_length": 160,
        "batch_size": 16,
        "learning_rate": 1e-4,
        "num_epochs": 4,
    },
    "full": {
        "train_size": 1_000,
        "validation_size": 1_000,
        "test_size": 1_000,
        "max_length": 512,
        "batch_size": 8,
        "learning_rate": 5e-5,
        "num_epochs": 10,
    },
}

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="laptop",
            reviews="packaged",
            encoder="packaged",
            train_size=2_000,
            validation_size=500,
            test_size=1_000,
        ),
        Preset(
            name="full",
            reviews="stanfordnlp/imdb",
            encoder="google-bert/bert-base-cased",
            train_size=None,
            validation_size=None,
            test_size=None,
        ),
        Preset(
            name="base",
            reviews="packaged",
            encoder="base",
            train_size=None,
            validation_size=None,
            test_size=None,
        ),
    )
}


def load_preset(name: str | None = None) -> Preset:
    """Return a preset by its name.

    Args:
        name: ``"laptop"``, ``"full"`` or ``"base"``; without it the environment variable
            ``IMDB_TUTORIAL_PRESET`` decides, and without that the laptop preset is taken.

    Returns:
        The preset.

    Raises:
        ValueError: There is no preset of that name.
    """
    name = name or os.environ.get("IMDB_TUTORIAL_PRESET") or "laptop"
    if name not in PRESETS:
        raise ValueError(
            f"unknown preset {name!r}: expected one of {', '.join(PRESETS)}; "
            "set IMDB_TUTORIAL_PRESET or call load_preset('laptop')"
        )
    return PRESETS[name]
