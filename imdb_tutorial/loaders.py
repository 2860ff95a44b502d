"""Batches of features that were computed before, fetched whole."""

from collections.abc import Sequence

import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler


class FeatureDataset(Dataset):
    """Features and labels that are fetched a whole batch at a time, by a list of row numbers.

    Args:
        features: ``[reviews, hidden]``.
        labels: One label per review.

    Raises:
        ValueError: Not as many labels as reviews.
    """

    def __init__(self, features: torch.Tensor, labels: Sequence[int] | torch.Tensor):
        self.features = features
        self.labels = torch.as_tensor(labels, dtype=torch.long)
        if len(self.features) != len(self.labels):
            raise ValueError(
                f"{len(self.features)} rows of features but {len(self.labels)} labels: expected "
                "one label per row"
            )

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: list[int]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        index = torch.as_tensor(rows)
        return {"features": self.features[index]}, self.labels[index]


def feature_loader(
    features: torch.Tensor,
    labels: Sequence[int] | torch.Tensor,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
) -> DataLoader:
    """Return a ``DataLoader`` over features that fetches whole batches instead of single rows.

    With the same seed the batches hold the same rows, in the same order, as those of a plain
    ``DataLoader`` with ``shuffle=True`` and ``generator=torch.Generator().manual_seed(seed)``.

    Args:
        features: ``[reviews, hidden]``.
        labels: One label per review.
        batch_size: Reviews in a batch; the last one may be smaller.
        shuffle: Take the reviews in a new random order every epoch.
        seed: Seed of that order.

    Returns:
        A loader of batches ``({"features": [batch, hidden]}, labels [batch])``.
    """
    dataset = FeatureDataset(features, labels)
    generator = torch.Generator().manual_seed(seed)
    order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(dataset, sampler=batches, batch_size=None, generator=generator)
