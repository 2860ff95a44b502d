"""Every attribution of every review and its measures, in pieces that are kept: a kill costs one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.attributions_asked import Asked
from experiments.attributions_gradients import Shares, averaged
from experiments.attributions_measures import ask_versions, ask_whole
from experiments.attributions_methods import Method
from experiments.kept import digest_of, kept
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
    """Digest the code and the libraries that pieces depend on."""
    digest = hashlib.sha256(json.dumps([version("torch"), version("captum")]).encode())
    for name in CODE:
        digest.update(Path(__file__).with_name(f"attributions_{name}.py").read_bytes())
    return digest.hexdigest()


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
    readings = [asked.read(text) for text in texts]
    found = Found({name: [] for name in methods}, np.empty(len(texts)), {})
    margins: dict[str, list[np.ndarray]] = {name: [] for name in methods}
    code, starts = code_sha256(), range(0, len(texts), BLOCK)
    with progress_bar(total=len(starts) * len(methods), desc="attributing", unit="piece") as bar:
        for start in starts:
            rows = slice(start, start + BLOCK)
            some = readings[rows]
            key = [code, asked.sha256, _digest(texts[rows])]

            def keep(name: str, more: Sequence[str], make, key=key, start=start) -> np.ndarray:
                where = folder / asked.sha256[:12] / f"{start:04d}"
                return kept(where / f"{name}.safetensors", [*key, name, *more], make)

            whole = keep("whole", [], lambda some=some: ask_whole(asked, some))
            found.whole[rows] = whole
            for name, method in methods.items():
                slug = name.replace(" ", "-").replace("[", "").replace("]", "")
                if method.mean_of:
                    parts = [found.shares[part][rows] for part in method.mean_of]
                    shares = [averaged(of_text) for of_text in zip(*parts, strict=True)]
                else:
                    packed = keep(
                        slug,
                        [],
                        lambda method=method, some=some, start=start: pack(
                            method.find(asked, reading, np.random.default_rng([SEED, number]))
                            for number, reading in enumerate(some, start)
                        ),
                    )
                    shares = unpack(packed, [len(reading.spans) for reading in some])
                found.shares[name] += shares
                pushes = [one.pushes for one in shares]
                if measured:
                    margins[name].append(
                        keep(
                            f"{slug}-margins",
                            [digest_of(np.concatenate([whole, *pushes]))],
                            lambda some=some, pushes=pushes, whole=whole: ask_versions(
                                asked, some, pushes, whole
                            ),
                        )
                    )
                bar.update()
    if measured:
        found.margins.update({name: np.concatenate(some) for name, some in margins.items()})
    return found


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


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()
