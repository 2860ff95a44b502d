"""Ways to say which words did it: each method and each measure against a plain way to do it."""

import itertools
import json
import math
import runpy
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.feature_extraction.text import CountVectorizer

from experiments import (
    attributions,
    attributions_methods as ways,
    attributions_pieces as pieces,
    attributions_summary as summary,
)
from experiments.attributions_asked import MASKED, TAKEN_OUT, Asked
from experiments.attributions_bags import weights_from
from experiments.attributions_gradients import MASK, MEAN, PAD, Shares
from experiments.attributions_measures import (
    PERCENTS,
    ask_versions,
    ask_whole,
    completeness_errors,
    losses,
    rank_agreement,
    strongest_counts,
)
from experiments.attributions_methods import METHODS
from experiments.bags import BAGS
from experiments.budget import fits
from imdb_tutorial import attribute, load_classifier, without_words
from imdb_tutorial.explorer.verdict import judge

ROOT = Path(__file__).resolve().parents[1]
SHORT = "a good movie, but boringly awful"
TEXTS = [
    SHORT,
    "This is the worst film! I hate it, and the actors are dull.",
    "the best story of the plot, very good scene - great ending. I love it",
]
HOSTILE = {
    "no words": "",
    "one word": "boringly",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f \U0001f600",
    "punctuation": "?!... -- ,,",
    "html": "<br /><script>alert('x')</script> &amp; good",
    "accents": "nai\u0308ve, cafe\u0301s",
    "half a pair": "good \ud83d film",
    "special tokens": "good [SEP] bad [MASK] film [PAD]",
    "longer than is read": "a good movie and a bad one. " * 10,
}
ASKING = {name: method for name, method in METHODS.items() if method.asks}


@pytest.fixture(scope="module")
def pipeline(tiny_classifier, tmp_path_factory):
    """Return the tiny classifier; it reads 48 tokens."""
    opened = load_classifier(tiny_classifier)
    opened.max_length = 48
    return opened


