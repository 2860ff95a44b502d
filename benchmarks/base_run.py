"""The real size: a BERT of 12 layers of 768 on all reviews, and MiniLM by the same recipe.

Features of all reviews of the three pools, both poolings, 500 tokens, and thirty epochs of the
probe; beside it, on a part, the classic loop with the same encoder. Features are kept while they
are computed: a run that was killed goes on where it was. ``--part`` measures the speed alone.
"""

import argparse
import copy
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from machine_rates import device_name, matrix_rate, now
from torch.utils.data import DataLoader

from imdb_tutorial import (
    FeatureLoader,
    FrozenBertClassifier,
    LinearProbe,
    ReviewCollator,
    ReviewDataset,
    Trainer,
    accuracy_interval,
    choose_dtype,
    compare,
    extract_features,
    grouped_interval,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)
from imdb_tutorial.cost.flops import encoder_shape, forward_flops
from imdb_tutorial.encoder.tokens import tokenize
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.parallel import one_thread
from imdb_tutorial.machine.provenance import provenance

RESULT = DATA / "base_run.json"
POOLINGS = ("cls", "mean")
ENCODERS = {"all-mpnet-base-v2": "base", "all-MiniLM-L6-v2": "packaged"}
ROUNDS = 3
# Enough reviews for a rate, and a small enough share of the classic epoch to wait for.
PART = {"cpu": (96, 32, 16), "cuda": (8_192, 512, 256)}


def main() -> None:
    """Run what was asked for, and write it beside what the record holds already."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="store_true", help="the speed alone, on a part")
    parser.add_argument("--output", type=Path, default=RESULT)
    parsed = parser.parse_args()
    record = (
        json.loads(parsed.output.read_text(encoding="utf-8")) if parsed.output.is_file() else {}
    )
    encoders = {name: load_encoder(source) for name, source in ENCODERS.items()}
    device = encoders["all-mpnet-base-v2"].device
    say(f"{device_name(device)}, {choose_dtype(device)}")
    about = provenance("torch", "transformers") | {
        "device": device_name(device),
        "dtype": str(choose_dtype(device)).removeprefix("torch."),
    }
    if parsed.part:
        runs = record.setdefault("speed on a part", {})
        runs[f"{about['device']}, {about['dtype']}"] = about | speed_on_a_part(
            encoders["all-mpnet-base-v2"]
        )
    else:
        record["whole run"] = about | whole_run(encoders)
    parsed.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if parsed.output == RESULT:
        seal_records()


def whole_run(encoders: dict) -> dict:
    """Train a probe on each encoder's features of all reviews; ask the test pool once each."""
    preset = load_preset("base")
    reviews = load_reviews(preset)
    found: dict = {
        "reviews": {pool: len(split) for pool, split in reviews.items()},
        "epochs": preset.num_epochs,
        "learning rate, gamma, batch": [preset.learning_rate, preset.gamma, preset.batch_size],
        "asked": "test once for each row, after the last epoch; nothing was chosen",
        "rows": [],
    }
    answers = {}
    for name, encoder in encoders.items():
        features, speed = read_all(reviews, encoder, preset.max_length)
        found[name] = speed
        for pooling in POOLINGS:
            row, right = train_probe(preset, reviews, features, pooling)
            answers[name, pooling] = right
            found["rows"].append({"encoder": name, "pooling": pooling} | row)
            say(f"{name} {pooling}: {row['accuracy']}")
    for pooling in POOLINGS:
        base, small = (answers[name, pooling] for name in ENCODERS)
        difference = compare(base, baseline=small)
        found[f"base less MiniLM, {pooling}"] = [
            round(float(number), 4)
            for number in (difference.difference, difference.low, difference.high)
        ]
    return found | {"peak_memory_mb": peak_memory()}


def read_all(reviews, encoder, max_length: int) -> tuple[dict, dict]:
    """Compute, or go on with, the features of every pool; say how fast."""
    tokenizer = load_tokenizer(encoder.name_or_path)
    features, seconds, lengths = {}, 0.0, []
    for pool, split in reviews.items():
        began = now(encoder.device)
        features[pool] = extract_features(split, tokenizer, encoder, POOLINGS, max_length)
        seconds += now(encoder.device) - began
        lengths.append(tokenize(split["text"], tokenizer, max_length).lengths())
        say(f"{pool}: {len(split):,} reviews, {seconds:,.0f} s so far")
    text = np.concatenate(lengths)
    flops = float(forward_flops(encoder_shape(encoder.config), 1, text).sum())
    dtype = choose_dtype(encoder.device)
    rate = matrix_rate(encoder.device, dtype)
    return features, {
        "tokens": int(text.sum()),
        "seconds, tokenizing included": round(seconds, 1),
        "tokens_a_second": round(float(text.sum()) / seconds),
        "matrix_tflops": round(rate / 1e12, 3),
        "share_of_matrix_rate": round(flops / seconds / rate, 3),
    }


