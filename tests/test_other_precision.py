"""The same features and the same verdicts, whichever precision the processor has."""

import pytest
import torch

from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    Trainer,
    extract_features,
    load_preset,
    load_reviews,
)

PRESET = load_preset("laptop").replace(train_size=400, test_size=400, max_length=128)
PRECISIONS = ("float32", "bfloat16")


def features(reviews, bert, precision):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IMDB_TUTORIAL_DTYPE", precision)
        return {
            pool: extract_features(
                reviews[pool], *bert, "mean", max_length=PRESET.max_length, use_cache=False
            )
            for pool in ("train", "test")
        }


def probe_accuracy(features, labels):
    train, test = (
        FeatureLoader(features[pool], labels[pool], shuffle=pool == "train")
        for pool in ("train", "test")
    )
    torch.manual_seed(PRESET.seed)
    probe = LinearProbe(features["train"].shape[1], pooling="mean")
    trainer = Trainer(probe, train, test, verbose=False)
    trainer.train(PRESET.num_epochs)
    return trainer.validate()[1]


@pytest.mark.slow
def test_bfloat16_changes_neither_the_features_nor_what_a_probe_makes_of_them(packaged_bert):
    reviews = load_reviews(PRESET)
    labels = {pool: split["label"][:] for pool, split in reviews.items()}
    exact, quick = (features(reviews, packaged_bert, precision) for precision in PRECISIONS)
    for pool in ("train", "test"):
        assert torch.cosine_similarity(exact[pool], quick[pool]).min() > 0.999
        assert not torch.equal(exact[pool], quick[pool])
    accuracies = [probe_accuracy(found, labels) for found in (exact, quick)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.01)
