"""A taught classifier in a folder that ``load_classifier`` opens, with its record."""

import copy
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from experiments.adapted import CPU, Adapted
from experiments.kept import kept
from experiments.learning import ask
from experiments.lora import save_lora
from experiments.teaching import Held, digests_of_saved, softmax
from experiments.teaching_settings import Settings
from experiments.teaching_texts import read
from imdb_tutorial import calibration_error, choose_dtype
from imdb_tutorial.classifier.adapter import ADAPTER_CONFIG, ADAPTER_FILE
from imdb_tutorial.classifier.answer_settings import save_answer_settings
from imdb_tutorial.classifier.long_texts import HEAD_AND_TAIL
from imdb_tutorial.classifier.saved_probe import open_saved_probe
from imdb_tutorial.encoder.tokens import pad
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.manifest import encoder_fingerprint, write_manifest
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.probe import PROBE_FILE, LinearProbe, save_probe

RECORD_FILE = "record.json"


def save(
    model: Adapted,
    settings: Settings,
    record: dict,
    pools: Mapping[str, Held],
    to: Path,
    work: Path,
) -> dict:
    """Save a classifier that ``load_classifier`` opens, ask the saved one, write its record.

    The folder says how it reads. Its last layer gives logits that are divided by the temperature
    already, so that whoever opens the model itself sees the numbers that the classifier answers by.

    Args:
        model: The taught classifier.
        settings: How it was taught.
        record: What is known about it; its ``reading`` and ``temperature`` are used.
        pools: What the saved classifier is asked, by name.
        to: The folder.
        work: Where the saved classifier's answers are kept.

    Returns:
        The record with ``accuracy`` and ``calibration_error`` by pool.

    Raises:
        ValueError: The saved adapter is larger than it may be.
    """
    save_lora(model.linears, settings.encoder, model.first, settings.rank, settings.alpha, to)
    if (size := (to / ADAPTER_FILE).stat().st_size) > settings.most_bytes:
        raise ValueError(
            f"the adapter in {str(to)!r} has {size:,} bytes: expected at most "
            f"{settings.most_bytes:,}; take a lower rank"
        )
    cooled = cool(model.probe, record["temperature"])
    save_probe(cooled, to, settings.encoder, max_length=record["reading"])
    save_answer_settings(to, HEAD_AND_TAIL)
    names = (ADAPTER_CONFIG, ADAPTER_FILE, PROBE_FILE)
    write_manifest(to, names, encoder_fingerprint(settings.encoder))
    record |= {
        "adapter_bytes": size,
        "read": f"of more than {record['reading']} tokens the first and the last half of them",
        "accuracy": {},
        "calibration_error": {},
        **provenance("torch", "transformers", "peft", "datasets", "scikit-learn"),
    }
    files = digests_of_saved(to)
    for name, held in pools.items():
        answers = kept(
            work / f"saved-{name}.safetensors",
            [*files, hashlib.sha256(json.dumps(held.texts).encode()).hexdigest()],
            functools.partial(ask_saved, to, settings.encoder, held.texts),
        )
        probabilities = softmax(answers)
        right = float(np.mean(probabilities.argmax(axis=1) == held.labels))
        record["accuracy"][name] = round(right, 5)
        error = calibration_error(y_true=held.labels, y_proba=probabilities)
        record["calibration_error"][name] = round(error, 5)
    write_whole(to / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
    write_manifest(to, (*names, RECORD_FILE), encoder_fingerprint(settings.encoder))
    return record


def cool(probe: LinearProbe, temperature: float) -> LinearProbe:
    """Return a copy of a linear layer whose logits are divided by a temperature."""
    cooled = copy.deepcopy(probe)
    with torch.no_grad():
        for parameter in cooled.linear.parameters():
            parameter /= temperature
    return cooled


def ask_saved(folder: Path, encoder: str, texts: list[str]) -> np.ndarray:
    """Return a saved classifier's logits ``[texts, 2]``, in the precision it was taught in."""
    opened = open_saved_probe(folder)
    tokens = read(texts, encoder, opened.max_length)
    model = opened.model.to(CPU)
    model.encoder.to(choose_dtype("cpu"))
    pad_id = opened.tokenizer.pad_token_id
    logits = ask(lambda rows: model(**pad(tokens, rows, pad_id, CPU)).logits, tokens.lengths())
    return logits / np.float32(opened.temperature)