@pytest.fixture(scope="module")
def asked(pipeline):
    """Return what asks the tiny classifier in float32, so that answers can be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
        return Asked(pipeline)


@pytest.fixture
def no_bags(monkeypatch):
    """Let words that begin with a or b weigh something, instead of fitting a bag."""
    weights = {"a": -1.0, "b": 2.0}
    monkeypatch.setattr(
        ways,
        "word_weights",
        lambda name: lambda words: np.array([weights.get(word[:1], 0.0) for word in words]),
    )


def random(seed=0):
    return np.random.default_rng(seed)


def margin(pipeline, text):
    return judge(pipeline, text).margin


def margin_of_ids(pipeline, ids):
    with torch.no_grad():
        (logits,) = pipeline.model(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.int)
        ).logits
    number = pipeline.model.config.label2id
    return float(logits[number["POSITIVE"]] - logits[number["NEGATIVE"]])


def with_masks(pipeline, text, gone):
    """Return a text's token ids with [MASK] for every token of some words, by the tokenizer."""
    encoded = pipeline.tokenizer(text, truncation=True, max_length=pipeline.max_length)
    words = list(dict.fromkeys(word for word in encoded.word_ids() if word is not None))
    blank = pipeline.tokenizer.mask_token_id
    return [
        blank if word is not None and words.index(word) in gone else number
        for number, word in zip(encoded["input_ids"], encoded.word_ids(), strict=True)
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_leaving_out_is_a_loop_over_the_words(pipeline, asked, text):
    whole = attribute(pipeline, text)
    expected = [
        margin(pipeline, text) - margin(pipeline, without_words(whole, [number]))
        for number in range(len(whole.words))
    ]
    found = ways.leave_each_out(asked, asked.read(text), random())
    assert found.pushes == pytest.approx(expected, abs=1e-4)
    assert np.abs(found.pushes).max() > 0.1


def exact_shapley(pipeline, text):
    """Return each word's push in every order of the words, ``[orders, words]``."""
    whole = attribute(pipeline, text)
    words = range(len(whole.words))
    worth = {
        kept: margin(pipeline, without_words(whole, set(words) - set(kept)))
        for count in range(len(words) + 1)
        for kept in itertools.combinations(words, count)
    }
    pushes = np.zeros((math.factorial(len(words)), len(words)))
    for row, order in enumerate(itertools.permutations(words)):
        for place, word in enumerate(order):
            before, after = (tuple(sorted(order[:end])) for end in (place, place + 1))
            pushes[row, word] = worth[after] - worth[before]
    return pushes


def test_sampled_shapley_values_are_the_exact_ones_within_chance(pipeline, asked, monkeypatch):
    text = "good movie, awful ending"
    of_orders = exact_shapley(pipeline, text)  # [orders, words]
    reading = asked.read(text)
    assert of_orders.shape == (120, len(reading.spans))
    monkeypatch.setattr(ways, "PASSES", 2_000)
    found = ways.shapley_values(asked, reading, random())
    # As many independent orders would miss by this; an order and its reverse miss by less.
    error = of_orders.std(axis=0) / math.sqrt(2 * ways.pairs_of_orders(len(reading.spans)))
    apart = np.abs(found.pushes - of_orders.mean(axis=0))
    assert (apart <= 4 * error + 1e-4).all()
    assert np.abs(of_orders.mean(axis=0)).max() > 20 * error.max()
    single = ways.leave_each_out(asked, reading, random()).pushes
    assert np.abs(single - of_orders.mean(axis=0)).max() > 5 * error.max()


def test_orders_come_with_their_reverses_and_take_no_more_passes_than_allowed():
    orders = list(ways._orders(random(), 7, 6))
    assert len(orders) == 6
    for one, other in zip(orders[::2], orders[1::2], strict=True):
        assert one == other[::-1] and sorted(one) == list(range(7))
    assert orders[0] != orders[2]
    for words in (1, 7, 40, 100, 150, 1_000):
        passes = 2 * words * ways.pairs_of_orders(words)
        assert passes <= max(ways.PASSES, 2 * words)
        assert passes + 2 * words > ways.PASSES


@pytest.mark.parametrize("text", TEXTS)
def test_from_masks_it_is_what_the_explorer_does(pipeline, asked, text):
    expected = attribute(pipeline, text)
    found = METHODS[attributions.TODAY].find(asked, asked.read(text), random())
    assert found.pushes == pytest.approx(expected.pushes, abs=1e-4)
    assert (found.other, found.blank) == pytest.approx(
        (expected.other, expected.blank_margin), abs=1e-4
    )
    assert found.reached == pytest.approx(expected.margin - expected.blank_margin, abs=1e-4)


@pytest.mark.parametrize("baseline", [PAD, MEAN])
def test_other_baselines_by_hand(pipeline, asked, baseline):
    name = f"integrated gradients from {baseline}"
    reading = asked.read(SHORT)
    found = METHODS[name].find(asked, reading, random())
    model, table = pipeline.model, pipeline.model.get_input_embeddings()
    text = table(reading.inputs["input_ids"]).detach()
    blank = text.clone()
    padding = pipeline.tokenizer.pad_token_id
    blank[0, 1:-1] = table.weight[padding] if baseline == PAD else table.weight.mean(dim=0)
    total, steps = torch.zeros_like(text), 400
    number = model.config.label2id

    def ask(vectors):
        with table.register_forward_hook(lambda *_: vectors):
            (logits,) = model(**reading.inputs).logits
        return logits[number["POSITIVE"]] - logits[number["NEGATIVE"]]

    for step in range(steps):
        here = (blank + (step + 0.5) / steps * (text - blank)).detach().requires_grad_()
        total += torch.autograd.grad(ask(here), here)[0] / steps
    shares = ((text - blank) * total).sum(dim=-1)[0].detach()
    expected = np.zeros(len(reading.spans))
    for share, word in zip(shares.tolist(), reading.word_of_token, strict=True):
        if word is not None:
            expected[word] += share
    assert found.pushes == pytest.approx(expected, abs=0.05 * np.abs(expected).max())
    assert found.blank == pytest.approx(float(ask(blank).detach()), abs=1e-4)
    if baseline == MASK:
        everything = range(len(reading.spans))
        masked = margin_of_ids(pipeline, with_masks(pipeline, SHORT, everything))
        assert found.blank == pytest.approx(masked, abs=1e-4)


def test_both_averaged_is_the_mean_of_both(asked):
    reading = asked.read(SHORT)
    name = "integrated gradients, both averaged"
    one, other = (METHODS[part].find(asked, reading, random()) for part in METHODS[name].mean_of)
    both = METHODS[name].find(asked, reading, random())
    assert both.pushes == pytest.approx((one.pushes + other.pushes) / 2)
    assert both[1:] == pytest.approx([(a + b) / 2 for a, b in zip(one[1:], other[1:], strict=True)])
    assert (one.blank, other.blank) != pytest.approx((other.blank, one.blank), abs=0.1)


def test_gradient_times_input_by_hand(pipeline, asked):
    reading = asked.read(SHORT)
    model, table = pipeline.model, pipeline.model.get_input_embeddings()
    vectors = table(reading.inputs["input_ids"]).detach().requires_grad_()
    with table.register_forward_hook(lambda *_: vectors):
        (logits,) = model(**reading.inputs).logits
    number = model.config.label2id
    difference = logits[number["POSITIVE"]] - logits[number["NEGATIVE"]]
    (gradient,) = torch.autograd.grad(difference, vectors)
    shares = (gradient * vectors).sum(dim=-1)[0].tolist()
    expected = np.zeros(len(reading.spans))
    for place, word in enumerate(reading.word_of_token):
        if word is not None:
            expected[word] += shares[place]
    found = METHODS["gradient times input"].find(asked, reading, random())
    assert found.pushes == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.adds_up])
