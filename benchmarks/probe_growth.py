"""How the time and the memory of feature extraction grow with the number of reviews.

Every size runs in a process of its own, without the cache; its peak memory is what the operating
system reports for that process.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

SIZES = (1_000, 4_000, 25_000)
RESULT = Path(__file__).with_name("probe_growth.json")


def measure(size: int) -> dict:
    """Extract the features of so many reviews in this process."""
    from imdb_tutorial import (
        extract_features,
        load_encoder,
        load_preset,
        load_raw_reviews,
        load_tokenizer,
    )

    reviews = load_raw_reviews(load_preset("laptop"))["train"].shuffle(seed=0).select(range(size))
    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
    started = time.perf_counter()
    features = extract_features(reviews, tokenizer, encoder, use_cache=False)
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "reviews": len(features),
        "seconds": round(seconds, 1),
        "reviews_a_second": round(size / seconds, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6),
    }


def main() -> None:
    """Measure every size, print a table and write JSON beside it."""
    rows = []
    print(f"{'reviews':>8}{'seconds':>10}{'reviews/s':>11}{'peak MB':>9}", flush=True)
    for size in SIZES:
        answer = subprocess.run(
            [sys.executable, __file__, str(size)], stdout=subprocess.PIPE, check=True, text=True
        )
        row = json.loads(answer.stdout.splitlines()[-1])
        rows.append(row)
        print("{:>8,}{:>10.0f}{:>11.0f}{:>9,}".format(*row.values()), flush=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
