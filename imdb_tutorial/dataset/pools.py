"""Cutting one file of reviews into train, validation and test pools that share nothing.

The rule, short enough to be written again by somebody else:

1. Of reviews with the same normalised text only the first is kept: the same words, whatever their
   case, markup, punctuation, emoji and spacing. Texts without any word, such as ``:-)``, are the
   same only where they are written alike, spacing and case apart.
2. Reviews of one group (a film, an author, a customer) stay together, those of both labels. The
   groups are ordered by the SHA-256 of ``"group/<name>"``. Test takes the first ones, until it has
   4 of 25 reviews of each label; validation the next, until it has 3 of 25; train the others. A
   group with more reviews of a label than test and validation want together goes to train at once.
   Names that differ only in case, spacing or form of writing (NFKC) are one group, by its folded
   name.
3. Where no groups are known, each label's reviews, in file order, are cut into 25 blocks of
   neighbours, because what belongs together often stands together. The whole blocks are ordered by
   the SHA-256 of ``"block/<label>/<number>"``. The first four go to test, the next three to
   validation, the others to train, with the shorter block at the end.
4. Inside a pool, each label's reviews are ordered by the SHA-256 of ``"review/<id>"``. IMDb's pools
   are then balanced: test keeps 2,000 of each label, validation 1,500, train as many of the one as
   of the other.
5. The labels are merged so that every prefix has the pool's proportions: with equally many of each
   they alternate, negative first.

IMDb is cut by its films; test and validation there ask for 2,000 and 1,500 reviews of each label.
A hash instead of a random generator: the order can never change with a library's version.
"""

import functools
import hashlib
import html
import itertools
import re
import sys
import unicodedata
from collections.abc import Hashable, Iterator, Sequence

