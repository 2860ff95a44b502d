"""The script behind the record of the official split, on a small imitation of the archive."""

import json
import sys

import numpy as np
import pytest

from experiments import official
from experiments.__main__ import main
from experiments.data import hold_back
from imdb_tutorial import load_official_split, load_raw_reviews
from imdb_tutorial.evaluation.records import DATA

GOOD = "a great film with the best story and love in it".split()
BAD = "a dull film with the worst plot and awful boring acting".split()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return an aclImdb of 60 reviews of each label and split; 30 films have both labels."""
    root, random = tmp_path_factory.mktemp("archive") / "aclImdb", np.random.default_rng(0)
    for split in ("train", "test"):
        for label, stars, words in (("neg", 2, BAD), ("pos", 9, GOOD)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(60):
                text = " ".join(random.permutation([*words, *random.choice(words, 4)]))
                (folder / f"{number}_{stars}.txt").write_text(text, encoding="utf-8")
            lines = [
                f"http://www.imdb.com/title/tt{number // 2:07}/usercomments" for number in range(60)
            ]
            (root / split / f"urls_{label}.txt").write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(official, "ASKED", 40)
    monkeypatch.setattr(official, "BLOCK", 5)
    monkeypatch.setattr(official.Official.__init__, "__defaults__", (40, 20, 0))


@pytest.mark.slow
def test_the_script_writes_what_the_record_holds(archive, small, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["x", "official", "--reviews", str(archive), "--output", str(tmp_path)]
    )
    monkeypatch.setenv("TQDM_DISABLE", "1")
    main()
    written = json.loads((tmp_path / "official_split.json").read_text(encoding="utf-8"))
    kept = json.loads((DATA / "official_split.json").read_text(encoding="utf-8"))
    assert written["counts"] == {"train": 120, "test": 120, "asked": 40, "held_back": 40, "seed": 0}
    assert written["script"] == kept["script"] == official.COMMAND
    assert "scikit-learn" in written["versions"]
    for name in ("cut", "films", "features", "bag_of_words"):
        assert len(written[name]) == len(kept[name])
        for ours, theirs in zip(written[name], kept[name], strict=True):
            assert set(ours) == set(theirs)
            assert ours.get("model") == theirs.get("model")
            assert ours.get("pooling") == theirs.get("pooling")
    bags = [row for row in written["films"] + written["cut"] if "MiniLM" not in row["model"]]
    assert all(row["official_test"] == row["held_back"] == 1 for row in bags)
    assert str(archive) not in json.dumps(written)


def test_films_that_are_held_back_are_in_no_other_part(archive, small):
    raw = load_raw_reviews(official.PRESET.replace(reviews=str(archive)))
    truth, films = np.array(raw["train"]["label"]), np.array(raw["train"]["group"])
    for seed in range(5):
        train, held = hold_back(np.random.default_rng(seed), truth, films, None, 20)
        assert not set(films[train]) & set(films[held])
        assert truth[held].sum() == 20 and len(held) == 40


def test_naive_bayes_weights_say_for_which_label_a_word_speaks():
    counts = official.scipy.sparse.csr_matrix(
        np.array([[1, 0, 1], [3, 0, 1], [0, 1, 1], [0, 2, 1]])
    )
    (weights,) = official.naive_bayes(np.array([1, 1, 0, 0]), counts)
    assert weights.toarray()[0] == pytest.approx([np.log(3), 0, 0])
    assert weights.toarray()[3] == pytest.approx([0, -np.log(3), 0])


def test_reviews_without_a_test_split_are_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "official", "--reviews", "packaged"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: 'packaged' has no test split of its own")


def test_the_record_says_what_made_it_and_from_how_many():
    assert set(load_official_split()) == {"cut", "films", "features", "bag_of_words"}
    record = json.loads((DATA / "official_split.json").read_text(encoding="utf-8"))
    assert record["script"] == official.COMMAND
    assert {"train", "test", "asked"} <= set(record["counts"])
    assert "versions" in record
