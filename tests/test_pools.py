import functools
import gzip
import hashlib
import html
import itertools
import math
import re
from collections import Counter

import pytest
from hypothesis import example, given, settings, strategies as st

from imdb_tutorial import load_preset, load_raw_reviews, load_reviews, normalise
from imdb_tutorial.dataset import films, packaged
from imdb_tutorial.dataset.pools import cut_pools, order_pool
from imdb_tutorial.machine.packages import DamagedFileError

SIZES = {"train": 17_642, "validation": 3_000, "test": 4_000}
PER_LABEL = {"test": 2_000, "validation": 1_500}

# The pools are final: numbers recorded with them are compared for years.
DIGESTS = {
    "train": "4c74ee19a6f2d403fa58957f7fc6b0cbb0847257d1f08b7d89b9954540f52b59",
    "validation": "01bb446f94b8e8bfa445e6da684f79bc91d32c34148dbc6db07819d643d1c016",
    "test": "5300a0c75770ddaa3c499206e55caf07afff475fd31f2feff067fdb1bf7e7f4e",
}


@functools.cache
def bare(text):
    without_tags = re.sub("<[^<>]*>", " ", html.unescape(text))
    return tuple(re.sub(r"\W", " ", without_tags.lower()).split())


def by_hash(items, name):
    return sorted(items, key=lambda item: hashlib.sha256(name(item).encode()).digest())


def different(texts):
    first_of = {}
    for row, text in enumerate(texts):
        first_of.setdefault(bare(text), row)
    return sorted(first_of.values())


def merged(ids, labels, members, size=None):
    placed = []
    for label in (0, 1):
        rows = by_hash((r for r in members if labels[r] == label), lambda r: f"review/{ids[r]}")
        rows = rows[:size]
        placed += [((2 * k + 1) / (2 * len(rows)), label, row) for k, row in enumerate(rows)]
    return [row for _, _, row in sorted(placed)]


def pools_by_blocks(ids, texts, labels):
    """Follow the rules at the head of pools.py for reviews without groups, written again."""
    members = {"train": [], "validation": [], "test": []}
    for label in (0, 1):
        rows = [row for row in different(texts) if labels[row] == label]
        block = len(rows) // 25
        end = len(rows) - len(rows) % block
        blocks = [rows[start : start + block] for start in range(0, end, block)]
        order = by_hash(range(len(blocks)), lambda number, label=label: f"block/{label}/{number}")
        held_back = {"test": order[:4], "validation": order[4:7], "train": order[7:]}
        for pool, numbers in held_back.items():
            members[pool] += [row for number in numbers for row in blocks[number]]
        members["train"] += rows[end:]
    return {pool: merged(ids, labels, rows) for pool, rows in members.items()}


def pools_by_groups(ids, texts, labels, groups, wanted=None):
    """Follow the rules at the head of pools.py for reviews with groups, written again."""
    kept = different(texts)
    totals = Counter(labels[row] for row in kept)
    members = {"test": [], "validation": [], "train": []}
    shares = {"test": 4, "validation": 3}
    most = {n: sum(math.ceil(totals[n] * share / 25) for share in shares.values()) for n in (0, 1)}
    if wanted:
        most = dict.fromkeys((0, 1), sum(wanted.values()))
    of_group = Counter((groups[row], labels[row]) for row in kept)
    large = {name for (name, label), count in of_group.items() if count > most[label]}
    members["train"] = [row for row in kept if groups[row] in large]
    left = by_hash(sorted({groups[row] for row in kept} - large), lambda name: f"group/{name}")
    for pool in members:
        need = wanted.get(pool) if wanted else shares.get(pool)
        while left:
            have = Counter(labels[row] for row in members[pool])
            if wanted and need and min(have[0], have[1]) >= need:
                break
            if not wanted and need and all(25 * have[n] >= need * totals[n] for n in (0, 1)):
                break
            name = left.pop(0)
            members[pool] += [row for row in kept if groups[row] == name]
    sizes = dict.fromkeys(members)
    if wanted:
        train = Counter(labels[row] for row in members["train"])
        sizes = {**wanted, "train": min(train.values())}
    return {pool: merged(ids, labels, members[pool], sizes[pool]) for pool in members}


