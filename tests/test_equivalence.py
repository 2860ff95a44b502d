"""The fast way gives the numbers of the slow one: real reviews, the packaged BERT, float32."""

import pytest
import torch
from torch.utils.data import DataLoader

from imdb_tutorial.collate import ReviewCollator
from imdb_tutorial.dataset.reviews import ReviewDataset, load_reviews
from imdb_tutorial.encoder import features
from imdb_tutorial.encoder.loaders import FeatureLoader
from imdb_tutorial.presets import load_preset
from imdb_tutorial.probe import FrozenBertClassifier, LinearProbe
from imdb_tutorial.trainer.loop import Trainer

pytestmark = pytest.mark.slow

SEED, BATCH, EPOCHS = 3, 8, 3


@pytest.fixture(scope="module")
def parts(packaged_bert):
    preset = load_preset("laptop").replace(train_size=22, validation_size=10, test_size=1)
    return load_reviews(preset), *packaged_bert


def new_probe(hidden_size: int) -> LinearProbe:
    torch.manual_seed(SEED)
    return LinearProbe(hidden_size)


@pytest.fixture(scope="module")
def classic(parts):
    reviews, tokenizer, encoder = parts
    collator = ReviewCollator(tokenizer, max_length=500, padding="max_length")
    train = DataLoader(
        ReviewDataset(reviews["train"]),
        batch_size=BATCH,
        shuffle=True,
        generator=torch.Generator().manual_seed(SEED),
        collate_fn=collator,
    )
    valid = DataLoader(ReviewDataset(reviews["validation"]), BATCH, collate_fn=collator)
    assert next(iter(valid))[0]["input_ids"].shape == (BATCH, 500)
    model = FrozenBertClassifier(encoder, new_probe(encoder.config.hidden_size))
    trainer = Trainer(model, train, valid, learning_rate=0.01, verbose=False)
    trainer.train(EPOCHS)
    return trainer


@pytest.fixture(scope="module")
def fast(parts):
    reviews, tokenizer, encoder = parts
    loaders = [
        FeatureLoader(
            features.extract_features(
                reviews[pool], tokenizer, encoder, dtype=torch.float32, use_cache=False
            ),
            reviews[pool]["label"][:],
            batch_size=BATCH,
            shuffle=pool == "train",
            seed=SEED,
        )
        for pool in ("train", "validation")
    ]
    probe = new_probe(encoder.config.hidden_size)
    trainer = Trainer(probe, *loaders, learning_rate=0.01, verbose=False)
    trainer.train(EPOCHS)
    return trainer


def test_the_losses_are_the_same_in_every_epoch(classic, fast):
    assert fast.train_losses == pytest.approx(classic.train_losses, abs=1e-4)
    assert fast.val_losses == pytest.approx(classic.val_losses, abs=1e-4)
    assert len(fast.train_losses) == len(fast.val_losses) == EPOCHS


def test_the_losses_tell_one_order_of_the_reviews_from_another(classic, fast):
    first, last = classic.train_losses[0], classic.train_losses[-1]
    assert first - last > 0.01


def test_the_accuracies_are_the_same_in_every_epoch(classic, fast):
    assert fast.val_accuracy == classic.val_accuracy


def test_the_weights_are_the_same(classic, fast):
    assert torch.allclose(fast.model.linear.weight, classic.model.probe.linear.weight, atol=1e-3)
