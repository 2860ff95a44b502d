"""A classifier from what is at hand, behind the interface of a transformers pipeline."""

import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from imdb_tutorial.encoder import load_encoder, load_tokenizer, quiet_transformers
from imdb_tutorial.probe import PROBE_FILE, FrozenBertClassifier, load_probe

if TYPE_CHECKING:
    from transformers import Pipeline

BATCH_SIZE = 16


class ProbeConfig(PreTrainedConfig):
    """What a pipeline wants to know about a frozen BERT with a probe: its labels."""

    model_type = "frozen_bert_probe"


class ProbeForSequenceClassification(PreTrainedModel):
    """A ``FrozenBertClassifier`` in the clothes of a transformers model, for use in a pipeline.

    Args:
        config: Carries ``id2label``.
        classifier: The frozen encoder and its probe.
    """

    config_class = ProbeConfig

    def __init__(self, config: ProbeConfig, classifier: FrozenBertClassifier):
        super().__init__(config)
        self.classifier = classifier

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Return logits ``[batch, labels]`` for token ids ``[batch, tokens]``."""
        return SequenceClassifierOutput(
            logits=self.classifier(input_ids, attention_mask, token_type_ids)
        )


AutoModelForSequenceClassification.register(ProbeConfig, ProbeForSequenceClassification)


def load_classifier(source: str | os.PathLike = "packaged") -> "Pipeline":
    """Load a sentiment classifier as a transformers ``text-classification`` pipeline.

    Args:
        source: ``"packaged"``, the classifier that comes with this project, or a folder that
            ``save_probe`` wrote.

    Returns:
        A pipeline: call it with a text or a list of texts, and it answers with a ``label``
        (NEGATIVE or POSITIVE) and a ``score`` (its probability). Long texts are cut.

    Raises:
        FileNotFoundError: The folder holds no classifier, or a packaged file is missing.
        ValueError: A damaged probe, or one that does not fit its encoder.
    """
    if os.fspath(source) == "packaged":
        with as_file(files("imdb_tutorial").joinpath("data/packaged_probe")) as folder:
            return _probe_pipeline(folder)
    if not (Path(source) / PROBE_FILE).is_file():
        raise FileNotFoundError(
            f"no classifier at {os.fspath(source)!r}: expected 'packaged', or a folder with "
            f"{PROBE_FILE} that save_probe wrote"
        )
    return _probe_pipeline(Path(source))


def _probe_pipeline(folder: Path) -> "Pipeline":
    probe, settings = load_probe(folder)
    encoder = load_encoder(settings["encoder"])
    if encoder.config.hidden_size != probe.linear.in_features:
        raise ValueError(
            f"the probe in {str(folder)!r} reads {probe.linear.in_features} features, but its "
            f"encoder {settings['encoder']!r} gives {encoder.config.hidden_size}: use the encoder "
            "that it was trained on"
        )
    probe.softmax = False  # the pipeline applies softmax itself
    labels = dict(enumerate(settings["labels"]))
    config = ProbeConfig(id2label=labels, label2id={name: n for n, name in labels.items()})
    model = ProbeForSequenceClassification(config, FrozenBertClassifier(encoder, probe)).eval()
    with quiet_transformers():
        return TextClassificationPipeline(
            model=model,
            tokenizer=load_tokenizer(settings["encoder"]),
            device=encoder.device,
            batch_size=BATCH_SIZE,
            truncation=True,
            max_length=settings["max_length"],
        )
