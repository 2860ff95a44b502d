"""Properties that hold for any input: batches, interrupted runs, evaluation, files, commands."""

import contextlib
import csv
import io
import itertools
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from torch import nn
from torch.utils.data import DataLoader

from imdb_tutorial import (
    Checkpoint,
    FeatureLoader,
    Trainer,
    accuracy_interval,
    calibration_error,
    compare,
    confusion_matrix,
    load_metrics,
    reliability,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.classifier.certainty import in_words
from imdb_tutorial.encoder.tokens import Tokens, pad, plan_batches
from imdb_tutorial.explorer.cards import Answer, Card
from imdb_tutorial.explorer.history import COLUMNS, Tried
from imdb_tutorial.explorer.reading import Reading
from imdb_tutorial.explorer.spreadsheet import as_text_cell
from imdb_tutorial.explorer.verdict import Verdict
from imdb_tutorial.machine.checkpoint import CHECKPOINT_FILE
from imdb_tutorial.machine.manifest import damaged_file, verify_folder, write_manifest
from imdb_tutorial.machine.tensors import pack, unpack

LABEL_PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)
FLAG_PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)
SCORED = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40)


def quick(examples):
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("properties")


@pytest.fixture(scope="module")
def both_metrics():
    return load_metrics()


# Batches


@quick(100)
@given(lengths=st.lists(st.integers(1, 60), max_size=60), budget=st.integers(1, 200))
def test_every_review_is_in_one_batch_and_the_budget_is_kept(lengths, budget):
    batches = [rows.tolist() for rows in plan_batches(np.array(lengths, dtype=int), budget)]
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    tables = [max(lengths[row] for row in rows) * len(rows) for rows in batches]
    for rows, size in zip(batches, tables, strict=True):
        assert size <= budget or len(rows) == 1
    longest = [lengths[row] for rows in batches for row in rows]
    assert longest == sorted(lengths, reverse=True)
    for rows, _ in itertools.pairwise(batches):  # none but the last has room for one more
        assert lengths[rows[0]] * (len(rows) + 1) > budget


@quick(100)
@given(
    texts=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=9),
    pad_id=st.integers(0, 9),
    data=st.data(),
)
def test_a_table_holds_each_text_and_padding_behind_it(texts, pad_id, data):
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, max_size=9))
    starts = np.cumsum([0, *map(len, texts)])
    tokens = Tokens(np.concatenate(texts).astype(np.int32), starts)
    inputs = pad(tokens, np.array(rows), pad_id, torch.device("cpu"))
    width = max(len(texts[row]) for row in rows)
    ids, mask = [], []
    for row in rows:
        missing = width - len(texts[row])
        ids.append(texts[row] + [pad_id] * missing)
        mask.append([1] * len(texts[row]) + [0] * missing)
    assert inputs["input_ids"].tolist() == ids
    assert inputs["attention_mask"].tolist() == mask


@quick(40)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 45),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
def test_feature_batches_are_those_of_a_plain_loader(count, batch_size, shuffle, seed):
    features, labels = torch.arange(3.0 * count).reshape(count, 3), torch.arange(count)
    ours = FeatureLoader(features, labels, batch_size, shuffle, seed)
    plain = DataLoader(
        list(zip(features, labels, strict=True)),
        batch_size=batch_size,
        shuffle=shuffle,
        generator=torch.Generator().manual_seed(seed),
    )
    assert len(ours) == len(plain)
    for _ in range(2):
        for (inputs, said), (rows, truth) in zip(ours, plain, strict=True):
            assert torch.equal(inputs["features"], rows)
            assert torch.equal(said, truth)


# Interrupted runs


class Net(nn.Module):
    """A small model; its dropout draws from torch's global generator."""

    def __init__(self, sizes, dropout):
        super().__init__()
        layers = []
        for wide, narrow in zip([3, *sizes], [*sizes, 2], strict=True):
            layers += [nn.Dropout(dropout), nn.Linear(wide, narrow)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features):
        return self.layers(features)