def test_what_promises_to_add_up_does(pipeline, asked, name):
    for text in TEXTS:
        found = METHODS[name].find(asked, asked.read(text), random())
        difference = margin(pipeline, text) - found.blank
        assert found.reached == pytest.approx(difference, abs=1e-3)
        total = found.pushes.sum() + found.other
        assert abs(total - difference) <= max(0.05 * abs(difference), 0.02) + 1e-3
        expected = abs(total - difference) / abs(difference)
        assert completeness_errors([found])[0] == pytest.approx(expected, abs=1e-3)
    empty = margin(pipeline, "")
    if name == "sampled Shapley values":
        assert found.blank == pytest.approx(empty, abs=1e-4)
        assert total == pytest.approx(difference, abs=1e-3)


@pytest.mark.parametrize("words", [1, 2, 7, 19, 20, 21, 30, 60, 100, 101, 333])
def test_shares_of_words_are_rounded_up(words):
    expected = [math.ceil(Fraction(percent, 100) * words) for percent in PERCENTS]
    assert strongest_counts(words) == expected


def plain_losses(pipeline, text, pushes):
    """Compute every measure for one text, word by word and text by text."""
    whole = attribute(pipeline, text)
    before = margin(pipeline, text)
    sign = 1 if before > 0 else -1
    ranked = sorted(range(len(pushes)), key=lambda number: -sign * pushes[number])
    found = {}
    for percent in PERCENTS:
        strongest = set(ranked[: math.ceil(Fraction(percent, 100) * len(pushes))])
        others = set(range(len(pushes))) - strongest
        for measure, gone in (("comprehensiveness", strongest), ("sufficiency", others)):
            after = {
                TAKEN_OUT: margin(pipeline, without_words(whole, gone)),
                MASKED: margin_of_ids(pipeline, with_masks(pipeline, text, gone)),
            }
            for removal, other in after.items():
                lost = {
                    "logits": sign * (before - other),
                    "probability": 1 / (1 + math.exp(-sign * before))
                    - 1 / (1 + math.exp(-sign * other)),
                }
                for unit, value in lost.items():
                    found.setdefault((measure, removal, unit), []).append(value)
    return found


