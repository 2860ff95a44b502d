"""How far the bill is from what a run then takes, both ways, on a part of the reviews.

Each round first asks for the bill, then runs both ways and compares. The classic loop is run for
one epoch. Other programs on the machine make all of these numbers worse; the load is recorded.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from imdb_tutorial import (
    FeatureLoader,
    FrozenBertClassifier,
    LinearProbe,
    ReviewCollator,
    ReviewDataset,
    Trainer,
    estimate_cost,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.provenance import provenance

RESULT = DATA / "estimate_error.json"


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--train", type=int, default=192)
    parser.add_argument("--others", type=int, default=64, help="validation and test, each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of calibration")
    parser.add_argument("--output", type=Path, default=RESULT)
    parsed = parser.parse_args()

    preset = load_preset(parsed.preset).replace(
        train_size=parsed.train,
        validation_size=parsed.others,
        test_size=parsed.others,
        num_epochs=1,
    )
    reviews = load_reviews(preset)
    tokenizer, encoder = load_tokenizer(preset.encoder), load_encoder(preset.encoder)
    rounds = []
    for number in range(parsed.rounds):
        bill = estimate_cost(preset, reviews, seconds=parsed.seconds)
        if number == 0:
            print(bill, end="\n\n")
        seconds = {
            "classic loop": seconds_for(classic_loop, preset, reviews, tokenizer, encoder),
            "ours": seconds_for(our_way, preset, reviews, tokenizer, encoder),
        }
        estimate = {"classic loop": bill.classic.seconds, "ours": bill.ours.seconds}
        rounds.append(
            {
                "calibration_seconds": round(bill.calibration_seconds, 1),
                "estimate": {way: round(value, 2) for way, value in estimate.items()},
                "seconds": {way: round(value, 2) for way, value in seconds.items()},
                "ratio": {way: round(estimate[way] / seconds[way], 3) for way in estimate},
                "load": [round(value, 1) for value in os.getloadavg()],
            }
        )
        print(f"round {number + 1} of {parsed.rounds}: estimate / run {rounds[-1]['ratio']}")

    report = {
        "encoder": preset.encoder,
        "reviews": {pool: len(split) for pool, split in reviews.items()},
        "tokens_of_text": bill.text_tokens,
        "epochs_of_the_classic_loop": preset.num_epochs,
        "threads": torch.get_num_threads(),
        "device": bill.device,
        "dtype": bill.ours.dtype,
        **provenance("torch", "transformers"),
        "rounds": rounds,
        "median_ratio": {
            way: round(statistics.median(one["ratio"][way] for one in rounds), 3)
            for way in ("classic loop", "ours")
        },
    }
    parsed.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if parsed.output == RESULT:
        seal_records()


def seconds_for(work, *arguments) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def classic_loop(preset, reviews, tokenizer, encoder) -> None:
    """BERT inside the loop, every review padded to the longest input; test once."""
    collator = ReviewCollator(tokenizer, preset.max_length, padding="max_length")
    loaders = {
        pool: DataLoader(ReviewDataset(split), preset.batch_size, collate_fn=collator)
        for pool, split in reviews.items()
    }
    probe = LinearProbe(encoder.config.hidden_size, pooling=preset.pooling)
    trainer = Trainer(
        FrozenBertClassifier(encoder, probe),
        loaders["train"],
        loaders["validation"],
        verbose=False,
    )
    trainer.train(preset.num_epochs)
    Trainer(trainer.model, [], loaders["test"], verbose=False).validate()


def our_way(preset, reviews, tokenizer, encoder) -> None:
    """One pass, without the cache; then the probe learns on features."""
    loaders = {
        pool: FeatureLoader(
            extract_features(
                split, tokenizer, encoder, preset.pooling, preset.max_length, use_cache=False
            ),
            split["label"][:],
            preset.batch_size,
        )
        for pool, split in reviews.items()
    }
    probe = LinearProbe(encoder.config.hidden_size, pooling=preset.pooling)
    trainer = Trainer(probe, loaders["train"], loaders["validation"], verbose=False)
    trainer.train(preset.num_epochs)


if __name__ == "__main__":
    main()
