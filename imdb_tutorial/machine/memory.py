"""Batches that a device's memory has no room for: half of them at a time, instead of an end."""

import gc
from collections.abc import Callable

import numpy as np
import torch

# Reviews of a batch by number in; for each, one row of every tensor that comes out.
Work = Callable[[np.ndarray], list[torch.Tensor]]


class WithinMemory:
    """Computes batches, and halves the token budget whenever a GPU's memory is not enough.

    What the smaller budget was needed for once, it is kept for: no later batch fails first. A row's
    numbers may differ in the last bits from those of an unhalved batch.
    """

    def __init__(self) -> None:
        self._budget: float = np.inf  # tokens in a batch, padding included

    def compute(self, work: Work, rows: np.ndarray, lengths: np.ndarray) -> list[torch.Tensor]:
        """Compute a batch, whole where there is room for it.

        Args:
            work: Computes some rows in one go.
            rows: Their numbers, ``[batch]``.
            lengths: How many tokens each row that has a number is long.

        Returns:
            What ``work`` returned, each ``[batch, ...]``.

        Raises:
            RuntimeError: The memory is not enough for a single row; the message says how long it
                is.
        """
        tokens = len(rows) * int(lengths[rows].max())
        if len(rows) == 1 or tokens <= self._budget:
            try:
                return work(rows)
            except torch.OutOfMemoryError as error:
                if len(rows) == 1:
                    raise RuntimeError(
                        f"the device has no memory for one text of {tokens:,} tokens: close other "
                        "programs that use it, or take a smaller max_length"
                    ) from error
            # Only here, where the error is gone, is what it held free again.
            _empty()
            self._budget = min(self._budget, tokens // 2)
        middle = len(rows) // 2
        halves = [self.compute(work, half, lengths) for half in (rows[:middle], rows[middle:])]
        return [torch.cat(parts) for parts in zip(*halves, strict=True)]


def _empty() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
