"""The ladder's probes: frozen BERT and one linear layer, the classic way and mended."""

import time

from experiments.data import PARTS, PRESET, features, labels, reviews
from experiments.ladder import encoder_megabytes, rung
from experiments.probes import margins, new_trainer, standardise
from imdb_tutorial import extract_features, load_encoder, load_tokenizer

TIMED_REVIEWS = 2_000


def climb_classic(unit: dict) -> tuple[list[dict], dict]:
    """Train the classic probe: [CLS] as it is, softmax before the loss."""
    return climb_probe(unit, "cls", softmax=True, standardised=False)


def climb_mended(unit: dict) -> tuple[list[dict], dict]:
    """Train the mended probe: the standardised mean, logits into the loss."""
    return climb_probe(unit, "mean", softmax=False, standardised=True)


def climb_probe(
    unit: dict, pooling: str, softmax: bool, standardised: bool
) -> tuple[list[dict], dict]:
    """Train a probe on all training reviews, with the classic recipe; time the reading on some."""
    parts = [features(part)[pooling] for part in PARTS]
    began = time.perf_counter()
    if standardised:
        parts = standardise(*parts)
    truth = [labels(part) for part in PARTS]
    trainer = new_trainer(parts, truth, pooling, softmax, unit["seed"], PRESET.learning_rate)
    trainer.train(PRESET.num_epochs)
    seconds = time.perf_counter() - began
    texts = reviews()["train"]["text"][:TIMED_REVIEWS]
    began = time.perf_counter()
    extract_features(texts, load_tokenizer(), load_encoder(device="cpu"), pooling, use_cache=False)
    reading = (time.perf_counter() - began) * len(truth[0]) / len(texts)
    row = {
        "train_size": len(truth[0]),
        "seconds": seconds + reading,
        "seconds_of_it_to_read": reading,
        "megabytes": encoder_megabytes()
        + sum(p.numel() * p.element_size() for p in trainer.model.parameters()) / 1e6,
        "validation_accuracies": [round(a, 5) for a in trainer.val_accuracy],
    }
    return rung(unit, {p: margins(trainer, x) for p, x in zip(PARTS, parts, strict=True)}, row)
