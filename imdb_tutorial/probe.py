"""The part that learns: one linear layer on top of a frozen BERT."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.encoder.limits import require_length
from imdb_tutorial.encoder.pooling import encode_and_pool
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.manifest import encoder_fingerprint
from imdb_tutorial.machine.tensors import pack, unpack
from imdb_tutorial.presets import MAX_LENGTH, POOLING, POOLINGS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE_FILE = "probe.safetensors"
SETTINGS = ("pooling", "softmax", "encoder", "encoder_fingerprint", "labels", "max_length")


class LinearProbe(nn.Module):
    """One linear layer that turns a review's features into one score per label.

    Args:
        hidden_size: Numbers in a feature vector (384 for MiniLM, 768 for bert-base).
        num_labels: Number of labels.
        pooling: Which features it reads: ``"cls"``, ``"mean"`` or ``"pooler"``.
        softmax: Return probabilities instead of logits, as the classic tutorial does. Cross-entropy
            then applies softmax a second time: see lesson 07, on two traps.

    Raises:
        ValueError: An unknown pooling.
    """

    def __init__(
        self,
        hidden_size: int,
        num_labels: int = 2,
        pooling: str = POOLING,
        softmax: bool = False,
    ):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is {pooling!r}: expected one of {', '.join(POOLINGS)}")
        self.linear = nn.Linear(hidden_size, num_labels)
        self.pooling = pooling
        self.softmax = softmax

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return scores ``[batch, labels]`` for features ``[batch, hidden]``."""
        logits = self.linear(features)  # [batch, hidden] -> [batch, labels]
        return logits.softmax(dim=1) if self.softmax else logits


class FrozenBertClassifier(nn.Module):
    """A frozen BERT with a probe on top: tokens in, scores out.

    Args:
        encoder: A model from ``load_encoder``.
        probe: The layer that learns; it also says how the token vectors are pooled.
    """

    def __init__(self, encoder: "PreTrainedModel", probe: LinearProbe):
        super().__init__()
        self.encoder: PreTrainedModel = encoder.requires_grad_(False).eval()
        self.probe = probe.to(encoder.device)

    def train(self, mode: bool = True) -> "FrozenBertClassifier":
        """Switch the probe's mode; the encoder stays in eval mode, so its dropout stays off."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **others: torch.Tensor
    ) -> torch.Tensor:
        """Return scores ``[batch, labels]`` for token ids ``[batch, tokens]``."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, **others}
        with torch.no_grad():
            (features,) = encode_and_pool(self.encoder, inputs, self.probe.pooling)
        return self.probe(features)  # [batch, hidden] -> [batch, labels]


def save_probe(
    probe: LinearProbe,
    folder: str | os.PathLike,
    encoder: str = "packaged",
    labels: Sequence[str] = LABELS,
    max_length: int = MAX_LENGTH,
) -> Path:
    """Save a trained probe with all that is needed to use it again.

    Args:
        probe: The trained layer.
        folder: Where to write ``probe.safetensors``; made if it does not exist.
        encoder: The encoder it was trained on: ``"packaged"``, ``"base"``, a folder or a hub name.
        labels: The labels' names, in the order of the probe's outputs.
        max_length: The longest input it was trained on, in tokens.

    Returns:
        The written file. It is written whole or not at all.

    Raises:
        ValueError: Not one name per output, or a length that no model can read.
        OSError: The disk refuses; a probe that was there before is kept.
    """
    if len(labels) != probe.linear.out_features:
        raise ValueError(
            f"{len(labels)} label names for a probe with {probe.linear.out_features} outputs: "
            "expected one name per output"
        )
    settings = {
        "pooling": probe.pooling,
        "softmax": probe.softmax,
        "encoder": os.fspath(encoder),
        "encoder_fingerprint": encoder_fingerprint(encoder),
        "labels": list(labels),
        "max_length": require_length(max_length),
    }
    target = Path(folder) / PROBE_FILE
    write_whole(target, pack(probe.state_dict(), "probe", settings))
    return target


def load_probe(folder: str | os.PathLike) -> tuple[LinearProbe, dict]:
    """Load a probe that ``save_probe`` wrote.

    Args:
        folder: The folder that holds ``probe.safetensors``.

    Returns:
        The probe, in eval mode, and its settings: ``pooling``, ``softmax``, ``encoder``,
        ``encoder_fingerprint``, ``labels`` and ``max_length``.

    Raises:
        FileNotFoundError: The folder holds no probe.
        ValueError: The file is not a probe, or not as it was saved.
    """
    file = Path(folder) / PROBE_FILE
    if not file.is_file():
        raise FileNotFoundError(f"no {PROBE_FILE} in {os.fspath(folder)!r}: expected a saved probe")
    try:
        weights, stored = unpack(file, "probe")
        settings = {name: stored[name] for name in SETTINGS}
        _check(settings, weights)
        num_labels, hidden_size = weights["linear.weight"].shape
        probe = LinearProbe(hidden_size, num_labels, settings["pooling"], settings["softmax"])
        probe.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{str(file)!r} is damaged or no saved probe ({error}): train and save it again"
        ) from error
    return probe.eval(), settings


def _check(settings: dict, weights: dict[str, torch.Tensor]) -> None:
    require_length(settings["max_length"])
    if type(settings["softmax"]) is not bool:
        raise ValueError(f"softmax is {settings['softmax']!r:.60}: expected true or false")
    if not isinstance(settings["encoder"], str):
        raise ValueError(f"encoder is {settings['encoder']!r:.60}: expected a text")
    if not isinstance(settings["labels"], list):
        raise ValueError(f"labels is {settings['labels']!r:.60}: expected a list of names")
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite numbers")
