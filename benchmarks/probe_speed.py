"""How fast a frozen BERT with a probe can be, on equal terms.

The same model, the same reviews, the same number of threads and scaled-dot-product attention on
every side. The sides take turns (A B A B ...) and medians are reported. A token counts only when
it was text: padding earns nothing.
"""

import argparse
import copy
import json
import statistics
import time
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from torch.utils.data import DataLoader, Dataset

from imdb_tutorial import (
    FeatureLoader,
    FrozenBertClassifier,
    LinearProbe,
    ReviewCollator,
    ReviewDataset,
    Trainer,
    choose_dtype,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)
from imdb_tutorial.encoder.tokens import tokenize
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.machine.sources import packaged_encoder_folder

RESULT = Path(__file__).with_name("probe_speed.json")
CLASSIC_REVIEWS = {"train": 64, "validation": 32}
MATRIX = 2_048


def main() -> None:
    """Measure, print a table and write JSON beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parsed = parser.parse_args()

    preset = load_preset("laptop").replace(train_size=None)
    pool = load_reviews(preset)["train"].shuffle(seed=0)
    reviews = pool.select(range(parsed.reviews))
    texts = reviews["text"][:]
    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
    lengths = tokenize(texts, tokenizer, preset.max_length).lengths()

    sides = {
        "classic loop": classic_side(preset, pool, tokenizer, encoder),
        "sentence-transformers": sentence_transformers_side(texts, torch.float32),
        "sentence-transformers, bfloat16": sentence_transformers_side(texts, torch.bfloat16),
        "ours, float32": our_side(texts, tokenizer, encoder, torch.float32),
        "ours, bfloat16": our_side(texts, tokenizer, encoder, torch.bfloat16),
        "matmul, float32": matmul_side(torch.float32),
        "matmul, bfloat16": matmul_side(torch.bfloat16),
        "thirty epochs on features": training_side(preset, encoder.config.hidden_size),
    } | epoch_sides(encoder.config.hidden_size)
    for side in sides.values():
        side()
    seconds = {name: [] for name in sides}
    for number in range(parsed.rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - started)
        print(f"round {number + 1} of {parsed.rounds}", flush=True)

    report = summarise(preset, encoder, lengths, seconds)
    print_table(report)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def classic_side(preset, pool, tokenizer, encoder):
    """One epoch, training and validation, with BERT and fixed padding inside the loop."""
    collator = ReviewCollator(tokenizer, preset.max_length, padding="max_length")
    start, loaders = 0, {}
    for name, count in CLASSIC_REVIEWS.items():
        split = ReviewDataset(pool.select(range(start, start + count)))
        loaders[name] = DataLoader(split, preset.batch_size, collate_fn=collator)
        start += count
    model = FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size))

    def epoch():
        trainer = Trainer(
            copy.deepcopy(model), loaders["train"], loaders["validation"], verbose=False
        )
        trainer.train_epoch()
        trainer.validate()

    return epoch


def sentence_transformers_side(texts, dtype):
    """``encode`` with its default batch size, which sorts by length as well."""
    model = SentenceTransformer(
        str(packaged_encoder_folder()),
        device="cpu",
        model_kwargs={"dtype": dtype, "attn_implementation": "sdpa"},
    )
    model.max_seq_length = 500
    return lambda: model.encode(texts, show_progress_bar=False, convert_to_numpy=False)


def our_side(texts, tokenizer, encoder, dtype):
    """``extract_features`` without its cache."""
    return lambda: extract_features(texts, tokenizer, encoder, "mean", dtype=dtype, use_cache=False)


def matmul_side(dtype):
    """Ten products of square matrices."""
    a = torch.randn(MATRIX, MATRIX).to(dtype)
    b = torch.randn(MATRIX, MATRIX).to(dtype)
    return lambda: [a @ b for _ in range(10)]


def training_side(preset, hidden):
    """Thirty epochs of the probe on as many features as the laptop preset has."""
    size = {"train": 2_000, "validation": preset.validation_size}
    loaders = {
        name: FeatureLoader(torch.randn(n, hidden), torch.arange(n) % 2, preset.batch_size)
        for name, n in size.items()
    }

    def train():
        trainer = Trainer(
            LinearProbe(hidden), loaders["train"], loaders["validation"], verbose=False
        )
        trainer.train(preset.num_epochs)

    return train


class Items(Dataset):
    """Features and labels one at a time, as most tutorials hand them to a ``DataLoader``."""

    def __init__(self, features, labels):
        self.features, self.labels = features, labels

    def __len__(self):
        return len(self.features)

    def __getitem__(self, row):
        return {"features": self.features[row]}, self.labels[row]


def epoch_sides(hidden):
    """One epoch of the classic size, 25,000 to learn from and 25,000 to check on, both ways.

    Learning takes batches of 32 on both sides. Checking gives the same accuracy in any batches, so
    ours takes large ones.
    """
    features, labels = torch.randn(25_000, hidden), torch.arange(25_000) % 2
    items = Items(features, labels)
    loaders = {
        "item by item": (DataLoader(items, 32, shuffle=True), DataLoader(items, 32)),
        "whole batches": (
            FeatureLoader(features, labels, 32, shuffle=True),
            FeatureLoader(features, labels, 4_096),
        ),
    }
    sides = {}
    for name, (train_loader, valid_loader) in loaders.items():
        trainer = Trainer(LinearProbe(hidden), train_loader, valid_loader, verbose=False)
        sides[f"learning, {name}"] = trainer.train_epoch
        sides[f"checking, {name}"] = trainer.validate
    return sides


def summarise(preset, encoder, lengths, seconds) -> dict:
    """Turn seconds into tokens a second, whole runs and ratios."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    layers = sum(p.numel() for p in encoder.encoder.parameters())
    attention = 4 * encoder.config.num_hidden_layers * encoder.config.hidden_size
    operations = sum(2 * layers * n + attention * n * n for n in lengths.tolist())
    rate = {
        name: 10 * 2 * MATRIX**3 / median[f"matmul, {name}"] for name in ("float32", "bfloat16")
    }

    reviews_an_epoch = 2_000 + preset.validation_size
    classic_a_review = median["classic loop"] / sum(CLASSIC_REVIEWS.values())
    run = {"classic loop": preset.num_epochs * reviews_an_epoch * classic_a_review}
    tokens_a_second = {"classic loop": float(lengths.mean()) / classic_a_review}
    share = {}
    for name in list(median)[1:5]:
        run[name] = (
            median[name] / len(lengths) * reviews_an_epoch + median["thirty epochs on features"]
        )
        tokens_a_second[name] = float(lengths.sum()) / median[name]
        dtype = "bfloat16" if "bfloat16" in name else "float32"
        share[name] = operations / median[name] / rate[dtype]
    epoch = {
        name: median[f"learning, {name}"] + median[f"checking, {name}"]
        for name in ("item by item", "whole batches")
    }
    return {
        "reviews": len(lengths),
        "tokens_of_text": int(lengths.sum()),
        "rounds": len(seconds["classic loop"]),
        "threads": torch.get_num_threads(),
        "native_bfloat16": choose_dtype("cpu") == torch.bfloat16,
        **provenance("torch", "transformers", "sentence-transformers"),
        "extrapolated": (
            f"the classic loop ran one epoch of {CLASSIC_REVIEWS} reviews each round; its "
            f"{preset.num_epochs} epochs of 2,000 + {preset.validation_size} are that time a review"
        ),
        "seconds": {name: [round(s, 4) for s in values] for name, values in seconds.items()},
        "tokens_a_second": {name: round(value) for name, value in tokens_a_second.items()},
        "share_of_matmul_rate": {name: round(value, 3) for name, value in share.items()},
        "matmul_gflops": {name: round(value / 1e9) for name, value in rate.items()},
        "run_seconds": {name: round(value, 1) for name, value in run.items()},
        "ratios": {
            "run: classic loop / ours, bfloat16": ratio(run, "classic loop", "ours, bfloat16"),
            "run: classic loop / ours, float32": ratio(run, "classic loop", "ours, float32"),
            "extraction: sentence-transformers / ours, bfloat16": ratio(
                median, "sentence-transformers", "ours, bfloat16"
            ),
            "extraction: sentence-transformers, bfloat16 / ours, bfloat16": ratio(
                median, "sentence-transformers, bfloat16", "ours, bfloat16"
            ),
            "extraction: sentence-transformers / ours, float32": ratio(
                median, "sentence-transformers", "ours, float32"
            ),
            "epoch of 25,000 + 25,000: DataLoader / FeatureLoader": ratio(
                epoch, "item by item", "whole batches"
            ),
            "only its learning part: DataLoader / FeatureLoader": ratio(
                median, "learning, item by item", "learning, whole batches"
            ),
        },
    }


def ratio(values: dict[str, float], slow: str, fast: str) -> float:
    """How many times the fast side fits into the slow one."""
    return round(values[slow] / values[fast], 2)


def print_table(report: dict) -> None:
    """Print what a reader wants to know."""
    print(f"\n{'':34}{'tokens/s':>10}{'30 epochs':>12}{'of matmul':>11}")
    for name, tokens in report["tokens_a_second"].items():
        share = report["share_of_matmul_rate"].get(name)
        print(
            f"{name:34}{tokens:>10,}{report['run_seconds'][name]:>10,.0f} s"
            f"{'' if share is None else f'{share:.0%}':>11}"
        )
    print()
    for name, value in report["ratios"].items():
        print(f"{name:62}{value:>8.1f}x")


if __name__ == "__main__":
    main()
