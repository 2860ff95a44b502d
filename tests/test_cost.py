"""The bill of a run, against independent counts and against the run itself."""

import time
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModel, DistilBertConfig

from imdb_tutorial import (
    FrozenBertClassifier,
    LinearProbe,
    ReviewCollator,
    ReviewDataset,
    Trainer,
    cache_info,
    estimate_cost,
    explain_reference_run,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
    presets,
    scale_table,
    scale_up,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.cost import report, work
from imdb_tutorial.cost.flops import EncoderShape, encoder_shape, forward_flops
from imdb_tutorial.encoder.extraction import TOKEN_BUDGET
from imdb_tutorial.machine.sources import packaged_encoder_folder
from tests.toys import save_tiny_mpnet

POOLS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def toy(tuning_preset):
    return tuning_preset


@pytest.fixture(scope="module")
def toy_reviews(toy):
    return load_reviews(toy)


@pytest.fixture(scope="module")
def bill(toy, toy_reviews, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        patched.setenv("IMDB_TUTORIAL_DTYPE", "float32")
        return estimate(toy, toy_reviews)


def estimate(preset, reviews=None, **options):
    return estimate_cost(preset, reviews, **{"seconds": 0.2, **options})


def counted_by_torch(model, rows, tokens):
    inputs = torch.full((rows, tokens), 5)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(input_ids=inputs, attention_mask=torch.ones_like(inputs))
    return counter.get_total_flops()


@pytest.mark.parametrize(("rows", "tokens"), [(1, 12), (3, 100), (2, 500)])
@pytest.mark.parametrize("kind", ["tiny BERT", "MiniLM"])
def test_operations_are_those_that_torch_counts(kind, rows, tokens, tiny_bert):
    folder = tiny_bert if kind == "tiny BERT" else packaged_encoder_folder()
    # torch counts no operations of the fused attention on a processor.
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    found = forward_flops(encoder_shape(model.config), rows, tokens)
    assert found == pytest.approx(counted_by_torch(model, rows, tokens), rel=0.01)


def test_operations_of_an_mpnet_are_those_that_torch_counts(tmp_path):
    save_tiny_mpnet(tmp_path)
    model = AutoModel.from_pretrained(tmp_path).eval()
    found = forward_flops(encoder_shape(model.config), 4, 30)
    assert found == pytest.approx(counted_by_torch(model, 4, 30), rel=0.01)


def test_operations_of_many_batches_are_those_of_each():
    shape = EncoderShape(2, 16, 32)
    rows, tokens = np.array([1, 4, 2]), np.array([9, 5, 30])
    together = forward_flops(shape, rows, tokens)
    assert together.tolist() == [
        forward_flops(shape, *one) for one in zip(rows, tokens, strict=True)
    ]


def test_a_config_with_other_names_is_read_and_one_without_is_refused():
    config = DistilBertConfig(dim=24, hidden_dim=48, n_layers=3, n_heads=2)
    assert encoder_shape(config) == EncoderShape(3, 24, 48)
    without = SimpleNamespace(model_type="odd", num_hidden_layers=3, hidden_size=24)
    with pytest.raises(ValueError, match="odd model has no intermediate_size"):
        encoder_shape(without)


def test_tokens_are_counted_exactly(bill, toy, toy_reviews):
    tokenizer = load_tokenizer(toy.encoder)
    lengths = {
        pool: [
            len(tokenizer(text, truncation=True, max_length=toy.max_length)["input_ids"])
            for text in toy_reviews[pool]["text"][:]
        ]
        for pool in POOLS
    }
    assert bill.reviews == {"train": 80, "validation": 12, "test": 16}
    assert bill.counted_reviews == bill.reviews_once == 108
    assert bill.text_tokens == sum(map(sum, lengths.values()))
    # Few and short enough for one batch a pool, as long as its longest review.
    assert bill.ours.tokens == sum(max(some) * len(some) for some in lengths.values())
    flops = sum(float(forward_flops(bill.shape, len(some), max(some))) for some in lengths.values())
    assert bill.ours.flops == pytest.approx(flops)


def test_the_classic_way_pads_and_repeats(bill, toy):
    visits = toy.num_epochs * (80 + 12) + 16
    assert bill.classic.passes == toy.num_epochs
    assert bill.classic.tokens == visits * toy.max_length
    assert bill.classic.flops == pytest.approx(
        visits * float(forward_flops(bill.shape, 1, toy.max_length))
    )


def test_hours_follow_from_operations_and_measured_speed(bill):
    for way in (bill.classic, bill.ours):
        assert way.bert_seconds == pytest.approx(way.flops / way.flops_per_second)
        assert way.seconds == way.bert_seconds + way.other_seconds
        assert way.measured_tokens > 0 and way.dtype == "float32"
    assert bill.ours.other_seconds > 0  # tokenizing, and the probe
    assert bill.times_faster == bill.classic.seconds / bill.ours.seconds
    assert set(bill.matrix_rate) == {"float32"}


def test_bytes_on_disk_are_those_of_the_files(bill, toy, toy_reviews):
    pair = load_tokenizer(toy.encoder), load_encoder(toy.encoder, device="cpu")
    for pool in POOLS:
        extract_features(toy_reviews[pool], *pair, max_length=toy.max_length)
    headers = 3 * 300
    assert bill.feature_bytes == 108 * 16 * 4
    assert 0 <= cache_info().bytes - bill.feature_bytes < headers
    weights = sum(tensor.numel() * 4 for tensor in pair[1].state_dict().values())
    assert weights <= bill.encoder_bytes < 1.2 * weights


def test_two_poolings_are_one_pass_and_twice_the_bytes(bill, toy, toy_reviews):
    both = estimate(toy, toy_reviews, pooling=("cls", "mean"))
    assert both.ours.flops == bill.ours.flops
    assert both.feature_bytes == 2 * bill.feature_bytes


def test_the_same_pool_taken_twice_is_read_once(toy):
    twice = estimate(toy.replace(validation_from="test", validation_size=16))
    assert twice.reviews == {"train": 80, "validation": 16, "test": 16}
    assert twice.reviews_once == 96


def test_nothing_is_kept(bill, toy, toy_reviews):
    estimate(toy, toy_reviews)
    assert cache_info().bytes == 0
    assert not list(cache_info().folder.iterdir())
    assert bill.kept == 0 and bill.seconds_left == pytest.approx(bill.ours.seconds)


def test_what_the_cache_holds_needs_not_be_done(toy, toy_reviews):
    pair = load_tokenizer(toy.encoder), load_encoder(toy.encoder, device="cpu")
    extract_features(toy_reviews["train"], *pair, max_length=toy.max_length)
    some = estimate(toy, toy_reviews)
    train = float(forward_flops(some.shape, 80, longest(toy, toy_reviews["train"])))
    assert some.kept == pytest.approx(train / some.ours.flops)
    assert some.seconds_left < some.ours.seconds
    for pool in ("validation", "test"):
        extract_features(toy_reviews[pool], *pair, max_length=toy.max_length)
    whole = estimate(toy, toy_reviews)
    assert whole.kept == 1
    assert whole.seconds_left < whole.ours.other_seconds  # the probe alone
    assert estimate(toy, toy_reviews, pooling="mean").kept == 0
    assert estimate(toy.replace(max_length=12), toy_reviews).kept == 0


def longest(preset, split):
    inputs = load_tokenizer(preset.encoder)(split["text"][:])["input_ids"]
    return min(preset.max_length, max(map(len, inputs)))


def test_shards_of_an_interrupted_run_need_not_be_done_again(toy, toy_reviews, monkeypatch):
    monkeypatch.setitem(TOKEN_BUDGET, "cpu", 64)
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    tokenizer, encoder = load_tokenizer(toy.encoder), load_encoder(toy.encoder, device="cpu")
    passes = []

    def stop(*_):
        passes.append(1)
        if len(passes) == 8:
            raise KeyboardInterrupt

    handle = encoder.register_forward_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        extract_features(toy_reviews["train"], tokenizer, encoder, max_length=toy.max_length)
    handle.remove()
    before = {file: file.read_bytes() for file in cache_info().folder.glob("*.shard")}
    assert before
    found = estimate(toy, toy_reviews)
    assert 0 < found.kept < 1
    assert found.seconds_left < found.ours.seconds
    assert {file: file.read_bytes() for file in cache_info().folder.glob("*.shard")} == before
    extract_features(toy_reviews["train"], tokenizer, encoder, max_length=toy.max_length)
    assert estimate(toy, toy_reviews).kept > found.kept


def test_many_reviews_are_counted_on_some_and_it_says_so(bill, toy, toy_reviews, monkeypatch):
    monkeypatch.setattr(work, "MOST_COUNTED", 40)
    drawn = estimate(toy, toy_reviews)
    assert 40 <= drawn.counted_reviews <= 43 < drawn.reviews_once == 108
    assert drawn.text_tokens == pytest.approx(bill.text_tokens, rel=0.05)
    assert drawn.ours.flops == pytest.approx(bill.ours.flops, rel=0.1)
    assert f"counted on {drawn.counted_reviews} reviews drawn at random" in str(drawn)
    assert "all of them counted" in str(bill)
    assert estimate(toy, toy_reviews).text_tokens == drawn.text_tokens


def test_a_bill_can_be_read_by_eye(bill, toy):
    text = str(bill)
    assert f"{toy.num_epochs} times" in text
    assert "80 train, 12 validation, 16 test" in text
    assert "nothing of it yet" in text
    lines = text.replace(toy.encoder, "encoder").splitlines()  # a folder may be far down
    assert max(map(len, lines)) <= 100
    assert bill._repr_html_().startswith("<pre>The bill of the preset &#x27;laptop&#x27;")


def test_what_cannot_be_estimated_is_one_line(toy, toy_reviews):
    with pytest.raises(ValueError, match="pooling is 'max': expected one of cls, mean, pooler"):
        estimate(toy, toy_reviews, pooling="max")
    with pytest.raises(ValueError, match="max_length is 513: expected 3 to 512"):
        estimate(toy.replace(max_length=513), toy_reviews)
    nothing = datasets.DatasetDict(toy_reviews | {"test": toy_reviews["test"].select([])})
    with pytest.raises(ValueError, match="'test': 0"):
        estimate(toy, nothing)
    with pytest.raises(FileNotFoundError, match="no model at"):
        estimate(toy.replace(encoder="no/such/folder"), toy_reviews)


def test_a_dry_run_prints_the_bill_and_does_nothing(toy, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(presets.PRESETS, "laptop", toy)
    monkeypatch.chdir(tmp_path)
    assert main(["probe", "--dry-run", "--num-epochs", "7", "--output", "results"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The bill of the preset 'laptop'") and "7 times" in out
    assert not list(tmp_path.iterdir())
    assert not list(cache_info().folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--preset", "tiny"], "unknown preset 'tiny'"), (["--train-size", "999"], "train_size=999")],
)
def test_a_dry_run_that_is_asked_too_much_ends_in_one_line(
    arguments, said, toy, monkeypatch, capsys
):
    monkeypatch.setitem(presets.PRESETS, "laptop", toy)
    assert main(["probe", "--dry-run", *arguments]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line.startswith("error: ") and said in line


@pytest.mark.slow
def test_the_bill_is_near_what_the_run_then_takes():
    """A ratio with wide bounds: other programs may slow this machine down in between."""
    preset = load_preset("laptop").replace(
        train_size=64, validation_size=32, test_size=1, max_length=128, num_epochs=1
    )
    reviews = load_reviews(preset)
    tokenizer, encoder = load_tokenizer(), load_encoder()
    bills = [estimate_cost(preset, reviews, seconds=6)]

    loaders = [
        DataLoader(ReviewDataset(reviews[pool]), 32, collate_fn=ReviewCollator(tokenizer, 128))
        for pool in ("train", "validation")
    ]
    model = FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size))
    started = time.perf_counter()
    Trainer(model, *loaders, verbose=False).train(1)
    classic = time.perf_counter() - started

    started = time.perf_counter()
    for split in reviews.values():
        extract_features(split, tokenizer, encoder, max_length=128)
    ours = time.perf_counter() - started

    bills.append(estimate_cost(preset, reviews, seconds=6))
    assert bills[1].kept == 1
    assert 0.5 < np.mean([bill.classic.seconds for bill in bills]) / classic < 2
    assert 0.5 < np.mean([bill.ours.seconds for bill in bills]) / ours < 2


def test_the_classic_five_hours_are_explained():
    run = explain_reference_run()
    tokens = (781 * 32 + 24_992) * 30 * 500
    a_layer = 8 * 768 * 768 + 4 * 768 * 3_072 + 4 * 768 * 500
    assert run.tokens == tokens
    assert run.flops == pytest.approx(tokens * 12 * a_layer)
    assert run.flops_per_second == pytest.approx(tokens * 12 * a_layer / 18_771)
    text = str(run)
    assert "5 h 13 min" in text and "750 million tokens" in text
    assert report.operations(run.flops_per_second) in text


def test_on_paper_a_larger_run_is_arithmetic(bill):
    paper = scale_up(
        bill,
        reviews=10**9,
        gpus=64,
        flops_per_second=1e15,
        utilisation=0.4,
        price_per_gpu_hour=2.5,
        poolings=2,
        shard_bytes=10**6,
    )
    a_review = bill.ours.flops / 108
    assert paper.flops == pytest.approx(a_review * 1e9)
    assert paper.gpu_hours == pytest.approx(a_review * 1e9 / 4e14 / 3_600)
    assert paper.hours == pytest.approx(paper.gpu_hours / 64)
    assert paper.price == pytest.approx(paper.gpu_hours * 2.5)
    assert paper.feature_bytes == 10**9 * 16 * 4 * 2
    assert paper.shards == 128_009  # 7,812 whole rows of 128 bytes in each
    assert scale_up(bill, 108, 1, 1e12, 1).flops == pytest.approx(bill.ours.flops)


def test_bills_on_paper_are_a_table(bill):
    papers = [scale_up(bill, 10**power, 8, 1e15, 0.4) for power in (4, 9)]
    table = scale_table(papers)
    assert table["reviews"].tolist() == ["10,000", "1,000,000,000"]
    assert table["features"].tolist() == ["640 kB", "64.0 GB"]
    assert "price" not in table
    priced = scale_up(bill, 10**9, 8, 1e15, 0.4, price_per_gpu_hour=2)
    assert scale_table([priced])["price"].tolist() == [f"{priced.price:,.2f}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reviews": 0}, "reviews is 0"),
        ({"gpus": -1}, "gpus is -1"),
        ({"flops_per_second": float("nan")}, "flops_per_second is nan"),
        ({"utilisation": 40}, "utilisation is 40: expected a share"),
        ({"price_per_gpu_hour": -1.0}, "price_per_gpu_hour is -1.0"),
    ],
)
def test_assumptions_that_make_no_sense_are_refused(bill, change, said):
    asked = {"reviews": 10, "gpus": 1, "flops_per_second": 1e12, "utilisation": 0.5, **change}
    with pytest.raises(ValueError, match=said):
        scale_up(bill, **asked)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (61, "1 min 1 s"),
        (3_599.6, "60 min"),
        (18_771, "5 h 13 min"),
        (86_400, "1 day"),
        (2 * 86_400 + 3_600, "2 days 1 h"),
        (400 * 86_400, "1 year 35 days"),
    ],
)
def test_times_are_shown_in_two_units(seconds, shown):
    assert report.duration(seconds) == shown


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (report.operations(1.412e17), "141 PFLOP"),
        (report.operations(7.52e12), "7.52 TFLOP"),
        (report.operations(12), "12 FLOP"),
        (report.count(311_920_000), "312 million"),
        (report.count(999_999), "999,999"),
        (report.size(75_700_224), "75.7 MB"),
        (report.size(512), "512 bytes"),
        (report.size(3.072e12), "3.07 TB"),
    ],
)
def test_numbers_are_shown_to_three_digits(shown, expected):
    assert shown == expected
