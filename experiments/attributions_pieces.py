"""Every attribution of every review and its measures, in pieces that are kept: a kill costs one."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.attributions_asked import Asked
from experiments.attributions_gradients import Shares, averaged
from experiments.attributions_measures import ask_versions, ask_whole
from experiments.attributions_methods import Method
from experiments.kept import digest_of, kept
from imdb_tutorial.explorer.attributions import ABSOLUTE_ERROR, RELATIVE_ERROR, STEPS
from imdb_tutorial.machine.progress import progress_bar

BLOCK = 10  # reviews in a piece
SEED = 0
CODE = ("asked", "bags", "gradients", "measures", "methods")
PARTS = ("other", "reached", "blank")


class Found(NamedTuple):
    """What was found out about some texts.

    Args:
        shares: By method, of each text.
        whole: The margin of each text, ``[texts]``.
        margins: By method, of texts without their strongest words and of these alone, ``[texts,
            removals, 2, shares]``; empty where only shares were asked for.
    """

    shares: dict[str, list[Shares]]
    whole: np.ndarray
    margins: dict[str, np.ndarray]


def code_sha256() -> str:
    """Digest the code, the explorer's settings and the libraries that pieces depend on."""
    libraries = [version("torch"), version("captum")]
    settings = [STEPS, RELATIVE_ERROR, ABSOLUTE_ERROR]
    digest = hashlib.sha256(json.dumps([libraries, settings]).encode())
    for name in CODE:
        digest.update(Path(__file__).with_name(f"attributions_{name}.py").read_bytes())
    return digest.hexdigest()


class Block:
    """Some texts that are attributed and asked about together, and what of it is kept.

    Args:
        asked: The classifier.
        texts: All texts.
        start: The number of the block's first text.
        folder: Where the pieces of all blocks are kept.
    """

    def __init__(self, asked: Asked, texts: Sequence[str], start: int, folder: Path):
        some = list(texts[start : start + BLOCK])
        self._asked, self._start = asked, start
        self._readings = [asked.read(text) for text in some]
        self._folder = folder / asked.sha256[:12] / f"{start:04d}"
        digest = hashlib.sha256(json.dumps(some).encode()).hexdigest()
        self._key = [code_sha256(), asked.sha256, digest]

    def whole(self) -> np.ndarray:
        """Return the margins of the texts themselves, ``[texts]``."""
        return self._kept("whole", [], lambda: ask_whole(self._asked, self._readings))

    def shares(self, name: str, method: Method) -> list[Shares]:
        """Return what a method finds, text by text; each has random numbers of its own."""

        def find() -> np.ndarray:
            return pack(
                method.find(self._asked, reading, np.random.default_rng([SEED, number]))
                for number, reading in enumerate(self._readings, self._start)
            )

        words = [len(reading.spans) for reading in self._readings]
        return unpack(self._kept(name, [], find), words)

    def margins(self, name: str, shares: Sequence[Shares], whole: np.ndarray) -> np.ndarray:
        """Return the margins of versions of the texts, ``[texts, removals, 2, shares]``."""
        pushes = [one.pushes for one in shares]
        more = [digest_of(np.concatenate([whole, *pushes]))]
        ask = functools.partial(ask_versions, self._asked, self._readings, pushes, whole)
        return self._kept(f"{name}-margins", more, ask)

    def _kept(self, name: str, more: Sequence[str], make: Callable[[], np.ndarray]) -> np.ndarray:
        plain = re.sub(r"[^\w-]+", "", name.replace(" ", "-"))
        return kept(self._folder / f"{plain}.safetensors", [*self._key, name, *more], make)


def find_all(
    asked: Asked,
    texts: Sequence[str],
    methods: Mapping[str, Method],
    folder: Path,
    measured: bool = True,
) -> Found:
    """Attribute texts by every method, and ask about what is left; what is there is taken.

    Args:
        asked: The classifier.
        texts: The texts.
        methods: By name.
        folder: Where the pieces are kept.
        measured: Whether to ask for the margins, too.

    Raises:
        OSError: The disk refuses.
    """
    whole, margins = np.empty(len(texts)), {name: [] for name in methods}
    shares: dict[str, list[Shares]] = {name: [] for name in methods}
    starts = range(0, len(texts), BLOCK)
    with progress_bar(total=len(starts) * len(methods), desc="attributing", unit="piece") as bar:
        for start in starts:
            rows, block = slice(start, start + BLOCK), Block(asked, texts, start, folder)
            whole[rows] = block.whole()
            for name, method in methods.items():
                parts = [shares[part][rows] for part in method.mean_of]
                some = [averaged(of_text) for of_text in zip(*parts, strict=True)]
                some = some or block.shares(name, method)
                shares[name] += some
                if measured:
                    margins[name].append(block.margins(name, some, whole[rows]))
                bar.update()
    joined = {name: np.concatenate(some) for name, some in margins.items() if some}
    return Found(shares, whole, joined)


def pack(shares) -> np.ndarray:
    """Put the shares of several texts one after the other, float64."""
    return np.concatenate([[*(getattr(one, p) for p in PARTS), *one.pushes] for one in shares])


def unpack(packed: np.ndarray, words: Sequence[int]) -> list[Shares]:
    """Take apart what ``pack`` put together, given the number of words of each text."""
    ends = np.cumsum([count + len(PARTS) for count in words])
    return [
        Shares(one[len(PARTS) :], *map(float, one[: len(PARTS)]))
        for one in np.split(packed, ends[:-1])
    ]
