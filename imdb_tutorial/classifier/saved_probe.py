"""A saved probe, put on top of the encoder that it was trained on."""

import os
from pathlib import Path

from imdb_tutorial.classifier.adapter import ADAPTER_FILE, apply_adapter
from imdb_tutorial.classifier.answer_settings import read_probe_settings
from imdb_tutorial.classifier.checks import require_finite_weights, require_sentiment_labels
from imdb_tutorial.classifier.pipeline import (
    ProbeConfig,
    ProbeForSequenceClassification,
    SentimentPipeline,
    make_pipeline,
)
from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.manifest import encoder_fingerprint
from imdb_tutorial.probe import PROBE_FILE, load_probe


def open_saved_probe(folder: Path) -> SentimentPipeline:
    """Open a folder with a probe, and with an adapter where there is one.

    Args:
        folder: Where ``save_probe`` wrote, and perhaps ``save_adapter``.

    Returns:
        The pipeline.

    Raises:
        FileNotFoundError: The encoder is not where the probe says, or half of an adapter is left.
        ValueError: A damaged probe, one that does not fit its encoder, or a way of reading or a
            temperature that makes no sense.
        ConnectionError: Its encoder comes from the hub, which does not answer.
    """
    probe, settings = load_probe(folder)
    answering = read_probe_settings(folder)
    labels = require_sentiment_labels(dict(enumerate(settings["labels"])), os.fspath(folder))
    source = _encoder_source(settings["encoder"], folder)
    if settings["encoder_fingerprint"] not in (None, encoder_fingerprint(settings["encoder"])):
        raise ValueError(
            f"the probe in {str(folder)!r} was trained on an encoder with other files than those "
            f"of {settings['encoder']!r} now: put these back, or train the probe again"
        )
    tokenizer, encoder = load_tokenizer(source), load_encoder(source)
    if encoder.config.hidden_size != probe.linear.in_features:
        raise ValueError(
            f"the probe in {str(folder)!r} reads {probe.linear.in_features} features, but its "
            f"encoder {settings['encoder']!r} gives {encoder.config.hidden_size}: use the encoder "
            "that it was trained on"
        )
    max_length = require_length(
        settings["max_length"],
        longest_input(tokenizer, encoder),
        f"max_length in {str(folder / PROBE_FILE)!r}",
    )
    if (folder / ADAPTER_FILE).is_file():
        encoder = apply_adapter(encoder, folder)
    elif left := sorted(path.name for path in folder.glob("adapter_*")):
        raise FileNotFoundError(
            f"{str(folder)!r} holds {left[0]} but no {ADAPTER_FILE}: save the adapter again with "
            "save_adapter, or remove what is left of it"
        )
    probe.softmax = False  # the pipeline applies softmax itself
    config = ProbeConfig(id2label=labels, label2id={name: n for n, name in labels.items()})
    model = ProbeForSequenceClassification(config, encoder, probe)
    require_finite_weights(model, os.fspath(folder))
    return make_pipeline(model, tokenizer, max_length, answering)


def _encoder_source(encoder: str, folder: Path) -> sources.ModelSource:
    try:
        return sources.model_source(encoder, pinned=True)
    except ValueError as error:
        raise ValueError(f"the encoder of the probe in {str(folder)!r}: {error}") from None
