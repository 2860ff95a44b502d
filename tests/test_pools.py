import functools
import hashlib
import html
import itertools
import re
from collections import Counter

import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial import load_preset, load_raw_reviews, load_reviews, normalise
from imdb_tutorial.dataset.pools import cut_pools, order_pool

SIZES = {"train": 17_862, "validation": 3_000, "test": 4_000}

# The pools are final: numbers recorded with them are compared for years.
DIGESTS = {
    "train": "5deec81cf86808a02ae7b14dfd7fa585cade2b0e35c22a524425ec6fe34f9ce5",
    "validation": "c6af91ebf59aaf9df6d9a4876aa8bba821875f2442f429faa54dae8e1c45a958",
    "test": "cc7f369ec87f5b84dbab6d3db9e40c9e21f364a5fa9e3c4105bd62733f048a06",
}


@functools.cache
def bare(text):
    without_tags = re.sub("<[^<>]*>", " ", html.unescape(text))
    return tuple(re.sub(r"\W", " ", without_tags.lower()).split())


def by_hash(items, name):
    return sorted(items, key=lambda item: hashlib.sha256(name(item).encode()).digest())


def pools_by_the_written_rule(ids, texts, labels, block, balance):
    """Follow the five rules at the head of pools.py, written a second time."""
    first_of = {}
    for row, text in enumerate(texts):
        first_of.setdefault(bare(text), row)
    kept = sorted(first_of.values())

    chosen = {"train": {}, "validation": {}, "test": {}}
    for label in (0, 1):
        rows = [row for row in kept if labels[row] == label]
        end = len(rows) - len(rows) % block
        blocks = [rows[start : start + block] for start in range(0, end, block)]
        order = by_hash(range(len(blocks)), lambda number, label=label: f"block/{label}/{number}")
        held_back = {"test": order[:4], "validation": order[4:7], "train": order[7:]}
        for pool, numbers in held_back.items():
            members = [row for number in numbers for row in blocks[number]]
            members += rows[end:] if pool == "train" else []
            chosen[pool][label] = by_hash(members, lambda row: f"review/{ids[row]}")

    merged = {}
    for pool, of_label in chosen.items():
        if balance:
            fewer = min(map(len, of_label.values()))
            of_label = {label: rows[:fewer] for label, rows in of_label.items()}
        placed = [
            ((2 * rank + 1) / (2 * len(rows)), label, row)
            for label, rows in of_label.items()
            for rank, row in enumerate(rows)
        ]
        merged[pool] = [row for _, _, row in sorted(placed)]
    return merged


@pytest.fixture(scope="module")
def raw():
    split = load_raw_reviews(load_preset())["train"]
    return {column: split[column][:] for column in ("id", "text", "label")}


@pytest.fixture(scope="module")
def whole():
    preset = load_preset().replace(train_size=None, validation_size=None, test_size=None)
    return load_reviews(preset)


def test_sizes_and_balance(whole):
    assert {pool: len(whole[pool]) for pool in whole} == SIZES
    assert {pool: 2 * sum(whole[pool]["label"]) for pool in whole} == SIZES


@pytest.mark.parametrize("pool", SIZES)
def test_the_pools_never_change(whole, pool):
    ids = "\n".join(whole[pool]["id"])
    assert hashlib.sha256(ids.encode()).hexdigest() == DIGESTS[pool]


def test_the_written_rule_gives_the_same_pools(whole, raw):
    expected = pools_by_the_written_rule(raw["id"], raw["text"], raw["label"], 500, balance=True)
    for pool, rows in expected.items():
        assert whole[pool]["id"][:] == [raw["id"][row] for row in rows]
        assert whole[pool]["text"][:] == [raw["text"][row] for row in rows]
        assert whole[pool]["label"][:] == [raw["label"][row] for row in rows]


@pytest.mark.parametrize(("one", "other"), [("train", "validation"), ("train", "test")])
def test_the_largest_train_pool_shares_nothing_with_what_is_held_back(whole, one, other):
    assert not set(whole[one]["id"]) & set(whole[other]["id"])
    assert not set(map(bare, whole[one]["text"])) & set(map(bare, whole[other]["text"]))


def test_validation_and_test_share_nothing(whole):
    assert not set(map(bare, whole["validation"]["text"])) & set(map(bare, whole["test"]["text"]))


