"""The bill on paper, for more reviews and more GPUs than there are here."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imdb_tutorial.cost import report
from imdb_tutorial.cost.bill import Cost
from imdb_tutorial.cost.flops import EncoderShape, flops_of_another

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class ScaledCost:
    """What features of many reviews would cost on GPUs, by arithmetic alone.

    Args:
        reviews: How many.
        gpus: How many GPUs share them.
        tokens: Tokens that BERT computes.
        flops: Floating-point operations for them.
        gpu_hours: Hours of one GPU.
        hours: Hours until all GPUs are done, if each has the same share.
        feature_bytes: The features on disk.
        shards: Files that they are in.
        price: Of the GPU hours, in the currency of the price that was given, if one was.
    """

    reviews: int
    gpus: int
    tokens: float
    flops: float
    gpu_hours: float
    hours: float
    feature_bytes: int
    shards: int
    price: float | None


def scale_up(
    cost: Cost,
    reviews: int,
    gpus: int,
    flops_per_second: float,
    utilisation: float,
    price_per_gpu_hour: float | None = None,
    poolings: int = 1,
    bytes_per_number: int = 4,
    shard_bytes: int = 1_000_000_000,
    shape: Sequence[int] | None = None,
) -> ScaledCost:
    """Work out what our one pass would cost with more reviews on other hardware.

    Every assumption is an argument. What is not counted: reading and tokenizing the texts, writing
    the features, starting the machines, and a GPU that has to wait for another one.

    Args:
        cost: A bill from ``estimate_cost``: how long its reviews are, and how large its BERT.
        reviews: How many reviews of such lengths.
        gpus: How many GPUs share them.
        flops_per_second: What one GPU can do at most, operations a second in the precision used;
            its data sheet says so.
        utilisation: The share of that, above 0 and up to 1, which the run reaches.
        price_per_gpu_hour: Of one GPU, in any currency.
        poolings: How many kinds of features are kept.
        bytes_per_number: 4 for float32.
        shard_bytes: The size of one file of features, at most.
        shape: Layers, hidden and intermediate size of another BERT that reads the same tokens, such
            as ``(12, 768, 3072)``; without it, the bill's.

    Returns:
        Operations, hours, bytes, files and price.

    Raises:
        ValueError: A number that is not above 0, a utilisation above 1, or no shape of a BERT.
    """
    asked = {
        "reviews": reviews,
        "gpus": gpus,
        "flops_per_second": flops_per_second,
        "utilisation": utilisation,
        "poolings": poolings,
        "bytes_per_number": bytes_per_number,
        "shard_bytes": shard_bytes,
    }
    for name, value in asked.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value!r}: expected a number above 0")
    if utilisation > 1:
        raise ValueError(f"utilisation is {utilisation!r}: expected a share, above 0 and up to 1")
    if price_per_gpu_hour is not None and not 0 <= price_per_gpu_hour < math.inf:
        raise ValueError(f"price_per_gpu_hour is {price_per_gpu_hour!r}: expected 0 or more")
    another = cost.shape
    if shape is not None:
        if len(shape) != 3 or not all(type(size) is int and size > 0 for size in shape):
            raise ValueError(f"shape is {shape!r}: expected layers, hidden and intermediate size")
        another = EncoderShape(*shape)
    flops = flops_of_another(cost.ours.flops, cost.ours.tokens, cost.shape, another)
    flops *= reviews / cost.reviews_once
    gpu_hours = flops / (flops_per_second * utilisation) / 3_600
    row_bytes = another.hidden * bytes_per_number * poolings
    rows_a_shard = max(1, shard_bytes // row_bytes)
    return ScaledCost(
        reviews=reviews,
        gpus=gpus,
        tokens=cost.ours.tokens / cost.reviews_once * reviews,
        flops=flops,
        gpu_hours=gpu_hours,
        hours=gpu_hours / gpus,
        feature_bytes=reviews * row_bytes,
        shards=math.ceil(reviews / rows_a_shard),
        price=None if price_per_gpu_hour is None else gpu_hours * price_per_gpu_hour,
    )


def scale_table(scaled: Sequence[ScaledCost]) -> "pd.DataFrame":
    """Put bills on paper side by side, in words that can be read by eye.

    Args:
        scaled: From ``scale_up``.

    Returns:
        One row each, as text; a column for the price where one has a price.
    """
    import pandas as pd

    rows = [
        {
            "reviews": f"{one.reviews:,}",
            "GPUs": f"{one.gpus:,}",
            "tokens": report.count(one.tokens),
            "operations": report.operations(one.flops),
            "GPU hours": f"{one.gpu_hours:,.1f}",
            "done after": report.duration(one.hours * 3_600),
            "features": report.size(one.feature_bytes),
            "shards": f"{one.shards:,}",
            "price": "" if one.price is None else f"{one.price:,.2f}",
        }
        for one in scaled
    ]
    table = pd.DataFrame(rows)
    return table if any(one.price is not None for one in scaled) else table.drop(columns="price")
