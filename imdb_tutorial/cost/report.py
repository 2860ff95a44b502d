"""Bills as plain text that can be read by eye."""

import html
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imdb_tutorial.cost.bill import Cost, Way
    from imdb_tutorial.cost.reference import ReferenceCost

STEPS = ((1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))
UNITS = (("year", 365 * 86_400), ("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
FOOT = "1 GFLOP is 10^9 floating-point operations, 1 TFLOP 10^12, 1 PFLOP 10^15."


def duration(seconds: float) -> str:
    """Return a time in its two largest units, such as ``5 h 13 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for (unit, size), (next_unit, next_size) in itertools.pairwise(UNITS):
        if seconds >= size:
            many, rest = divmod(round(seconds / next_size), size // next_size)
            plural = "s" if unit in ("day", "year") and many != 1 else ""
            next_plural = "s" if next_unit == "day" and rest != 1 else ""
            smaller = f" {rest} {next_unit}{next_plural}" if rest else ""
            return f"{many:,} {unit}{plural}{smaller}"
    return f"{seconds:.0f} s"


def operations(number: float, unit: str = "FLOP") -> str:
    """Return a number of operations to three digits, such as ``58.7 PFLOP``."""
    for step, letter in STEPS:
        if number >= step:
            return f"{_three_digits(number / step)} {letter}{unit}"
    return f"{number:,.0f} {unit}"


def count(number: float) -> str:
    """Return a large number to three digits, such as ``312 million``."""
    for step, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= step:
            return f"{_three_digits(number / step)} {word}"
    return f"{number:,.0f}"


def size(number: float) -> str:
    """Return a number of bytes to three digits, such as ``76 MB``."""
    for step, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= step:
            return f"{_three_digits(number / step)} {letter}B"
    return f"{number:.0f} bytes"


def bill(cost: "Cost") -> str:
    """Return a run's bill: what is to be done, both ways side by side, the disk, the cache."""
    preset, shape = cost.preset, cost.shape
    pools = ", ".join(f"{size:,} {pool}" for pool, size in cost.reviews.items())
    drawn = "all of them counted"
    if cost.counted_reviews < cost.reviews_once:
        drawn = f"counted on {cost.counted_reviews:,} reviews drawn at random"
    rates = ", ".join(
        f"{operations(rate)}/s in {dtype}" for dtype, rate in cost.matrix_rate.items()
    )
    cores = f"{cost.threads} threads" if cost.device == "cpu" else "one device"
    lines = [
        f"The bill of the preset '{preset.name}', before it is run",
        "",
        f"encoder   {preset.encoder}: {shape.layers} layers of {shape.hidden}, "
        f"up to {preset.max_length} tokens a review",
        f"reviews   {pools}",
        f"tokens    {count(cost.text_tokens)} of text, "
        f"{cost.text_tokens / cost.reviews_once:.0f} a review ({drawn})",
        f"here      {cost.device}, {cores}; large matrices: {rates}",
        "",
        *_table(cost),
        "",
        *_below(cost),
        "",
        FOOT,
    ]
    return "\n".join(lines)


def reference(cost: "ReferenceCost") -> str:
    """Return the arithmetic of the classic run, factor by factor."""
    shape = cost.shape
    return "\n".join(
        [
            "The classic run, counted",
            "",
            f"  {cost.reviews_an_epoch:>9,}  reviews an epoch, to learn from and to test on",
            f"x {cost.epochs:>9,}  epochs",
            f"x {cost.tokens_a_review:>9,}  tokens a review, padding included",
            f"x {operations(cost.flops_a_token):>9}  a token, in {shape.layers} layers of "
            f"{shape.hidden}",
            f"= {operations(cost.flops):>9}  for {count(cost.tokens)} tokens",
            f": {cost.seconds:>9,.0f}  seconds, {duration(cost.seconds)}",
            f"= {operations(cost.flops_per_second):>9}  a second",
            "",
            FOOT,
        ]
    )


def _table(cost: "Cost") -> list[str]:
    classic, ours = cost.classic, cost.ours
    rows = [
        ("", "BERT inside the loop", "BERT once"),
        ("a review is read", f"{classic.passes} times *", "once"),
        ("padded to", f"{cost.preset.max_length} tokens", "its batch, sorted by length"),
        ("tokens computed", count(classic.tokens), count(ours.tokens)),
        ("operations", operations(classic.flops), operations(ours.flops)),
        ("precision", classic.dtype, ours.dtype),
        ("speed measured", _speed(classic), _speed(ours)),
        ("  of the matrix rate", _share(cost, classic), _share(cost, ours)),
        ("  on so many tokens", f"{classic.measured_tokens:,}", f"{ours.measured_tokens:,}"),
        ("time here, about", duration(classic.seconds), duration(ours.seconds)),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return [line.rstrip() for line in lines]


def _below(cost: "Cost") -> list[str]:
    classic, ours = cost.classic, cost.ours
    lines = [
        f"* train and validation in every epoch, test once. {cost.times_faster:,.0f} times faster: "
        f"{classic.flops / ours.flops:,.1f} times fewer operations,",
        f"  each of them {cost.times_faster / (classic.flops / ours.flops):,.1f} times as fast.",
        "",
        f"on disk   features {size(cost.feature_bytes)}, encoder {size(cost.encoder_bytes)}"
        + _shards(cost),
        f"cached    {_cached(cost)}",
        f"measured  in {duration(cost.calibration_seconds)}, with the real encoder on real reviews",
    ]
    return lines


def _shards(cost: "Cost") -> str:
    if not cost.shards:
        return ""
    return f"; on the way {cost.shards:,} shards, up to {size(cost.shard_bytes)}"


def _cached(cost: "Cost") -> str:
    left = f"{duration(cost.seconds_left)} to go"
    if cost.kept == 0:
        return f"nothing of it yet: {left}"
    if cost.kept == 1:
        return f"all features: {left}"
    return f"{cost.kept:.0%} of the work: {left}"


def as_html(text: str) -> str:
    """Return plain text for a notebook's page, in letters of one width."""
    return f"<pre>{html.escape(text)}</pre>"


def _speed(way: "Way") -> str:
    return f"{operations(way.flops_per_second)}/s"


def _share(cost: "Cost", way: "Way") -> str:
    return f"{way.flops_per_second / cost.matrix_rate[way.dtype]:.0%}"


def _three_digits(number: float) -> str:
    return f"{number:.{max(0, 2 - len(str(int(number))) + 1)}f}"