def test_comprehensiveness_and_sufficiency_by_hand(pipeline, asked):
    readings = [asked.read(text) for text in TEXTS]
    pushes = [random(row).standard_normal(len(one.spans)) for row, one in enumerate(readings)]
    whole = ask_whole(asked, readings)
    assert whole == pytest.approx([margin(pipeline, text) for text in TEXTS], abs=1e-4)
    assert {bool(one > 0) for one in whole} == {True, False}
    found = losses(whole, ask_versions(asked, readings, pushes, whole))
    for row, text in enumerate(TEXTS):
        expected = plain_losses(pipeline, text, pushes[row].tolist())
        assert set(found) == set(expected)
        for key, values in expected.items():
            assert found[key][row] == pytest.approx(values, abs=1e-3), key


def test_what_a_method_finds_strong_loses_more_than_what_is_drawn_at_random(asked, no_bags):
    readings = [asked.read(text) for text in TEXTS]
    whole, areas = ask_whole(asked, readings), {}
    found = {
        name: [METHODS[name].find(asked, reading, random(row)).pushes for row, reading in rows]
        for rows in [list(enumerate(readings))]
        for name in ("leaving each word out", "random order")
    }
    found["the wrong way round"] = [-pushes for pushes in found["leaving each word out"]]
    for name, pushes in found.items():
        lost = losses(whole, ask_versions(asked, readings, pushes, whole))
        areas[name] = lost["comprehensiveness", TAKEN_OUT, "logits"].mean()
    assert areas["leaving each word out"] > areas["random order"] > areas["the wrong way round"]


def test_the_random_control_is_the_same_for_the_same_seed_alone(asked):
    reading, method = asked.read(SHORT), METHODS["random order"]
    first = method.find(asked, reading, random(1)).pushes
    assert (method.find(asked, reading, random(1)).pushes == first).all()
    assert not (method.find(asked, reading, random(2)).pushes == first).any()


@pytest.mark.parametrize("name", BAGS)
def test_a_bags_weights_are_what_its_answer_is_made_of(name):
    texts = ["good film", "good plot and film", "awful film", "awful plot", "good awful", "and and"]
    truth = np.array([1, 1, 0, 0, 1, 0])
    vectorizer = CountVectorizer(dtype=np.float32)
    counts = vectorizer.fit_transform(texts)
    weigh, _ = BAGS[name]
    weights = weights_from(name, vectorizer, counts, truth, 1.0)
    train, asked = weigh(counts, truth, vectorizer.transform(["awful film", "good", "film"]))
    (fit,) = fits(train, truth, [1.0])
    both = fit.decision_function(asked) - fit.intercept_  # [texts]
    awful, good, film = weights(["Awful", "good", "film"])
    assert awful < 0 < good
    # TF-IDF makes a text of one word as long as any other.
    lengths = np.linalg.norm(asked.toarray(), axis=1)
    size = {"NB words": [1, 1, 1], "TF-IDF": [1 / _idf_norm(counts, ["awful", "film"], vectorizer)]}
    assert both[0] == pytest.approx((awful + film) * size[name][0], rel=1e-5)
    assert lengths.min() > 0
    assert weights(["?", "plot", "unheard-of"]).tolist()[::2] == [0, 0]
    assert weights([]).tolist() == []


def _idf_norm(counts, words, vectorizer):
    """Return the length of a text of single words, by TF-IDF's formula."""
    columns = [vectorizer.vocabulary_[word] for word in words]
    having = np.asarray(counts.sign().sum(axis=0)).ravel()[columns]
    idf = np.log((1 + counts.shape[0]) / (1 + having)) + 1
    return float(np.sqrt((idf**2).sum()))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", METHODS)
def test_hostile_texts(asked, no_bags, name, text):
    reading = asked.read(text)
    found = METHODS[name].find(asked, reading, random())
    assert found.pushes.shape == (len(reading.spans),)
    assert np.isfinite(found.pushes).all()
    if reading.spans:
        whole = ask_whole(asked, [reading])
        margins = ask_versions(asked, [reading], [found.pushes], whole)
        assert margins.shape == (1, 2, 2, len(PERCENTS)) and np.isfinite(margins).all()


