"""What a classifier says about a text, as the pipeline itself says it."""

import dataclasses
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.classifier.certainty import in_words, is_unsure
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.dataset.labels import LABELS, NEGATIVE, POSITIVE
from imdb_tutorial.explorer.reading import Reading, read_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a classifier says about a text.

    Args:
        label: ``"NEGATIVE"`` or ``"POSITIVE"``.
        probability: The probability that it gives this label, 0.5 to 1.
        margin: The logit of POSITIVE less the logit of NEGATIVE.
        reading: What it read.
    """

    label: str
    probability: float
    margin: float
    reading: Reading

    @property
    def in_words(self) -> str:
        """The label; or that the classifier is not sure, and where it leans."""
        return in_words(self.label, self.probability)

    @property
    def is_unsure(self) -> bool:
        """Whether its probability is too near one half for a verdict."""
        return is_unsure(self.probability)


def judge(pipeline: SentimentPipeline, text: str) -> Verdict:
    """Classify a text, as the pipeline itself does, and say what was read of it.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.

    Returns:
        The verdict.

    Raises:
        TypeError: Something that is no text, or no pipeline from ``load_classifier``.
        ValueError: A tokenizer that does not say where its tokens come from, other labels than
            NEGATIVE and POSITIVE, or a model that answers with NaN or infinity.
    """
    model = pipeline.model
    reading = read_text(pipeline, text)
    logits = pipeline.forward(reading.inputs)["logits"].float()  # [1, labels]
    margin = float(margin_of(model, logits))
    winner = int(logits[0].argmax())
    return Verdict(
        label=next(name for name, number in _numbers(model).items() if number == winner),
        probability=float(logits[0].softmax(dim=0)[winner]),
        margin=margin,
        reading=reading,
    )


def margin_of(model: "PreTrainedModel", logits: torch.Tensor) -> torch.Tensor:
    """Say by how much the logit of POSITIVE is above that of NEGATIVE.

    Args:
        model: Its config names the labels.
        logits: ``[texts, labels]``.

    Returns:
        One number a text, ``[texts]``.

    Raises:
        ValueError: The labels are others than NEGATIVE and POSITIVE.
    """
    number = _numbers(model)
    return logits[:, number[POSITIVE]] - logits[:, number[NEGATIVE]]  # [texts]


def _numbers(model: "PreTrainedModel") -> dict[str, int]:
    number = {str(name): int(n) for n, name in dict(model.config.id2label or {}).items()}
    if set(number) != set(LABELS):
        raise ValueError(
            f"the model's labels are {', '.join(number)}: expected NEGATIVE and POSITIVE; open it "
            "with load_classifier, which names them so or says why it cannot"
        )
    return number
