"""Label noise: the blind sheet, the suspects, the share of wrong labels, and their record."""

import hashlib
import importlib.util
import json
import math
import re
import shutil

import numpy as np
import pytest
import scipy.sparse

from experiments import label_noise, noise_sheet, noise_suspects
from imdb_tutorial import (
    accuracy_by_stars,
    load_label_noise,
    load_preset,
    load_reviews,
    load_study,
    stratified_share,
)
from imdb_tutorial.evaluation import records
from imdb_tutorial.machine.packages import DamagedFileError

needs_cleanlab = pytest.mark.skipif(
    importlib.util.find_spec("cleanlab") is None,
    reason="cleanlab is not installed: it comes with the extra [study]",
)
Z = 1.959963984540054


@pytest.fixture(scope="module")
def noise():
    return load_label_noise()


@pytest.fixture(scope="module")
def written():
    return json.loads((records.DATA / "label_noise.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pools():
    whole = {f"{pool}_size": None for pool in ("train", "validation", "test")}
    return load_reviews(load_preset("laptop").replace(**whole))


@pytest.fixture(scope="module")
def official(pools):
    """Return the review of every id, with its pool."""
    return {
        name: {"pool": pool, "label": label, "text": text}
        for pool, split in pools.items()
        for name, label, text in zip(split["id"], split["label"], split["text"], strict=True)
    }


def by_hand(hits, counts, sizes):
    """Return share and interval by the papers' formulas: Wilson's limits, then square-and-add."""
    weights = [size / sum(sizes) for size in sizes]
    shares = [hit / count for hit, count in zip(hits, counts, strict=True)]
    limits = []
    for p, n in zip(shares, counts, strict=True):
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        limits.append((middle - reach, middle + reach))
    share = sum(w * p for w, p in zip(weights, shares, strict=True))
    rows = list(zip(weights, shares, limits, strict=True))
    low = share - math.sqrt(sum((w * (p - limit[0])) ** 2 for w, p, limit in rows))
    high = share + math.sqrt(sum((w * (limit[1] - p)) ** 2 for w, p, limit in rows))
    return share, low, high


def flags(hits, count):
    return [True] * hits + [False] * (count - hits)


@pytest.mark.parametrize(
    ("hits", "counts", "sizes"),
    [((12, 2), (64, 96), (688, 23_954)), ((0, 0), (60, 60), (100, 900)), ((5, 9), (5, 9), (5, 9))],
)
def test_a_stratified_share_is_that_of_the_papers_formulas(hits, counts, sizes):
    samples = {
        name: flags(hit, count)
        for name, hit, count in zip(("suspects", "others"), hits, counts, strict=True)
    }
    found = stratified_share(samples, dict(zip(samples, sizes, strict=True)))
    assert found[:3] == pytest.approx(by_hand(hits, counts, sizes))
    assert found.reviews == sum(counts)


def test_the_interval_of_a_stratified_share_holds_the_truth_as_often_as_it_says():
    random, sizes, rates = np.random.default_rng(0), (700, 24_000), (0.2, 0.02)
    truth = np.dot(sizes, rates) / sum(sizes)
    inside = []
    for hits in random.binomial((64, 96), rates, (600, 2)):
        samples = {"a": flags(hits[0], 64), "b": flags(hits[1], 96)}
        _, low, high, _ = stratified_share(samples, dict(zip("ab", sizes, strict=True)))
        inside.append(low <= truth <= high)
    assert 0.92 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize(
    ("samples", "sizes", "said"),
    [
        ({}, {}, "expected the same"),
        ({"a": [True]}, {"b": 3}, r"strata \['a'\], sizes has \['b'\]"),
        ({"a": []}, {"a": 3}, r"flags\['a'\]"),
        ({"a": [1, 0]}, {"a": 3}, "expected True or False"),
        ({"a": [True, False]}, {"a": 1}, "expected at least the 2 reviews"),
    ],
)
def test_strata_that_make_no_sense_are_refused(samples, sizes, said):
    with pytest.raises(ValueError, match=said):
        stratified_share(samples, sizes)


def test_accuracy_by_stars_counts_each_number_of_stars_by_itself():
    stars = [1, 1, 4, 4, 7, 10]
    margins = [-2.0, 1.0, 3.0, -1.0, -4.0, 2.0]
    table = accuracy_by_stars(y_true=[0, 0, 0, 0, 1, 1], logits=margins, stars=stars)
    assert table["count"].to_dict() == {1: 2, 4: 2, 7: 1, 10: 1}
    assert table["accuracy"].to_dict() == {1: 0.5, 4: 0.5, 7: 0, 10: 1}
    assert table["of_mistakes"].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    sure = [1 / (1 + math.exp(-abs(m))) for m in margins]
    assert table["confidence"][4] == pytest.approx((sure[2] + sure[3]) / 2)
    assert table["low"][10] == pytest.approx(1 / (1 + Z**2))  # Wilson's lower limit of 1 of 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"stars": [1]}, "stars"), ({"logits": [0.0, math.nan]}, "finite"), ({"y_true": [0]}, "1")],
)
def test_accuracy_by_stars_refuses_what_does_not_fit(changed, said):
    given = {"y_true": [0, 1], "logits": [-1.0, 1.0], "stars": [1, 10]} | changed
    with pytest.raises(ValueError, match=said):
        accuracy_by_stars(**given)


def test_the_sheet_holds_numbers_and_texts_and_nothing_else(noise, official):
    texts = [official[name]["text"] for name in noise.judged["id"]]
    sheet = noise_sheet.write_sheet(texts)
    assert re.findall(r"^### (\d+)$", sheet, re.MULTILINE) == [str(n) for n in range(1, 161)]
    left = re.sub(r"^### \d+$", "", sheet, flags=re.MULTILINE)
    # What is left is the authors' own words, in order: no id, label, star or score beside them.
    assert left.split() == [word for text in texts for word in text.replace("<br />", " ").split()]


def test_the_judgements_belong_to_this_sheet(noise, official):
    kept = json.loads(label_noise.JUDGEMENTS.read_text(encoding="utf-8"))
    sheet = noise_sheet.write_sheet([official[name]["text"] for name in noise.judged["id"]])
    assert hashlib.sha256(sheet.encode()).hexdigest() == kept["sheet_sha256"]
    said = [kept["judgements"][str(n)] for n in range(1, 161)]
    assert said == noise.judged[["judgement", "reason"]].to_numpy().tolist()


def test_suspects_and_others_are_drawn_at_random_and_mixed():
    suspects = np.arange(2_000) % 5 == 0
    sizes = {"suspects": 60, "others": 90}
    rows = noise_sheet.draw(suspects, sizes, seed=1)
    assert len(set(rows)) == 150 and suspects[rows].sum() == 60
    assert (rows == noise_sheet.draw(suspects, sizes, seed=1)).all()
    assert (rows != noise_sheet.draw(suspects, sizes, seed=2)).any()
    halves = suspects[rows[:75]].sum(), suspects[rows[75:]].sum()
    assert min(halves) >= 20  # in blocks it would be 60 and 0


def test_a_review_is_judged_by_a_model_that_knows_no_review_of_its_film():
    """Each film has a word of its own, which tells its label; nothing else does."""
    films = np.repeat(np.arange(100), 3)
    truth = films % 2
    counts = scipy.sparse.csr_matrix(np.eye(100, dtype=np.float32)[films])
    found = noise_suspects.out_of_sample(counts, truth, films)
    assert np.abs(found - 0.5).max() < 0.1  # by rows instead of films it would be sure


@needs_cleanlab
def test_planted_wrong_labels_are_suspects():
    random = np.random.default_rng(0)
    truth = np.arange(600) % 2
    probabilities = np.where(truth == 1, 0.9, 0.1) + random.uniform(-0.09, 0.09, 600)
    planted = random.choice(600, 30, replace=False)
    labels = truth.copy()
    labels[planted] = 1 - labels[planted]
    found = noise_suspects.find_suspects(labels, probabilities)
    suspects = set(np.flatnonzero(found.flags))
    assert suspects <= set(planted) and len(suspects) >= 25
    assert found.quality[planted].max() < np.delete(found.quality, planted).min()


@needs_cleanlab
def test_the_packaged_classifiers_suspects_are_those_of_its_recorded_answers(noise, pools):
    margins = load_study().margins("packaged").astype(float)
    found = noise_suspects.find_suspects(
        np.array(pools["test"]["label"]), 1 / (1 + np.exp(-margins))
    )
    names = np.array(pools["test"]["id"])[found.flags]
    assert noise.suspects["packaged"] == names.tolist()


def test_the_record_knows_the_answers_it_was_made_with(written):
    margins = load_study().margins("packaged")
    assert hashlib.sha256(margins.tobytes()).hexdigest() == written["packaged_margins_sha256"], (
        "the packaged classifier answers otherwise: run `make label-noise`"
    )


def test_the_record_agrees_with_the_reviews_and_with_itself(noise, written, official):
    suspects = set(noise.suspects["TF-IDF"])
    assert len(suspects) == len(noise.suspects["TF-IDF"]) == noise.reviews["suspects"].sum()
    for name, row in noise.judged.set_index("id").iterrows():
        assert (row["label"], row["pool"]) == (official[name]["label"], official[name]["pool"])
        assert row["suspect"] == (name in suspects)
        assert row["judgement"] in ("positive", "negative", "mixed") and row["reason"]
    for pool, counts in noise.reviews.iterrows():
        inside = [name for name, review in official.items() if review["pool"] == pool]
        assert counts["suspects"] == len(suspects & set(inside))
        assert counts.sum() == len(inside)
    assert noise.judged["suspect"].value_counts().to_dict() == {False: 96, True: 64}
    assert "blind" in written["judge"] and "language model" in written["judge"]
    assert "cleanlab" in written["versions"]


def test_the_shares_of_the_record_follow_from_its_own_judgements(noise, written):
    hits, counts = [], []
    for suspect in (True, False):
        rows = [row for row in written["judged"] if row["suspect"] == suspect]
        opposite = {"positive": 0, "negative": 1, "mixed": None}
        hits.append(sum(row["label"] == opposite[row["judgement"]] for row in rows))
        counts.append(len(rows))
    sizes = [sum(pool[n] for pool in written["reviews"].values()) for n in ("suspects", "others")]
    assert noise.wrong["all reviews"][:3] == pytest.approx(by_hand(hits, counts, sizes))
    assert noise.wrong["suspects"].value == hits[0] / counts[0]
    assert noise.wrong["others"].value == hits[1] / counts[1]
    assert {name: list(share) for name, share in noise.wrong.items()} == written["wrong"]
    assert noise.judged["wrong"].sum() == sum(hits)


def test_a_record_that_was_changed_is_refused(tmp_path, monkeypatch):
    shutil.copy(records.DATA / "label_noise.json", tmp_path)
    records.seal_records(tmp_path)
    monkeypatch.setattr(records, "DATA", tmp_path)
    assert len(load_label_noise().judged) == 160
    file = tmp_path / "label_noise.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"judgement": "mixed"', '"judgement": "positive"', 1), "utf-8")
    with pytest.raises(DamagedFileError, match=r"label_noise\.json"):
        load_label_noise()


def test_judgements_of_another_sheet_are_refused():
    data = noise_suspects.Everything(
        pool=np.repeat("train", 400),
        ids=np.array([f"train/{n}" for n in range(400)]),
        texts=[f"review {n}" for n in range(400)],
        labels=np.arange(400) % 2,
        films=np.arange(400),
        stars=np.arange(400) % 4,
    )
    kept = json.loads(label_noise.JUDGEMENTS.read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="judges another sheet"):
        label_noise.judge_all(data, np.arange(400) % 3 == 0, kept)
