"""The lesson that computes most, on a processor without bfloat16 and with an empty cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    Trainer,
    choose_dtype,
    extract_features,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
)

ROOT = Path(__file__).resolve().parent.parent
POOLINGS = ("cls", "mean")


@pytest.fixture(scope="module")
def lesson_in_float32(tmp_path_factory):
    cache = tmp_path_factory.mktemp("float32")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "notebooks/04_frozen_bert_probe.ipynb"],
        cwd=ROOT,
        env={**os.environ, "IMDB_TUTORIAL_DTYPE": "float32", "IMDB_TUTORIAL_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    return result, cache


def test_the_frozen_bert_lesson_holds_in_float32_from_an_empty_cache(lesson_in_float32):
    result, cache = lesson_in_float32
    assert result.returncode == 0, result.stdout[-5000:]
    assert list(cache.glob("*.safetensors"))


def probe_accuracy(features, labels, pooling, preset):
    train, test = (
        FeatureLoader(features[pool][pooling], labels[pool], shuffle=pool == "train")
        for pool in ("train", "test")
    )
    torch.manual_seed(preset.seed)
    probe = LinearProbe(features["train"][pooling].shape[1], pooling=pooling)
    trainer = Trainer(probe, train, test, verbose=False)
    trainer.train(preset.num_epochs)
    return trainer.validate()


@pytest.mark.skipif(
    choose_dtype("cpu") != torch.bfloat16, reason="this processor has no native bfloat16"
)
def test_bfloat16_costs_less_than_half_a_point(lesson_in_float32, monkeypatch):
    preset = load_preset("laptop")
    reviews = load_reviews(preset)
    labels = {pool: split["label"][:] for pool, split in reviews.items()}
    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")

    def features(dtype):
        return {
            pool: extract_features(reviews[pool], tokenizer, encoder, POOLINGS, dtype=dtype)
            for pool in ("train", "test")
        }

    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(lesson_in_float32[1]))
    exact = features(torch.float32)
    # The reader's own cache, which the lessons of the same run have filled or will use.
    monkeypatch.delenv("IMDB_TUTORIAL_CACHE")
    quick = features(torch.bfloat16)

    for pooling in POOLINGS:
        change = [probe_accuracy(f, labels, pooling, preset) for f in (exact, quick)]
        assert abs(change[0] - change[1]) <= 0.005, (pooling, change)
