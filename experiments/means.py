"""One model of several runs: the mean of what they add to the weights (Wortsman et al., 2022)."""

from collections.abc import Sequence
from pathlib import Path

import torch

from experiments.adapted import Adapted, digest_of_weights
from imdb_tutorial.machine.checkpoint import read_checkpoint, write_checkpoint


@torch.no_grad()
def put_mean(models: Sequence[Adapted], into: Adapted) -> None:
    """Give a model the mean of several, which were taught with the same settings.

    The mean of products of small matrices has a higher rank than each; what the rank of ``into``
    cannot hold of it, its smallest singular values, is left out.

    Args:
        models: What the mean is of.
        into: It is changed.
    """
    for name, linear in into.linears.items():
        parts = [model.linears[name] for model in models]
        added = torch.stack([part.up.double() @ part.down.double() for part in parts]).mean(dim=0)
        left, sizes, right = torch.linalg.svd(added, full_matrices=False)  # of [out, in]
        rank = len(linear.down)
        root = sizes[:rank].sqrt()
        linear.up.copy_(left[:, :rank] * root)  # [out, rank]
        linear.down.copy_(root[:, None] * right[:rank])  # [rank, in]
    for name, parameter in into.probe.named_parameters():
        given = [model.probe.get_parameter(name) for model in models]
        parameter.copy_(torch.stack(given).mean(dim=0))
    into.refresh()


def kept_mean(models: Sequence[Adapted], into: Adapted, folder: Path) -> None:
    """Do as ``put_mean``, or take what it gave before: the last bits depend on the machine.

    Args:
        models: What the mean is of.
        into: It is changed.
        folder: Where the mean is kept.
    """
    found = read_checkpoint(folder)
    key = [digest_of_weights(model) for model in models]
    if found is None or found[1]["key"] != key:
        put_mean(models, into)
        write_checkpoint(folder, dict(into.learning()), {"key": key})
        return
    into.take(found[0])