@pytest.mark.parametrize("pool", SIZES)
def test_no_review_comes_twice_in_a_pool(whole, pool):
    assert len(set(map(bare, whole[pool]["text"]))) == SIZES[pool]


@pytest.mark.parametrize("size", [1, 1_001])
def test_a_smaller_size_is_the_beginning_of_a_larger_one(whole, size):
    preset = load_preset().replace(train_size=size, validation_size=size, test_size=size)
    smaller = load_reviews(preset)
    for pool in SIZES:
        assert smaller[pool]["id"][:] == whole[pool]["id"][:size]


@pytest.mark.parametrize("pool", SIZES)
def test_every_even_prefix_is_balanced(whole, pool):
    labels = whole[pool]["label"][:]
    assert all(sum(labels[i : i + 2]) == 1 for i in range(0, len(labels), 2))


@pytest.mark.parametrize(("pool", "blocks"), [("validation", 3), ("test", 4)])
@pytest.mark.parametrize("label", [0, 1])
def test_what_is_held_back_comes_in_blocks_of_consecutive_reviews(whole, raw, pool, blocks, label):
    first_of = {}
    for row, text in enumerate(raw["text"]):
        first_of.setdefault(bare(text), row)
    rows = [row for row in sorted(first_of.values()) if raw["label"][row] == label]
    place = {raw["id"][row]: number for number, row in enumerate(rows)}

    held_back = whole[pool].filter(lambda review: review["label"] == label)["id"]
    places = sorted(place[name] for name in held_back)
    gaps = sum(later - earlier != 1 for earlier, later in itertools.pairwise(places))
    assert len(places) == 500 * blocks
    assert gaps + 1 <= blocks


def toy(negative, positive):
    labels = [0] * negative + [1] * positive
    ids = [f"toy/{row}" for row in range(len(labels))]
    return ids, [f"film number {row}" for row in range(len(labels))], labels


@pytest.mark.parametrize(("negative", "positive", "label"), [(24, 60, 0), (60, 24, 1), (60, 0, 1)])
def test_too_few_reviews_of_a_label_are_refused_with_the_number_needed(negative, positive, label):
    with pytest.raises(ValueError, match=f"label {label}: expected at least 25"):
        cut_pools(*toy(negative, positive))


def test_too_few_reviews_for_the_block_size_are_refused():
    with pytest.raises(ValueError, match="expected at least 80"):
        cut_pools(*toy(79, 79), block_size=10)


def test_duplicates_do_not_count_towards_enough_reviews():
    ids, texts, labels = toy(25, 25)
    cut_pools(ids, texts, labels)
    texts[1] = f"<b>{texts[0].upper()}</b> !"
    with pytest.raises(ValueError, match="only 24 different reviews with label 0"):
        cut_pools(ids, texts, labels)


@pytest.mark.parametrize("sizes", [(300, 900), (31, 1_000), (25, 25), (777, 101)])
@pytest.mark.parametrize("balance", [False, True])
def test_toy_pools_follow_the_written_rule_too(sizes, balance):
    ids, texts, labels = toy(*sizes)
    block = min(sizes) // 25
    found = cut_pools(ids, texts, labels, block_size=block, balance=balance)
    assert found == pools_by_the_written_rule(ids, texts, labels, block, balance)


def test_unbalanced_labels_keep_their_proportions_in_every_prefix():
    ids, texts, labels = toy(300, 900)
    pools = cut_pools(ids, texts, labels)
    assert sorted(row for rows in pools.values() for row in rows) == list(range(1_200))
    for rows in pools.values():
        share = sum(labels[row] for row in rows) / len(rows)
        assert 0.7 < share < 0.8
        for size in range(1, len(rows)):
            assert abs(sum(labels[row] for row in rows[:size]) - share * size) <= 1