@pytest.fixture(scope="module")
def raw():
    split = load_raw_reviews(load_preset())["train"]
    return {column: split[column][:] for column in ("id", "text", "label", "film", "stars")}


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
    expected = pools_by_groups(raw["id"], raw["text"], raw["label"], raw["film"], PER_LABEL)
    for pool, rows in expected.items():
        for column in raw:
            assert whole[pool][column][:] == [raw[column][row] for row in rows]


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


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(SIZES, 2)])
def test_no_film_is_in_two_pools(whole, one, other):
    assert not set(whole[one]["film"]) & set(whole[other]["film"])


def test_a_films_reviews_of_both_labels_are_held_back(whole):
    test = whole["test"].to_pandas()
    assert (test.groupby("film")["label"].nunique() == 2).sum() > 100


def test_stars_and_labels_agree(raw):
    for label, stars in ((0, {1, 2, 3, 4}), (1, {7, 8, 9, 10})):
        assert {s for s, n in zip(raw["stars"], raw["label"], strict=True) if n == label} == stars


def test_the_films_are_those_of_the_data_set(raw):
    assert len(set(raw["film"])) == 3_456
    assert Counter(Counter(raw["film"]).values())[30] > 0
    assert max(Counter(raw["film"]).values()) == 30
    of_label = [
        {f for f, n in zip(raw["film"], raw["label"], strict=True) if n == label}
        for label in (0, 1)
    ]
    assert [len(films) for films in of_label] == [2_957, 1_390]
    assert len(of_label[0] & of_label[1]) == 891


def test_a_written_rating_is_mostly_the_authors_stars(raw):
    """Checks the table against the texts: in 82 % of them, or it belongs to other rows."""
    found = [
        (int(match[1]), stars)
        for text, stars in zip(raw["text"], raw["stars"], strict=True)
        if (match := re.search(r"\b(\d{1,2})\s?/\s?10\b", text))
    ]
    assert len(found) > 1_000
    assert 0.75 < sum(one == other for one, other in found) / len(found) < 0.9


@pytest.mark.parametrize("damage", [b"", b"no gzip", "other bytes"])
def test_a_damaged_table_of_films_is_refused(damage, tmp_path, monkeypatch):
    table = tmp_path / "films.csv.gz"
    content = gzip.compress(b"row,film,stars\n") if damage == "other bytes" else damage
    table.write_bytes(content)
    monkeypatch.setattr(films, "FILMS", table)
    with pytest.raises(DamagedFileError, match="table of films"):
        films.load_films()


def test_another_copy_of_imdb_finds_its_films_by_text(raw):
    order = list(range(24_999, -1, -250))
    texts = [raw["text"][row].replace("<br />", "<br/>") for row in order]
    assert packaged.films_of(texts) == [raw["film"][row] for row in order]
    with pytest.raises(ValueError, match=r"1 of 2 reviews are not among .* first in row 1"):
        packaged.films_of([texts[0], "Another text"])


def toy(negative, positive):
    labels = [0] * negative + [1] * positive
    ids = [f"toy/{row}" for row in range(len(labels))]
    return ids, [f"film number {row}" for row in range(len(labels))], labels


@pytest.mark.parametrize(("negative", "positive", "label"), [(24, 60, 0), (60, 24, 1), (60, 0, 1)])
def test_too_few_reviews_of_a_label_are_refused_with_the_number_needed(negative, positive, label):
    with pytest.raises(ValueError, match=f"label {label}: expected at least 25"):
        cut_pools(*toy(negative, positive))


def test_duplicates_do_not_count_towards_enough_reviews():
    ids, texts, labels = toy(25, 25)
    cut_pools(ids, texts, labels)
    texts[1] = f"<b>{texts[0].upper()}</b> !"
    with pytest.raises(ValueError, match="only 24 different reviews with label 0"):
        cut_pools(ids, texts, labels)


