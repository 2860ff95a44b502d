"""Which accuracy a reader can expect of the lesson's probe: two poolings, few and all reviews.

The classic recipe's head and schedule on the packaged model, with logits. The result is kept in the
package, so that a lesson can quote it.
"""

import json
from pathlib import Path

import torch

import imdb_tutorial
from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    Trainer,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.provenance import provenance

RESULT = Path(imdb_tutorial.__file__).with_name("data") / "expected_accuracy.json"
POOLINGS = ("cls", "mean")


def main() -> None:
    """Train every probe, print its accuracy on the whole test pool and keep it."""
    few = load_preset("laptop")
    preset = few.replace(train_size=None, validation_size=None, test_size=None)
    reviews = load_reviews(preset)
    tokenizer, encoder = load_tokenizer(), load_encoder()
    features = {
        pool: extract_features(split, tokenizer, encoder, POOLINGS, preset.max_length)
        for pool, split in reviews.items()
    }
    labels = {pool: split["label"][:] for pool, split in reviews.items()}
    rows = []
    for size in (few.train_size, len(reviews["train"])):
        for pooling in POOLINGS:
            loaders = {
                pool: FeatureLoader(
                    features[pool][pooling][: size if pool == "train" else None],
                    labels[pool][: size if pool == "train" else None],
                    preset.batch_size,
                    shuffle=pool == "train",
                    seed=preset.seed,
                )
                for pool in reviews
            }
            torch.manual_seed(preset.seed)
            probe = LinearProbe(encoder.config.hidden_size, pooling=pooling)
            trainer = Trainer(probe, loaders["train"], loaders["validation"], verbose=False)
            trainer.train(preset.num_epochs)
            _, accuracy = Trainer(probe, [], loaders["test"]).validate()
            rows.append({"pooling": pooling, "train_size": size, "test_accuracy": accuracy})
            print(f"{pooling:5} {size:>7,} training reviews: {accuracy:.1%}")
    record = {
        "test_size": len(reviews["test"]),
        "seed": preset.seed,
        "results": rows,
        **provenance("torch", "transformers"),
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    seal_records()


if __name__ == "__main__":
    main()