def trainer_of(sizes, dropout, count, batch_size, gamma, seed):
    torch.manual_seed(seed)
    features = torch.randn(count, 3)
    labels = (features.sum(dim=1) > 0).long()
    train = FeatureLoader(features, labels, batch_size, shuffle=True, seed=seed)
    valid = FeatureLoader(features, labels, batch_size)
    return Trainer(Net(sizes, dropout), train, valid, 0.1, gamma, verbose=False)


RUNS = {
    "sizes": st.lists(st.integers(1, 5), max_size=2),
    "dropout": st.sampled_from([0.0, 0.5]),
    "count": st.integers(1, 12),
    "batch_size": st.integers(1, 13),
    "gamma": st.floats(0.5, 1),
    "seed": st.integers(0, 1_000),
}


class StoppedError(Exception):
    """Ends a run in the middle of an epoch."""


@quick(20)
@given(run=st.fixed_dictionaries(RUNS), epochs=st.integers(1, 4), data=st.data())
def test_a_run_that_stops_anywhere_goes_on_as_if_it_had_not(tmp_path_factory, run, epochs, data):
    whole = trainer_of(**run)
    whole.train(epochs)
    kept = Checkpoint(tmp_path_factory.mktemp("run"))
    steps = epochs * 2 * len(whole.train_loader)
    for _ in range(data.draw(st.integers(1, 2), label="stops")):
        left = data.draw(st.integers(0, steps - 1), label="forward passes until it stops")
        calls = iter(range(left))
        stopped = trainer_of(**run)

        def stop(*_, calls=calls):
            if next(calls, None) is None:
                raise StoppedError

        stopped.model.register_forward_pre_hook(stop)
        with contextlib.suppress(StoppedError):
            stopped.train(epochs, [kept])
    again = trainer_of(**run)
    again.train(epochs, [kept])
    assert again.history == whole.history
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], tensor), name


@pytest.fixture(scope="module")
def one_checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    trainer_of([2], 0.5, 8, 4, 0.9, 0).train(1, [Checkpoint(folder)])
    return folder / CHECKPOINT_FILE, (folder / CHECKPOINT_FILE).read_bytes()


@quick(60)
@given(place=st.integers(0, 10**9), change=st.integers(1, 255))
@example(place=0, change=1)
@example(place=7, change=128)
@example(place=-1, change=1)
def test_one_wrong_byte_of_a_checkpoint_is_a_line(one_checkpoint, place, change):
    file, content = one_checkpoint
    wrong = bytearray(content)
    wrong[place % len(wrong)] ^= change
    file.write_bytes(wrong)
    with pytest.raises(ValueError, match="damaged") as raised:
        trainer_of([2], 0.5, 8, 4, 0.9, 0).train(2, [Checkpoint(file.parent)])
    assert len(str(raised.value).splitlines()) == 1


# Files


DTYPES = [torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool]
TENSORS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
        lambda name: name != "__metadata__"
    ),
    st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)),
    max_size=4,
)
RECORDS = st.dictionaries(
    st.text(max_size=6).filter(lambda name: name != "sha256"),
    st.one_of(st.none(), st.floats(allow_nan=False), st.text(max_size=9), st.just("0" * 64)),
    max_size=4,
)