def train_probe(preset, reviews, features, pooling: str) -> tuple[dict, np.ndarray]:
    """Train by the classic recipe, and ask the test pool at the end."""
    labels = {pool: split["label"][:] for pool, split in reviews.items()}
    loaders = {
        pool: FeatureLoader(
            features[pool][pooling],
            labels[pool],
            preset.batch_size if pool == "train" else 4_096,
            shuffle=pool == "train",
            seed=preset.seed,
        )
        for pool in reviews
    }
    torch.manual_seed(preset.seed)
    probe = LinearProbe(features["train"][pooling].shape[1], pooling=pooling)
    settings = preset.learning_rate, preset.gamma
    trainer = Trainer(probe, loaders["train"], loaders["validation"], *settings, verbose=False)
    began = time.perf_counter()
    with one_thread():
        history = trainer.train(preset.num_epochs)
    seconds = time.perf_counter() - began
    with torch.no_grad():
        said = probe(features["test"][pooling]).argmax(dim=1).numpy()  # [reviews]
    right = said == np.array(labels["test"])
    interval = accuracy_interval(right)
    over_films = grouped_interval(right, reviews["test"]["film"][:])
    return {
        "accuracy": round(interval.value, 5),
        "interval": [round(interval.low, 5), round(interval.high, 5)],
        "interval_over_films": [round(over_films.low, 5), round(over_films.high, 5)],
        "validation_accuracy": round(history.val_accuracy[-1], 5),
        "train_losses": [round(loss, 5) for loss in history.train_losses],
        "val_accuracies": [round(a, 5) for a in history.val_accuracy],
        "seconds_of_training": round(seconds, 1),
    }, right


def speed_on_a_part(encoder) -> dict:
    """Take turns with the classic loop on the same encoder; all of its epochs are extrapolated."""
    device, dtype = encoder.device, choose_dtype(encoder.device)
    preset = load_preset("base")
    pools = load_reviews(preset)
    once, train, check = PART[device.type]
    tokenizer = load_tokenizer(encoder.name_or_path)
    some = pools["train"].shuffle(seed=0)
    texts = some.select(range(once))["text"][:]
    lengths = tokenize(texts, tokenizer, preset.max_length).lengths()
    fast = copy.deepcopy(encoder).to(dtype)  # as a run has it, which casts once

    def ours() -> None:
        extract_features(texts, tokenizer, fast, "mean", dtype=dtype, use_cache=False)

    seconds: dict[str, list[float]] = {"classic loop": [], "ours": []}
    classic = classic_epoch(preset, some, tokenizer, encoder, train, check)
    for number in range(ROUNDS):
        for name, side in (("classic loop", classic), ("ours", ours)):
            began = now(device)
            side()
            seconds[name].append(now(device) - began)
            say(f"round {number + 1}: {name} {seconds[name][-1]:.2f} s")
    median = {name: statistics.median(values) for name, values in seconds.items()}
    sizes = {pool: len(split) for pool, split in pools.items()}
    an_epoch = sizes["train"] + sizes["validation"]
    probe = probe_seconds(preset, encoder.config.hidden_size, sizes)
    run = {
        "classic loop": preset.num_epochs * an_epoch * median["classic loop"] / (train + check),
        "ours": median["ours"] / once * an_epoch + probe,
    }
    flops = float(forward_flops(encoder_shape(encoder.config), 1, lengths).sum())
    rate = matrix_rate(device, dtype)
    return {
        "reviews": {"ours": once, "classic loop": [train, check]},
        "seconds": {name: [round(s, 3) for s in values] for name, values in seconds.items()},
        "tokens_of_text_a_second": {
            "classic loop": round(float(lengths.mean()) * (train + check) / median["classic loop"]),
            "ours": round(float(lengths.sum()) / median["ours"]),
        },
        "seconds_of_thirty_epochs_on_features": round(probe, 1),
        "run_seconds": {name: round(s) for name, s in run.items()},
        "times_faster": round(run["classic loop"] / run["ours"], 1),
        "matrix_tflops": round(rate / 1e12, 3),
        "share_of_matrix_rate": round(flops / median["ours"] / rate, 3),
        "peak_memory_mb": peak_memory(),
    }


def classic_epoch(preset, reviews, tokenizer, encoder, train: int, check: int):
    """Return one epoch of training and validation, BERT and fixed padding inside the loop."""
    collator = ReviewCollator(tokenizer, preset.max_length, padding="max_length")
    parts = (range(train), range(train, train + check))
    loaders = [
        DataLoader(ReviewDataset(reviews.select(p)), preset.batch_size, collate_fn=collator)
        for p in parts
    ]
    model = FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size))

    def epoch() -> None:
        trainer = Trainer(model, *loaders, verbose=False)
        trainer.train_epoch()
        trainer.validate()

    return epoch


def probe_seconds(preset, hidden: int, sizes: dict[str, int]) -> float:
    """Time thirty epochs of the probe on as many features as the pools have reviews."""
    train, validation = (
        FeatureLoader(torch.randn(sizes[pool], hidden), torch.arange(sizes[pool]) % 2, batch)
        for pool, batch in (("train", preset.batch_size), ("validation", 4_096))
    )
    began = time.perf_counter()
    with one_thread():
        Trainer(LinearProbe(hidden), train, validation, verbose=False).train(preset.num_epochs)
    return time.perf_counter() - began


def peak_memory() -> dict[str, int]:
    """Return the most that this process has held, in the main memory and on a GPU, in MB."""
    unit = 1 if sys.platform == "darwin" else 1_024  # bytes there, kibibytes elsewhere
    found = {"main": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)}
    if torch.cuda.is_available():
        found["gpu"] = round(torch.cuda.max_memory_allocated() / 1e6)
    return found


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
