import datasets
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from torch.utils.data import DataLoader

from imdb_tutorial import (
    ReviewDataset,
    cut_pools,
    load_preset,
    load_raw_reviews,
    load_reviews,
    load_sentences,
)
from imdb_tutorial.machine import sources

FIRST = "I rented I AM CURIOUS-YELLOW"
LAST = "The story centers around Barry McKenzie"


def small(reviews, **changes):
    sizes = {"train_size": None, "validation_size": None, "test_size": None}
    return load_preset().replace(reviews=str(reviews), **{**sizes, **changes})


@pytest.fixture
def write(tmp_path, write_csv):
    def write_in(suffix, rows):
        frame = pd.DataFrame(rows, columns=["text", "label"])
        path = tmp_path / f"reviews{suffix}"
        if suffix == ".csv":
            return write_csv(["text", "label"], rows)
        if suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_json(path, orient="records", lines=True)
        return path

    return write_in


@pytest.fixture(scope="module")
def toy_preset(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "reviews.csv"
    lines = [f"film number {row},{row % 2}" for row in range(60)]
    path.write_text("\n".join(["text,label", *lines]), encoding="utf-8")
    return small(path)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Put a hub with toy reviews in place of the real one: 30 of each label, of IMDb far more."""
    asked = []
    kind = datasets.ClassLabel(names=["neg", "pos"])
    features = datasets.Features({"text": datasets.Value("string"), "label": kind})

    def review_files(name, revision):
        asked.append((name, revision))
        counts = (12_400, 12_500) if name == "stanfordnlp/imdb" else (30, 30)
        labels = [0] * counts[0] + [1] * counts[1]
        for split in ("train", "test"):
            texts = [f"{split} {row}" for row in range(len(labels))]
            rows = datasets.Dataset.from_dict({"text": texts, "label": labels}, features=features)
            rows.to_parquet(tmp_path / f"{split}.parquet")
        return {split: [tmp_path / f"{split}.parquet"] for split in ("train", "test")}

    monkeypatch.setattr("imdb_tutorial.dataset.hub.review_files", review_files)
    return asked


def test_the_laptop_reviews_have_the_columns_and_sizes_that_were_asked_for():
    reviews = load_reviews(load_preset("laptop"))
    assert {pool: len(reviews[pool]) for pool in reviews} == {
        "train": 2_000,
        "validation": 500,
        "test": 1_000,
    }
    for split in reviews.values():
        assert set(split.column_names) == {"text", "label", "id", "film", "stars"}
        assert split.features["text"].dtype == "string"
        assert split.features["label"].names == ["neg", "pos"]
        assert sum(split["label"]) * 2 == len(split)


def test_raw_reviews_are_the_file_as_it_is():
    raw = load_raw_reviews(load_preset("laptop"))
    assert list(raw) == ["train"]
    train = raw["train"]
    assert len(train) == 25_000
    assert train["label"][:] == [0] * 12_500 + [1] * 12_500
    assert train["id"][:] == [f"train/{row}" for row in range(25_000)]
    assert train[0]["text"].startswith(FIRST)
    assert train[-1]["text"].startswith(LAST)


def test_labels_mean_what_they_say():
    train = load_raw_reviews(load_preset())["train"]
    mentions = {0: 0, 1: 0}
    for review in train:
        mentions[review["label"]] += "waste of time" in review["text"].lower()
    assert mentions[0] > 5 * mentions[1]


def test_sentences_are_balanced_texts():
    sentences = load_sentences()
    assert len(sentences) == 8_530
    assert sum(sentences["label"]) == 4_265
    assert all(isinstance(text, str) and text for text in sentences["text"])
    assert len(set(sentences["id"])) == 8_530


def test_two_calls_give_the_same_reviews():
    one, other = (load_reviews(load_preset()) for _ in range(2))
    assert all(one[pool].to_dict() == other[pool].to_dict() for pool in one)


def test_a_review_data_set_gives_a_text_and_a_label():
    split = load_reviews(load_preset())["validation"]
    reviews = ReviewDataset(split)
    assert len(reviews) == 500
    assert reviews[3] == (split[3]["text"], split[3]["label"])
    assert reviews[-1] == (split[499]["text"], split[499]["label"])


def test_a_review_data_set_works_in_a_data_loader():
    split = load_reviews(load_preset())["validation"]
    loader = DataLoader(ReviewDataset(split), batch_size=64, shuffle=True, collate_fn=list)
    seen = [review for batch in loader for review in batch]
    assert sorted(seen) == sorted(zip(split["text"], split["label"], strict=True))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("labels", [(0, 1), ("neg", "pos"), ("Negative", "POSITIVE"), (0.0, 1.0)])
def test_a_local_file_is_cut_into_three_pools(write, toy_rows, suffix, labels):
    path = write(suffix, [(text, labels[label]) for text, label in toy_rows])
    reviews = load_reviews(small(path))
    rows = [
        (text, label)
        for split in reviews.values()
        for text, label in zip(split["text"], split["label"], strict=True)
    ]
    assert sorted(rows) == sorted(toy_rows)
    assert {pool: len(split) for pool, split in reviews.items()} == {
        "train": 46,
        "validation": 6,
        "test": 8,
    }
    assert reviews["train"].features["label"].names == ["neg", "pos"]


def test_a_file_with_as_many_rows_as_imdb_is_not_taken_for_imdb(write_csv):
    rows = [(f"tweet {row}", int(row % 10 < 3)) for row in range(25_000)]
    reviews = load_reviews(small(write_csv(["text", "label"], rows)))
    assert sum(len(split) for split in reviews.values()) == 25_000
    for split in reviews.values():
        assert sum(split["label"]) == pytest.approx(0.3 * len(split), abs=1)


def grouped(write_csv, group_of, count=300):
    rows = [(f"film number {row}", row % 2, group_of(row)) for row in range(count)]
    return small(write_csv(["text", "label", "group"], rows))


def groups_by_pool(preset):
    return {pool: split["group"][:] for pool, split in load_reviews(preset).items()}


def assert_apart(pools, same=str):
    sets = [set(map(same, names)) for names in pools.values()]
    assert sum(map(len, sets)) == len(set().union(*sets))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_reviews_of_one_group_are_never_in_two_pools(tmp_path, suffix):
    frame = pd.DataFrame({"text": [f"film {row}" for row in range(300)]})
    frame["label"], frame["group"] = frame.index % 2, frame.index % 60
    path = tmp_path / f"reviews{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    reviews = load_reviews(small(path))
    pools = groups_by_pool(small(path))
    assert_apart(pools)
    assert sum(map(len, pools.values())) == 300
    assert len(pools["train"]) > 2 * len(pools["test"]) > 2 * 0.16 * 150
    assert len(pools["validation"]) >= 0.12 * 300
    for split in reviews.values():
        assert set(split["label"][:]) == {0, 1}
        texts = zip(split["text"], split["group"], strict=True)
        assert all(name == str(int(text.split()[1]) % 60) for text, name in texts)


def test_a_file_without_groups_is_cut_as_before(write_csv, toy_rows):
    plain = load_reviews(small(write_csv(["text", "label"], toy_rows)))
    assert all("group" not in split.column_names for split in plain.values())


def test_groups_do_not_move_when_rows_are_sorted_otherwise(write_csv):
    forward = groups_by_pool(grouped(write_csv, lambda row: f"film {row % 50}"))
    rows = [(f"film number {row}", row % 2, f"film {row % 50}") for row in reversed(range(300))]
    backward = groups_by_pool(small(write_csv(["text", "label", "group"], rows)))
    assert {pool: set(names) for pool, names in forward.items()} == {
        pool: set(names) for pool, names in backward.items()
    }


@pytest.mark.parametrize(
    ("spellings", "same"),
    [
        (("Alien {}", "ALIEN {}", "alien {}"), str.lower),
        (("Alien {}", "Alien   {}", "Alien\u00a0{}"), lambda name: " ".join(name.split())),
        (("Am\u00e9lie {}", "Ame\u0301lie {}"), lambda name: name.split()[1]),
        (("Straße {}", "STRASSE {}"), lambda name: name.split()[1]),
    ],
)
def test_one_group_written_in_several_ways_is_one_group(write_csv, spellings, same):
    preset = grouped(write_csv, lambda row: spellings[row // 60 % len(spellings)].format(row % 60))
    pools = groups_by_pool(preset)
    assert_apart(pools, same)
    written = {spelling.format(7) for spelling in spellings}
    assert written <= {name for names in pools.values() for name in names}


@pytest.mark.parametrize("name", ["unknown", "other", "?", "n/a", "-"])
def test_a_group_that_holds_half_of_the_reviews_goes_to_train(write_csv, name):
    """Such as "unknown": held back, it would be nearly all of test."""
    preset = grouped(write_csv, lambda row: name if row < 150 else f"film {row % 50}")
    pools = groups_by_pool(preset)
    assert set(pools["validation"] + pools["test"]).isdisjoint({name})
    assert pools["train"].count(name) == 150
    assert len(pools["test"]) < 0.25 * 300


@pytest.mark.parametrize("count", [1, 2, 3])
def test_too_few_groups_are_refused_with_how_many_there_are(write_csv, count):
    with pytest.raises(ValueError, match=f"{count} groups: expected many small groups"):
        load_reviews(grouped(write_csv, lambda row: f"film {row % count}"))


def test_groups_of_one_label_each_are_shared_out_too(write_csv):
    pools = groups_by_pool(grouped(write_csv, lambda row: f"{row % 2} {row % 60}"))
    assert_apart(pools)


def test_a_group_a_review_is_a_cut_by_rows(write_csv):
    pools = groups_by_pool(grouped(write_csv, lambda row: f"row {row}"))
    assert {pool: len(names) for pool, names in pools.items()} == pytest.approx(
        {"train": 216, "validation": 36, "test": 48}, abs=20
    )


def test_of_equal_texts_in_two_groups_only_the_first_stays(write_csv):
    rows = [(f"film {row // 2}!" if row % 2 else f"Film {row // 2}", row // 2 % 2, f"{row % 40}")
            for row in range(300)]  # fmt: skip
    pools = load_reviews(small(write_csv(["text", "label", "group"], rows)))
    assert sum(len(split) for split in pools.values()) == 150
    assert_apart({pool: split["group"][:] for pool, split in pools.items()})


@settings(derandomize=True, deadline=None, max_examples=40, database=None)
@given(data=st.data())
def test_any_groups_are_kept_apart_or_refused_in_one_line(data):
    count = data.draw(st.integers(50, 200))
    labels = [row % 2 for row in range(count)]
    names = st.one_of(st.sampled_from(["a", "A ", "b", "unknown"]), st.integers(0, 60).map(str))
    groups = data.draw(st.lists(names, min_size=count, max_size=count))
    ids = [f"any/{row}" for row in range(count)]
    try:
        pools = cut_pools(ids, [f"film {row}" for row in range(count)], labels, groups)
    except ValueError as refused:
        assert "expected many small" in str(refused) and "\n" not in str(refused)
        return
    assert sorted(row for rows in pools.values() for row in rows) == list(range(count))
    assert_apart({pool: [groups[row] for row in rows] for pool, rows in pools.items()},
                 lambda name: name.strip().lower())  # fmt: skip
    assert all({labels[row] for row in rows} == {0, 1} for rows in pools.values())


def test_a_file_that_has_changed_is_read_anew(write_csv, toy_rows):
    for rows in (toy_rows, toy_rows[::-1]):
        raw = load_raw_reviews(small(write_csv(["text", "label"], rows)))["train"]
        assert list(zip(raw["text"], raw["label"], strict=True)) == rows


def test_what_is_done_to_the_reviews_of_one_call_is_not_seen_by_the_next():
    raw = load_raw_reviews(load_preset())["train"]
    raw.set_format("numpy")
    assert type(load_raw_reviews(load_preset())["train"]["label"][0]) is int


@settings(derandomize=True, deadline=None, max_examples=25, database=None)
@given(sizes=st.tuples(st.integers(1, 46), st.integers(1, 6), st.integers(1, 8)))
def test_any_size_is_the_beginning_of_the_whole_pool(toy_preset, sizes):
    whole = load_reviews(toy_preset)
    names = ("train_size", "validation_size", "test_size")
    part = load_reviews(toy_preset.replace(**dict(zip(names, sizes, strict=True))))
    for pool, size in zip(("train", "validation", "test"), sizes, strict=True):
        assert part[pool].to_dict() == whole[pool].select(range(size)).to_dict()


def test_a_name_that_is_nothing_is_refused_with_what_is_possible():
    with pytest.raises(ValueError, match=r"'packaged'.*stanfordnlp/imdb"):
        load_reviews(small("reviews"))


@pytest.mark.parametrize(
    ("pool", "most"), [("train", 17_642), ("validation", 3_000), ("test", 4_000)]
)
def test_more_reviews_than_there_are_is_refused_with_the_number_there_is(pool, most):
    assert len(load_reviews(load_preset().replace(**{f"{pool}_size": most}))[pool]) == most
    with pytest.raises(ValueError, match=f"{pool}_size={most + 1:,} .*{most:,}; use a smaller"):
        load_reviews(load_preset().replace(**{f"{pool}_size": most + 1}))


def test_the_classic_protocol_validates_on_the_test_reviews():
    preset = load_preset().replace(validation_from="test", validation_size=1_000)
    reviews = load_reviews(preset)
    assert reviews["validation"].to_dict() == reviews["test"].to_dict()
    apart = load_reviews(load_preset().replace(validation_size=1_000))
    assert not set(apart["validation"]["id"]) & set(apart["test"]["id"])
    assert apart["train"]["id"][:] == reviews["train"]["id"][:]


def test_imdb_on_the_hub_is_cut_as_imdb_and_keeps_its_own_test_part(hub, monkeypatch):
    films = load_raw_reviews(load_preset())["train"]["film"][100:]
    monkeypatch.setattr("imdb_tutorial.dataset.reviews.films_of", lambda texts: films)
    reviews = load_reviews(load_preset("full"))
    assert hub == [("stanfordnlp/imdb", sources.HUB_REVISIONS["stanfordnlp/imdb"])]
    assert sorted(reviews["test"]["text"]) == sorted(f"test {row}" for row in range(24_900))
    assert 21_000 < len(reviews["train"]) < 2 * (12_400 - 1_500)
    assert len(reviews["validation"]) == 3_000
    assert all(2 * sum(reviews[pool]["label"]) == len(reviews[pool]) for pool in list(reviews)[:2])
    assert not set(reviews["train"]["text"]) & set(reviews["validation"]["text"])


def test_another_hub_data_set_is_not_cut_as_imdb(hub):
    reviews = load_reviews(small("somebody/reviews"))
    assert {pool: len(split) for pool, split in reviews.items()} == {
        "train": 54,
        "validation": 6,
        "test": 60,
    }


def test_the_classic_protocol_on_the_hub_takes_all_of_train(hub):
    reviews = load_reviews(small("somebody/reviews", validation_from="test"))
    assert sorted(reviews["train"]["text"]) == sorted(f"train {row}" for row in range(60))
    assert reviews["validation"].to_dict() == reviews["test"].to_dict()
    assert len(reviews["test"]) == 60


@pytest.mark.parametrize("validation_from", ["train", "test"])
def test_a_part_of_the_hub_reviews_is_balanced_though_they_come_sorted(hub, validation_from):
    preset = small("somebody/reviews", validation_from=validation_from)
    preset = preset.replace(train_size=10, validation_size=4, test_size=10)
    for split in load_reviews(preset).values():
        assert 2 * sum(split["label"]) == len(split)


def test_raw_hub_reviews_keep_the_hubs_order(hub):
    raw = load_raw_reviews(small("somebody/reviews"))
    assert set(raw) == {"train", "test"}
    assert raw["test"]["text"][:] == [f"test {row}" for row in range(60)]
    assert raw["test"]["label"][:] == [0] * 30 + [1] * 30


def test_a_revision_can_be_named(hub):
    load_reviews(small("somebody/reviews@v2"))
    assert hub == [("somebody/reviews", "v2")]