@quick(60)
@given(tensors=TENSORS, record=RECORDS, data=st.data())
def test_tensors_come_back_bit_for_bit_or_not_at_all(folder, tensors, record, data):
    made = {name: torch.randint(0, 2, size).to(dtype) for name, (dtype, size) in tensors.items()}
    content = pack(made, "record", record)
    file = folder / "tensors"
    file.write_bytes(content)
    found, told = unpack(file, "record")
    assert told == record
    assert set(found) == set(made)
    for name, tensor in made.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    wrong = bytearray(content)
    wrong[data.draw(st.integers(0, len(wrong) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(wrong)
    with pytest.raises(ValueError):
        unpack(file, "record")


@quick(60)
@given(files=st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=3), data=st.data())
def test_a_manifest_notices_every_changed_byte(tmp_path_factory, files, data):
    place = tmp_path_factory.mktemp("saved")
    names = [f"{number}.bin" for number in range(len(files))]
    for name, content in zip(names, files, strict=True):
        (place / name).write_bytes(content)
    write_manifest(place, names)
    assert damaged_file(place) is None
    victim = data.draw(st.sampled_from(names))
    wrong = bytearray((place / victim).read_bytes())
    wrong[data.draw(st.integers(0, len(wrong) - 1))] ^= data.draw(st.integers(1, 255))
    (place / victim).write_bytes(wrong)
    assert damaged_file(place) == victim
    with pytest.raises(ValueError, match=victim) as raised:
        verify_folder(place)
    assert len(str(raised.value).splitlines()) == 1


# Evaluation


@quick(40)
@given(LABEL_PAIRS)
def test_metrics_are_scikit_learns(both_metrics, pairs):
    truth, said = map(list, zip(*pairs, strict=True))
    found = both_metrics.compute(predictions=said, references=truth)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, said, zero_division=0))
    table = confusion_matrix(y_true=truth, y_pred=said)
    for label in (0, 1):
        for answer in (0, 1):
            assert table.iloc[label, answer] == pairs.count((label, answer))


@quick(60)
@given(scored=SCORED, n_bins=st.integers(1, 30), order=st.randoms(use_true_random=False))
def test_a_calibration_error_is_a_share_whatever_the_order(scored, n_bins, order):
    truth, sure = zip(*scored, strict=True)
    error = calibration_error(y_true=truth, y_proba=sure, n_bins=n_bins)
    assert 0 <= error <= 1
    # No bins can show more than all reviews one by one, nor less than all of them together.
    verdicts = [(max(p, 1 - p), (p > 0.5) == label) for label, p in scored]
    each = [confidence - right for confidence, right in verdicts]
    assert abs(np.mean(each)) - 1e-9 <= error <= np.mean(np.abs(each)) + 1e-9
    table = reliability(y_true=truth, y_proba=sure, n_bins=n_bins)
    assert table["count"].sum() == len(scored)
    assert ((table.low <= table.accuracy + 1e-9) & (table.accuracy <= table.high + 1e-9)).all()
    mixed = order.sample(scored, len(scored))
    truth, sure = zip(*mixed, strict=True)
    again = calibration_error(y_true=truth, y_proba=sure, n_bins=n_bins)
    assert again == pytest.approx(error, abs=1e-9)


@quick(60)
@given(FLAG_PAIRS)
def test_two_models_compare_alike_from_both_sides(pairs):
    one, other = map(list, zip(*pairs, strict=True))
    there, back = compare(one, baseline=other), compare(other, baseline=one)
    turned = (-back.difference, -back.high, -back.low)
    assert there[:3] == pytest.approx(turned, abs=1e-9)
    assert (there.only_model, there.only_baseline) == (back.only_baseline, back.only_model)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.includes_zero == (there.low <= 0 <= there.high)
    assert there.low - 1e-9 <= there.difference <= there.high + 1e-9
    assert there.difference == pytest.approx(np.mean(one) - np.mean(other))
    right = sum(one)
    expected = binomtest(right, len(one)).proportion_ci(0.95, method="wilson")
    assert accuracy_interval(one)[1:3] == pytest.approx(tuple(expected))


ODD = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.floats(),
    st.integers(-3, 10**30),
    st.binary(max_size=3),
    st.lists(
        st.one_of(st.none(), st.text(max_size=3), st.floats(), st.integers(-2, 3)), max_size=4
    ),
    st.lists(st.lists(st.floats(), max_size=3), max_size=3),
)


