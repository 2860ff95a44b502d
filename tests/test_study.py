"""The recorded study: it can be recomputed, it is refused when it does not fit, and it resumes."""

import json

import datasets
import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from experiments import (
    data,
    ladder,
    ladder_bags,
    parts,
    probes,
    rates,
    study as planned,
    words,
)
from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    accuracy_interval,
    compare_grouped,
    grouped_interval,
    load_evidence,
    load_sentences,
    load_study,
    load_tokenizer,
    spread,
)
from imdb_tutorial.evaluation.recorded_study import PROBABILITIES, RECORD


@pytest.fixture(scope="module")
def study():
    return load_study()


@pytest.fixture(scope="module")
def reviews(whole_pools):
    return whole_pools


@pytest.fixture(scope="module")
def labels(reviews):
    return np.array(reviews["test"]["label"][:])


@pytest.fixture(scope="module")
def films(reviews):
    return reviews["test"]["film"][:]


@pytest.mark.parametrize("experiment", ["probes", "rates"])
def test_accuracies_can_be_recomputed_from_the_answers(study, labels, experiment):
    right = (study.answers(experiment) >= 128) == labels
    recorded = study.table(experiment).test_accuracy
    np.testing.assert_allclose(right.mean(axis=1), recorded, atol=1e-9)


def test_the_ladders_accuracies_can_be_recomputed(study, labels):
    right = (study.answers("ladder") > 0) == labels
    np.testing.assert_allclose(right.mean(axis=1), study.table("ladder").test_accuracy, atol=1e-9)


def test_accuracies_of_parts_can_be_recomputed(study, labels):
    right = (study.answers("parts") >= 128) == labels
    cut = study.answers("parts", "is_cut")
    for n, run in study.table("parts").iterrows():
        assert cut[n].sum() == run.cut_reviews
        assert right[n][cut[n]].mean() == pytest.approx(run.test_accuracy, abs=1e-9)


def test_the_parts_of_long_reviews_in_words(study, labels):
    cut, table = study.answers("parts", "is_cut"), study.table("parts")
    for size, runs in table.groupby("size"):
        parts = study.parts(labels, size)
        assert parts.columns.tolist() == ["head", "tail", "both"]
        assert parts.index.tolist() == np.flatnonzero(cut[runs.index[0]]).tolist()
        assert parts.mean().tolist() == pytest.approx(runs.test_accuracy.tolist(), abs=1e-9)
    with pytest.raises(ValueError, match=r"parts of 256 tokens: expected one of \[128, 512\]"):
        study.parts(labels, 256)
    with pytest.raises(ValueError, match="3 labels for 4,000 test reviews: load the whole pool"):
        study.parts([0, 1, 1], 512)


def test_accuracies_of_cuts_can_be_recomputed(study, reviews):
    places = {name: n for n, name in enumerate(_ids(reviews))}
    order = np.argsort([int(name.partition("/")[2]) for name in places])
    truth = np.concatenate([reviews[part]["label"][:] for part in ("train", "validation", "test")])
    for n, run in study.table("cutting").iterrows():
        held_back = truth[order][study.answers("cutting", "rows")[n]]
        assert held_back.mean() == 0.5
        for model in ("tfidf", "probe"):
            right = (study.answers("cutting", model)[n] >= 128) == held_back
            assert right.mean() == pytest.approx(run[model], abs=1e-9)


def _ids(reviews):
    return [name for part in ("train", "validation", "test") for name in reviews[part]["id"]]


def test_choosing_can_be_recomputed(study):
    table = study.table("choosing")
    changes = np.unpackbits(study.answers("choosing", "changes")[0], axis=1)[:, :7_000]
    right = np.bitwise_xor.accumulate(changes, axis=0).astype(bool)
    run = table[(table.held_back == 250) & (table.candidates == len(right))].iloc[0]
    again = probes.optimism(right, 250, int(run.seed))
    assert again == pytest.approx({name: run[name] for name in again}, abs=1e-9)


