"""How good and how quick is the packaged classifier, beside a bag of words?

Both learn from the same train pool and answer the same test pool: TF-IDF of words and pairs of
words with logistic regression, its C chosen on the validation pool, and the packaged classifier.
Prints the result and writes ``packaged_classifier.json``.
"""

import json
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import imdb_tutorial
from imdb_tutorial import load_classifier, load_preset, load_reviews, predict
from imdb_tutorial.evaluation import accuracy_interval, compare

RESULT = Path(__file__).with_suffix(".json")
PACKAGED = Path(imdb_tutorial.__file__).with_name("data") / "packaged_classifier"
STRENGTHS = (1, 3, 10, 30)
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


def bag_of_words(reviews) -> tuple[np.ndarray, int]:
    """Fit TF-IDF with logistic regression; return its test answers and the chosen C."""
    texts = {pool: split["text"][:] for pool, split in reviews.items()}
    labels = {pool: np.array(split["label"][:]) for pool, split in reviews.items()}
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    train = words.fit_transform(texts["train"])
    validation = words.transform(texts["validation"])
    models = {
        c: LogisticRegression(C=c, max_iter=1_000).fit(train, labels["train"]) for c in STRENGTHS
    }
    best = max(STRENGTHS, key=lambda c: models[c].score(validation, labels["validation"]))
    return models[best].predict(words.transform(texts["test"])), best


def main() -> None:
    """Measure accuracy, difference, loading and one review; print and keep them."""
    preset = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
    reviews = load_reviews(preset)
    labels = np.array(reviews["test"]["label"][:])
    began = time.perf_counter()
    bag, strength = bag_of_words(reviews)
    bag_seconds = time.perf_counter() - began
    classifier = load_classifier("packaged")
    answers = predict(classifier, reviews["test"]["text"][:]).argmax(dim=1).numpy()
    runs = [
        subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    loads = [[float(part) for part in run.stdout.split()[-2:]] for run in runs]
    review = next(t for t in reviews["test"]["text"] if len(t.split()) >= WORDS)
    text = " ".join(review.split()[:WORDS])
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        classifier(text)
        times.append(time.perf_counter() - began)
    record = {
        "test_reviews": len(labels),
        "accuracy": {
            "TF-IDF + logistic regression": accuracy_interval(bag == labels),
            "packaged classifier": accuracy_interval(answers == labels),
        },
        "difference": compare(answers == labels, bag == labels)._asdict(),
        "tfidf": {"C": strength, "seconds": round(bag_seconds, 1)},
        "size_mb": round(sum(f.stat().st_size for f in PACKAGED.glob("*.safetensors")) / 1e6, 2),
        "load_seconds_with_imports": round(statistics.median(load[0] for load in loads), 2),
        "load_seconds": round(statistics.median(load[1] for load in loads), 2),
        "milliseconds_for_200_words": round(1_000 * statistics.median(times), 1),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {
            n: version(n).split("+")[0] for n in ("torch", "transformers", "scikit-learn")
        },
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
