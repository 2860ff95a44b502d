"""How fast this machine is, measured in about ten seconds."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from imdb_tutorial.cost.bert_speed import Measured, classic_rate, pass_rate
from imdb_tutorial.cost.flops import EncoderShape
from imdb_tutorial.encoder.loaders import FeatureLoader
from imdb_tutorial.encoder.tokens import Tokens
from imdb_tutorial.presets import Preset
from imdb_tutorial.probe import LinearProbe
from imdb_tutorial.trainer.loop import Trainer

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Which part of the time each measurement gets.
FOR_MATRICES, FOR_CLASSIC, FOR_OURS = 0.1, 0.45, 0.45
# Large enough to be a machine's best, small enough for a fraction of a second.
MATRIX = {"cpu": 1_024, "mps": 4_096, "cuda": 8_192}
MOST_PRODUCTS = 32
PROBE_STEPS = 64


class Speeds(NamedTuple):
    """What was measured.

    Args:
        matrix_rate: Of large matrix products by precision, in operations a second.
        classic: BERT inside the loop.
        ours: BERT once.
        probe_step: Seconds that the probe's step on a batch of features takes.
        seconds: How long the measuring took.
    """

    matrix_rate: dict[str, float]
    classic: Measured
    ours: Measured
    probe_step: float
    seconds: float


def calibrate(
    preset: Preset,
    train: "datasets.Dataset",
    batches: Sequence[tuple[Tokens, np.ndarray]],
    poolings: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    dtype: torch.dtype,
    shape: EncoderShape,
    seconds: float,
    say: Callable[[str], object],
) -> Speeds:
    """Measure this machine with the real encoder on real reviews.

    Args:
        preset: Says how long and how large a classic batch is.
        train: Reviews for the classic loop.
        batches: The plan of our pass, each batch with its tokens and rows.
        poolings: What is made of the token vectors.
        tokenizer: The encoder's tokenizer.
        encoder: A model from ``load_encoder``, in float32.
        dtype: The precision of our pass.
        shape: The encoder's.
        seconds: How long to measure, about.
        say: Told what is being measured.

    Returns:
        The speeds.
    """
    began = time.perf_counter()
    say("measuring products of matrices")
    rates = {
        str(kind).removeprefix("torch."): matrix_rate(encoder.device, kind, FOR_MATRICES * seconds)
        for kind in dict.fromkeys((torch.float32, dtype))
    }
    say("measuring BERT inside the loop")
    classic = classic_rate(preset, train, tokenizer, encoder, shape, FOR_CLASSIC * seconds)
    say("measuring BERT once")
    ours = pass_rate(
        batches,
        poolings,
        tokenizer.pad_token_id,
        encoder,
        dtype,
        shape,
        FOR_OURS * seconds,
        classic.flops_per_second,
    )
    step = probe_seconds(shape.hidden, preset.batch_size)
    return Speeds(rates, classic, ours, step, time.perf_counter() - began)


def matrix_rate(device: torch.device, dtype: torch.dtype, seconds: float) -> float:
    """Measure the most that can be expected: products of large square matrices.

    Args:
        device: Where.
        dtype: In which precision.
        seconds: How long to measure; at least three products are.

    Returns:
        Floating-point operations a second, in the best product.
    """
    size = MATRIX[device.type]
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    end = time.perf_counter() + seconds
    took: list[float] = []
    while len(took) < 3 or (len(took) < MOST_PRODUCTS and time.perf_counter() < end):
        started = time.perf_counter()
        (a @ b)[0, 0].item()  # asking for a number waits for it
        took.append(time.perf_counter() - started)
    return 2 * size**3 / min(took)


def probe_seconds(hidden: int, batch_size: int) -> float:
    """Measure one step of a probe on features.

    Args:
        hidden: Numbers in a feature vector.
        batch_size: Reviews in a batch.

    Returns:
        Seconds.
    """
    count = PROBE_STEPS * batch_size
    loader = FeatureLoader(torch.zeros(count, hidden), torch.zeros(count), batch_size)
    trainer = Trainer(LinearProbe(hidden), loader, loader, verbose=False)
    started = time.perf_counter()
    trainer.train_epoch()
    return (time.perf_counter() - started) / PROBE_STEPS
