"""The Trainer against a loop written by hand, and against scikit-learn."""

import builtins
import math

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader

from imdb_tutorial.collate import ReviewCollator
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.encoder.loaders import FeatureLoader
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.probe import FrozenBertClassifier, LinearProbe
from imdb_tutorial.trainer.callbacks import Callback, Checkpoint
from imdb_tutorial.trainer.loop import Trainer

HIDDEN, TRAIN, VALID, BATCH = 12, 70, 37, 16


def noisy_reviews(count: int, seed: int, noise: float = 0.7) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(HIDDEN, generator=torch.Generator().manual_seed(99))
    features = torch.randn(count, HIDDEN, generator=generator)
    error = noise * torch.randn(count, generator=generator)
    return features, (features @ direction / direction.norm() + error > 0).long()


def new_probe(seed: int = 0, **settings) -> LinearProbe:
    torch.manual_seed(seed)
    return LinearProbe(HIDDEN, **settings)


def new_trainer(probe: torch.nn.Module, **settings) -> Trainer:
    return Trainer(
        probe,
        FeatureLoader(*noisy_reviews(TRAIN, 1), batch_size=BATCH, shuffle=True, seed=5),
        FeatureLoader(*noisy_reviews(VALID, 2), batch_size=BATCH),
        **{"verbose": False} | settings,
    )


def plain_loop(model, num_epochs: int, learning_rate=1e-3, gamma=0.95):
    """Train with nothing but torch; return the losses, the accuracies and the other losses."""
    train = list(zip(*noisy_reviews(TRAIN, 1), strict=True))
    features, labels = noisy_reviews(VALID, 2)
    loader = DataLoader(train, BATCH, shuffle=True, generator=torch.Generator().manual_seed(5))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    losses, accuracies, checked = [], [], []
    for _ in range(num_epochs):
        of_each_review = []
        for x, y in loader:
            optimizer.zero_grad()
            each = torch.nn.functional.cross_entropy(model(x), y, reduction="none")
            each.mean().backward()
            optimizer.step()
            of_each_review += each.tolist()
        scheduler.step()
        losses.append(sum(of_each_review) / TRAIN)
        right = [
            int(model(x[None]).argmax()) == int(y) for x, y in zip(features, labels, strict=True)
        ]
        accuracies.append(sum(right) / VALID)
        certain = [model(x).log_softmax(dim=0)[y] for x, y in zip(features, labels, strict=True)]
        checked.append(-sum(certain).item() / VALID)
    return losses, accuracies, checked


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.02, "gamma": 0.7}])
def test_the_same_numbers_as_a_loop_by_hand(settings):
    probe, by_hand = new_probe(), new_probe()
    losses, accuracies, checked = plain_loop(by_hand, 6, **settings)
    trainer = new_trainer(probe, **settings)
    history = trainer.train(6)
    assert trainer.train_losses == history.train_losses == pytest.approx(losses, abs=1e-6)
    assert trainer.val_accuracy == history.val_accuracy == accuracies
    assert trainer.val_losses == history.val_losses == pytest.approx(checked, abs=1e-6)
    assert torch.allclose(probe.linear.weight, by_hand.linear.weight, atol=1e-6)
    assert len(set(losses)) == len(set(checked)) == 6


def test_as_good_as_logistic_regression():
    train, valid = noisy_reviews(800, 1), noisy_reviews(1_000, 2)
    trainer = Trainer(
        new_probe(),
        FeatureLoader(*train, shuffle=True),
        FeatureLoader(*valid),
        learning_rate=0.01,
        verbose=False,
    )
    trainer.train(40)
    exact = LogisticRegression().fit(*(tensor.numpy() for tensor in train))
    expected = exact.score(*(tensor.numpy() for tensor in valid))
    assert 0.7 < expected < 0.95
    assert trainer.val_accuracy[-1] == pytest.approx(expected, abs=0.015)


def test_trains_on_tokens_as_on_features(tiny_bert):
    reviews = [("good movie", 1), ("bad movie", 0), ("great film", 1), ("worst film", 0)] * 3
    collator = ReviewCollator(load_tokenizer(tiny_bert), max_length=12)
    loader = DataLoader(reviews, batch_size=5, collate_fn=collator)
    encoder = load_encoder(tiny_bert, device="cpu")
    model = FrozenBertClassifier(encoder, LinearProbe(encoder.config.hidden_size, pooling="mean"))
    trainer = Trainer(model, loader, loader, learning_rate=0.1, verbose=False)
    trainer.train(15)
    assert trainer.train_losses[-1] < trainer.train_losses[0]
    assert trainer.val_accuracy[-1] == 1.0


GLOBALS = (
    "train_loader",
    "valid_loader",
    "val_loader",
    "model",
    "optimizer",
    "criterion",
    "device",
)


class Bomb:
    """Stands under a global name that nobody may use."""

    def _explode(self, *args, **kwargs):
        raise AssertionError("a global name was used")

    __iter__ = __len__ = __call__ = __getattr__ = _explode


def test_uses_its_own_loaders_and_no_global(monkeypatch):
    expected = new_trainer(new_probe()).train(2)
    for name in GLOBALS:
        monkeypatch.setattr(builtins, name, Bomb(), raising=False)
    assert new_trainer(new_probe()).train(2) == expected


def test_two_trainers_do_not_mix():
    alone = new_trainer(new_probe()).train(2)
    first, second = new_trainer(new_probe()), new_trainer(new_probe(seed=1))
    for num_epochs in (1, 2):
        for trainer in (first, second):
            trainer.train(num_epochs)
    assert first.history == alone
    assert second.history != alone


