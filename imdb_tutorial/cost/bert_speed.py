"""How fast BERT is on this machine, inside the classic loop and in our one pass."""

import copy
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy.stats import qmc
from torch.utils.data import DataLoader

from imdb_tutorial.collate import ReviewCollator
from imdb_tutorial.cost.flops import EncoderShape, forward_flops
from imdb_tutorial.dataset.reviews import ReviewDataset
from imdb_tutorial.encoder.pooling import encode_and_pool
from imdb_tutorial.encoder.tokens import Tokens, pad
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.presets import Preset
from imdb_tutorial.probe import FrozenBertClassifier, LinearProbe
from imdb_tutorial.trainer.loop import Trainer

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Batches that are measured at most: with a tiny BERT, more of them say nothing more.
MOST_BATCHES = 64
# No review is cut to less for a measurement: shorter ones have another speed.
FEWEST_TOKENS = 64


class Measured(NamedTuple):
    """A speed, and what it was measured on.

    Args:
        flops_per_second: Floating-point operations a second, all processor cores together.
        tokens: How many tokens BERT computed for it, padding included.
    """

    flops_per_second: float
    tokens: int


def classic_rate(
    preset: Preset,
    train: "datasets.Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    shape: EncoderShape,
    seconds: float,
) -> Measured:
    """Measure steps of the classic loop: collator, BERT in float32, one step of the probe.

    Where a whole batch would take too long, its time is drawn from two smaller ones, so that what a
    step costs however small it is does not count many times.

    Args:
        preset: Says how long and how large a batch is.
        train: Reviews to learn from.
        tokenizer: The encoder's tokenizer.
        encoder: A model from ``load_encoder``, in float32.
        shape: The encoder's.
        seconds: How long to measure.

    Returns:
        The speed of a whole batch, tokenizing and the probe's learning included.
    """
    model = FrozenBertClassifier(
        encoder, LinearProbe(encoder.config.hidden_size, pooling=preset.pooling)
    )

    def step(rows: int, length: int) -> float:
        batch = ReviewDataset(train.select(range(rows)))
        loader = DataLoader(batch, rows, collate_fn=ReviewCollator(tokenizer, length))
        trainer = Trainer(model, loader, loader, verbose=False)
        started = time.perf_counter()
        trainer.train_epoch()
        return time.perf_counter() - started

    def flops_of(rows: int, length: int) -> float:
        return float(forward_flops(shape, rows, length))

    end = time.perf_counter() + seconds
    most, longest = min(preset.batch_size, len(train)), preset.max_length
    few = min(FEWEST_TOKENS, longest)
    step(1, few)  # warms up
    small, for_small = flops_of(1, few), step(1, few)
    large, took, tokens = small, [for_small], few
    for number in range(MOST_BATCHES):
        affordable = (end - time.perf_counter()) * large / took[-1]
        length = _longest(shape, longest, affordable)
        rows = min(most, max(1, int(affordable / flops_of(1, length))))
        flops = flops_of(rows, length)
        if number and flops < large:
            break
        if flops > large:
            large, took, tokens = flops, [], rows * length
        took.append(step(rows, length))
    whole, for_large = flops_of(most, longest), float(np.mean(took))
    an_operation = for_large / large
    if small < large < whole:
        # Half of it at least: a single step's time is not exact.
        an_operation = max((for_large - for_small) / (large - small), an_operation / 2)
    return Measured(whole / (for_large + (whole - large) * an_operation), tokens * len(took))


def pass_rate(
    batches: Sequence[tuple[Tokens, np.ndarray]],
    poolings: Sequence[str],
    pad_id: int,
    encoder: "PreTrainedModel",
    dtype: torch.dtype,
    shape: EncoderShape,
    seconds: float,
    expected: float,
) -> Measured:
    """Measure batches of our one pass, as ``extract_features`` sends them through BERT.

    They are spread over all of the work: the chance of a batch to be taken is its share of it, so
    the mean of what an operation takes in them is the mean of all.

    Args:
        batches: The plan, each batch with its tokens and rows.
        poolings: What is made of the token vectors.
        pad_id: The number of the padding token.
        encoder: A model from ``load_encoder``.
        dtype: In which precision.
        shape: The encoder's.
        seconds: How long to measure. A batch that would take most of it has fewer reviews; where
            a single review would, it is cut.
        expected: About how many operations a second there will be at least.

    Returns:
        The speed of all cores together.
    """
    if dtype != encoder.dtype:
        encoder = copy.deepcopy(encoder).to(dtype)  # type: ignore[arg-type]
    workers = torch.get_num_threads() if encoder.device.type == "cpu" else 1
    expected /= workers
    most = seconds * expected / 2  # each worker shall have two at least
    end = time.perf_counter() + seconds

    @torch.inference_mode()
    def measure(item: tuple[int, Tokens, np.ndarray]) -> tuple[float, float, int] | None:
        number, tokens, rows = item
        started = time.perf_counter()
        inputs = pad(tokens, rows, pad_id, encoder.device)  # each [batch, tokens]
        length = _longest(shape, inputs["input_ids"].shape[1], most)
        inputs = {name: tensor[:, :length] for name, tensor in inputs.items()}
        flops = float(forward_flops(shape, len(rows), length))
        if number >= workers and started + flops / expected / 2 > end:
            return None
        for vectors in encode_and_pool(encoder, inputs, *poolings):
            vectors.cpu()  # [batch, hidden]; this waits for it
        took = time.perf_counter() - started
        return flops, took, len(rows) * length

    chosen = _spread(batches, shape, most)
    measured = [m for m in in_parallel(measure, chosen, encoder.device) if m is not None]
    an_operation = float(np.mean([took / flops for flops, took, _ in measured]))
    return Measured(workers / an_operation, sum(tokens for *_, tokens in measured))


def _spread(
    batches: Sequence[tuple[Tokens, np.ndarray]], shape: EncoderShape, most: float
) -> Iterator[tuple[int, Tokens, np.ndarray]]:
    """Take batches in the middle of the work, at its quarters, eighths and so on."""
    work = np.cumsum(
        [
            forward_flops(shape, len(rows), int(tokens.lengths()[rows].max()))
            for tokens, rows in batches
        ]
    )
    halves = qmc.Halton(d=1, scramble=False).fast_forward(1)
    for number, share in enumerate(halves.random(MOST_BATCHES)[:, 0]):
        place = int(np.searchsorted(work, share * work[-1], side="right"))
        tokens, rows = batches[place]
        flops = work[place] - (work[place - 1] if place else 0)
        yield number, tokens, rows[: max(1, int(len(rows) * min(1, most / flops)))]


def _longest(shape: EncoderShape, length: int, most: float) -> int:
    """Cut a length such that one review of it needs no more than so many operations."""
    lengths = np.arange(min(length, FEWEST_TOKENS), length + 1)
    fitting = int(np.searchsorted(forward_flops(shape, 1, lengths), most, side="right"))
    return int(lengths[max(0, fitting - 1)])