def test_balancing_leaves_out_reviews_of_the_longer_label_only():
    ids, texts, labels = toy(300, 900)
    for rows in cut_pools(ids, texts, labels, balance=True).values():
        assert 2 * sum(labels[row] for row in rows) == len(rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("GREAT film!<br />Really,   great...", "great film really great"),
        ("It&#39;s &lt;b&gt;good&lt;/b&gt;", "it s good"),
        ("snake_case and 3.5 stars", "snake_case and 3 5 stars"),
        ("好电影。真的！", "好电影 真的"),
        ("とても良い", "とても良い"),
        ("ภาพยนตร์ดี", "ภาพยนตร์ดี"),
        ("हिन्दी फ़िल्म।", "हिन्दी फ़िल्म"),
        ("ФИЛЬМ — ДА", "фильм да"),
        (":-)", ":-)"),
        ("  !!!\n !!! ", "!!! !!!"),
        ("❤️", "❤️"),
        ("<br />", "<br />"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_text_in_any_script(text, words):
    assert normalise(text) == words


@pytest.mark.parametrize(
    "texts",
    [
        (":-)", ":-("),
        ("!!!", "???", "..."),
        ("😀", "😡"),
        ("❤️", "☠️"),
        ("กิน", "กัน"),
        ("की", "का", "के"),
        ("好", "坏"),
        ("<good>", "<bad>"),
    ],
)
def test_texts_that_differ_in_what_counts_are_no_duplicates(texts):
    ids, fill, labels = toy(25, 25)
    pools = cut_pools(
        [*ids, *(f"odd/{text}" for text in texts)], [*fill, *texts], [*labels, *[0] * len(texts)]
    )
    assert sum(len(rows) for rows in pools.values()) == 50 + len(texts)


def test_a_long_run_of_accents_does_not_take_for_ever():
    # Unicode's normal forms sort such a run, in quadratic time.
    accents = "\u0301\u0316" * 300_000
    assert normalise(accents) == accents


def test_texts_without_a_word_that_are_written_alike_are_duplicates():
    ids, texts, labels = toy(26, 25)
    pools = cut_pools([*ids, "odd/1", "odd/2"], [*texts, ":-)", " :-)\n"], [*labels, 0, 1])
    assert sorted(row for rows in pools.values() for row in rows) == list(range(52))


def test_a_label_or_block_size_that_is_none_is_refused():
    ids, texts, labels = toy(25, 25)
    with pytest.raises(ValueError, match=r"labels\[50\] is 2: expected 0 or 1"):
        cut_pools([*ids, "odd"], [*texts, "a third class"], [*labels, 2])
    with pytest.raises(ValueError, match="block_size is 0: expected 1"):
        cut_pools(ids, texts, labels, block_size=0)


@settings(derandomize=True, deadline=None, max_examples=40, database=None)
@given(
    labels=st.lists(st.sampled_from([0, 1]), min_size=0, max_size=150),
    repeated=st.lists(st.integers(0, 49), max_size=20),
    balance=st.booleans(),
)
@example(labels=[1] * 150, repeated=[], balance=True)
def test_any_pools_are_disjoint_deterministic_and_mixed_alike_throughout(labels, repeated, balance):
    ids, texts, first_labels = toy(25, 25)
    labels = [*first_labels, *labels, *[1] * len(repeated)]
    texts += [f"another film, {row}" for row in range(len(texts), len(labels) - len(repeated))]
    texts += [f"<i>{texts[row].upper()}</i>!" for row in repeated]
    ids = [f"any/{row}" for row in range(len(labels))]

    pools = cut_pools(ids, texts, labels, balance=balance)
    assert pools == cut_pools(ids, texts, labels, balance=balance)
    rows = [row for pool in pools.values() for row in pool]
    assert len(set(rows)) == len(rows)
    assert len({bare(texts[row]) for row in rows}) == len(rows)
    if not balance:
        assert sorted(rows) == list(range(len(labels) - len(repeated)))
    for pool in pools.values():
        count = Counter(labels[row] for row in pool)
        assert not balance or count[0] == count[1]
        for size in range(1, len(pool)):
            share = sum(labels[row] for row in pool[:size])
            assert abs(share - count[1] * size / len(pool)) <= 1


def test_a_whole_pool_in_order_holds_every_row_once_and_mixes_the_labels():
    ids, _, labels = toy(40, 40)
    rows = order_pool(ids, labels)
    assert sorted(rows) == list(range(80))
    assert rows != sorted(rows)
    assert [labels[row] for row in rows] == [0, 1] * 40


@pytest.mark.parametrize("digits", ["9" * 5_000, "0" * 5_000 + "65", "0" * 5_000, "1114112", "65"])
def test_a_character_number_of_any_length_is_read(digits):
    expected = "a" if int(digits[-8:]) == 65 else "\N{REPLACEMENT CHARACTER}"
    assert normalise(f"good &#{digits}; film") in (f"good {expected} film", "good film")
    assert ("a" in normalise(f"&#{digits};")) == (expected == "a")
