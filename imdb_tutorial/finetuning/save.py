"""A fine-tuned model, saved with all that others need: weights, tokenizer, record, model card."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import datasets
import transformers

from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.encoder.load import quiet_transformers, vocabulary_sha256
from imdb_tutorial.finetuning.log import epochs_of, history_of
from imdb_tutorial.machine.files import disk_errors, whole_folder
from imdb_tutorial.machine.manifest import encoder_fingerprint, write_manifest
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.presets import Preset

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def save_finetuned(
    trainer: transformers.Trainer,
    preset: Preset,
    folder: str | os.PathLike,
    test_metrics: dict[str, float] | None = None,
) -> Path:
    """Save a fine-tuned model so that anybody can open it: weights, tokenizer and model card.

    Args:
        trainer: What ``finetune`` returned.
        preset: The choices that it was trained with.
        folder: Where to write; an older saved model there is replaced.
        test_metrics: Measured on reviews that played no part in the training, by name.

    Returns:
        The folder, written whole or not at all.

    Raises:
        FileExistsError: The folder holds something that is no model.
        OSError: The disk refuses; a model that was there before is kept.
    """
    record = run_record(trainer, preset, test_metrics)
    model = cast("PreTrainedModel", trainer.model)
    tokenizer = cast("PreTrainedTokenizerBase", trainer.processing_class)
    # load_classifier reads these two; to others they mean nothing.
    model.config.vocabulary_sha256 = vocabulary_sha256(tokenizer)
    model.config.max_length_trained = preset.max_length
    folder = Path(folder)
    with (
        disk_errors(folder),
        whole_folder(folder, "record.json") as partial,
        quiet_transformers(),
    ):
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        (partial / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (partial / "README.md").write_text(model_card(record), encoding="utf-8")
        names = [path.name for path in partial.iterdir()]
        write_manifest(partial, names, encoder_fingerprint(preset.encoder))
    return folder


def run_record(
    trainer: transformers.Trainer, preset: Preset, test_metrics: dict[str, float] | None = None
) -> dict:
    """Put together what is worth knowing about a run, in what JSON can hold.

    Args:
        trainer: What ``finetune`` returned.
        preset: The choices that it was trained with.
        test_metrics: Measured on reviews that played no part in the training, by name.

    Returns:
        Data, seed, metrics an epoch, time, machine and versions.
    """
    train = cast(datasets.Dataset, trainer.train_dataset)
    validation = cast(datasets.Dataset, trainer.eval_dataset)
    log = epochs_of(trainer.state.log_history)
    names = ("epoch", "eval_loss", "eval_accuracy", "eval_f1")
    epochs = [{n: round(e[n], 5) for n in names} for e in log if "eval_accuracy" in e]
    for epoch, loss in zip(epochs, history_of(log).train_losses, strict=True):
        epoch["train_loss"] = round(loss, 5)
    return {
        "preset": dataclasses.asdict(preset)
        | {"encoder": _name(preset.encoder), "reviews": _name(preset.reviews)},
        "reviews": {"train": len(train), "validation": len(validation)},
        "train_ids_sha256": ids_sha256(train["id"][:]),
        "epochs": epochs,
        "best_accuracy": max(epoch["eval_accuracy"] for epoch in epochs),
        "test": {name: round(value, 5) for name, value in (test_metrics or {}).items()},
        "seconds": round(log[-1]["seconds"], 1),
        **provenance("torch", "transformers", "datasets"),
    }


def model_card(record: dict) -> str:
    """Write a model card, the README that the hub shows, from a run's record.

    Args:
        record: What ``run_record`` put together.

    Returns:
        Markdown with the hub's header (Mitchell et al., 2019).
    """
    from huggingface_hub import ModelCardData

    preset, best = record["preset"], record["best_accuracy"]
    header = ModelCardData(
        language="en",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["sentiment", "imdb"],
    ).to_yaml()
    rows = [
        f"| {e['epoch']:.0f} | {e['train_loss']:.3f} | {e['eval_loss']:.3f} "
        f"| {e['eval_accuracy']:.1%} | {e['eval_f1']:.3f} |"
        for e in record["epochs"]
    ]
    tested = [f"- {name}: {value:.4g}" for name, value in record["test"].items()]
    lines = [
        "---",
        header,
        "---",
        "",
        "# Film reviews: NEGATIVE or POSITIVE",
        "",
        f"`{preset['encoder']}`, fine-tuned on {record['reviews']['train']:,} IMDb reviews "
        f"(`{preset['reviews']}`, train pool, SHA-256 of their ids "
        f"`{record['train_ids_sha256'][:12]}`), seed {preset['seed']}. Inputs are cut after "
        f"{preset['max_length']} tokens. The epoch with the best accuracy on "
        f"{record['reviews']['validation']:,} validation reviews was kept: {best:.1%}.",
        "",
        "| Epoch | training loss | validation loss | validation accuracy | F1 |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        *(["On reviews that played no part in the training:", "", *tested, ""] if tested else []),
        "The validation reviews chose the epoch, so their accuracy is a little flattering. The "
        "model knows English film reviews and nothing else.",
        "",
        f"Trained in {record['seconds']:.0f} s on {record['machine']}; "
        + ", ".join(f"{name} {number}" for name, number in record["versions"].items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _name(source: str) -> str:
    """Name an encoder or reviews without the path that they have on this machine."""
    path = Path(source).expanduser()
    return path.name if path.is_absolute() or path.exists() else source