@pytest.mark.parametrize("sizes", [(300, 900), (31, 1_000), (25, 25), (777, 101)])
def test_toy_pools_follow_the_written_rule_too(sizes):
    ids, texts, labels = toy(*sizes)
    assert cut_pools(ids, texts, labels) == pools_by_blocks(ids, texts, labels)


@pytest.mark.parametrize("sizes", [(300, 900), (100, 100), (777, 101)])
@pytest.mark.parametrize("size_of_group", [1, 2, 7])
def test_toy_pools_by_group_follow_the_written_rule_too(sizes, size_of_group):
    ids, texts, labels = toy(*sizes)
    groups = [f"film {row % (len(ids) // size_of_group)}" for row in range(len(ids))]
    found = cut_pools(ids, texts, labels, groups)
    assert found == pools_by_groups(ids, texts, labels, groups)
    members = [{groups[row] for row in rows} for rows in found.values()]
    assert sum(map(len, members)) == len(set(groups))


@pytest.mark.parametrize("share", [5, 27, 28, 29, 60])
def test_a_large_group_goes_to_train_by_the_written_rule_too(share):
    ids, texts, labels = toy(300, 300)
    groups = ["unknown" if row % 100 < share else f"film {row % 60}" for row in range(600)]
    found = cut_pools(ids, texts, labels, groups)
    assert found == pools_by_groups(ids, texts, labels, groups)
    if share > 28:
        assert all(groups[row] != "unknown" for row in found["test"] + found["validation"])


@pytest.mark.parametrize("count", [1, 2])
def test_groups_too_few_for_three_pools_are_refused(count):
    ids, texts, labels = toy(50, 50)
    with pytest.raises(ValueError, match=f"{count} groups: expected many small groups"):
        cut_pools(ids, texts, labels, [f"film {row % count}" for row in range(100)][::-1])


def test_unbalanced_labels_keep_their_proportions_in_every_prefix():
    ids, texts, labels = toy(300, 900)
    pools = cut_pools(ids, texts, labels)
    assert sorted(row for rows in pools.values() for row in rows) == list(range(1_200))
    for rows in pools.values():
        share = sum(labels[row] for row in rows) / len(rows)
        assert 0.7 < share < 0.8
        for size in range(1, len(rows)):
            assert abs(sum(labels[row] for row in rows[:size]) - share * size) <= 1


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


def test_a_label_that_is_none_is_refused():
    ids, texts, labels = toy(25, 25)
    with pytest.raises(ValueError, match=r"labels\[50\] is 2: expected 0 or 1"):
        cut_pools([*ids, "odd"], [*texts, "a third class"], [*labels, 2])


@settings(derandomize=True, deadline=None, max_examples=40, database=None)
@given(
    labels=st.lists(st.sampled_from([0, 1]), min_size=0, max_size=150),
    repeated=st.lists(st.integers(0, 49), max_size=20),
    grouped=st.booleans(),
)
@example(labels=[1] * 150, repeated=[], grouped=True)
def test_any_pools_are_disjoint_deterministic_and_mixed_alike_throughout(labels, repeated, grouped):
    ids, texts, first_labels = toy(25, 25)
    labels = [*first_labels, *labels, *[1] * len(repeated)]
    texts += [f"another film, {row}" for row in range(len(texts), len(labels) - len(repeated))]
    texts += [f"<i>{texts[row].upper()}</i>!" for row in repeated]
    ids = [f"any/{row}" for row in range(len(labels))]

    groups = [f"film {row}" for row in range(len(ids))] if grouped else None
    pools = cut_pools(ids, texts, labels, groups)
    assert pools == cut_pools(ids, texts, labels, groups)
    rows = [row for pool in pools.values() for row in pool]
    assert len(set(rows)) == len(rows)
    assert len({bare(texts[row]) for row in rows}) == len(rows)
    assert sorted(rows) == list(range(len(labels) - len(repeated)))
    for pool in pools.values():
        count = Counter(labels[row] for row in pool)
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
