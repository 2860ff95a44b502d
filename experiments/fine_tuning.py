"""Fine-tuning on few reviews with fixed settings: a rung of the ladder."""

import dataclasses
import tempfile
import time

import transformers

from experiments.data import PRESET, reviews, sample
from experiments.ladder import ask_everything, encoder_megabytes, rung
from imdb_tutorial import load_tokenizer
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.encoder.load import quiet_transformers
from imdb_tutorial.finetuning.run import (
    load_model_for_classification,
    tokenize_reviews,
    training_arguments,
)

FINE_TUNING = {"max_length": 256, "batch_size": 16, "learning_rate": 1e-4, "num_epochs": 4}
FINE_TUNED_ON = 1_000


def climb_fine_tuned(unit: dict) -> tuple[list[dict], dict]:
    """Fine-tune on a thousand reviews."""
    classifier, seconds = fine_tune(FINE_TUNED_ON, unit["seed"])
    row = {"train_size": FINE_TUNED_ON, "seconds": seconds, "megabytes": encoder_megabytes()}
    return rung(unit, ask_everything(classifier), row)


def fine_tune(size: int, seed: int) -> tuple[SentimentPipeline, float]:
    """Fine-tune on a sample for a fixed number of epochs; return classifier and seconds."""
    preset = PRESET.replace(seed=seed, **FINE_TUNING)
    transformers.set_seed(seed)
    tokenizer, model = load_tokenizer(), load_model_for_classification(preset.encoder)
    chosen = reviews()["train"].select(sample(seed, size))
    with tempfile.TemporaryDirectory() as folder, quiet_transformers():
        settings = dataclasses.replace(
            training_arguments(preset, folder),
            eval_strategy="no",
            save_strategy="no",
            load_best_model_at_end=False,
        )
        trainer = transformers.Trainer(
            model=model,
            args=settings,
            train_dataset=tokenize_reviews(chosen, tokenizer, preset.max_length),
            processing_class=tokenizer,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        # In bfloat16 the Trainer leaves the model wrapped.
        model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    pipeline = SentimentPipeline(
        model=model.eval(),
        tokenizer=tokenizer,
        device="cpu",
        truncation=True,
        max_length=preset.max_length,
    )
    return pipeline, seconds
