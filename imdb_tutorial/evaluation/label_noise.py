"""How many labels are wrong: what was recorded of suspects, and of reviews that were read."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.evaluation.inputs import read_column, read_flags, read_margins
from imdb_tutorial.evaluation.intervals import Interval, accuracy_interval
from imdb_tutorial.evaluation.records import read_record

if TYPE_CHECKING:
    import pandas as pd

STRATA = ("suspects", "others")
ALL = "all reviews"
MIXED = "mixed"


class LabelNoise(NamedTuple):
    """What was recorded of the labels of all three pools.

    Args:
        judge: Who read, and what the reader could not see.
        finder: What found the suspects.
        judged: The reviews that were read, a row each, in the order in which they were read:
            ``id``, ``pool``, ``suspect``, ``label``, ``judgement`` (``"negative"``,
            ``"positive"`` or ``"mixed"``), ``reason``, and whether the judgement says that the
            label is ``wrong``.
        reviews: How many ``suspects`` and ``others`` there are, a row for each pool.
        suspects: By the name of the model whose probabilities were used, the suspects' ids:
            ``"TF-IDF"`` in all pools, ``"packaged"`` in test alone.
        wrong: The share of wrong labels among ``suspects``, ``others`` and ``all reviews``.
    """

    judge: str
    finder: str
    judged: "pd.DataFrame"
    reviews: "pd.DataFrame"
    suspects: dict[str, list[str]]
    wrong: dict[str, Interval]


def load_label_noise() -> LabelNoise:
    """Read which labels are suspects, and what a reader made of some of them and of some others.

    Suspects come from cleanlab (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068).

    Raises:
        DamagedFileError: The record is missing or damaged.
    """
    import pandas as pd

    record = read_record("label_noise")
    judged = pd.DataFrame(record["judged"])
    judged["wrong"] = [is_wrong(row) for row in record["judged"]]
    return LabelNoise(
        judge=record["judge"],
        finder=record["finder"],
        judged=judged,
        reviews=pd.DataFrame(record["reviews"]).T,
        suspects=record["suspects"],
        wrong=wrong_shares(record["judged"], record["reviews"]),
    )


def is_wrong(row: Mapping) -> bool:
    """Return whether a judgement contradicts the label; a mixed one contradicts nothing."""
    return row["judgement"] not in (LABELS[row["label"]].lower(), MIXED)


def wrong_shares(
    judged: Sequence[Mapping], reviews: Mapping[str, Mapping[str, int]]
) -> dict[str, Interval]:
    """Return the share of wrong labels among suspects, among others, and among all reviews.

    Args:
        judged: The reviews that were read, as in the record.
        reviews: By pool, how many suspects and others there are.
    """
    wrong = {
        name: [is_wrong(row) for row in judged if row["suspect"] == (name == "suspects")]
        for name in STRATA
    }
    sizes = {name: sum(pool[name] for pool in reviews.values()) for name in STRATA}
    shares = {name: accuracy_interval(flags) for name, flags in wrong.items()}
    return shares | {ALL: stratified_share(wrong, sizes)}


def stratified_share(
    flags: Mapping[str, ArrayLike], sizes: Mapping[str, int], *, confidence: float = 0.95
) -> Interval:
    """Return a share of all reviews, from a random sample of each of several strata.

    Each stratum's share counts as much as the stratum is large. The interval joins the strata's
    Wilson intervals by square-and-add (Newcombe 1998; Zou and Donner 2008, MOVER), so it stays
    above zero where a stratum's sample has no hit at all.

    Args:
        flags: By stratum, True or False for each review of its sample.
        sizes: By stratum, how many reviews it has.
        confidence: How often such an interval holds the true share.

    Returns:
        The share, its interval, and the number of reviews in the samples.

    Raises:
        ValueError: Other strata in ``flags`` than in ``sizes``, an empty sample, or a stratum
            smaller than its sample.
    """
    if not flags or set(flags) != set(sizes):
        raise ValueError(
            f"flags has the strata {sorted(flags)}, sizes has {sorted(sizes)}: expected the same"
        )
    samples = {name: read_flags(values, f"flags[{name!r}]") for name, values in flags.items()}
    for name, sample in samples.items():
        if sizes[name] < len(sample):
            raise ValueError(
                f"sizes[{name!r}] is {sizes[name]}: expected at least the {len(sample)} reviews "
                "of its sample"
            )
    total = sum(sizes.values())
    share = below = above = 0.0
    for name, sample in samples.items():
        weight = sizes[name] / total
        value, low, high, _ = accuracy_interval(sample, confidence=confidence)
        share += weight * value
        below += (weight * (value - low)) ** 2
        above += (weight * (high - value)) ** 2
    count = sum(len(sample) for sample in samples.values())
    return Interval(share, share - below**0.5, share + above**0.5, count)


def accuracy_by_stars(*, y_true: ArrayLike, logits: ArrayLike, stars: ArrayLike) -> "pd.DataFrame":
    """Return how often a model is right, and how sure it is, by the stars the author gave.

    Args:
        y_true: The labels.
        logits: ``[reviews, 2]``, or ``[reviews]`` of positive minus negative.
        stars: The author's stars, ``[reviews]``.

    Returns:
        A row for each number of stars: ``count``, ``accuracy`` with ``low`` and ``high`` (Wilson),
        ``confidence`` (the mean probability of the verdict) with ``confidence_error`` (half of its
        95 % interval), and ``of_mistakes``, the share of all mistakes that fall here.

    Raises:
        ValueError: No reviews, logits that are not finite, or another number of labels or stars.
    """
    import pandas as pd

    margins, labels = read_margins(logits=logits, y_true=y_true)  # [reviews] each
    given = read_column(stars, "stars", len(labels))  # [reviews]
    right = (margins > 0) == labels  # [reviews]
    sure = 1 / (1 + np.exp(-np.abs(margins)))  # [reviews]
    rows = {}
    for number in np.unique(given):
        here = given == number
        value, low, high, count = accuracy_interval(right[here])
        rows[number] = {
            "count": count,
            "accuracy": value,
            "low": low,
            "high": high,
            "confidence": sure[here].mean(),
            "confidence_error": 1.96 * sure[here].std() / np.sqrt(count),
            "of_mistakes": (~right[here]).sum() / max(1, (~right).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("stars")
