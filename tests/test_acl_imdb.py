"""An unpacked aclImdb folder: read with its own test split and its films, or refused clearly."""

import shutil
from collections import Counter

import pytest

from imdb_tutorial import load_preset, load_raw_reviews, load_reviews

EACH = 40
FILMS = 10


def text_of(split, label, number):
    return f"{split} {label} opinion of number {number}<br />né"


@pytest.fixture
def archive(tmp_path):
    """Return an aclImdb of 40 reviews of each label and split, about ten films a split."""
    root = tmp_path / "aclImdb"
    for split, first in (("train", 100), ("test", 500)):
        for label, stars in (("neg", 3), ("pos", 8)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(EACH):
                file = folder / f"{number}_{stars}.txt"
                file.write_text(text_of(split, label, number), encoding="utf-8")
            addresses = [
                f"http://www.imdb.com/title/tt{first + number * FILMS // EACH:07}/usercomments\n"
                for number in range(EACH)
            ]
            (root / split / f"urls_{label}.txt").write_text("".join(addresses), encoding="utf-8")
        (root / split / "labeledBow.feat").write_text("9 0:9\n", encoding="utf-8")
    (root / "train" / "unsup").mkdir()
    (root / "train" / "unsup" / "0_0.txt").write_text("nobody's opinion", encoding="utf-8")
    (root / "README").write_text("Large Movie Review Dataset v1.0", encoding="utf-8")
    return root


def small(root, **changes):
    sizes = {"train_size": None, "validation_size": None, "test_size": None}
    return load_preset().replace(reviews=str(root), **{**sizes, **changes})


def test_every_review_is_read_with_its_label_and_its_film(archive):
    raw = load_raw_reviews(small(archive))
    assert set(raw) == {"train", "test"}
    for split, first in (("train", 100), ("test", 500)):
        found = {review["id"]: review for review in raw[split]}
        assert len(found) == 2 * EACH
        for label, stars in (("neg", 3), ("pos", 8)):
            for number in range(EACH):
                review = found[f"{split}/{label}/{number}_{stars}"]
                assert review["text"] == text_of(split, label, number)
                assert review["label"] == (label == "pos")
                assert review["group"] == f"tt{first + number * FILMS // EACH:07}"


def test_the_official_test_split_stays_whole_and_no_film_is_in_two_pools(archive):
    reviews = load_reviews(small(archive))
    assert len(reviews["test"]) == 2 * EACH
    assert {name.split("/")[0] for name in reviews["test"]["id"]} == {"test"}
    assert len(reviews["train"]) + len(reviews["validation"]) == 2 * EACH
    films = [set(reviews[pool]["group"]) for pool in ("train", "validation", "test")]
    assert not films[0] & films[1] and not films[0] & films[2]
    classic = load_reviews(small(archive, validation_from="test"))
    assert len(classic["train"]) == 2 * EACH
    assert classic["validation"].to_dict() == classic["test"].to_dict()


def test_a_prefix_of_a_pool_is_balanced(archive):
    reviews = load_reviews(small(archive, train_size=20, test_size=20))
    assert Counter(reviews["test"]["label"]) == {0: 10, 1: 10}


def test_without_the_lists_there_are_no_films(archive):
    for file in archive.rglob("urls_*.txt"):
        file.unlink()
    assert load_raw_reviews(small(archive))["train"].column_names == ["text", "label", "id"]
    assert len(load_reviews(small(archive))["test"]) == 2 * EACH


def every_second_file(root):
    for file in sorted((root / "train" / "neg").iterdir())[::2]:
        file.unlink()


def the_upper_half(root):
    for split in ("train", "test"):
        for label in ("neg", "pos"):
            for number in range(EACH // 2, EACH):
                next((root / split / label).glob(f"{number}_*.txt")).unlink()


def half_of_one_part(root):
    for file in root.rglob("urls_*.txt"):
        file.unlink()
    for number in range(EACH // 2, EACH):
        (root / "test" / "pos" / f"{number}_8.txt").unlink()


def emptied(root):
    shutil.rmtree(root / "test" / "pos")
    (root / "test" / "pos").mkdir()


def spoilt(name, content):
    return lambda root: (root / name).write_bytes(content)


REFUSED = {
    "every second file": (every_second_file, ["train/neg", "reviews are missing", "the first is"]),
    "the upper half": (the_upper_half, ["urls_neg.txt", "40 lines for 20 reviews"]),
    "half of one part": (half_of_one_part, ["40 in train/neg", "20 in test/pos", "12,500"]),
    "no test": (lambda root: shutil.rmtree(root / "test"), ["no test/neg"]),
    "no pos": (lambda root: shutil.rmtree(root / "train/pos"), ["no train/pos"]),
    "an empty part": (emptied, ["test/pos", "holds no reviews"]),
    "a list cut short": (spoilt("train/urls_pos.txt", b"x\n"), ["1 lines for 40 reviews"]),
    "one list of two": (lambda root: (root / "test/urls_pos.txt").unlink(), ["no urls_pos.txt"]),
    "no address": (
        spoilt("test/urls_neg.txt", b"http://www.imdb.com/title/tt1/\n" * 39 + b"film\n"),
        ["line 40", "'film'"],
    ),
    "another file": (spoilt("train/neg/notes.txt", b"x"), ["notes.txt", "no review"]),
    "the same number": (spoilt("train/neg/7_1.txt", b"x"), ["two reviews of the number 7"]),
    "an empty review": (spoilt("test/pos/3_8.txt", b" "), ["3_8.txt", "is empty"]),
    "not UTF-8": (spoilt("test/pos/3_8.txt", b"caf\xe9"), ["3_8.txt", "not UTF-8"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_is_not_whole_is_refused_in_one_line(archive, name):
    damage, words = REFUSED[name]
    damage(archive)
    with pytest.raises((ValueError, FileNotFoundError)) as refused:
        load_reviews(small(archive))
    assert "\n" not in str(refused.value)
    for word in words:
        assert word in str(refused.value).replace("\\", "/")


def test_any_other_folder_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no train/neg: expected an unpacked aclImdb"):
        load_raw_reviews(small(tmp_path))


def test_the_whole_archive_is_cut_as_imdb_is(monkeypatch, archive):
    asked = []

    def cut(ids, texts, labels, films):
        asked.append(set(films))
        return {"train": [0, 1], "validation": [2, 3], "test": [4]}

    monkeypatch.setattr("imdb_tutorial.dataset.reviews.cut_imdb_pools", cut)
    monkeypatch.setattr("imdb_tutorial.dataset.reviews.IMDB_ROWS", 2 * EACH)
    load_reviews(small(archive))
    assert len(asked[0]) == FILMS
