import datasets
import pandas as pd
import pytest
from torch.utils.data import DataLoader

from imdb_tutorial import (
    ReviewDataset,
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


@pytest.fixture
def hub(monkeypatch):
    """Put a hub with 30 toy reviews of each label in place of the real one."""
    asked = []
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )

    def split(name):
        columns = {"text": [f"{name} {row}" for row in range(60)], "label": [0] * 30 + [1] * 30}
        return datasets.Dataset.from_dict(columns, features=features)

    def load_dataset(name, revision=None, **options):
        asked.append((name, revision))
        return datasets.DatasetDict(
            {name: split(name) for name in ("train", "test", "unsupervised")}
        )

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(sources, "require_hub", lambda what: None)
    return asked


def test_the_laptop_reviews_have_the_columns_and_sizes_that_were_asked_for():
    reviews = load_reviews(load_preset("laptop"))
    assert {pool: len(reviews[pool]) for pool in reviews} == {
        "train": 2_000,
        "validation": 500,
        "test": 1_000,
    }
    for split in reviews.values():
        assert set(split.column_names) == {"text", "label", "id"}
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


def test_text_that_looks_like_nothing_or_a_number_stays_text(write_csv, toy_rows):
    rows = [*toy_rows, ("NA", 0), ("null", 1), ('a "quoted"\nsecond line, äöü 😀', 0), ("10", 1)]
    raw = load_raw_reviews(small(write_csv(["text", "label"], rows)))["train"]
    assert list(zip(raw["text"], raw["label"], strict=True)) == rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_file_of_nothing_but_numbers_is_read_as_texts(write, suffix):
    rows = [(str(number), number % 2) for number in range(1_900, 2_000)]
    raw = load_raw_reviews(small(write(suffix, rows)))["train"]
    assert raw["text"][:] == [text for text, _ in rows]


def test_a_file_may_have_other_columns(write_csv, toy_rows):
    rows = [(number, text, label) for number, (text, label) in enumerate(toy_rows)]
    raw = load_raw_reviews(small(write_csv(["stars", "text", "label"], rows)))["train"]
    assert raw["text"][:] == [text for text, _ in toy_rows]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["body", "label"], "no column text.*found body, label"),
        (["text", "stars"], "no column label.*found text, stars"),
        (["body", "stars"], "no column text and no column label"),
    ],
)
def test_a_file_without_a_column_says_which_and_what_it_has(write_csv, toy_rows, columns, message):
    with pytest.raises(ValueError, match=message):
        load_reviews(small(write_csv(columns, toy_rows)))


@pytest.mark.parametrize("label", [2, -1, "great", "", 0.5])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_another_label_is_refused_with_its_row(write, toy_rows, label, suffix):
    rows = [(text, str(number)) for text, number in toy_rows]
    rows[7] = (rows[7][0], str(label))
    with pytest.raises(ValueError, match=r"row 7 .*expected 0 or neg, 1 or pos"):
        load_reviews(small(write(suffix, rows)))


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_missing_text_is_refused_with_its_row(write, toy_rows, suffix):
    toy_rows[5] = (None, 0)
    with pytest.raises(ValueError, match=r"row 5 .*expected a string"):
        load_reviews(small(write(suffix, toy_rows)))


def test_a_csv_row_that_stops_before_its_text_is_refused(write_csv, toy_rows):
    rows = [(label, text) for text, label in toy_rows]
    rows[5] = (0,)
    with pytest.raises(ValueError, match=r"row 5 "):
        load_reviews(small(write_csv(["label", "text"], rows)))


def test_a_csv_with_only_its_header_is_refused(write_csv):
    with pytest.raises(ValueError, match="holds no reviews"):
        load_reviews(small(write_csv(["text", "label"], [])))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("content", [b"", b"PAR1 broken \xff\xfe bytes", b"\0" * 64])
def test_a_file_that_is_empty_or_broken_is_refused_by_name(tmp_path, suffix, content):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"broken{suffix}"):
        load_reviews(small(path))


def test_a_parquet_file_cut_short_is_refused_by_name(write, toy_rows):
    path = write(".parquet", toy_rows)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"reviews\.parquet"):
        load_reviews(small(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        load_reviews(small(tmp_path / "none.csv"))


def test_a_file_of_another_kind_is_refused_with_the_kinds_there_are(tmp_path):
    path = tmp_path / "reviews.xlsx"
    path.write_bytes(b"spreadsheet")
    with pytest.raises(ValueError, match=r"\.csv, \.parquet, \.jsonl"):
        load_reviews(small(path))


def test_a_name_that_is_nothing_is_refused_with_what_is_possible():
    with pytest.raises(ValueError, match=r"'packaged'.*stanfordnlp/imdb"):
        load_reviews(small("reviews"))


@pytest.mark.parametrize(
    ("pool", "most"), [("train", 17_862), ("validation", 3_000), ("test", 4_000)]
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


def test_the_hub_reviews_keep_their_own_test_part_and_carve_validation_from_train(hub):
    reviews = load_reviews(load_preset("full"))
    assert hub == [("stanfordnlp/imdb", sources.HUB_REVISIONS["stanfordnlp/imdb"])]
    assert sorted(reviews["test"]["text"]) == sorted(f"test {row}" for row in range(60))
    assert len(reviews["validation"]) == 6
    kept = [*reviews["train"]["text"], *reviews["validation"]["text"]]
    assert sorted(kept) == sorted(f"train {row}" for row in range(60))


def test_the_classic_protocol_on_the_hub_takes_all_of_train(hub):
    reviews = load_reviews(load_preset("full").replace(validation_from="test"))
    assert sorted(reviews["train"]["text"]) == sorted(f"train {row}" for row in range(60))
    assert reviews["validation"].to_dict() == reviews["test"].to_dict()
    assert len(reviews["test"]) == 60


@pytest.mark.parametrize("validation_from", ["train", "test"])
def test_a_part_of_the_hub_reviews_is_balanced_though_they_come_sorted(hub, validation_from):
    preset = load_preset("full").replace(
        train_size=10, validation_size=4, test_size=10, validation_from=validation_from
    )
    for split in load_reviews(preset).values():
        assert 2 * sum(split["label"]) == len(split)


def test_raw_hub_reviews_keep_the_hubs_order(hub):
    raw = load_raw_reviews(load_preset("full"))
    assert set(raw) == {"train", "test"}
    assert raw["test"]["text"][:] == [f"test {row}" for row in range(60)]
    assert raw["test"]["label"][:] == [0] * 30 + [1] * 30


def test_a_revision_can_be_named(hub):
    load_reviews(small("somebody/reviews@v2"))
    assert hub == [("somebody/reviews", "v2")]


def test_a_download_that_fails_names_the_ways_out(hub, monkeypatch):
    def load_dataset(*arguments, **options):
        raise OSError("connection reset")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(ConnectionError, match=r"connection reset.*IMDB_TUTORIAL_PRESET=laptop"):
        load_reviews(load_preset("full"))


def test_a_hub_data_set_without_a_test_part_is_refused(hub, monkeypatch):
    whole = datasets.load_dataset("stanfordnlp/imdb")
    whole.pop("test")
    monkeypatch.setattr(datasets, "load_dataset", lambda *arguments, **options: whole)
    with pytest.raises(ValueError, match="no split test"):
        load_reviews(load_preset("full"))