def test_versions_of_a_text_keep_all_or_nothing(asked):
    reading = asked.read(SHORT)
    ids = reading.inputs["input_ids"][0].tolist()
    kept = np.array([[True], [False]]).repeat(len(reading.spans), axis=1)
    tokenizer = asked.pipeline.tokenizer
    assert asked.versions(reading, kept, TAKEN_OUT) == [ids, [ids[0], ids[-1]]]
    blank = [tokenizer.mask_token_id] * (len(ids) - 2)
    assert asked.versions(reading, kept, MASKED) == [ids, [ids[0], *blank, ids[-1]]]


def test_margins_are_those_at_the_classifiers_temperature(tiny_classifier, asked):
    warm = load_classifier(tiny_classifier)
    warm.temperature = 2.0
    other, readings = Asked(warm), [asked.read(text) for text in TEXTS[:2]]
    assert other.sha256 != asked.sha256
    assert ask_whole(other, readings) == pytest.approx(ask_whole(asked, readings) / 2, abs=0.05)
    assert margin(warm, SHORT) == pytest.approx(ask_whole(other, readings)[0], abs=0.05)
    today = METHODS[attributions.TODAY]
    one, half = (today.find(who, readings[0], random()) for who in (asked, other))
    assert half.pushes == pytest.approx(one.pushes / 2, abs=0.05)
    assert half.reached == pytest.approx(one.reached / 2, abs=1e-3)


def test_asking_leaves_the_classifier_as_it_was(pipeline, asked):
    before = pipeline(SHORT)
    for method in ASKING.values():
        method.find(asked, asked.read(SHORT), random())
    assert pipeline(SHORT) == before
    assert not any(module._forward_hooks for module in pipeline.model.modules())


def test_rank_agreement_is_spearmans_by_hand():
    generator = random(3)
    one, other, third = (generator.standard_normal((2, 9)) for _ in range(3))

    def by_hand(a, b):
        return np.corrcoef(rankdata(a), rankdata(b))[0, 1]

    expected = [
        np.mean([by_hand(a[n], b[n]) for a, b in itertools.combinations((one, other, third), 2)])
        for n in range(2)
    ]
    assert rank_agreement([list(one), list(other), list(third)]) == pytest.approx(expected)
    assert rank_agreement([list(one), list(one * 3)]) == pytest.approx([1, 1])
    assert rank_agreement([list(one), list(-one)]) == pytest.approx([-1, -1])
    assert np.isnan(rank_agreement([[np.ones(1)], [np.ones(1)]])).all()


class KilledError(Exception):
    """Stands for a kill."""


def test_killed_and_resumed_is_the_same_as_unbroken(asked, no_bags, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "BLOCK", 2)
    unbroken = pieces.find_all(asked, TEXTS, METHODS, tmp_path / "unbroken")
    calls = []

    def counted(name, method, most):
        def find(*arguments):
            calls.append(name)
            if len(calls) > most:
                raise KilledError
            return method.find(*arguments)

        return method._replace(find=find)

    def counting(most):
        calls.clear()
        return {name: counted(name, method, most) for name, method in METHODS.items()}

    with pytest.raises(KilledError):
        pieces.find_all(asked, TEXTS, counting(11), tmp_path / "killed")
    every = len(TEXTS) * sum(not method.mean_of for method in METHODS.values())
    resumed = pieces.find_all(asked, TEXTS, counting(1_000), tmp_path / "killed")
    assert len(calls) == every - 10  # five whole pieces of two texts, and one that was lost
    again = pieces.find_all(asked, TEXTS, counting(0), tmp_path / "killed")
    for found in (resumed, again):
        assert list(found.shares) == list(METHODS)
        assert (found.whole == unbroken.whole).all()
        for name in METHODS:
            assert (found.margins[name] == unbroken.margins[name]).all()
            for one, other in zip(found.shares[name], unbroken.shares[name], strict=True):
                assert (one.pushes == other.pushes).all()
                assert one[1:] == pytest.approx(other[1:], nan_ok=True)


