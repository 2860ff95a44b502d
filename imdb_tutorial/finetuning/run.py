"""Fine-tuning with the Hugging Face Trainer: set up, run, resumed after an interruption."""

import dataclasses
import json
import os
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import torch
import transformers
from safetensors import safe_open
from transformers import TrainerCallback
from transformers.trainer_pt_utils import safe_globals

from imdb_tutorial.dataset.labels import ID2LABEL, LABEL2ID
from imdb_tutorial.dataset.reviews import ids_sha256, load_reviews
from imdb_tutorial.encoder.load import load_tokenizer, plain_errors, quiet_transformers
from imdb_tutorial.encoder.tokens import encode
from imdb_tutorial.evaluation.metrics import load_metrics
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import best_device, choose_dtype
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.presets import Preset
from imdb_tutorial.trainer.history import History

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RUN_FILE = "run.json"
CHECKPOINT_FILES = ("optimizer.pt", "scheduler.pt", "rng_state.pth")


def finetune(
    preset: Preset,
    output_dir: str | os.PathLike,
    reviews: datasets.DatasetDict | None = None,
) -> tuple[transformers.Trainer, History]:
    """Fine-tune a preset's BERT on its reviews, and keep the epoch with the best validation.

    Args:
        preset: Which BERT, how many reviews and how long; see ``Preset.for_fine_tuning``.
        output_dir: Where checkpoints go, one an epoch; the best and the last are kept. A run that
            was killed and is started again with the same folder goes on from the last whole one.
        reviews: Train and validation reviews; without them, the preset's own.

    Returns:
        The Hugging Face Trainer, which holds the best epoch's model, and the history.

    Raises:
        PermissionError: The folder cannot be written to; this is found out before the training.
        ValueError: The folder's checkpoints belong to another run.
    """
    folder = Path(output_dir)
    reviews = reviews or load_reviews(preset)
    _claim(folder, preset, reviews)
    transformers.set_seed(preset.seed)
    tokenizer = load_tokenizer(preset.encoder)
    model = load_model_for_classification(preset)
    with quiet_transformers():
        trainer = transformers.Trainer(
            model=model,
            args=training_arguments(preset, folder),
            train_dataset=tokenize_reviews(reviews["train"], tokenizer, preset.max_length),
            eval_dataset=tokenize_reviews(reviews["validation"], tokenizer, preset.max_length),
            processing_class=tokenizer,  # also pads each batch to its own longest review
            compute_metrics=compute_metrics,
            callbacks=[ProgressPrinter()],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        checkpoint = last_whole_checkpoint(folder)
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    return trainer, history_of(trainer.state.log_history)


def load_model_for_classification(preset: Preset) -> "PreTrainedModel":
    """Load a preset's BERT with a new, random head for two labels.

    Args:
        preset: Which BERT.

    Returns:
        The model, in float32, with named labels and without dropout inside attention: with it, the
        fast kernel for attention cannot be used on a processor, and an epoch takes far longer.

    Raises:
        FileNotFoundError: A folder without a model.
        ValueError: A folder whose files transformers cannot open as a model.
        ConnectionError: The hub is asked for and does not answer.
    """
    found = sources.model_source(preset.encoder)
    with plain_errors(found), quiet_transformers():
        return transformers.AutoModelForSequenceClassification.from_pretrained(
            found.name_or_path,
            revision=found.revision or "main",
            id2label=ID2LABEL,
            label2id=LABEL2ID,
            dtype=torch.float32,
            attention_probs_dropout_prob=0.0,
            use_safetensors=True,
            trust_remote_code=False,
        )


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
    """
    return transformers.TrainingArguments(
        output_dir=os.fspath(output_dir),
        num_train_epochs=preset.num_epochs,
        per_device_train_batch_size=preset.batch_size,
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
        report_to="none",
    )


def compute_metrics(prediction: transformers.EvalPrediction) -> dict[str, float]:
    """Return accuracy and F1 of the Hugging Face Trainer's logits ``[reviews, 2]``."""
    labels = prediction.predictions.argmax(axis=1)
    return load_metrics().compute(predictions=labels, references=prediction.label_ids)


def history_of(log_history: list[dict]) -> History:
    """Pick one training loss and one validation accuracy an epoch out of a Trainer's log.

    Args:
        log_history: ``trainer.state.log_history``.

    Returns:
        The history, as the tutorial's own Trainer keeps it.
    """
    epochs = epochs_of(log_history)
    return History(
        train_losses=[entry["loss"] for entry in epochs if "loss" in entry],
        val_accuracy=[entry["eval_accuracy"] for entry in epochs if "eval_accuracy" in entry],
    )


def epochs_of(log_history: list[dict]) -> list[dict]:
    """Pick a Trainer's own epochs out of its log: without what was evaluated after the training."""
    epochs, training = [], False
    for entry in log_history:
        if "loss" in entry or ("eval_accuracy" in entry and training):
            epochs.append(entry)
            training = "loss" in entry
    return epochs


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Find the newest checkpoint of which every part can be opened.

    Args:
        folder: The Trainer's output folder.

    Returns:
        The checkpoint's folder, or nothing where there is none. What is passed over because it was
        written only in part is named in a printed line.
    """
    found = [path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()]
    newest_first = sorted(found, key=lambda path: -int(path.name[11:]))
    for position, checkpoint in enumerate(newest_first):
        problem = _problem(checkpoint)
        if problem is None:
            return checkpoint
        older = newest_first[position + 1].name if newest_first[position + 1 :] else "the start"
        print(f"{checkpoint.name} is not whole ({problem}): trying {older}")
    return None


class ProgressPrinter(TrainerCallback):
    """One bar over all steps and one line an epoch, instead of the Trainer's live table."""

    def on_train_begin(self, args, state, control, **kwargs):
        spent = [entry["seconds"] for entry in state.log_history if "seconds" in entry]
        self.started = time.monotonic() - (spent[-1] if spent else 0)
        # The state remembers a whole path, and the folder may have been moved.
        best = Path(args.output_dir) / f"checkpoint-{state.best_global_step}"
        if best.is_dir():
            state.best_model_checkpoint = str(best)
        self.bar = progress_bar(
            total=state.max_steps, initial=state.global_step, desc="fine-tuning"
        )

    def on_step_end(self, args, state, control, **kwargs):
        self.bar.update()

    def on_evaluate(self, args, state, control, metrics, **kwargs):
        state.log_history[-1]["seconds"] = time.monotonic() - self.started
        loss = next(entry["loss"] for entry in reversed(state.log_history) if "loss" in entry)
        self.bar.write(
            f"epoch {state.epoch:2.0f}  loss {loss:.4f}  accuracy {metrics['eval_accuracy']:.1%}"
        )

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()


def _claim(folder: Path, preset: Preset, reviews: datasets.DatasetDict) -> None:
    """Make sure that the folder can be written to and holds no other run's checkpoints."""
    run = dataclasses.asdict(preset) | {
        f"{pool}_ids_sha256": ids_sha256(reviews[pool]["id"][:]) for pool in ("train", "validation")
    }
    file = folder / RUN_FILE
    try:
        known = json.loads(file.read_text()) if file.is_file() else {}
    except ValueError:
        known = {}
    known = known if isinstance(known, dict) else {}
    if known != run and (file.is_file() or any(folder.glob("checkpoint-*"))):
        other = [name for name in run if known.get(name) != run[name]]
        raise ValueError(
            f"the checkpoints in {str(folder)!r} belong to another run, with another "
            f"{' and '.join(other)}: choose another output_dir, or delete it to start again"
        )
    try:
        write_whole(file, json.dumps(run, indent=1).encode())
    except OSError as error:
        raise PermissionError(
            f"cannot write to {str(folder)!r} ({error.strerror}): choose an output_dir that you "
            "can write to"
        ) from error


def _problem(checkpoint: Path) -> str | None:
    """Say what is wrong with a checkpoint, if anything; nothing in it is unpickled."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text())
        best = checkpoint.with_name(f"checkpoint-{state['best_global_step']}")
        for folder in (checkpoint, best):  # at its end the run loads the best one's model
            name = "model.safetensors"
            if not (folder / name).is_file():
                return f"no {name} in {folder.name}"
            with safe_open(folder / name, framework="pt") as opened:
                opened.keys()
        for name in CHECKPOINT_FILES:
            with zipfile.ZipFile(checkpoint / name) as archive:
                if archive.testzip() is not None:
                    return f"{name} is damaged"
            with safe_globals():
                torch.load(checkpoint / name, map_location="cpu", mmap=True, weights_only=True)
    except FileNotFoundError as error:
        return f"no {Path(error.filename).name}"
    except Exception as error:  # zipfile, torch and safetensors have a dozen words for damaged
        return f"damaged: {error}"
    return None
