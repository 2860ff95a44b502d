"""An encoder in two halves: layers that stay, whose output can be kept, and layers that learn."""

import copy
import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from experiments.lora import adapt
from experiments.teaching_settings import Settings
from imdb_tutorial import choose_dtype, load_encoder, load_tokenizer
from imdb_tutorial.encoder.pooling import pool
from imdb_tutorial.encoder.tokens import Tokens, pad
from imdb_tutorial.probe import LinearProbe

CPU = torch.device("cpu")
# What reaches the layers that learn: [batch, tokens, hidden], and which of it is text.
Hidden = tuple[torch.Tensor, torch.Tensor]


class _AsGiven(nn.Module):
    """Stands where the embeddings stood: what is given is embedded already."""

    def forward(self, inputs_embeds: torch.Tensor, **others) -> torch.Tensor:
        return inputs_embeds


class Adapted(nn.Module):
    """A classifier that learns with small matrices in an encoder's upper layers.

    Args:
        settings: Which encoder, how many layers, and so on.
        seed: Of the small matrices.

    Raises:
        ValueError: More layers than the encoder has, or an adapter that would be too large.
    """

    def __init__(self, settings: Settings, seed: int):
        super().__init__()
        encoder = load_encoder(settings.encoder, device=CPU)
        layers = len(encoder.encoder.layer)
        if settings.layers > layers:
            raise ValueError(f"layers is {settings.layers}: {settings.encoder!r} has {layers}")
        self.first = layers - settings.layers
        self.pad_id = load_tokenizer(settings.encoder).pad_token_id
        dtype = choose_dtype("cpu")
        encoder.pooler = None
        if encoder.config.model_type == "bert":
            encoder.set_attn_implementation("eager")  # here a fused product is slow on its way back
        upper, every = copy.copy(encoder), encoder.encoder.layer
        upper._modules = dict(encoder._modules)
        upper.embeddings, upper.encoder = _AsGiven(), copy.copy(encoder.encoder)
        upper.encoder._modules = dict(encoder.encoder._modules)
        upper.encoder.layer = every[self.first :]
        encoder.encoder.layer = every[: self.first]
        torch.manual_seed(seed)
        self.linears = adapt(upper, settings.rank, settings.alpha, dtype)
        self.lower, self.upper = encoder.to(dtype), upper
        self.probe = LinearProbe(encoder.config.hidden_size, pooling="mean")
        size = 2 * sum(p.numel() for linear in self.linears.values() for p in linear.parameters())
        if size > settings.most_bytes:
            raise ValueError(
                f"an adapter of rank {settings.rank} in {settings.layers} layers has {size:,} "
                f"bytes: expected at most {settings.most_bytes:,}; take a lower rank"
            )

    def learning(self) -> dict[str, nn.Parameter]:
        """Return all that learns, by name."""
        found = {f"{n}.down": linear.down for n, linear in self.linears.items()}
        found |= {f"{n}.up": linear.up for n, linear in self.linears.items()}
        return found | {f"probe.{name}": p for name, p in self.probe.named_parameters()}

    def refresh(self) -> None:
        """Take up a change of what learns."""
        for linear in self.linears.values():
            linear.refresh()

    @torch.no_grad()
    def take(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put other numbers in place of all that learns.

        Args:
            tensors: By the names of ``learning``; what has other names is left alone.
        """
        for name, parameter in self.learning().items():
            parameter.copy_(tensors[name])
        self.refresh()

    @torch.no_grad()
    def below(self, tokens: Tokens, rows: np.ndarray) -> Hidden:
        """Compute what reaches the layers that learn, for some texts."""
        inputs = pad(tokens, rows, self.pad_id, CPU)
        return self.lower(**inputs)[0], inputs["attention_mask"]

    def features(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the mean of the last layer's vectors, float32 ``[batch, hidden]``."""
        return pool(self.upper(inputs_embeds=hidden, attention_mask=mask)[0], mask, "mean")

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits ``[batch, 2]``."""
        return self.probe(self.features(hidden, mask))


def start_probe(model: Adapted, features: np.ndarray, labels: np.ndarray) -> None:
    """Fit the probe before anything else learns (Kumar et al., 2022).

    Args:
        model: Nothing of it has learnt yet.
        features: ``[texts, hidden]``, as the encoder gives them without its small matrices.
        labels: ``[texts]``, of both kinds.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    fit = LogisticRegression(C=0.01, max_iter=1_000).fit((features - mean) / spread, labels)
    weights = torch.from_numpy(fit.coef_[0] / spread).float() / 2  # [hidden]
    bias = (fit.intercept_[0] - float(fit.coef_[0] @ (mean / spread))) / 2
    with torch.no_grad():
        model.probe.linear.weight.copy_(torch.stack([-weights, weights]))
        model.probe.linear.bias.copy_(torch.tensor([-bias, bias]))


def digest_of_weights(model: Adapted) -> str:
    """Digest all that learns in a model."""
    digest = hashlib.sha256()
    for name, parameter in model.learning().items():
        digest.update(name.encode() + parameter.detach().numpy().tobytes())
    return digest.hexdigest()
