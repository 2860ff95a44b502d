"""How long an attribution takes, in turn with today's method, and how long all of them will."""

import os
import statistics
import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from experiments.attributions_asked import Asked
from experiments.attributions_measures import ask_versions, ask_whole
from experiments.attributions_methods import Method
from imdb_tutorial.explorer.reading import Reading
from imdb_tutorial.machine.progress import progress_bar

WORDS, TEXTS = 100, 7


def first_words(texts: Sequence[str]) -> list[str]:
    """Return the first 100 words of the first texts that are longer."""
    long = (text.split() for text in texts)
    return [" ".join(words[:WORDS]) for words in long if len(words) > WORDS][:TEXTS]


def time_methods(
    asked: Asked, texts: Sequence[str], methods: Mapping[str, Method], today: str
) -> dict[str, dict]:
    """Time each method on several texts, in turn with today's: A B A B.

    Args:
        asked: The classifier.
        texts: From ``first_words``.
        methods: By name; those that do not ask the classifier are not timed.
        today: The name of the method that the others take turns with.

    Returns:
        By method: ``seconds``, the median; ``cpu_seconds``, the median of what all cores computed;
        ``times_today``, the median of each text's ratio.
    """
    readings = [asked.read(text) for text in texts]
    others = {name: method for name, method in methods.items() if method.asks and name != today}
    found, of_today = {}, []
    for name, method in progress_bar(others.items(), desc="timing", unit="method"):
        pairs = []
        for number, reading in enumerate([readings[0], *readings]):
            pair = [_timed(one, asked, reading) for one in (methods[today], method)]
            if number:  # the first warms up
                pairs.append(pair)
        found[name] = _medians([other for _, other in pairs]) | {
            "times_today": round(statistics.median(b[0] / a[0] for a, b in pairs), 3)
        }
        of_today += [first for first, _ in pairs]
    return {today: _medians(of_today) | {"times_today": 1.0}} | found


def machine_load() -> dict:
    """Return on how many threads was computed, and how busy the machine was in the last minute."""
    return {"threads": torch.get_num_threads(), "load": round(os.getloadavg()[0], 2)}


def expected_minutes(
    asked: Asked, texts: Sequence[str], methods: Mapping[str, Method], classifiers: int
) -> float:
    """Time one text of middle length, and return how long all will take from the very beginning.

    Args:
        asked: The classifier.
        texts: All texts.
        methods: By name.
        classifiers: So many more classifiers are asked for attributions alone.
    """
    readings = sorted((asked.read(text) for text in texts), key=lambda one: one.tokens_read)
    middle, shares = readings[len(readings) // 2], {}
    for method in methods.values():  # fits the bags, and warms up
        if not method.asks:
            method.find(asked, middle, np.random.default_rng(0))
    whole = ask_whole(asked, [middle])
    began = time.perf_counter()
    for name, method in methods.items():
        if not method.mean_of:
            shares[name] = method.find(asked, middle, np.random.default_rng(0)).pushes
    attributed = time.perf_counter() - began
    for pushes in shares.values():
        ask_versions(asked, [middle], [pushes], whole)
    whole_time = time.perf_counter() - began
    return len(texts) * (whole_time + classifiers * attributed) / 60


def _timed(method: Method, asked: Asked, reading: Reading) -> tuple[float, float]:
    began, computed = time.perf_counter(), time.process_time()
    method.find(asked, reading, np.random.default_rng(0))
    return time.perf_counter() - began, time.process_time() - computed


def _medians(times: Sequence[tuple[float, float]]) -> dict:
    wall, cpu = (statistics.median(some) for some in zip(*times, strict=True))
    return {"seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}
