"""How large is the packaged classifier, and how quick: to load, and on one review?

How good it is, and beside what, is measured by ``make study``. Prints the result and writes
``packaged_classifier.json``.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import imdb_tutorial
from imdb_tutorial import load_classifier, load_preset, load_reviews
from imdb_tutorial.machine.provenance import provenance

RESULT = Path(__file__).with_suffix(".json")
PACKAGED = Path(imdb_tutorial.__file__).with_name("data") / "packaged_classifier"
WORDS = 200
ROUNDS = 20
LOAD = """
import time
began = time.perf_counter()
from imdb_tutorial import load_classifier
load_classifier("packaged")
imported = time.perf_counter()
load_classifier("packaged")
print(imported - began, time.perf_counter() - imported)
"""


def main() -> None:
    """Measure size, loading and one review; print and keep them."""
    classifier = load_classifier("packaged")
    runs = [
        subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    loads = [[float(part) for part in run.stdout.split()[-2:]] for run in runs]
    texts = load_reviews(load_preset("laptop"))["test"]["text"]
    text = " ".join(next(t for t in texts if len(t.split()) >= WORDS).split()[:WORDS])
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        classifier(text)
        times.append(time.perf_counter() - began)
    record = {
        "size_mb": round(sum(f.stat().st_size for f in PACKAGED.glob("*.safetensors")) / 1e6, 2),
        "load_seconds_with_imports": round(statistics.median(load[0] for load in loads), 2),
        "load_seconds": round(statistics.median(load[1] for load in loads), 2),
        "milliseconds_for_200_words": round(1_000 * statistics.median(times), 1),
        **provenance("torch", "transformers"),
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