def test_prints_one_line_an_epoch(capsys):
    trainer = new_trainer(new_probe(), verbose=True)
    trainer.train(3)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines):
        assert f"epoch {number + 1:2d}" in line
        assert f"{trainer.train_losses[number]:.4f}" in line
        assert f"{trainer.val_accuracy[number]:.1%}" in line


def test_prints_nothing_when_told_so(capsys):
    new_trainer(new_probe(), verbose=False).train(2)
    assert capsys.readouterr().out == ""


def test_validation_counts_reviews_and_not_batches():
    probe = new_probe()
    with torch.no_grad():
        probe.linear.weight.zero_()
        probe.linear.bias.copy_(torch.tensor([1.0, 0.0]))
    labels = torch.tensor([0] * 8 + [1, 1])
    loader = FeatureLoader(torch.zeros(10, HIDDEN), labels, batch_size=8)
    loss, accuracy = Trainer(probe, [], loader).validate()
    assert accuracy == 0.8
    by_hand = [1.0 * label + math.log1p(math.exp(-1.0)) for label in labels.tolist()]
    assert loss == pytest.approx(sum(by_hand) / 10)


def test_validation_changes_nothing_and_measures_without_dropout():
    dropout = torch.nn.Dropout(0.5)
    probe = new_probe()
    probe.linear = torch.nn.Sequential(dropout, probe.linear)
    trainer = new_trainer(probe)
    trainer.train(1)
    weights = {name: tensor.clone() for name, tensor in probe.state_dict().items()}
    probe.train()
    answers = {trainer.validate() for _ in range(5)}
    assert answers == {(trainer.val_losses[-1], trainer.val_accuracy[-1])}
    assert len(trainer.val_accuracy) == len(trainer.val_losses) == len(trainer.train_losses) == 1
    assert all(torch.equal(weights[name], tensor) for name, tensor in probe.state_dict().items())


def test_every_epoch_trains_with_dropout_on():
    modes = []
    probe = new_probe()
    probe.register_forward_hook(lambda module, *_: modes.append(module.training))
    trainer = new_trainer(probe)
    trainer.train(2)
    steps = [True] * len(trainer.train_loader) + [False] * len(trainer.valid_loader)
    assert modes == steps * 2


@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "with a checkpoint"])
def test_the_number_of_epochs_is_that_of_all_calls_together(tmp_path, kept):
    at_once, in_parts = new_trainer(new_probe()), new_trainer(new_probe())
    callbacks = [Checkpoint(tmp_path)] if kept else []
    at_once.train(5)
    in_parts.train(2, callbacks)
    assert len(in_parts.train_losses) == 2
    assert in_parts.train(5, callbacks) == at_once.history
    assert torch.equal(at_once.model.linear.weight, in_parts.model.linear.weight)
    for num_epochs in (5, 3, 0):
        assert in_parts.train(num_epochs, callbacks) == at_once.history
    assert torch.equal(at_once.model.linear.weight, in_parts.model.linear.weight)


def test_an_interruption_leaves_one_number_of_each_kind_an_epoch(monkeypatch):
    trainer = new_trainer(new_probe())
    trainer.train(1)

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trainer, "validate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(3)
    assert [len(numbers) for numbers in vars(trainer.history).values()] == [1, 1, 1]
    trainer.train(2)
    assert [len(numbers) for numbers in vars(trainer.history).values()] == [2, 2, 2]


class Recorder(Callback):
    """Writes down what it is told."""

    def __init__(self):
        self.heard = []

    def on_train_begin(self, trainer, num_epochs):
        self.heard.append(("begin", num_epochs))

    def on_epoch_end(self, trainer):
        self.heard.append(("epoch", len(trainer.train_losses), len(trainer.val_accuracy)))

    def on_train_end(self, trainer):
        self.heard.append("end")


def test_callbacks_hear_of_the_beginning_of_every_epoch_and_of_the_end():
    recorder = Recorder()
    new_trainer(new_probe()).train(2, [recorder])
    assert recorder.heard == [("begin", 2), ("epoch", 1, 1), ("epoch", 2, 2), "end"]


def test_callbacks_hear_of_the_end_where_the_training_fails():
    recorder = Recorder()
    probe = new_probe()
    trainer = new_trainer(probe)
    trainer.train_loader = [({"features": torch.zeros(2, HIDDEN + 1)}, torch.tensor([0, 1]))]
    with pytest.raises(RuntimeError):
        trainer.train(2, [recorder])
    assert recorder.heard == [("begin", 2), "end"]


def test_a_callback_that_does_nothing_changes_nothing():
    with_callback, without = new_trainer(new_probe()), new_trainer(new_probe())
    assert with_callback.train(3, [Callback()]) == without.train(3)


@pytest.mark.parametrize("verbose", [False, True])
def test_the_bar_counts_every_batch_of_every_epoch(monkeypatch, capsys, verbose):
    bars = []

    def kept(**options):
        bars.append(progress_bar(**options))
        return bars[-1]

    monkeypatch.setattr("imdb_tutorial.trainer.callbacks.progress_bar", kept)
    trainer = new_trainer(new_probe(), verbose=verbose)
    trainer.train(2)
    trainer.train(3)
    trainer.validate()
    batches = len(trainer.train_loader) + len(trainer.valid_loader)
    assert [(bar.initial, bar.n, bar.total) for bar in bars] == [
        (0, 2 * batches, 2 * batches),
        (2 * batches, 3 * batches, 3 * batches),
    ]


def test_parameters_that_are_frozen_stay_as_they_are():
    probe = new_probe()
    probe.linear.bias.requires_grad_(False)
    bias = probe.linear.bias.clone()
    new_trainer(probe).train(1)
    assert torch.equal(probe.linear.bias, bias)
