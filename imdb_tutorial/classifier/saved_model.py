"""A fine-tuned model, from a folder or from the hub."""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

from imdb_tutorial.classifier.answer_settings import CONFIG_FILE, require_settings
from imdb_tutorial.classifier.checks import (
    require_finite_weights,
    require_own_tokenizer,
    require_sentiment_labels,
)
from imdb_tutorial.classifier.pipeline import SentimentPipeline, make_pipeline
from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.load import load_tokenizer, plain_errors, quiet_transformers
from imdb_tutorial.machine.device import best_device
from imdb_tutorial.machine.hub.repository import model_folder
from imdb_tutorial.machine.sources import ModelSource
from imdb_tutorial.presets import MAX_LENGTH


def open_saved_model(source: ModelSource) -> SentimentPipeline:
    """Open a model that was fine-tuned for classification.

    Args:
        source: Where it is, from ``model_source``.

    Returns:
        The pipeline.

    Raises:
        FileNotFoundError: The folder holds no tokenizer.
        ValueError: A damaged model, a tokenizer that does not belong to it, labels other than
            negative and positive, a length that the model cannot read, or a way of reading or a
            temperature that makes no sense.
        ConnectionError: The hub is asked for and does not give it; the message says why.
        DamagedFileError: A file from the hub is not the hub's; the message says which to delete.
    """
    name = source.name_or_path
    tokenizer = load_tokenizer(source)
    folder = model_folder(source)
    with plain_errors(source), quiet_transformers():
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    model.name_or_path = name
    if report["missing_keys"]:
        raise ValueError(
            f"the weights of {name!r} lack {min(report['missing_keys'])!r}: expected a model "
            "that was fine-tuned for classification and saved with save_pretrained"
        )
    labels = require_sentiment_labels(model.config.id2label, name)
    model.config.id2label = labels
    model.config.label2id = {label: n for n, label in labels.items()}
    model.config.problem_type = None  # otherwise the pipeline may apply a sigmoid
    require_own_tokenizer(model, tokenizer, name)
    require_finite_weights(model, name)
    longest = longest_input(tokenizer, model)
    max_length = require_length(
        getattr(model.config, "max_length_trained", min(longest, MAX_LENGTH)),
        longest,
        f"max_length_trained in the config of {name!r}",
    )
    settings = require_settings(vars(model.config), Path(name, CONFIG_FILE))
    model.requires_grad_(False).to(best_device())
    return make_pipeline(model, tokenizer, max_length, settings)
