"""What the ladder's models have in common: what they are asked, and what is kept of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.data import PARTS, labels, reviews
from imdb_tutorial import predict_proba
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.machine.sources import packaged_encoder_folder

ASKED = PARTS[1:]


def rung(unit: dict, answers: Mapping[str, np.ndarray], row: dict) -> tuple[list[dict], dict]:
    """Return one model of the ladder: its row, and its margins on every held-back text."""
    accuracy = float(np.mean((answers["test"] > 0) == labels("test")))
    kept = {part: answers[part][None].astype(np.float32) for part in ASKED}
    return [unit | row | {"test_accuracy": accuracy}], kept


def encoder_megabytes() -> float:
    """Return the size of the pip-installed MiniLM's weights."""
    return (packaged_encoder_folder() / "model.safetensors").stat().st_size / 1e6


def ask(classifier: SentimentPipeline, texts: Sequence[str]) -> np.ndarray:
    """Return a classifier's margins: the log of its odds for positive."""
    probabilities = predict_proba(classifier, texts).double().clamp_min(1e-12).numpy()
    return np.log(probabilities[:, 1] / probabilities[:, 0])


def ask_everything(classifier: SentimentPipeline) -> dict[str, np.ndarray]:
    """Return a classifier's margins on every held-back text, by part."""
    return {part: ask(classifier, reviews()[part]["text"][:]) for part in ASKED}
