"""Cutting one file of reviews into train, validation and test pools that share nothing.

The rule, short enough to be written again by somebody else:

1. Of reviews with the same normalised text only the first is kept: the same words, whatever their
   case, markup, punctuation, emoji and spacing. Texts without any word, such as ``:-)``, are the
   same only where they are written alike, spacing and case apart.
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

import functools
import hashlib
import html
import re
import sys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datasets

TEST_BLOCKS = 4
VALIDATION_BLOCKS = 3
BLOCKS = 25
IMDB_BLOCK = 500

_ASCII_WORD = re.compile(r"\w+")
_CHARACTER_NUMBER = re.compile(r"&#0*([0-9]{1,8})[0-9]*")


def normalise(text: str) -> str:
    """Return what is left of a text when case, markup, signs and spacing do not count.

    A word is made of letters and digits, and of the marks that many scripts write vowels with.

    Args:
        text: Any text, in any script.

    Returns:
        Its words in lower case with single spaces between them; of a text without any word, the
        text itself with single spaces.
    """
    # Python reads no number of thousands of digits; from eight on there is no such character.
    text = html.unescape(_CHARACTER_NUMBER.sub(r"&#\1", text)).lower()
    # Most reviews are ASCII, and the pattern for every script takes four times as long.
    word = _ASCII_WORD if text.isascii() else _word_of_any_script()
    words = word.findall(re.sub(r"<[^<>]*>", " ", text))
    return " ".join(words or text.split())


@functools.cache
def _word_of_any_script() -> re.Pattern[str]:
    every_char = map(chr, range(sys.maxunicode + 1))
    marks = "".join(char for char in every_char if unicodedata.category(char).startswith("M"))
    return re.compile(rf"\w+(?:[{re.escape(marks)}]+\w*)*")


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
        ValueError: A label that is not 0 or 1, or one with too few reviews to be cut.
    """
    if block_size is not None and block_size < 1:
        raise ValueError(f"block_size is {block_size}: expected 1 review or more, or None")
    rows_of: dict[int, list[int]] = {0: [], 1: []}
    seen = set()
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if label not in rows_of:
            raise ValueError(f"labels[{row}] is {label!r}: expected 0 or 1")
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
        numbers = _hash_order([f"block/{label}/{number}" for number in range(whole)])
        parts = {
            "test": numbers[:TEST_BLOCKS],
            "validation": numbers[TEST_BLOCKS : TEST_BLOCKS + VALIDATION_BLOCKS],
            "train": [*numbers[TEST_BLOCKS + VALIDATION_BLOCKS :], whole],
        }
        for pool, chosen in parts.items():
            members = [row for n in chosen for row in rows[n * size : (n + 1) * size]]
            places = _hash_order([f"review/{ids[row]}" for row in members])
            ordered[pool, label] = [members[place] for place in places]

    return {
        pool: _merge(ordered[pool, 0], ordered[pool, 1], balance)
        for pool in ("train", "validation", "test")
    }


def cut_imdb_pools(split: "datasets.Dataset") -> dict[str, list[int]]:
    """Cut IMDb's official train split: balanced, by blocks of 500 rows within each label.

    Args:
        split: All its 25,000 reviews, in the official order.

    Returns:
        For ``"train"``, ``"validation"`` and ``"test"`` the row numbers, in the pool's fixed order.
    """
    ids, texts, labels = (split[column][:] for column in ("id", "text", "label"))
    return cut_pools(ids, texts, labels, IMDB_BLOCK, balance=True)


def order_pool(ids: Sequence[str], labels: Sequence[int]) -> list[int]:
    """Bring reviews that are one whole pool into its fixed order, by rules 4 and 5.

    Args:
        ids: One stable name per review.
        labels: 0 (negative) or 1 (positive) per review.

    Returns:
        Every row number, so that each prefix has the pool's proportions.
    """
    rows = _hash_order([f"review/{name}" for name in ids])
    negative, positive = ([row for row in rows if labels[row] == label] for label in (0, 1))
    return _merge(negative, positive)


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


def _hash_order(names: Sequence[str]) -> list[int]:
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    return sorted(range(len(names)), key=digests.__getitem__)