def test_pieces_of_other_texts_or_another_classifier_are_not_taken(
    asked, no_bags, tmp_path, monkeypatch
):
    controls = {"random order": METHODS["random order"]}
    pieces.find_all(asked, TEXTS, controls, tmp_path)
    calls = []

    def find(asked, reading, random):
        calls.append(reading)
        return Shares(np.zeros(len(reading.spans)))

    spy = {"random order": METHODS["random order"]._replace(find=find)}
    pieces.find_all(asked, TEXTS, spy, tmp_path)
    assert not calls
    pieces.find_all(asked, TEXTS[::-1], spy, tmp_path)
    assert len(calls) == len(TEXTS)
    monkeypatch.setattr(pieces, "code_sha256", lambda: "other code")
    pieces.find_all(asked, TEXTS[::-1], spy, tmp_path)
    assert len(calls) == 2 * len(TEXTS)


@pytest.mark.parametrize("setting", ["STEPS", "RELATIVE_ERROR", "ABSOLUTE_ERROR"])
def test_pieces_depend_on_the_explorers_settings(monkeypatch, setting):
    before = pieces.code_sha256()
    monkeypatch.setattr(pieces, setting, (1_000,))
    assert pieces.code_sha256() != before


def test_intervals_count_films():
    generator = random(5)
    films = np.repeat(np.arange(40), 3)
    values = generator.standard_normal(40)[films] + 0.1 * generator.standard_normal(120) + 0.3
    found = summary.grouped_mean(values, films)
    means = [
        np.concatenate([values[films == film] for film in generator.integers(40, size=40)]).mean()
        for _ in range(2_000)
    ]
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.04)
    single = summary.grouped_mean(values, np.arange(120))
    assert found.high - found.low > 1.3 * (single.high - single.low)
    assert summary.grouped_mean(values + 5, films).p_value < 0.001
    assert summary.grouped_mean(values - values.mean(), films).p_value > 0.5


def measures(comprehensive, sufficient, noise=0.0):
    """Return made-up losses of forty reviews."""
    generator = random(7)
    return {
        (measure, removal, unit): level + noise * generator.standard_normal((40, len(PERCENTS)))
        for measure, level in (("comprehensiveness", comprehensive), ("sufficiency", sufficient))
        for removal in (TAKEN_OUT, MASKED)
        for unit in ("probability", "logits")
    }


def test_differences_are_to_today_and_corrected_together():
    found = {
        "today's": measures(0.3, 0.2, 0.1),
        "better": measures(0.5, 0.1, 0.2),
        "the same": measures(0.3, 0.2, 0.1),
    }
    found["a little"] = {key: lost + 0.001 for key, lost in measures(0.3, 0.2, 0.15).items()}
    rows = summary.summarise(found, "today's", np.arange(40))
    assert len(rows) == 4 * 8
    for row in rows:
        lost = found[row["method"]][row["measure"], row["removal"], row["unit"]]
        assert row["mean"] == pytest.approx(lost.mean(), abs=1e-4)
        assert list(row["by_percent"].values()) == pytest.approx(lost.mean(axis=0), abs=1e-4)
        if row["method"] == "today's":
            assert row["less_today"] is None
            continue
        today = found["today's"][row["measure"], row["removal"], row["unit"]]
        less = row["less_today"]
        assert less["difference"] == pytest.approx((lost - today).mean(), abs=1e-4)
        assert less["low"] <= less["difference"] <= less["high"]
        if row["method"] == "the same":
            assert less["p_holm"] == 1
        if row["method"] == "better":
            # Twenty-four comparisons: the smallest possible p-value times about as many.
            assert 10 * 2 / summary.DRAWS < less["p_holm"] < 0.05
    assert summary.is_clearly_better(rows, "better")
    assert not summary.is_clearly_better(rows, "the same")
    assert not summary.is_clearly_better(rows, "a little")


