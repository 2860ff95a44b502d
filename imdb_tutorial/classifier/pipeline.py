"""A probe and its encoder as a transformers model, and the pipeline that all classifiers share."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from imdb_tutorial.classifier.answer_settings import OLDER_THAN_SETTINGS, AnswerSettings
from imdb_tutorial.classifier.long_texts import read_texts
from imdb_tutorial.encoder.limits import require_length
from imdb_tutorial.encoder.load import quiet_transformers
from imdb_tutorial.encoder.pooling import encode_and_pool
from imdb_tutorial.probe import LinearProbe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH_SIZE = 16


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

    def __init__(self, config: ProbeConfig, encoder: PreTrainedModel, probe: LinearProbe):
        super().__init__(config)
        self.encoder: PreTrainedModel = encoder
        self.probe = probe.to(encoder.device)

    def get_input_embeddings(self) -> nn.Module:
        """Return the encoder's table of word vectors."""
        return self.encoder.get_input_embeddings()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **others: torch.Tensor
    ) -> SequenceClassifierOutput:
        """Return logits ``[batch, labels]`` for token ids ``[batch, tokens]``."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, **others}
        (features,) = encode_and_pool(self.encoder, inputs, self.probe.pooling)  # [batch, hidden]
        return SequenceClassifierOutput(logits=self.probe(features))  # [batch, labels]


AutoModelForSequenceClassification.register(ProbeConfig, ProbeForSequenceClassification)


class SentimentPipeline(TextClassificationPipeline):
    """A text-classification pipeline that cuts long texts and refuses what is no text.

    Args:
        max_length: Longest input, in tokens; what is longer is cut.
        settings: What is read of a longer text, and what the logits are divided by.
        options: As for transformers' text-classification pipeline.
    """

    tokenizer: "PreTrainedTokenizerBase"  # type: ignore[assignment]  # in transformers less

    def __init__(self, *, max_length: int, settings: AnswerSettings, **options: Any):
        super().__init__(**options)
        self.max_length = max_length
        self.reading, self.temperature = settings

    def __call__(  # type: ignore[override]  # a transformers pipeline takes more than texts
        self, inputs: str | list[str], **options: Any
    ) -> list[dict]:
        """Classify a text or a list of texts.

        Args:
            inputs: One text, or a list of texts.
            options: As for transformers' text-classification pipeline.

        Returns:
            One answer a text, with ``label`` and ``score``.

        Raises:
            TypeError: Something that is no text; the message says where it stands.
            ValueError: The model's answer is not a number.
        """
        if isinstance(inputs, (list, tuple)):
            for row, text in enumerate(inputs):
                if not isinstance(text, str):
                    raise TypeError(
                        f"text {row} of {len(inputs)} is {text!r:.60}: expected a string; leave it "
                        "out, or put '' in its place"
                    )
            return super().__call__(list(inputs), **options) if inputs else []
        if not isinstance(inputs, str):
            raise TypeError(f"got {inputs!r:.60}: expected a text or a list of texts")
        return super().__call__(inputs, **options)

    def preprocess(self, inputs: str, **options: Any) -> dict:  # type: ignore[override]  # texts alone
        """Tokenize a text as everything here does; a transformers pipeline calls this."""
        for name in ("truncation", "padding"):  # long texts are cut in any case, batches padded
            options.pop(name, None)
        max_length = require_length(options.pop("max_length", self.max_length), self.max_length)
        (read,) = read_texts([inputs], self.tokenizer, max_length, self.reading, **options)
        return {name: torch.tensor([x]) for name, x in read.inputs().items()}  # each [1, tokens]

    def _forward(self, model_inputs: dict) -> Any:  # type: ignore[override]  # another name
        outputs = super()._forward(model_inputs)
        if not outputs["logits"].isfinite().all():  # [batch, labels]
            raise ValueError(
                "the model's answer is not a number (NaN or infinite): its weights are damaged, or "
                "too large for its precision; copy or train it again"
            )
        outputs["logits"] = outputs["logits"] / self.temperature  # [batch, labels]
        return outputs


def make_pipeline(
    model: PreTrainedModel,
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    settings: AnswerSettings = OLDER_THAN_SETTINGS,
) -> SentimentPipeline:
    """Put a model and its tokenizer together.

    Args:
        model: It answers with logits for NEGATIVE and POSITIVE.
        tokenizer: Its tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.
        settings: What is read of a longer text, and what the logits are divided by; without them
            the head is read and the logits stay as they are.

    Returns:
        The pipeline, in eval mode, where the model is.
    """
    with quiet_transformers():
        return SentimentPipeline(
            model=model.eval(),
            tokenizer=tokenizer,
            device=model.device,
            batch_size=BATCH_SIZE,
            max_length=max_length,
            settings=settings,
        )