def test_every_row_says_what_it_was_chosen_on_and_asked(study):
    for experiment in study.experiments:
        table = study.table(experiment)
        assert table[["chosen_on", "asked"]].map(lambda said: isinstance(said, str)).all(axis=None)
        assert not table.chosen_on.str.fullmatch("test").any()
    probes_of = study.table("probes").groupby("loss").chosen_on.unique().map(list)
    assert probes_of["optimum"] == ["validation"] and len(probes_of["logits"]) == 1
    assert probes_of["logits"] == probes_of["softmax"] != probes_of["optimum"]
    # A model with a strength chose it somewhere; one without has none to choose.
    for experiment in ("probes", "ladder"):
        table = study.table(experiment)
        chose = table.strength.notna()
        assert not table.chosen_on[chose].str.startswith("nothing").any()
    ladder_of = study.table("ladder").set_index("model").chosen_on
    assert ladder_of["NB words"] == "cross-validation inside the sample"  # as its row says
    assert ladder_of["TF-IDF"] == "validation"


def test_candidates_are_unpacked(study):
    """Against a plain loop: each candidate is the one before, with the changed reviews turned."""
    found = study.candidates(seed=3)
    packed = study.answers("choosing", "changes")[3]
    before = np.zeros(found.shape[1], dtype=bool)
    for candidate, bits in zip(found, packed, strict=True):
        changed = [bool(byte >> (7 - bit) & 1) for byte in bits for bit in range(8)]
        before = before ^ changed[: len(before)]
        assert np.array_equal(candidate, before)
    assert not np.array_equal(found, study.candidates(seed=4))


def test_right_is_what_the_table_says(study, labels):
    table = study.table("probes")
    chosen = table[(table.pooling == "mean") & (table.loss == "logits") & ~table.standardised]
    for size, rows in chosen.groupby("size"):
        about = {"pooling": "mean", "loss": "logits", "standardised": False, "size": size}
        right = study.right("probes", labels, **about)
        np.testing.assert_allclose(right.mean(axis=1), rows.test_accuracy, atol=1e-9)
    again = study.right("probes", labels, **about | {"size": "all"})
    assert np.array_equal(again, right)
    words = study.right("ladder", labels, model="TF-IDF")
    assert np.array_equal(words, [(study.margins("TF-IDF") > 0) == labels])


def test_right_with_the_labels_of_another_pool_is_refused(study, labels):
    with pytest.raises(ValueError, match=r"10 labels for 4,000 test texts.*test_size=None"):
        study.right("ladder", labels[:10], model="TF-IDF")


@pytest.mark.parametrize("chosen_on", ["test", "validation"])
def test_optimism_is_promised_less_kept(study, chosen_on):
    table = study.table("choosing")
    some = table[(table.among == "epochs of one run") & (table.held_back == 250)]
    apart = some[f"promised_by_{chosen_on}"] - some[f"reached_by_{chosen_on}"]
    found = study.optimism("epochs of one run", chosen_on)
    assert list(found.index) == [100, 250, 500, 1_000]
    assert tuple(found.loc[250]) == pytest.approx(spread(apart))


def test_the_packaged_classifiers_time_holds_its_teachers(study, labels, films):
    run = study.table("ladder").set_index("model").loc["packaged"]
    student, teacher = (
        json.loads((RECORD.parent / name / "record.json").read_text(encoding="utf-8"))
        for name in ("packaged_classifier", "base_classifier")
    )
    before = teacher["runs"][0]["seconds"] + student["seconds_of_asking_the_teacher"]
    minutes = (run.seconds + before) / 60
    assert study.ladder(labels, films).loc["packaged", "time to train"] == f"{minutes:.0f} min"


def test_every_seed_of_the_plan_is_in_the_record(study):
    units = planned.plan(range(study.record["seeds"][0], study.record["seeds"][-1] + 1))
    assert [str(unit) for unit in units] == [unit["name"] for unit in study.record["units"]]
    assert study.record["missing"] == []
    assert {unit.experiment for unit in units} == set(study.experiments)
    trained = [unit for unit in units if unit.experiment == "probes"]
    assert study.table("probes").groupby(["size", "seed"]).ngroups == len(trained)
    assert set(study.table("ladder").model) == {*planned.LADDER, "packaged", "base", "fine-tuned"}
    assert sum(study.record["seconds"].values()) < 2 * 2 * 3600  # two cores for two hours


def test_a_unit_without_a_digest_is_listed_as_stale(study):
    stale = set(study.record["stale"])
    unknown = {unit["name"] for unit in study.record["units"] if unit["digest"] is None}
    assert unknown <= stale
    assert "ladder-model=NB_words-seed=0" not in unknown


