"""The bill of a run before it is begun: BERT inside the loop beside BERT once."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from imdb_tutorial.cost.bill import Cost, Way
from imdb_tutorial.cost.calibration import Speeds, calibrate
from imdb_tutorial.cost.flops import EncoderShape, encoder_shape, forward_flops
from imdb_tutorial.cost.work import PoolWork, each_once, plan_work
from imdb_tutorial.dataset.reviews import load_reviews
from imdb_tutorial.encoder.extraction import TOKEN_BUDGET
from imdb_tutorial.encoder.features import share_kept
from imdb_tutorial.encoder.limits import longest_input, require_length
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.machine.device import best_device, choose_dtype
from imdb_tutorial.machine.hub.repository import model_folder
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.shards import SECONDS as SECONDS_A_SHARD
from imdb_tutorial.machine.sources import model_source
from imdb_tutorial.presets import POOLINGS, Preset, load_preset

if TYPE_CHECKING:
    import datasets


def estimate_cost(
    preset: Preset | None = None,
    reviews: "datasets.DatasetDict | None" = None,
    pooling: str | Sequence[str] | None = None,
    seconds: float = 10.0,
) -> Cost:
    """Say what a preset's probe costs on this machine, before it is trained.

    Tokens are counted; operations follow from them and from the encoder's shape; hours follow from
    these and from the speed of both ways, measured on a small part of the real work. Nothing is
    kept, except that an encoder which is not on this machine yet is fetched or put together.

    Args:
        preset: What is to be run; without it, what ``load_preset`` says.
        reviews: Its reviews, where they are loaded already.
        pooling: Which features; without it, the preset's. Several are made in the same pass.
        seconds: How long to measure, about: each way finishes what it has begun.

    Returns:
        The bill.

    Raises:
        ValueError: No reviews, an unknown pooling, or a length that the encoder cannot read.
        FileNotFoundError: An encoder or reviews that are not there.
        ConnectionError: The hub is asked for something and does not give it.
    """
    preset = preset or load_preset()
    poolings = _poolings(preset, pooling)
    source, device = model_source(preset.encoder), best_device()
    tokenizer, encoder = load_tokenizer(source), load_encoder(source, device)
    require_length(preset.max_length, longest_input(tokenizer, encoder))
    shape, dtype = encoder_shape(encoder.config), choose_dtype(device)
    reviews = reviews or load_reviews(preset)
    sizes = {pool: len(split) for pool, split in reviews.items()}
    if not sizes or not all(sizes.values()):
        raise ValueError(f"reviews by part are {sizes}: expected at least one in each")
    pools = each_once(reviews)

    with progress_bar(desc="counting tokens", leave=False, bar_format="{desc} [{elapsed}]") as bar:
        work = plan_work(pools, tokenizer, preset.max_length, shape, TOKEN_BUDGET[device.type])
        speeds = calibrate(
            preset,
            reviews["train"],
            [batch for pool in work.values() for batch in pool.with_tokens()],
            poolings,
            tokenizer,
            encoder,
            dtype,
            shape,
            seconds,
            bar.set_description_str,
        )
        bar.set_description_str("looking into the cache")
        kept = {
            pool: share_kept(
                split, tokenizer, encoder, poolings, preset.max_length, dtype, work[pool].flops
            )
            for pool, split in pools.items()
        }

    ours = _our_way(preset, sizes, work, speeds, dtype)
    left = {pool: 1 - share for pool, share in kept.items()}
    rate = speeds.ours.flops_per_second
    largest = max(len(split) for split in pools.values())
    reviews_once = sum(len(split) for split in pools.values())
    row_bytes = 4 * shape.hidden * len(poolings)
    return Cost(
        preset=preset,
        shape=shape,
        device=device.type,
        threads=torch.get_num_threads(),
        reviews=sizes,
        reviews_once=reviews_once,
        counted_reviews=sum(pool.counted.size for pool in work.values()),
        text_tokens=sum(int(pool.counted.lengths.sum()) for pool in work.values()),
        matrix_rate=speeds.matrix_rate,
        classic=_classic_way(preset, sizes, speeds, shape),
        ours=ours,
        kept=float(sum(kept[pool] * work[pool].flops.sum() for pool in work) / ours.flops),
        seconds_left=_probe_seconds(preset, sizes, speeds)
        + sum(
            left[pool] * float(part.flops.sum()) / rate
            + (left[pool] > 0) * part.counted.seconds_for_all
            for pool, part in work.items()
        ),
        feature_bytes=reviews_once * row_bytes,
        shard_bytes=largest * row_bytes,
        shards=sum(
            int(part.flops.sum() / rate / SECONDS_A_SHARD) * len(poolings) for part in work.values()
        ),
        encoder_bytes=_weights_bytes(model_folder(source)),
        calibration_seconds=speeds.seconds,
    )


def _poolings(preset: Preset, asked: str | Sequence[str] | None) -> tuple[str, ...]:
    poolings = (asked,) if isinstance(asked, str) else tuple(asked or (preset.pooling,))
    if unknown := sorted(set(poolings) - set(POOLINGS)):
        raise ValueError(f"pooling is {unknown[0]!r}: expected one of {', '.join(POOLINGS)}")
    return poolings


def _classic_way(preset: Preset, sizes: dict[str, int], speeds: Speeds, shape: EncoderShape) -> Way:
    visits = preset.num_epochs * (sizes["train"] + sizes["validation"]) + sizes["test"]
    flops = float(forward_flops(shape, visits, preset.max_length))
    return Way(
        passes=preset.num_epochs,
        tokens=visits * preset.max_length,
        flops=flops,
        dtype="float32",
        flops_per_second=speeds.classic.flops_per_second,
        measured_tokens=speeds.classic.tokens,
        bert_seconds=flops / speeds.classic.flops_per_second,
        other_seconds=0.0,
    )


def _our_way(
    preset: Preset,
    sizes: dict[str, int],
    work: dict[str, PoolWork],
    speeds: Speeds,
    dtype: torch.dtype,
) -> Way:
    flops = float(sum(np.sum(pool.flops) for pool in work.values()))
    tokenizing = sum(pool.counted.seconds_for_all for pool in work.values())
    return Way(
        passes=1,
        tokens=sum(int(pool.tokens.sum()) for pool in work.values()),
        flops=flops,
        dtype=str(dtype).removeprefix("torch."),
        flops_per_second=speeds.ours.flops_per_second,
        measured_tokens=speeds.ours.tokens,
        bert_seconds=flops / speeds.ours.flops_per_second,
        other_seconds=tokenizing + _probe_seconds(preset, sizes, speeds),
    )


def _probe_seconds(preset: Preset, sizes: dict[str, int], speeds: Speeds) -> float:
    return preset.num_epochs * math.ceil(sizes["train"] / preset.batch_size) * speeds.probe_step


def _weights_bytes(folder: str) -> int:
    return sum(file.stat().st_size for file in Path(folder).glob("*.safetensors"))
