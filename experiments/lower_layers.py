"""What the layers that stay give, computed once for every text and kept on the disk.

Every epoch then pays for the upper layers alone. A run that is killed goes on where it was.
"""

import hashlib
import json
import shutil
import time
from pathlib import Path

import numpy as np
import torch

from experiments.adapted import Adapted, Hidden
from imdb_tutorial.encoder.tokens import Tokens, plan_batches
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.progress import progress_bar

TOKENS, PROGRESS = "hidden.bin", "progress.json"
BUDGET = 1_024  # so that a batch stays in the processor's caches
SECONDS = 30.0
SPARE_BYTES = 500_000_000


class LowerLayers:
    """The lower half's output for every token of some texts, in a file that is read in pieces.

    Args:
        model: Its lower half computes.
        tokens: The texts.
        folder: Where the file is kept; of another model or other texts it is made again.
        key: Names the encoder, its layers and its precision.

    Raises:
        OSError: The disk has no room for it.
    """

    def __init__(self, model: Adapted, tokens: Tokens, folder: Path, key: str):
        self._tokens, self._folder = tokens, folder
        self._dtype = next(model.lower.parameters()).dtype
        whole = np.int16 if self._dtype == torch.bfloat16 else np.float32
        shape = (len(tokens.ids), model.lower.config.hidden_size)
        digest = hashlib.sha256(tokens.ids.tobytes() + tokens.starts.tobytes())
        self._key = f"{key} {self._dtype} {shape} {digest.hexdigest()}"
        done, size = self._done(), int(np.prod(shape)) * np.dtype(whole).itemsize
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / TOKENS
        if not done or not file.is_file() or file.stat().st_size != size:
            done = 0
            file.unlink(missing_ok=True)
            if (free := shutil.disk_usage(folder).free) < size + SPARE_BYTES:
                raise OSError(
                    f"the lower layers' output needs {size / 1e9:.1f} GB in {str(folder)!r} and "
                    f"{free / 1e9:.1f} GB are free: make room there, or let more layers learn"
                )
        self._file = np.memmap(file, whole, "r+" if file.is_file() else "w+", shape=shape)
        self._compute(model, done)

    def __call__(self, rows: np.ndarray) -> Hidden:
        """Read some texts' vectors, filled up to the longest of them."""
        starts, lengths = self._tokens.starts, self._tokens.lengths()[rows]
        mask = torch.from_numpy(np.arange(lengths.max()) < lengths[:, None])  # [batch, tokens]
        read = np.concatenate([self._file[starts[r] : starts[r + 1]] for r in rows])
        hidden = torch.zeros(*mask.shape, read.shape[1], dtype=self._dtype)
        hidden[mask] = torch.from_numpy(read).view(self._dtype)
        return hidden, mask.long()

    def _done(self) -> int:
        """Return how many batches of the plan are in the file."""
        try:
            found = json.loads((self._folder / PROGRESS).read_bytes())
            return int(found["batches"]) if found["key"] == self._key else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _compute(self, model: Adapted, done: int) -> None:
        starts = self._tokens.starts
        batches = list(plan_batches(self._tokens.lengths(), BUDGET))

        def work(rows: np.ndarray) -> np.ndarray:
            hidden, mask = model.below(self._tokens, rows)
            numbers = hidden.view(torch.int16) if hidden.dtype == torch.bfloat16 else hidden
            for row, vectors, length in zip(rows, numbers.numpy(), mask.sum(dim=1), strict=True):
                self._file[starts[row] : starts[row + 1]] = vectors[:length]
            return rows

        kept = time.monotonic()
        with progress_bar(
            total=len(batches), initial=done, desc="layers that stay", disable=done == len(batches)
        ) as bar:
            for _ in in_parallel(work, batches[done:], torch.device("cpu")):
                done += 1
                bar.update()
                if time.monotonic() - kept > SECONDS or done == len(batches):
                    self._file.flush()
                    content = json.dumps({"key": self._key, "batches": done})
                    write_whole(self._folder / PROGRESS, content.encode())
                    kept = time.monotonic()
