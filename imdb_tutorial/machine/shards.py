"""What a long extraction has computed so far, in pieces, so that a kill costs half a minute."""

import contextlib
import hashlib
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from imdb_tutorial.machine import cache
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.tensors import pack, unpack

# A run that is killed has computed so much in vain, and what it was doing just then.
SECONDS = 30.0
MOST_BYTES = 64_000_000  # in memory alone; a GPU makes more in half a minute
# So often what was written is computed again; after that the disk is not trusted any more.
MOST_LOSSES = 3


class Shards:
    """Tables of vectors by name, one row a review, computed batch by batch and kept in between.

    Which batch holds which rows is planned before, so a row is the same whatever was interrupted
    when, and whichever of several processes computed it; a shard is some batches of that plan, one
    after the other. Several processes call the same methods, and each has its share.

    Args:
        key: Names what is computed; without it nothing is kept on disk.
        names: Of the tables.
        batches: The plan: the row numbers of each batch; each row is in one of them.
        columns: Numbers in a vector.
    """

    def __init__(
        self, key: str | None, names: Sequence[str], batches: Sequence[np.ndarray], columns: int
    ):
        self._key, self._names, self._batches = key, names, batches
        self._shape = (sum(len(rows) for rows in batches), columns)
        digest = hashlib.sha256()
        for rows in batches:
            digest.update(len(rows).to_bytes(8, "big") + rows.astype("<i8").tobytes())
        self._plan = digest.hexdigest()
        self._files: dict[str, dict[Path, range]] = {name: {} for name in names}
        self._tables: dict[str, torch.Tensor] = {}  # by name, those that are whole
        self._fresh: dict[int, dict[str, np.ndarray]] = {}  # by batch: names, vectors
        self._kept_at, self._fresh_bytes = time.monotonic(), 0
        self._keeps = key is not None
        self._stored: list[str] = []
        self._losses = 0
        self._all = processes()
        if self._keeps:
            self._take_up()

    def missing(self) -> list[int]:
        """Return the numbers of the batches that no process has computed."""
        return sorted(set.intersection(*map(set, self._all.gather(self._missing_here()))))

    def _missing_here(self) -> list[int]:
        there = [
            {number for numbers in self._files[name].values() for number in numbers}
            for name in self._open()
        ]
        done = set.intersection(*there) | self._fresh.keys()
        return [number for number in range(len(self._batches)) if number not in done]

    def _open(self) -> list[str]:
        return [name for name in self._names if name not in self._tables]

    def add(self, number: int, vectors: dict[str, np.ndarray]) -> None:
        """Take a batch; every half a minute, keep on disk what has come since.

        Args:
            number: Which batch of the plan.
            vectors: For each name float32 ``[batch, columns]``.
        """
        self._fresh[number] = vectors
        self._fresh_bytes += sum(table.nbytes for table in vectors.values())
        if time.monotonic() - self._kept_at >= SECONDS or self._fresh_bytes >= MOST_BYTES:
            self.keep()

    def keep(self) -> None:
        """Write what is in memory alone; where the disk refuses, warn and go on without."""
        if not self._keeps:
            return
        for numbers in _runs(sorted(self._fresh)):
            try:
                for name in self._open():
                    self._write(name, numbers)
            except OSError as error:
                cache.warn_of_no_place(error)
                self._keeps = False
                return
            for number in numbers:
                del self._fresh[number]
        self._kept_at, self._fresh_bytes = time.monotonic(), 0

    def tables(self) -> dict[str, torch.Tensor] | None:
        """Put the tables together, and remove the shards that went into them.

        Returns:
            For each name float32 ``[rows, columns]``, in every process; or nothing while batches
            are missing, also those of a shard that was damaged meanwhile.
        """
        if self.missing() or not self._exchange():
            return None
        tables = {name: self._table(name) for name in self._open()}
        whole = {name: table for name, table in tables.items() if table is not None}
        # A table that everyone has needs its shards no longer, whatever the others still lack.
        for name in set.intersection(*self._all.gather(set(whole))):
            self._tables[name] = whole[name]
        if self._open():
            self._losses += 1
            if self._losses == MOST_LOSSES and self._keeps:
                warnings.warn(
                    f"shards in {cache.cache_folder()} are damaged again and again: going on "
                    "without them; look at that disk",
                    stacklevel=2,
                )
                self._keeps = False
            return None
        for file in (file for name in self._stored for file in self._files[name]):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        return self._tables

    def _exchange(self) -> bool:
        """Get from the other processes what this one cannot read from the disk; all or nothing."""
        if self._all.count == 1:
            return True
        self.keep()
        self._all.gather(None)  # now everyone has written
        if self._keeps:
            self._take_up()
        missing = self._all.gather(set(self._missing_here()))
        mine = {
            number
            for number in set.union(*missing)
            if self._all.number == next(n for n, lacks in enumerate(missing) if number not in lacks)
        }
        out: dict[int, dict[str, np.ndarray]] | None = None
        with contextlib.suppress(_LostShardError):
            out = self._take_out(mine)
        given = self._all.gather(out)
        lacking = missing[self._all.number]
        for vectors in given:
            self._fresh |= {n: of_n for n, of_n in (vectors or {}).items() if n in lacking}
        return None not in given

    def _take_out(self, numbers: set[int]) -> dict[int, dict[str, np.ndarray]]:
        found = {number: self._fresh[number] for number in numbers & self._fresh.keys()}
        for name in self._open():
            for file, held in self._files[name].items():
                if not (wanted := numbers.intersection(held) - self._fresh.keys()):
                    continue
                if (vectors := self._read(name, file)) is None:
                    raise _LostShardError
                ends = np.cumsum([len(self._batches[number]) for number in held])
                for number, part in zip(held, np.split(vectors, ends[:-1]), strict=True):
                    if number in wanted:
                        found.setdefault(number, {})[name] = part
        return found

    def _table(self, name: str) -> torch.Tensor | None:
        """Have a table written once and read by everyone; nothing where a shard is lost.

        Machines that do not share their cache's folder write one each.
        """
        table = None
        for writes in (self._all.is_main, self._all.is_local_main):
            with contextlib.suppress(_LostShardError):
                if table is None and writes and self._keeps:
                    self._store(name)
            self._all.gather(None)  # now it is written
            if table is None and self._keeps:
                table = cache.read(f"{self._key}-{name}", self._shape)
        if table is not None:
            self._stored.append(name)
            return table
        try:
            return self._gather(name)
        except _LostShardError:
            return None

    def _store(self, name: str) -> None:
        try:
            cache.write(f"{self._key}-{name}", self._shape, self._pieces(name))
        except OSError as error:
            cache.warn_of_no_place(error)
            self._keeps = False

    def _gather(self, name: str) -> torch.Tensor:
        table = np.empty(self._shape, dtype=np.float32)
        for rows, vectors in self._pieces(name):
            table[rows] = vectors
        return torch.from_numpy(table)

    def _pieces(self, name: str) -> Iterator[cache.Piece]:
        if self._missing_here():
            raise _LostShardError
        for file, numbers in list(self._files[name].items()):
            if (vectors := self._read(name, file)) is None:
                del self._files[name][file]
                raise _LostShardError
            yield self._rows(numbers), vectors
        for number, by_name in self._fresh.items():
            yield self._batches[number], by_name[name]

    def _take_up(self) -> None:
        """Find what earlier runs have left, and believe what is whole and of this plan."""
        for name in self._open():
            for file in sorted(cache.cache_folder().glob(f"{self._key}-{name}-*")):
                if file in self._files[name] or file.suffix != cache.SHARD_SUFFIX:
                    continue
                if self._read(name, file) is not None:
                    first, last = map(int, file.stem.rsplit("-", 2)[1:])
                    self._files[name][file] = range(first, last)

    def _write(self, name: str, numbers: range) -> None:
        vectors = np.concatenate([self._fresh[number][name] for number in numbers])
        file = self._file(name, numbers)
        tensors = {"vectors": torch.from_numpy(vectors)}
        write_whole(file, pack(tensors, "shard", self._record(name, numbers)))
        self._files[name][file] = numbers

    def _read(self, name: str, file: Path) -> np.ndarray | None:
        try:
            tensors, record = unpack(file, "shard")
            numbers = range(record["first"], record["last"])
            if not 0 <= numbers.start < numbers.stop:
                raise ValueError(f"it holds the batches {numbers}")
            vectors = tensors["vectors"].numpy()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _discard(file, f"is damaged ({error})")
            return None
        if record != self._record(name, numbers) or file.name != self._file(name, numbers).name:
            _discard(file, "is of another run")
            return None
        if vectors.dtype != np.float32 or vectors.shape != (
            len(self._rows(numbers)),
            self._shape[1],
        ):
            _discard(file, f"is damaged (it holds {vectors.shape})")
            return None
        return vectors

    def _rows(self, numbers: range) -> np.ndarray:
        return np.concatenate([self._batches[number] for number in numbers])

    def _file(self, name: str, numbers: range) -> Path:
        stem = f"{self._key}-{name}-{numbers.start}-{numbers.stop}"
        return cache.cache_folder() / f"{stem}{cache.SHARD_SUFFIX}"

    def _record(self, name: str, numbers: range) -> dict:
        return {
            "key": self._key,
            "name": name,
            "plan": self._plan,
            "first": numbers.start,
            "last": numbers.stop,
        }


def kept_batches(key: str, names: Sequence[str]) -> set[int]:
    """Say what earlier runs have left, by the files' names alone: nothing is read or removed.

    Args:
        key: Names what is computed.
        names: Of the tables, one at least.

    Returns:
        The numbers of the batches that are there for each name.
    """
    kept = []
    for name in names:
        files = cache.cache_folder().glob(f"{key}-{name}-*-*{cache.SHARD_SUFFIX}")
        bounds = [file.stem.rsplit("-", 2)[1:] for file in files]
        kept.append({n for first, last in bounds for n in range(int(first), int(last))})
    return set.intersection(*kept)


class _LostShardError(Exception):
    """A shard that was sound when the run began is so no longer."""


def _runs(numbers: Sequence[int]) -> list[range]:
    """Cut increasing numbers where one is left out."""
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs


def _discard(file: Path, reason: str) -> None:
    warnings.warn(f"the shard {file.name} {reason}: computing what it held again", stacklevel=4)
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
