"""Cutting one file of reviews into train, validation and test pools that share nothing.

The rule, short enough to be written again by somebody else:

1. Of reviews with the same normalised text only the first is kept.
2. Each label's reviews, in file order, are cut into blocks of consecutive reviews, because the
   reviews of one film stand together.
3. The whole blocks are ordered by the SHA-256 of ``"block/<label>/<number>"``. The first four go to
   test, the next three to validation, the others to train, with the shorter block at the end.
4. Inside a pool, each label's reviews are ordered by the SHA-256 of ``"review/<id>"``. Where the
   pool is to be balanced, the longer label is cut to the length of the shorter.
5. The labels are then merged so that every prefix has the pool's proportions: with equally many of
   each they alternate, negative first.

A hash instead of a random generator: the order can never change with a library's version.
"""

import hashlib
import html
import re
from collections.abc import Sequence

TEST_BLOCKS = 4
VALIDATION_BLOCKS = 3
BLOCKS = 25


def normalise(text: str) -> str:
    """Return what is left of a text when case, markup, punctuation and spacing do not count.

    Args:
        text: Any text.

    Returns:
        Its words in lower case with single spaces between them.
    """
    text = re.sub(r"<[^<>]*>", " ", html.unescape(text))
    return " ".join(re.findall(r"\w+", text.lower()))


def cut_pools(
    ids: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[int],
    block_size: int | None = None,
    balance: bool = False,
) -> dict[str, list[int]]:
    """Cut reviews into the three fixed pools, by blocks of consecutive rows within each label.

    Args:
        ids: One stable name per review.
        texts: The reviews, in file order.
        labels: 0 (negative) or 1 (positive) per review.
        block_size: Reviews of one label in a block; without it a label is cut into 25 blocks.
        balance: Leave out as many reviews of the more frequent label as a pool has too many.

    Returns:
        For ``"train"``, ``"validation"`` and ``"test"`` the row numbers, in the pool's fixed order.

    Raises:
        ValueError: A label has too few reviews to be cut.
    """
    rows_of = {0: [], 1: []}
    seen = set()
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        words = normalise(text)
        if words not in seen:
            seen.add(words)
            rows_of[label].append(row)

    ordered = {}
    for label, rows in rows_of.items():
        size = block_size or len(rows) // BLOCKS
        if len(rows) < BLOCKS or len(rows) < (TEST_BLOCKS + VALIDATION_BLOCKS + 1) * size:
            raise ValueError(
                f"only {len(rows)} different reviews with label {label}: expected at least "
                f"{max(BLOCKS, (TEST_BLOCKS + VALIDATION_BLOCKS + 1) * size)} of each label, "
                "to cut them into train, validation and test"
            )
        whole = len(rows) // size
        numbers = sorted(range(whole), key=lambda n, label=label: _digest(f"block/{label}/{n}"))
        parts = {
            "test": numbers[:TEST_BLOCKS],
            "validation": numbers[TEST_BLOCKS : TEST_BLOCKS + VALIDATION_BLOCKS],
            "train": [*numbers[TEST_BLOCKS + VALIDATION_BLOCKS :], whole],
        }
        for pool, chosen in parts.items():
            members = [row for n in chosen for row in rows[n * size : (n + 1) * size]]
            ordered[pool, label] = sorted(members, key=lambda row: _digest(f"review/{ids[row]}"))

    return {
        pool: _merge(ordered[pool, 0], ordered[pool, 1], balance)
        for pool in ("train", "validation", "test")
    }


def order_pool(ids: Sequence[str], labels: Sequence[int]) -> list[int]:
    """Bring reviews that are one whole pool into its fixed order, by rules 4 and 5.

    Args:
        ids: One stable name per review.
        labels: 0 (negative) or 1 (positive) per review.

    Returns:
        Every row number, so that each prefix has the pool's proportions.
    """
    rows = sorted(range(len(ids)), key=lambda row: _digest(f"review/{ids[row]}"))
    return _merge(*([row for row in rows if labels[row] == label] for label in (0, 1)))


def _merge(negative: list[int], positive: list[int], balance: bool = False) -> list[int]:
    if balance:
        shorter = min(len(negative), len(positive))
        negative, positive = negative[:shorter], positive[:shorter]
    places = [
        ((rank + 0.5) / len(rows), label, row)
        for label, rows in enumerate((negative, positive))
        for rank, row in enumerate(rows)
    ]
    return [row for _, _, row in sorted(places)]


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