def test_the_best_is_named_by_the_rule():
    films = np.arange(40)
    found = {
        "quick": measures(0.30, 0.20, 0.05),
        "slow": measures(0.90, 0.01),
        "best": measures(0.50, 0.20),
    }
    seconds = {"quick": 0.1, "slow": 1.6, "best": 1.5}
    chosen = summary.choose(found, seconds, films)
    assert (chosen["method"], chosen["not_worse"]) == ("best", ["best"])
    generator = random(1)
    found["as good"] = {
        key: lost + generator.standard_normal(lost.shape) * 0.3 - 0.005
        for key, lost in measures(0.50, 0.05).items()
    }
    chosen = summary.choose(found, seconds | {"as good": 1.0}, films)
    assert chosen["method"] == "as good" and set(chosen["not_worse"]) == {"best", "as good"}
    none = summary.choose(found, dict.fromkeys(found, 2.0), films)
    assert none["method"] is None


def test_reviews_are_chosen_by_a_seed_as_many_of_either_label():
    texts = [" ".join(["word"] * (length % 130)) for length in range(1_000)]
    truth = np.arange(1_000) // 3 % 2
    rows = attributions.choose_rows(texts, truth, 50)
    assert len(rows) == 100 == len(set(rows)) and truth[rows].sum() == 50
    assert all(30 <= len(texts[row].split()) <= 100 for row in rows)
    assert (attributions.choose_rows(texts, truth, 50) == rows).all()
    assert {30, 100} <= {
        len(texts[row].split()) for row in attributions.choose_rows(texts, truth, 250)
    }
    with pytest.raises(ValueError, match="expected at least 400 of each"):
        attributions.choose_rows(texts, truth, 400)


def test_a_single_seed_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'a folder' is a single seed: expected two or more"):
        attributions.make_record(tmp_path, tmp_path / "pieces", [Path("a folder")], 4)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [0, 2])
def test_the_record_says_all(pipeline, asked, no_bags, tmp_path, monkeypatch, capsys, seeds):
    words = [text.split() for text in TEXTS]
    texts = [
        " ".join((some * 40)[:length]) for some in words for length in (30, 35, 40, 50, 120, 110)
    ]
    pool = {
        "text": np.array(texts, dtype=object),
        "film": np.arange(len(texts)) // 2,
        "id": np.array([f"row/{row}" for row in range(len(texts))]),
    }
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    monkeypatch.setattr(attributions, "reviews", lambda: {"validation": pool})
    monkeypatch.setattr(attributions, "labels", lambda _: np.arange(len(texts)) % 2)
    monkeypatch.setattr(attributions, "packaged_sha256", lambda: "digest")
    monkeypatch.setattr(attributions, "load_classifier", lambda _: pipeline)
    monkeypatch.setattr(summary, "DRAWS", 200)
    output = tmp_path / "record"
    made = attributions.make_record(output, tmp_path / "pieces", ["a folder"] * seeds, 4)
    assert "8 reviews, 10 methods: about" in capsys.readouterr().out
    record = json.loads((output / "attributions.json").read_text(encoding="utf-8"))
    assert record == made and record["today"] == attributions.TODAY
    assert record["reviews"]["count"] == 8 and record["reviews"]["positive"] == 4
    assert len(record["rows"]) == 8 * len(METHODS)
    assert {row["method"] for row in record["completeness"]} == {
        name for name, method in METHODS.items() if method.adds_up
    }
    assert {row["method"] for row in record["blanks"]} == {
        *(f"integrated gradients from {blank}" for blank in (PAD, MASK, MEAN)),
        "sampled Shapley values",
    }
    assert set(record["cost"]["methods"]) == set(ASKING)
    assert record["best"]["method"] in ASKING
    assert record["agreement"]["classifiers"] == seeds
    alike = {row["method"]: row["rank_correlation"] for row in record["agreement"]["rows"]}
    # All are the same classifier here.
    assert alike == (dict.fromkeys(ASKING, 1.0) if seeds else {})
    page = runpy.run_path(str(ROOT / "benchmarks/readme_table.py"))["render_attributions"](record)
    assert [page.count(f"\n| {name} ") for name in METHODS] == [1] * len(METHODS)
    assert ("not measured yet" in page) == (not seeds)
    assert f"rule: {record['best']['method']};" in page
