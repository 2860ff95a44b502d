"""Batches of features that were computed before, fetched whole."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import RandomSampler

# What a model reads, by the names of its arguments, and the labels.
Batch = tuple[dict[str, torch.Tensor], torch.Tensor]


class FeatureLoader:
    """Goes through features and labels in whole batches, as a ``DataLoader`` goes through items.

    A ``DataLoader`` fetches row by row and puts the rows together again; one indexing operation a
    batch does the same in a fraction of the time. With the same seed the batches hold the same
    rows, in the same order, as those of a plain ``DataLoader`` with ``shuffle=True`` and
    ``generator=torch.Generator().manual_seed(seed)``.

    Args:
        features: ``[reviews, hidden]``.
        labels: One label per review.
        batch_size: Reviews in a batch; the last one may be smaller.
        shuffle: Take the reviews in a new random order every epoch.
        seed: Seed of that order.

    Raises:
        ValueError: Not as many labels as reviews, or no reviews in a batch.
    """

    def __init__(
        self,
        features: torch.Tensor,
        labels: Sequence[int] | torch.Tensor,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}: expected 1 or more")
        self.features = features  # [reviews, hidden]
        self.labels = torch.as_tensor(labels, dtype=torch.long)  # [reviews]
        if len(self.features) != len(self.labels):
            raise ValueError(
                f"{len(self.features)} rows of features but {len(self.labels)} labels: expected "
                "one label per row"
            )
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return math.ceil(len(self.features) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # A DataLoader first draws a seed for its workers; so does this, to give the same order.
        torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        count = len(self.features)
        order = (
            RandomSampler(self.features, generator=self.generator) if self.shuffle else range(count)
        )
        rows = torch.tensor(list(order), dtype=torch.long)  # [reviews]
        for start in range(0, count, self.batch_size):
            chosen = rows[start : start + self.batch_size]  # [batch]
            # By row numbers even where a slice would do: that makes a copy. How a product of
            # matrices is rounded may depend on where in memory they lie, and a slice of a tensor
            # that is mapped from the cache lies elsewhere than one of a new tensor.
            features = self.features[chosen]  # [batch, hidden]
            yield {"features": features}, self.labels[chosen]  # [batch]
