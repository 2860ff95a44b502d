"""A probe and its encoder as a transformers model, and the pipeline that all classifiers share."""

import torch
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from imdb_tutorial.encoder.pooling import pool
from imdb_tutorial.machine.text import clean_text
from imdb_tutorial.probe import LinearProbe


class ProbeConfig(PreTrainedConfig):
    """What a pipeline wants to know about a frozen BERT with a probe: its labels."""

    model_type = "frozen_bert_probe"


class ProbeForSequenceClassification(PreTrainedModel):
    """An encoder and a probe in the clothes of a transformers model, for use in a pipeline.

    Gradients can flow through it to the embeddings, for attributions.

    Args:
        config: Carries ``id2label``.
        encoder: A frozen encoder.
        probe: The layer on top; it also says how the token vectors are pooled.
    """

    config_class = ProbeConfig

    def __init__(self, config: ProbeConfig, encoder: nn.Module, probe: LinearProbe):
        super().__init__(config)
        self.encoder = encoder
        self.probe = probe.to(encoder.device)

    def get_input_embeddings(self) -> nn.Module:
        """Return the encoder's table of word vectors."""
        return self.encoder.get_input_embeddings()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Return logits ``[batch, labels]`` for token ids ``[batch, tokens]``."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        outputs = self.encoder(**inputs)
        features = pool(
            outputs.last_hidden_state,
            attention_mask,
            self.probe.pooling,
            getattr(outputs, "pooler_output", None),
        )
        return SequenceClassifierOutput(logits=self.probe(features))


AutoModelForSequenceClassification.register(ProbeConfig, ProbeForSequenceClassification)


class SentimentPipeline(TextClassificationPipeline):
    """A text-classification pipeline that cuts long texts and refuses what is no text."""

    @property
    def max_length(self) -> int:
        """Longest input, in tokens; what is longer is cut."""
        return self._preprocess_params["max_length"]

    def __call__(self, inputs: str | list[str], **options) -> list[dict]:
        """Classify a text or a list of texts.

        Args:
            inputs: One text, or a list of texts.
            options: As for transformers' text-classification pipeline.

        Returns:
            One answer a text, with ``label`` and ``score``.

        Raises:
            TypeError: Something that is no text; the message says where it stands.
        """
        if isinstance(inputs, (list, tuple)):
            for row, text in enumerate(inputs):
                if not isinstance(text, str):
                    raise TypeError(
                        f"text {row} of {len(inputs)} is {text!r}: expected a string; leave it "
                        "out, or put '' in its place"
                    )
            inputs = [clean_text(text) for text in inputs]
            return super().__call__(inputs, **options) if inputs else []
        if not isinstance(inputs, str):
            raise TypeError(f"got {inputs!r}: expected a text or a list of texts")
        return super().__call__(clean_text(inputs), **options)
