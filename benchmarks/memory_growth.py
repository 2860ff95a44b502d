"""How much memory feature extraction takes, from 50,000 reviews to 250,000.

A tiny random BERT reads short texts from a data set on disk, so that only their number counts.
Every size runs in a process of its own with an empty cache; its memory is what the operating
system reports for that process.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SIZES = (50_000, 250_000)
MAX_LENGTH, HIDDEN_SIZE = 16, 16
RESULT = Path(__file__).with_name("memory_growth.json")


def measure(size: int, max_length: int, hidden_size: int, folder: Path) -> dict:
    """Extract the features of so many texts in this process."""
    import datasets
    import torch

    from imdb_tutorial import extract_features, load_encoder, load_tokenizer
    from tests.toys import WORDS, save_tiny_bert

    os.environ["IMDB_TUTORIAL_CACHE"] = str(folder / "cache")
    words = [word for word in WORDS if word.isalpha()]

    def rows() -> Iterator[dict]:
        for number in range(size):
            count = max_length - 2 - number % (max_length // 2)  # beside [CLS] and [SEP]
            yield {"text": " ".join(words[(number + n * n) % len(words)] for n in range(count))}

    save_tiny_bert(folder / "bert", hidden_size)
    tokenizer = load_tokenizer(folder / "bert")
    encoder = load_encoder(folder / "bert", device="cpu")
    reviews = datasets.Dataset.from_generator(rows, cache_dir=str(folder / "reviews"))
    few = reviews.select(range(100))
    extract_features(few, tokenizer, encoder, max_length=max_length, dtype=torch.float32)
    before, started = _peak_mb(), time.perf_counter()
    features = extract_features(
        reviews, tokenizer, encoder, max_length=max_length, dtype=torch.float32
    )
    return {
        "reviews": len(features),
        "tokens_at_most": max_length,
        "hidden_size": hidden_size,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_memory_before_mb": before,
        "peak_memory_mb": _peak_mb(),
        "features_mb": round(features.nbytes / 1e6, 1),
    }


def measure_apart(size: int, max_length: int = MAX_LENGTH, hidden_size: int = HIDDEN_SIZE) -> dict:
    """Measure in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [sys.executable, __file__, *map(str, (size, max_length, hidden_size)), folder],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            env={**os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT)},
        )
    return json.loads(answer.stdout.splitlines()[-1])


def _peak_mb() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def main() -> None:
    """Measure every size, print a table and write JSON beside it."""
    from imdb_tutorial.machine.provenance import provenance

    rows = []
    print(f"{'reviews':>8}{'seconds':>10}{'MB before':>11}{'peak MB':>9}", flush=True)
    for size in SIZES:
        row = measure_apart(size)
        rows.append(row)
        print(
            f"{row['reviews']:>8,}{row['seconds']:>10.0f}{row['peak_memory_before_mb']:>11,}"
            f"{row['peak_memory_mb']:>9,}",
            flush=True,
        )
    record = {"rows": rows, **provenance("torch", "transformers", "datasets")}
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*map(int, sys.argv[1:4]), Path(sys.argv[4]))))
    else:
        main()
