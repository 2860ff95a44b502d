"""A model that was just trained, as a classifier, before anything is saved."""

from typing import TYPE_CHECKING, cast

from imdb_tutorial.classifier.pipeline import SentimentPipeline, make_pipeline
from imdb_tutorial.presets import MAX_LENGTH

if TYPE_CHECKING:
    import transformers
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def classifier_of(
    trainer: "transformers.Trainer", max_length: int = MAX_LENGTH
) -> SentimentPipeline:
    """Make a classifier of the model that a Hugging Face Trainer holds in memory.

    Args:
        trainer: After its training; it needs a tokenizer as its ``processing_class``.
        max_length: Longest input, in tokens; what is longer is cut.

    Returns:
        The pipeline, in float32 and in eval mode. It and the Trainer share the weights, and from
        now on the Trainer computes in float32, too.
    """
    # With bf16 the Trainer leaves the model in a wrapper that goes on computing in short numbers.
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    tokenizer = cast("PreTrainedTokenizerBase", trainer.processing_class)
    return make_pipeline(cast("PreTrainedModel", model), tokenizer, max_length)
