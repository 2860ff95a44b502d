"""How long the teaching will take, from a few steps that are timed on this machine."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from experiments.adapted import CPU, Adapted
from experiments.learning import gradients, pieces_of, plan_epoch
from experiments.teaching import START_REVIEWS, Teaching
from experiments.teaching_texts import read
from imdb_tutorial.machine.parallel import in_parallel

STEPS = 3


class Speeds(NamedTuple):
    """Seconds a token takes: in the layers that stay (0 without them), in a step, in an answer."""

    lower: float
    step: float
    answer: float


def measure(teaching: Teaching) -> Speeds:
    """Time a few batches of the last phase, of which nothing is kept."""
    settings, (size, _) = teaching.settings, teaching.settings.phases[-1]
    model, tokens = Adapted(settings, settings.seeds[0]), teaching.tokens_of["train"](size)
    lengths = tokens.lengths()
    batches = plan_epoch(lengths, settings.batch_size, (settings.seeds[0],))[: STEPS + 1]
    pieces = [piece for rows in batches for piece in pieces_of(rows, lengths)]
    hidden = [model.below(tokens, piece) for piece in pieces]

    def learnt(number: int) -> None:
        gradients(model, hidden[number], teaching.targets[pieces[number]])

    @torch.no_grad()
    def answered(number: int) -> None:
        model(*hidden[number])

    works = (lambda number: model.below(tokens, pieces[number]), learnt, answered)
    first = len(pieces_of(batches[0], lengths))  # it warms up
    timed = int(sum(lengths[piece].sum() for piece in pieces[first:]))
    lower, step, answer = (seconds(work, first, len(pieces)) / timed for work in works)
    return Speeds(lower if model.first else 0.0, step, answer)


def seconds(work: Callable[[int], object], first: int, end: int) -> float:
    """Time some work on every core, after what comes before it has warmed up."""
    for _ in in_parallel(work, range(first), CPU):
        pass
    began = time.perf_counter()
    for _ in in_parallel(work, range(first, end), CPU):
        pass
    return time.perf_counter() - began


def expected_seconds(teaching: Teaching, soft_labels: bool, asked: int) -> dict[str, float]:
    """Time a few steps; return what the whole will take from its very beginning, by part.

    Args:
        teaching: What will be done.
        soft_labels: Whether all texts are answered at the end.
        asked: So many reviews are asked of the saved classifier.
    """
    settings, speeds = teaching.settings, measure(teaching)
    (first, _), (last, _) = settings.phases[0], settings.phases[-1]
    reading = max(settings.readings)

    def tokens(size: int, part: str = "train", count: int | None = None) -> int:
        return int(teaching.tokens_of[part](size).lengths()[:count].sum())

    start = tokens(first, count=min(START_REVIEWS, teaching.texts.reviews)) * speeds.answer
    tried = tokens(first, count=min(settings.trial_reviews, teaching.texts.reviews))
    trial = start + tried * speeds.step + tokens(first, "validation") * speeds.answer
    learnt = sum(tokens(size) * epochs for size, epochs in settings.phases) * speeds.step
    seed = start + learnt + tokens(last, "validation") * speeds.answer
    others = set(settings.readings) - {last}
    chosen = sum(tokens(size, "validation") for size in others) * speeds.answer
    chosen += (len(settings.seeds) - 1) * tokens(last, "validation") * speeds.answer  # means
    further = sum(tokens(size) * epochs for size, epochs in settings.goes_on) * speeds.step
    if settings.goes_on:  # each round is asked, and from the second on a mean
        asks = 2 * len(settings.goes_on) - 1
        readings = sum(tokens(size, "validation") for size in settings.readings)
        further += asks * readings * speeds.answer
    sizes = {size for size, _ in (*settings.phases, *settings.goes_on)}
    below = sum(tokens(size) for size in sizes)
    below += sum(tokens(size, "validation") for size in {first, last, *settings.readings})
    mean = float(np.mean(teaching.tokens_of["validation"](reading).lengths()))
    return {
        "layers that stay": below * speeds.lower,
        "rates": trial * len(settings.rates) if len(settings.rates) > 1 else 0.0,
        "seeds": seed * len(settings.seeds) + chosen,
        "going on": further,
        "soft labels": tokens(reading) * speeds.answer if soft_labels else 0.0,
        "asking what was saved": asked * mean * (speeds.lower + speeds.answer),
    }


def seconds_of_asking(teaching: Teaching, texts: list[str]) -> float:
    """Time a few steps; return how long the encoder, with all its layers, takes for texts."""
    settings, speeds = teaching.settings, measure(teaching)
    tokens = read(texts, settings.encoder, max(settings.readings)).lengths().sum()
    return float(tokens) * (speeds.lower + speeds.answer)


def in_words(parts: dict[str, float]) -> str:
    """Say how long it takes."""
    total = sum(parts.values())
    each = ", ".join(f"{name} {part / 60:.0f} min" for name, part in parts.items() if part)
    return f"about {total / 3600:.1f} hours ({each})"
