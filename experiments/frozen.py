"""Frozen encoders at their linear optimum: two BERTs, a random one, layers, lengths of input."""

import copy
import functools
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from experiments.budget import balanced_sample, fit_chosen
from experiments.data import accuracy, labels, quantise, reviews
from imdb_tutorial import extract_features, load_encoder, load_tokenizer

POOLINGS = ("cls", "mean")
STRENGTHS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1)
# The base-size encoder takes ten times as long a token, so it reads less.
LENGTHS = {"packaged": 500, "random": 500, "base": 256}
SHORTER = (64, 128, 256, 500)
RANDOM_SEED = 0


class EveryLayer(nn.Module):
    """An encoder whose answer is the token vectors of all its layers side by side, in one pass.

    Args:
        encoder: A model from ``load_encoder``; its embeddings count as layer 0.
    """

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.config = copy.deepcopy(encoder.config)
        self.num_layers = self.config.num_hidden_layers + 1
        self.config.hidden_size *= self.num_layers

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.encoder.device

    @property
    def dtype(self) -> torch.dtype:
        """The precision of its weights."""
        return self.encoder.dtype

    def forward(self, **inputs) -> SimpleNamespace:
        """Return ``last_hidden_state``, ``[batch, tokens, layers * hidden]``."""
        layers = self.encoder(**inputs, output_hidden_states=True).hidden_states
        return SimpleNamespace(last_hidden_state=torch.cat(layers, dim=-1))


def random_encoder():
    """Return a BERT of MiniLM's shape whose weights are as they were drawn."""
    from transformers import AutoModel

    torch.manual_seed(RANDOM_SEED)
    encoder = AutoModel.from_config(load_encoder(device="cpu").config)
    return encoder.requires_grad_(False).eval()


@functools.lru_cache(maxsize=4)
def vectors(encoder: str, part: str, length: int) -> dict[str, np.ndarray]:
    """Return a part's features ``[reviews, hidden]`` by pooling; ``layers`` has all of MiniLM's."""
    tokenizer = load_tokenizer("base" if encoder == "base" else "packaged")
    if encoder == "layers":
        model = EveryLayer(load_encoder(device="cpu"))
    else:
        model = random_encoder() if encoder == "random" else load_encoder(encoder, device="cpu")
    found = extract_features(reviews()[part]["text"][:], tokenizer, model, POOLINGS, length)
    return {pooling: features.numpy() for pooling, features in found.items()}


def standardised(train: np.ndarray, truth: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Give every feature mean 0 and spread 1 on the reviews that are learnt from."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    # [CLS] has the same embedding in every review: at layer 0 nothing is spread.
    spread[spread < 1e-6] = 1
    return [(x - mean) / spread for x in (train, *others)]


def ask_frozen(
    unit: dict, about: dict, train: np.ndarray, test: np.ndarray
) -> tuple[dict, np.ndarray]:
    """Fit one frozen encoder's features on the unit's sample; ask the test pool once."""
    rows = balanced_sample(unit["seed"], unit["size"])
    probabilities, choice = fit_chosen(
        standardised, train[rows], labels("train")[rows], test, STRENGTHS, unit["seed"]
    )
    answers = quantise(probabilities)
    row = unit | {"size": len(rows)} | about | choice
    return row | {"test_accuracy": accuracy(answers, labels("test"))}, answers


def together(pairs: list[tuple[dict, np.ndarray]]) -> tuple[list[dict], dict]:
    """Put rows and answers of several models into one unit's result."""
    return [row for row, _ in pairs], {"test": np.stack([answers for _, answers in pairs])}


def fit_frozen(unit: dict) -> tuple[list[dict], dict]:
    """Fit both poolings of one encoder on one sample."""
    length = LENGTHS[unit["encoder"]]
    train, test = (vectors(unit["encoder"], part, length) for part in ("train", "test"))
    about = {"length": length}
    return together([ask_frozen(unit, about | {"pooling": p}, train[p], test[p]) for p in POOLINGS])


def fit_lengths(unit: dict) -> tuple[list[dict], dict]:
    """Fit MiniLM's mean on one sample when it reads so many tokens of a review."""
    train, test = (vectors("packaged", part, unit["length"])["mean"] for part in ("train", "test"))
    return together([ask_frozen(unit, {"encoder": "packaged", "pooling": "mean"}, train, test)])


def fit_layers(unit: dict) -> tuple[list[dict], dict]:
    """Fit one layer of MiniLM, 0 for its embeddings, by both poolings."""
    length = LENGTHS["packaged"]
    parts = [vectors("layers", part, length) for part in ("train", "test")]
    hidden = load_encoder(device="cpu").config.hidden_size
    columns = slice(unit["layer"] * hidden, (unit["layer"] + 1) * hidden)
    about = {"encoder": "packaged", "length": length}
    return together(
        [
            ask_frozen(unit, about | {"pooling": p}, *(part[p][:, columns] for part in parts))
            for p in POOLINGS
        ]
    )
