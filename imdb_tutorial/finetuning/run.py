"""Fine-tuning with the Hugging Face Trainer: model, data, settings, run."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import numpy as np
import torch
import transformers

from imdb_tutorial.dataset.labels import ID2LABEL, LABEL2ID
from imdb_tutorial.dataset.reviews import load_reviews
from imdb_tutorial.encoder.load import load_tokenizer, plain_errors, quiet_transformers
from imdb_tutorial.encoder.tokens import encode
from imdb_tutorial.evaluation.metrics import load_metrics
from imdb_tutorial.finetuning.checkpoints import ManifestWriter, claimed, last_whole_checkpoint
from imdb_tutorial.finetuning.log import history_of
from imdb_tutorial.finetuning.progress import ProgressPrinter
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import best_device, choose_dtype
from imdb_tutorial.machine.files import disk_errors
from imdb_tutorial.machine.hub.repository import model_folder
from imdb_tutorial.machine.plain_error import plain_in_notebooks
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.rank import local_number
from imdb_tutorial.presets import Preset
from imdb_tutorial.trainer.history import History

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# BERT and MPNet call it by the first name, DistilBERT by the second.
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")


def finetune(
    preset: Preset,
    output_dir: str | os.PathLike,
    reviews: datasets.DatasetDict | None = None,
    callbacks: Sequence[transformers.TrainerCallback] = (),
) -> tuple[transformers.Trainer, History]:
    """Fine-tune a preset's BERT on its reviews, and keep the epoch with the best validation.

    Of several processes, started by ``accelerate launch`` or ``torchrun``, all must call this. They
    share each batch, so that a step learns from as many reviews as with one process.

    Args:
        preset: Which BERT, how many reviews and how long; see ``Preset.for_fine_tuning``.
        output_dir: Where checkpoints go, one an epoch; the best and the last are kept. A run that
            was killed and is started again with the same folder goes on from the last whole one.
        reviews: Train and validation reviews; without them, the preset's own.
        callbacks: More of what the Hugging Face Trainer tells how the training goes, such as its
            ``EarlyStoppingCallback``; they are told after a checkpoint is whole.

    Returns:
        The Hugging Face Trainer, which holds the best epoch's model, and the history.

    Raises:
        PermissionError: The folder cannot be written to; this is found out before the training.
        OSError: The disk refuses a checkpoint; those before it are kept.
        ValueError: The folder's checkpoints belong to another run, or a batch cannot be shared.
        BlockingIOError: Another process fine-tunes in the same folder.
        LostProcessError: One of several processes is gone; the next start goes on.
    """
    folder = Path(output_dir)
    reviews = reviews or load_reviews(preset)
    everyone = processes()
    with (
        everyone.together(),
        claimed(folder, preset, reviews) if everyone.is_main else contextlib.nullcontext(),
        quiet_transformers(),
    ):
        transformers.set_seed(preset.seed)
        source = sources.model_source(preset.encoder)
        tokenizer = load_tokenizer(source)
        trainer = transformers.Trainer(
            model=load_model_for_classification(source),
            args=training_arguments(preset, folder),
            train_dataset=tokenize_reviews(reviews["train"], tokenizer, preset.max_length),
            eval_dataset=tokenize_reviews(reviews["validation"], tokenizer, preset.max_length),
            processing_class=tokenizer,  # also pads each batch to its own longest review
            compute_metrics=compute_metrics,
            callbacks=[ProgressPrinter(), ManifestWriter(), *callbacks],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        # The main process alone looks, which also says that the folder is claimed.
        checkpoint, *_ = everyone.gather(
            last_whole_checkpoint(folder) if everyone.is_main else None
        )
        with disk_errors(folder):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer, history_of(trainer.state.log_history)


@plain_in_notebooks
def load_model_for_classification(
    source: str | os.PathLike | sources.ModelSource = "packaged",
) -> "PreTrainedModel":
    """Load a pretrained BERT with a new, random head for two labels.

    Args:
        source: ``"packaged"``, ``"base"``, a folder saved by transformers, a hub name, or what
            ``model_source`` made of one of these.

    Returns:
        The model, in float32, with named labels and without dropout inside attention: with it, the
        fast kernel for attention cannot be used on a processor, and an epoch takes far longer.

    Raises:
        FileNotFoundError: A folder without a model.
        ValueError: A folder whose files transformers cannot open as a model.
        ConnectionError: The hub is asked for and does not give it; the message says why.
        DamagedFileError: A file from the hub is not the hub's; the message says which to delete.
    """
    found = sources.model_source(source)
    folder = model_folder(found)
    with plain_errors(found), quiet_transformers():
        config = transformers.AutoConfig.from_pretrained(
            folder, id2label=ID2LABEL, label2id=LABEL2ID, trust_remote_code=False
        )
        for name in ATTENTION_DROPOUT:
            if hasattr(config, name):
                setattr(config, name, 0.0)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
        )
    model.name_or_path = found.name_or_path
    return model


def tokenize_reviews(
    split: datasets.Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> datasets.Dataset:
    """Turn reviews into what the Hugging Face Trainer reads.

    Args:
        split: Reviews with the columns ``text``, ``label`` and ``id``.
        tokenizer: The model's tokenizer.
        max_length: Longest input, in tokens; what is longer is cut.

    Returns:
        A data set with the columns ``input_ids``, ``labels``, ``length`` (in tokens, for batches of
        similar length) and ``id``. Nothing is padded yet.
    """
    input_ids = encode(split["text"][:], tokenizer, max_length)["input_ids"]
    return datasets.Dataset.from_dict(
        {
            "input_ids": input_ids,
            "labels": split["label"][:],
            "length": [len(ids) for ids in input_ids],
            "id": split["id"][:],
        }
    )


def training_arguments(
    preset: Preset, output_dir: str | os.PathLike
) -> transformers.TrainingArguments:
    """Translate a preset into the Hugging Face Trainer's settings.

    Args:
        preset: The choices for fine-tuning.
        output_dir: Where checkpoints go.

    Returns:
        The settings: validate, log and save after every epoch, keep the best and the last epoch.

    Raises:
        ValueError: More processes than GPUs, or a batch that cannot be shared by the processes.
    """
    return transformers.TrainingArguments(
        output_dir=os.fspath(output_dir),
        num_train_epochs=preset.num_epochs,
        per_device_train_batch_size=share_of_batch(preset.batch_size),
        per_device_eval_batch_size=32,
        learning_rate=preset.learning_rate,
        warmup_steps=0.1,  # a share of all steps
        train_sampling_strategy="group_by_length",
        use_cpu=best_device().type == "cpu",
        bf16=choose_dtype(best_device()) == torch.bfloat16,
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        seed=preset.seed,
        dataloader_pin_memory=best_device().type == "cuda",
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
        # BERT's loss is a mean already: summed up, gradients grow with the number of processes.
        average_tokens_across_devices=False,
        report_to="none",
        log_level="error",  # the Trainer sets it anew
        log_level_replica="error",
    )


def share_of_batch(batch_size: int) -> int:
    """Return how many of a batch's reviews each process takes.

    Args:
        batch_size: Reviews in a batch, of all processes together.

    Raises:
        ValueError: It cannot be shared equally, or there are more processes than GPUs.
    """
    count, gpus = processes().count, torch.cuda.device_count()
    if best_device().type == "cuda" and local_number() >= gpus:
        raise ValueError(f"{count} processes on {gpus} GPUs: expected no more processes than GPUs")
    if batch_size % count:
        lower, higher = batch_size // count * count, -(-batch_size // count) * count
        raise ValueError(
            f"batch_size is {batch_size}: {count} processes cannot share that equally; take "
            f"{f'{lower} or ' if lower else ''}{higher}"
        )
    return batch_size // count


def compute_metrics(prediction: transformers.EvalPrediction) -> dict[str, float]:
    """Return accuracy and F1 of the Hugging Face Trainer's logits ``[reviews, 2]``."""
    labels = np.asarray(prediction.predictions).argmax(axis=1)  # [reviews]
    return load_metrics().compute(predictions=labels, references=prediction.label_ids)