def test_each_units_rows_are_those_of_what_it_varies(study):
    """What a unit varies stands in its rows; without a size it had all reviews."""
    units = {str(unit): unit for unit in planned.plan(range(5))}
    for about in study.record["units"]:
        rows = study.record["experiments"][about["experiment"]][slice(*about["rows"])]
        assert rows
        for row in rows:
            for key, value in units[about["name"]].varies.items():
                if about["experiment"] != "padding":  # timed once; its rows name no seed
                    assert row[key] == (17_642 if value is None else value)


def test_the_bag_of_naive_bayes_answers_as_the_same_one_of_the_evidence(study, labels):
    """Both fits are of all training reviews; each came from its own code and its own command."""
    probabilities = 1 / (1 + np.exp(-study.margins("NB words").astype(float)))
    evidence = load_evidence()
    table = evidence.table("words")
    (row,) = table.index[(table.model == "NB words") & (table["size"] == table["size"].max())]
    steps = np.abs(data.quantise(probabilities).astype(int) - evidence.answers("words")[row])
    assert steps.max() <= 1
    for part in ("validation", "sentences"):  # of which the evidence says nothing
        both = [study.margins(model, part) for model in ("NB words", "TF-IDF")]
        assert np.corrcoef(both)[0, 1] > 0.7


def test_the_ladder_says_what_evaluation_says(study, labels, films):
    table = study.ladder(labels, films)
    right = {m: (study.margins(m) > 0) == labels for m in ("TF-IDF", "packaged")}
    for model, flags in right.items():
        over_films = grouped_interval(flags, films)
        assert table.loc[model, "accuracy (95 % interval over films)"] == str(over_films)
        assert table.loc[model, "counting reviews"] == str(accuracy_interval(flags))
        assert table.loc[model, "design effect"] == f"{over_films.design_effect:.1f}"
    expected = str(compare_grouped(right["packaged"], right["TF-IDF"], films))
    assert expected.startswith(table.loc["packaged", "less TF-IDF"])
    assert table.loc["TF-IDF", "less TF-IDF"] == ""


def test_the_ladder_refuses_films_of_other_reviews(study, labels, films):
    with pytest.raises(ValueError, match=r"groups are of the shape \(10,\).*4000 reviews"):
        study.ladder(labels, films[:10])


def test_the_ladders_answers_have_the_ladders_names(study, labels, films):
    right, table = study.ladder_right(labels), study.ladder(labels, films)
    assert list(right) == list(table.index)
    for seed in study.table("ladder").query("model == 'fine-tuned'").seed:
        expected = (study.margins("fine-tuned", seed=seed) > 0) == labels
        assert np.array_equal(right[f"fine-tuned, seed {seed}"], expected)


def test_margins_of_a_seed(study):
    table = study.table("ladder")
    runs = table[table.model == "fine-tuned"]
    for place, seed in zip(runs.index, runs.seed, strict=True):
        found = study.margins("fine-tuned", seed=seed)
        assert np.array_equal(found, study.answers("ladder")[place])
    with pytest.raises(ValueError, match=r"no run of 'fine-tuned' with seed 99"):
        study.margins("fine-tuned", seed=99)


def test_other_reviews_are_refused(study, reviews):
    study.check(reviews)
    study.check({"sentences": load_sentences()})
    with pytest.raises(ValueError, match=r"the test reviews \(10\) are not those.*test_size=None"):
        study.check({"test": reviews["test"].select(range(10))})


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda study: study.table("nothing"), "no experiment 'nothing'.*probes"),
        (lambda study: study.answers("probes", "train"), "no answers 'train' of 'probes': .*test"),
        (lambda study: study.answers("padding"), "no answers 'test' of 'padding': it has none"),
        (lambda study: study.margins("GPT"), "no run of 'GPT'.*TF-IDF"),
        (
            lambda study: study.right("ladder", [], colour=1),
            "no column 'colour' in 'ladder'.*model",
        ),
        (lambda study: study.right("ladder", [], model="x"), "no run of 'ladder' with model 'x'"),
        (lambda study: study.candidates(seed=99), "no candidates of seed 99.*0, 1"),
        (lambda study: study.optimism("epochs of one run", "train"), "chosen_on is 'train'"),
    ],
)
def test_what_is_not_there_is_named(study, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(study)


@pytest.fixture
def copy(tmp_path):
    for file in (RECORD, PROBABILITIES):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_a_missing_record_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no study\.json in .*make study"):
        load_study(tmp_path)


def test_a_record_of_another_format_is_refused(copy):
    record = json.loads(RECORD.read_text()) | {"format": 0}
    (copy / RECORD.name).write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"has the format 0, this code reads \d.*make study"):
        load_study(copy)


