"""How much faster is fine-tuning here than with the classic settings?

The same pretrained model, reviews, batch size, learning rate and epochs, with the Hugging Face
Trainer, in turn. Classic: every review padded to 512 tokens, float32, dropout inside attention.
Ours: batches of similar length padded to their own longest review, bfloat16 where it is native, no
dropout inside attention. Prints a table and writes ``finetune_speed.json``.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
import transformers

from imdb_tutorial import load_preset, load_reviews, load_tokenizer
from imdb_tutorial.encoder.load import quiet_transformers
from imdb_tutorial.evaluation.intervals import accuracy_interval
from imdb_tutorial.finetuning.run import load_model_for_classification, tokenize_reviews
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import best_device, choose_dtype
from imdb_tutorial.machine.provenance import provenance

RESULT = Path(__file__).with_suffix(".json")
PRESET = load_preset("laptop").for_fine_tuning().replace(train_size=160, max_length=512)
ROUNDS = 2
WAYS = ("classic", "ours, float32", "ours")


class Stopwatch(transformers.TrainerCallback):
    """Remembers how long each epoch's training took, in seconds."""

    def __init__(self):
        self.seconds = []

    def on_epoch_begin(self, args, state, control, **kwargs):
        self.began = time.perf_counter()

    def on_epoch_end(self, args, state, control, **kwargs):
        self.seconds.append(time.perf_counter() - self.began)


def train(way: str, seed: int, reviews) -> tuple[list[float], torch.Tensor]:
    """Fine-tune in one way; return the seconds of each epoch and which test reviews were right."""
    transformers.set_seed(seed)
    tokenizer = load_tokenizer()
    classic = way == "classic"
    if classic:
        with quiet_transformers():
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                sources.packaged_encoder_folder()
            )
    else:
        model = load_model_for_classification(PRESET.encoder)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                num_train_epochs=PRESET.num_epochs,
                per_device_train_batch_size=PRESET.batch_size,
                learning_rate=PRESET.learning_rate,
                train_sampling_strategy="random" if classic else "group_by_length",
                use_cpu=best_device().type == "cpu",
                bf16=way == "ours" and choose_dtype() == torch.bfloat16,
                save_strategy="no",
                seed=seed,
                disable_tqdm=True,
                report_to="none",
            ),
            data_collator=transformers.DataCollatorWithPadding(
                tokenizer, padding="max_length" if classic else "longest", max_length=512
            ),
            train_dataset=tokenize_reviews(reviews["train"], tokenizer, PRESET.max_length),
            processing_class=tokenizer,
            callbacks=[watch],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        test = tokenize_reviews(reviews["test"], tokenizer, PRESET.max_length)
        # Checked in the same way for all, so that only the training differs.
        trainer.data_collator = transformers.DataCollatorWithPadding(tokenizer)
        trainer.args.train_sampling_strategy = "group_by_length"
        answers = trainer.predict(test)
    return watch.seconds, torch.tensor(answers.predictions.argmax(1) == answers.label_ids)


def main() -> None:
    """Measure all ways in turn, print a table and keep it."""
    reviews = load_reviews(PRESET)
    seconds = {way: [] for way in WAYS}
    right = {way: [] for way in WAYS}
    for seed in range(ROUNDS):
        for way in WAYS:
            epochs, answers = train(way, seed, reviews)
            seconds[way] += epochs
            right[way].append(answers)
            print(f"round {seed} {way}: {epochs}, {answers.float().mean():.1%}", flush=True)
    median = {way: statistics.median(times) for way, times in seconds.items()}
    record = {
        "reviews": PRESET.train_size,
        "batch_size": PRESET.batch_size,
        "epochs": PRESET.num_epochs,
        "rounds": ROUNDS,
        "median_seconds_per_epoch": {way: round(value, 1) for way, value in median.items()},
        "times_faster": {way: round(median["classic"] / median[way], 2) for way in WAYS[1:]},
        "test_accuracy": {
            way: [list(accuracy_interval(a.numpy()))[:3] for a in answers]
            for way, answers in right.items()
        },
        "native_bfloat16": choose_dtype() == torch.bfloat16,
        "threads": torch.get_num_threads(),
        **provenance("torch", "transformers"),
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record["times_faster"]), json.dumps(record["test_accuracy"]))


if __name__ == "__main__":
    main()