@quick(150)
@given(truth=ODD, other=ODD)
@example(truth=[1, 0], other=[[0.5, 0.5], [0.5]])
@example(truth=[1], other=["a\nb"])
@example(truth=["a\nb"], other=[1])
@example(truth=[1], other=[10**400])
def test_what_is_no_label_and_no_probability_is_refused_in_a_line(truth, other):
    for ask in (
        lambda: confusion_matrix(y_true=truth, y_pred=other),
        lambda: calibration_error(y_true=truth, y_proba=other),
        lambda: compare(truth, baseline=other),
        lambda: accuracy_interval(truth),
    ):
        try:
            ask()
        except (ValueError, TypeError) as error:
            assert len(str(error).splitlines()) == 1, error
            assert len(str(error)) < 500


# The explorer's table


@quick(60)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=30),
            st.text(min_size=1, max_size=9),
            st.sampled_from(["NEGATIVE", "POSITIVE"]),
            st.floats(0.5, 1),
            st.integers(2, 512),
            st.integers(0, 30),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_tried_comes_back_from_its_csv(tmp_path_factory, rows):
    tried, expected = Tried(), []
    for text, model, label, probability, tokens, end in rows:
        text, model = (x.encode("utf-8", "replace").decode() for x in (text, model))
        gap = (min(end, len(text)), len(text))
        reading = Reading(text, gap, (), (None,) * tokens, {}, 0, 512)
        tried.add(Answer(text, (Card(model, Verdict(label, probability, 0.0, reading)),)))
        cut = "yes" if end < len(text) else "no"
        numbers = round(probability, 4), float(tokens)
        said = in_words(label, probability)
        expected.append([as_text_cell(text), as_text_cell(model), said, *numbers, cut, ""])
    file = tried.save(tmp_path_factory.mktemp("tried"))
    with file.open(newline="", encoding="utf-8") as opened:
        header, *found = csv.reader(opened, quoting=csv.QUOTE_NONNUMERIC)
    assert header == list(COLUMNS)
    assert found == expected


# The command line


WORDS = st.one_of(
    st.sampled_from(["doctor", "probe", "finetune", "classify", "--json", "--preset", "laptop"]),
    st.sampled_from(
        ["--train-size", "--test-size", "--num-epochs", "--seed", "--output", "--model"]
    ),
    st.sampled_from(["--pooling", "cls", "--max-length", "--batch-size", "--learning-rate", "--"]),
    st.sampled_from(["nan", "inf", "-1", "0", "3", "1e400", "9" * 30, "9" * 5_000, "all", "-h"]),
    st.text(max_size=6),
)


class ReachedTheWorkError(RuntimeError):
    """The command line was understood."""


@quick(150)
@given(
    command=st.sampled_from(["probe", "finetune", "classify", "doctor", None]),
    words=st.lists(WORDS, max_size=6),
)
@example(command="probe", words=["--seed", "9" * 30])
@example(command="probe", words=["--preset", "a\nb"])
@example(command="classify", words=["good", "--model", "a\nb"])
@example(command="classify", words=["good", "--model", "\0"])
@example(command="probe", words=["--learning-rate", "inf"])
@example(command="finetune", words=["--seed", "-1"])
def test_any_command_line_ends_in_a_status_and_at_most_one_error_line(command, words):
    work = mock.Mock(side_effect=ReachedTheWorkError("the work"))
    out, errors = io.StringIO(), io.StringIO()
    with (
        mock.patch("imdb_tutorial.dataset.reviews.load_reviews", work),
        mock.patch("imdb_tutorial.classifier.load.open_saved_probe", work),
        mock.patch("imdb_tutorial.classifier.load.open_saved_model", work),
        mock.patch("imdb_tutorial.machine.diagnosis.doctor.examine", lambda: []),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            status = main([*([command] if command else []), *words])
        except SystemExit as stopped:
            status = stopped.code
            assert status in (0, 2)
            lines = [x for x in errors.getvalue().split("\n") if "error: " in x]
            assert len(lines) == (status == 2)
        else:
            assert status in (0, 1)
            assert len(errors.getvalue().splitlines()) == status
    assert "Traceback" not in errors.getvalue()
