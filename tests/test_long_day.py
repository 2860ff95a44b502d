"""One kernel goes through the main calls again and again: nothing grows, nothing stays open."""

import gc
import threading

import matplotlib.pyplot as plt
import psutil
import pytest
from ipywidgets import Widget

from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    SentimentExplorer,
    Trainer,
    attribute,
    extract_features,
    load_classifier,
    load_encoder,
    load_tokenizer,
    plot_bars,
    plot_history,
    plot_words,
    predict_proba,
)

ROUNDS, WARM_UP = 50, 10
MOST_GROWTH = 100 * 2**20
TEXTS = [
    f"{'a good' if number % 2 else 'an awful'} film, number {number}. " * (1 + number % 5)
    for number in range(40)
]
LABELS = [number % 2 for number in range(40)]


@pytest.fixture(scope="module")
def day(tiny_bert, tiny_classifier):
    """Return a function that does once what the lessons do."""
    tokenizer, encoder = load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")
    packaged = load_classifier()

    def go_through(number: int) -> None:
        features = extract_features(TEXTS, tokenizer, encoder, use_cache=False)
        loader = FeatureLoader(features, LABELS)
        trainer = Trainer(LinearProbe(features.shape[1]), loader, loader, verbose=False)
        trainer.train(2)
        classifier = load_classifier(tiny_classifier)
        predict_proba(classifier, TEXTS)
        attribution = attribute(packaged, f"a good film, number {number}")
        explorer = SentimentExplorer({"tiny": classifier, "packaged": packaged})
        explorer.side_by_side.value = True
        assert all(card.attribution for card in explorer.classify(f"dull, part {number}").cards)
        explorer.close()
        plot_history({"probe": trainer.history})
        plot_words(attribution.words, attribution.pushes)
        plot_bars({"tiny": 0.5}, "accuracy")
        plt.close("all")

    return go_through


def left_open() -> dict[str, int]:
    """Count what a process may leave behind."""
    this = psutil.Process()
    return {
        "threads": threading.active_count(),
        "files": len(this.open_files()),
        "descriptors": this.num_fds() if hasattr(this, "num_fds") else this.num_handles(),
        # Its own alone: the browser of other tests has some that come and go.
        "child processes": len(this.children()),
        "figures": len(plt.get_fignums()),
        "widgets": len(Widget.get_manager_state()["state"]),
    }


@pytest.mark.slow
def test_fifty_rounds_leave_memory_threads_files_and_processes_as_they_were(day):
    for number in range(WARM_UP):
        day(number)
    gc.collect()
    before, size = left_open(), psutil.Process().memory_info().rss
    for number in range(ROUNDS):
        day(number)
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("explorer"):
            thread.join(60)
    grown = {name: count - before[name] for name, count in left_open().items()}
    assert max(grown.values()) <= 0, grown
    assert psutil.Process().memory_info().rss - size < MOST_GROWTH
