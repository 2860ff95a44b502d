"""How long does a reader wait for the explorer, and does its memory stay flat?

The packaged classifier reads held-back reviews cut to 100 words: called directly, and through
SentimentExplorer, where the time counts from the click until the page has the verdict, or the
coloured words. Then 200 texts in a row are classified, and what the process takes is compared with
before. Prints a table and writes ``explorer_speed.json``.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from imdb_tutorial import SentimentExplorer, attribute, load_classifier, load_preset, load_reviews
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.machine.provenance import provenance

RESULT = Path(__file__).with_suffix(".json")
WORDS = 100
REVIEWS = 12
TEXTS_IN_A_ROW, WORDS_IN_A_ROW = 200, 20
GOALS = {"verdict_ms": 60, "words_seconds": 1.5, "growth_mb": 50}


def cut_reviews(count: int, words: int) -> list[str]:
    """Return held-back reviews, each cut to its first words."""
    long_enough = (
        review.split()
        for review in load_reviews(load_preset("laptop"))["test"]["text"]
        if len(review.split()) >= words
    )
    return [" ".join(next(long_enough)[:words]) for _ in range(count)]


def median_seconds(work: Callable[[str], object], texts: list[str]) -> float:
    """Call once to warm up, then once a text; return the median time of these."""
    work(texts[0])
    times = []
    for text in texts:
        began = time.perf_counter()
        work(text)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def growth_in_mb(work: Callable[[str], object], texts: list[str]) -> float:
    """Return by how much the process grows from the 20th text to the last."""

    def size() -> int:
        gc.collect()
        return psutil.Process().memory_info().rss

    for text in texts[:20]:
        work(text)
    before = size()
    for text in texts:
        work(text)
    return (size() - before) / 2**20


def time_explorer(explorer: SentimentExplorer, texts: list[str]) -> tuple[float, float]:
    """Return the median times until the verdict and until the coloured words are in the page."""
    verdicts, words = [], []
    for text in [texts[0], *texts]:
        seen = []
        explorer.output.value = ""

        def note(change, seen=seen):
            seen.append((time.perf_counter(), "imdb-verdict" in change["new"]))

        explorer.output.observe(note, "value")
        began = time.perf_counter()
        explorer.classify(text)
        words.append(time.perf_counter() - began)
        verdicts.append(next(when for when, has_verdict in seen if has_verdict) - began)
        explorer.output.unobserve(note, "value")
    return statistics.median(verdicts[1:]), statistics.median(words[1:])


def main() -> None:
    """Measure verdicts, attributions and memory; print and keep them."""
    texts = cut_reviews(REVIEWS, WORDS)
    many = cut_reviews(TEXTS_IN_A_ROW, WORDS_IN_A_ROW)
    classifier = load_classifier("packaged")
    explorer = SentimentExplorer({"packaged classifier": "packaged"})
    verdict, words = time_explorer(explorer, texts)
    ways = {
        "the classifier alone": {
            "verdict_ms": 1_000 * median_seconds(lambda text: judge(classifier, text), texts * 3),
            "words_seconds": median_seconds(lambda text: attribute(classifier, text), texts),
            "growth_mb": growth_in_mb(lambda text: classifier(text), many),
        },
        "through the explorer": {
            "verdict_ms": 1_000 * verdict,
            "words_seconds": words,
            "growth_mb": growth_in_mb(explorer.classify, many),
        },
    }
    explorer.close()
    record = {
        "words": WORDS,
        "reviews": REVIEWS,
        "texts_in_a_row": TEXTS_IN_A_ROW,
        "goals": GOALS,
        "ways": {
            way: {name: round(value, 2) for name, value in values.items()}
            for way, values in ways.items()
        },
        "threads": torch.get_num_threads(),
        **provenance("torch", "transformers", "captum"),
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{'':<22} {'verdict':>10} {'words':>9} {'growth':>9}")
    for way, values in {**record["ways"], "goal": GOALS}.items():
        print(
            f"{way:<22} {values['verdict_ms']:>7.0f} ms {values['words_seconds']:>7.2f} s "
            f"{values['growth_mb']:>6.1f} MB"
        )


if __name__ == "__main__":
    main()