def test_a_damaged_record_is_refused(copy):
    (copy / RECORD.name).write_text(RECORD.read_text()[:1000])
    with pytest.raises(ValueError, match=r"study\.json is damaged.*make study"):
        load_study(copy)


def test_answers_of_another_study_are_refused(copy):
    with (copy / PROBABILITIES.name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match=r"study\.npz does not belong to study\.json.*make study"):
        load_study(copy)


def test_tfidf_by_columns_is_scikit_learns(reviews):
    train = reviews["train"]["text"][:300]
    asked = reviews["test"]["text"][:100]
    oracle = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    expected = [oracle.fit_transform(train), oracle.transform(asked)]
    everything = data.CountVectorizer(ngram_range=(1, 2), dtype=np.float32)
    counts = everything.fit_transform([*train, *asked])
    found = data.tfidf(counts[:300], counts[300:])
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert abs(one - other).max() < 1e-6


@pytest.mark.parametrize(("by", "block"), [("rows", 1), ("blocks of 500", 500)])
def test_cuts_hold_back_whole_blocks_of_both_labels(by, block):
    _, truth = data.everything()
    train, test = data.cut(3, by, 2_000)
    assert np.array_equal(np.sort([*train, *test]), np.arange(len(truth)))
    for label in (0, 1):
        first = np.flatnonzero(truth == label)[0]
        inside = np.sort(test[truth[test] == label]) - first
        assert len(inside) == 2_000
        assert all(len(set(part // block)) == 1 for part in np.split(inside, 2_000 // block))


def test_a_cut_by_films_has_no_film_on_both_sides():
    _, truth = data.everything()
    train, test = data.cut(3, "films", 2_000)
    assert np.bincount(truth[test]).tolist() == [2_000, 2_000]
    assert not set(data.films()[train]) & set(data.films()[test])
    assert 20_000 < len(train) < len(truth) - 4_000
    assert set(words.film_mates(train, test).values()) == {0.0}


def test_blocks_leave_the_films_other_label_in_train():
    mates = words.film_mates(*data.cut(3, "blocks of 500", 2_000))
    assert mates["film_in_train_with_other_label_only"] > 0.2
    assert mates["film_in_train_with_same_label"] < 0.2


def test_samples_grow_by_seed():
    assert np.array_equal(data.sample(5, 100), data.sample(5, 1_000)[:100])
    assert not np.array_equal(data.sample(5, 100), data.sample(6, 100))
    assert len(set(data.sample(5, None))) == len(data.labels("train"))


def test_the_rung_of_naive_bayes_is_a_plain_fit_of_weighed_words(monkeypatch):
    """Against counts, ratios and a fit by hand, on toy reviews."""
    random = np.random.default_rng(0)
    good, bad = ["fine", "lovely", "great"], ["dull", "poor", "awful"]
    pools = {}
    for part in data.PARTS:
        truth = np.arange(60) % 2
        texts = [
            " ".join(random.choice((good if y else bad) + ["the", "film", "plot", "a1"], 8))
            for y in truth
        ]
        pools[part] = (texts, truth)
    toy = datasets.DatasetDict(
        {p: datasets.Dataset.from_dict({"text": x, "label": y}) for p, (x, y) in pools.items()}
    )
    counter = data.CountVectorizer(ngram_range=(1, 2), dtype=np.float32)
    counts = counter.fit_transform([text for texts, _ in pools.values() for text in texts])
    by_part = {part: counts[60 * n : 60 * n + 60] for n, part in enumerate(data.PARTS)}
    for module in (ladder_bags, ladder):
        monkeypatch.setattr(module, "labels", lambda part: pools[part][1])
    monkeypatch.setattr(ladder_bags, "reviews", lambda: toy)
    monkeypatch.setattr(ladder_bags, "word_counts", lambda: by_part)
    (row,), answers = ladder_bags.climb_naive_bayes({"model": "NB words", "seed": 0})

    seen = {part: (some.toarray() > 0).astype(float) for part, some in by_part.items()}
    known = seen["train"].sum(axis=0) >= 2
    train, truth = seen["train"][:, known], pools["train"][1]
    p, q = (1 + train[truth == label].sum(axis=0) for label in (1, 0))
    ratio = np.log(p / p.sum()) - np.log(q / q.sum())
    fit = LogisticRegression(C=row["strength"], max_iter=1_000).fit(train * ratio, truth)
    for part, found in answers.items():
        expected = fit.decision_function(seen[part][:, known] * ratio)
        np.testing.assert_allclose(found[0], expected, atol=0.02)
        assert np.array_equal(found[0] > 0, expected > 0)
    assert row["test_accuracy"] == np.mean((answers["test"][0] > 0) == pools["test"][1])
    assert row["strength"] in row["strengths"] and row["asked"] == "test"
    names = counter.get_feature_names_out()[known]
    size = 4 * len(names) + sum(len(name) for name in names)  # a float32 and a name a word
    assert row["megabytes"] == pytest.approx(size / 1e6)


def test_a_rate_is_chosen_by_validation_for_each_way(monkeypatch):
    """Against a loop by hand: a linear layer, AdamW, a falling rate, cross-entropy."""
    random = np.random.default_rng(0)
    toy = {p: torch.from_numpy(random.normal(size=(64, 8)).astype("f4")) for p in data.PARTS[:3]}
    truth = {p: (x[:, 0] + 0.5 * x[:, 1] > 0).long().numpy() for p, x in toy.items()}
    for module in (rates, data):
        monkeypatch.setattr(module, "features", lambda part: {"mean": toy[part]})
        monkeypatch.setattr(module, "labels", lambda part: truth[part])
    rows, answers = rates.sweep_rates({"size": 48, "seed": 3})
    assert [row["loss"] for row in rows] == ["softmax", "logits"]

    chosen = data.sample(3, 48)
    for row, answer in zip(rows, answers["test"], strict=True):
        found, asked = [], []
        for rate in rates.RATES:
            torch.manual_seed(3)
            layer = LinearProbe(8, pooling="mean").linear
            loader = FeatureLoader(
                toy["train"][chosen], truth["train"][chosen], data.PRESET.batch_size, True, 3
            )
            optimizer = torch.optim.AdamW(layer.parameters(), lr=rate)
            for _ in range(data.PRESET.num_epochs):
                for inputs, wanted in loader:
                    outputs = layer(inputs["features"])
                    if row["loss"] == "softmax":
                        outputs = outputs.softmax(dim=1)
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(outputs, wanted).backward()
                    optimizer.step()
                optimizer.param_groups[0]["lr"] *= data.PRESET.gamma
            with torch.no_grad():
                right = layer(toy["validation"]).argmax(dim=1).numpy() == truth["validation"]
                found.append(right.mean())
                asked.append(layer(toy["test"]).softmax(dim=1)[:, 1].numpy())
        assert row["validation_by_rate"] == pytest.approx(found, abs=1e-5)
        best = int(np.argmax(found))
        assert row["rate"] == rates.RATES[best] and row["rates"] == list(rates.RATES)
        np.testing.assert_allclose(answer / 256, asked[best], atol=0.01)


def test_a_byte_keeps_the_verdict():
    probabilities = np.array([0.0, 0.499999, 0.5, 0.75, 1.0])
    assert data.quantise(probabilities).tolist() == [0, 127, 128, 192, 255]


def test_no_choice_no_optimism():
    one = np.random.default_rng(0).random((1, 2_000)) < 0.8
    found = probes.optimism(np.repeat(one, 50, axis=0), 200, seed=0)
    assert found["promised_by_test"] == pytest.approx(found["reached_by_test"], abs=0.005)


def test_the_best_of_many_coins_promises_too_much_on_test_only():
    coins = np.random.default_rng(0).random((100, 3_000)) < 0.5
    found = probes.optimism(coins, 100, seed=0)
    assert found["promised_by_test"] > 0.59
    assert found["reached_by_test"] == pytest.approx(0.5, abs=0.02)
    assert found["promised_by_validation"] == pytest.approx(0.5, abs=0.02)


def test_a_long_text_keeps_its_head_its_tail_or_both():
    tokenizer = load_tokenizer()
    text = " ".join(f"word{n}" for n in range(300))
    for part in ("head", "tail", "both"):
        kept = parts.keep(text, part, 64, tokenizer)
        assert len(tokenizer(kept)["input_ids"]) <= 64
        assert kept.startswith("word0") == (part != "tail")
        assert kept.endswith("299") == (part != "head")
        assert parts.keep("short", part, 64, tokenizer) == "short"