BLOCKS = 25
TEST_BLOCKS = 4
VALIDATION_BLOCKS = 3
IMDB_HELD_BACK = {"test": 2_000, "validation": 1_500}  # of each label

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
    groups: Sequence[Hashable] | None = None,
) -> dict[str, list[int]]:
    """Cut reviews into the three fixed pools: by whole groups, or by blocks of neighbours.

    Args:
        ids: One stable name per review.
        texts: The reviews, in file order.
        labels: 0 (negative) or 1 (positive) per review.
        groups: What each review belongs to, such as its film; reviews of one group are never in two
            pools. Without it each label is cut into 25 blocks of consecutive rows.

    Returns:
        For ``"train"``, ``"validation"`` and ``"test"`` the row numbers, in the pool's fixed order.

    Raises:
        ValueError: A label that is not 0 or 1, one with too few reviews to be cut, or groups so few
            or so large that a pool would be left without one of the labels.
    """
    rows_of = _different_reviews(texts, labels)
    if groups is None:
        members = _by_block(rows_of)
    else:
        wanted = {
            pool: {label: -(-len(rows) * blocks // BLOCKS) for label, rows in rows_of.items()}
            for pool, blocks in (("test", TEST_BLOCKS), ("validation", VALIDATION_BLOCKS))
        }
        members = _by_group(rows_of, groups, wanted)
    return {pool: _merge(*_by_hash(ids, of_label)) for pool, of_label in members.items()}


def cut_imdb_pools(
    ids: Sequence[str], texts: Sequence[str], labels: Sequence[int], films: Sequence[Hashable]
) -> dict[str, list[int]]:
    """Cut IMDb's official train split by films into balanced pools: 4,000 and 3,000 held back.

    Args:
        ids: One stable name per review.
        texts: All its 25,000 reviews, in the official order.
        labels: 0 (negative) or 1 (positive) per review.
        films: Which film each review is about.

    Returns:
        For ``"train"``, ``"validation"`` and ``"test"`` the row numbers, in the pool's fixed order.
    """
    wanted = {pool: {0: size, 1: size} for pool, size in IMDB_HELD_BACK.items()}
    pools = {}
    for pool, of_label in _by_group(_different_reviews(texts, labels), films, wanted).items():
        negative, positive = _by_hash(ids, of_label)
        size = IMDB_HELD_BACK.get(pool, min(len(negative), len(positive)))
        pools[pool] = _merge(negative[:size], positive[:size])
    return pools


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


def _different_reviews(texts: Sequence[str], labels: Sequence[int]) -> dict[int, list[int]]:
    """Return each label's rows in file order, without the duplicates (rule 1)."""
    rows_of: dict[int, list[int]] = {0: [], 1: []}
    seen = set()
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if label not in rows_of:
            raise ValueError(f"labels[{row}] is {label!r}: expected 0 or 1")
        words = normalise(text)
        if words not in seen:
            seen.add(words)
            rows_of[label].append(row)
    for label, rows in rows_of.items():
        if len(rows) < BLOCKS:
            raise ValueError(
                f"only {len(rows)} different reviews with label {label}: expected at least "
                f"{BLOCKS} of each label, to cut them into train, validation and test"
            )
    return rows_of


def _by_group(
    rows_of: dict[int, list[int]], groups: Sequence[Hashable], wanted: dict[str, dict[int, int]]
) -> dict[str, dict[int, list[int]]]:
    """Deal whole groups to the pools in the order of their hashes (rule 2)."""
    reviews_of: dict[Hashable, dict[int, list[int]]] = {}
    for label, rows in rows_of.items():
        for row in rows:
            reviews_of.setdefault(_same_name(groups[row]), {0: [], 1: []})[label].append(row)
    names = list(reviews_of)
    ordered = [names[place] for place in _hash_order([f"group/{name}" for name in names])]
    most = {label: sum(sizes[label] for sizes in wanted.values()) for label in rows_of}
    large = {n for n in names if any(len(reviews_of[n][label]) > most[label] for label in most)}
    order = iter([name for name in ordered if name not in large])
    members = {pool: _deal(order, reviews_of, sizes) for pool, sizes in wanted.items()}
    members["train"] = _deal(itertools.chain(order, large), reviews_of, None)
    for pool, of_label in members.items():
        for label, rows in of_label.items():
            if not rows:
                raise ValueError(
                    f"no reviews with label {label} are left for {pool}, cut by {len(names)} "
                    "groups: expected many small groups; name them finer, or leave the column out"
                )
    return {pool: members[pool] for pool in ("train", "validation", "test")}


def _same_name(name: Hashable) -> Hashable:
    """Return what is left of a group's name when case, spacing and form of writing do not count."""
    if not isinstance(name, str):
        return name
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _deal(
    order: Iterator[Hashable],
    reviews_of: dict[Hashable, dict[int, list[int]]],
    sizes: dict[int, int] | None,
) -> dict[int, list[int]]:
    """Take groups until each label has as many reviews as wanted; without sizes take them all."""
    taken: dict[int, list[int]] = {0: [], 1: []}
    while sizes is None or any(len(taken[label]) < size for label, size in sizes.items()):
        name = next(order, None)
        if name is None:
            break
        for label, rows in reviews_of[name].items():
            taken[label] += rows
    return taken


def _by_block(rows_of: dict[int, list[int]]) -> dict[str, dict[int, list[int]]]:
    """Deal blocks of neighbours, within each label (rule 3)."""
    members: dict[str, dict[int, list[int]]] = {"train": {}, "validation": {}, "test": {}}
    for label, rows in rows_of.items():
        size = len(rows) // BLOCKS
        whole = len(rows) // size
        numbers = _hash_order([f"block/{label}/{number}" for number in range(whole)])
        parts = {
            "test": numbers[:TEST_BLOCKS],
            "validation": numbers[TEST_BLOCKS : TEST_BLOCKS + VALIDATION_BLOCKS],
            "train": [*numbers[TEST_BLOCKS + VALIDATION_BLOCKS :], whole],
        }
        for pool, chosen in parts.items():
            members[pool][label] = [
                row for number in chosen for row in rows[number * size : (number + 1) * size]
            ]
    return members


def _by_hash(ids: Sequence[str], of_label: dict[int, list[int]]) -> list[list[int]]:
    """Order the negative and the positive rows of a pool (rule 4)."""
    return [
        [rows[place] for place in _hash_order([f"review/{ids[row]}" for row in rows])]
        for rows in (of_label[0], of_label[1])
    ]


def _merge(negative: list[int], positive: list[int]) -> list[int]:
    places = [
        ((rank + 0.5) / len(rows), label, row)
        for label, rows in enumerate((negative, positive))
        for rank, row in enumerate(rows)
    ]
    return [row for _, _, row in sorted(places)]


def _hash_order(names: Sequence[str]) -> list[int]:
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    return sorted(range(len(names)), key=digests.__getitem__)
