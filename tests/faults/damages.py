"""Files that are read back: turned bytes, cut off, gone."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from readings import Reading
from trials import Trial, child, copy, unclear

Damage = Callable[[bytes], bytes]


def damages(
    subject: str, reading: Reading, expected: Any, chance: random.Random, flips: int
) -> Iterator[Trial]:
    """Turn bits of each file that is read back, cut it, and take it away.

    Args:
        subject: What is read.
        reading: Its files, and what reads them.
        expected: What the undamaged folder answers.
        chance: Where the bytes are drawn from.
        flips: Number of single bits; ten bytes together half as often.
    """
    for file in reading.files:
        for fault, damage in _ways((reading.whole / file).stat().st_size, chance, flips):
            yield Trial(fault, subject, _read_damaged(reading, file, expected, damage))


def _read_damaged(
    reading: Reading, file: Path, expected: Any, damage: Damage | None
) -> Callable[[Path], str | None]:
    def attempt(place: Path) -> str | None:
        copy(reading.whole, place)
        content = (place / file).read_bytes()
        (place / file).unlink()  # it may be a link
        if damage is not None:
            (place / file).write_bytes(damage(content))
        ending = child(lambda: reading.look(place), place)
        if ending.done:
            return None if ending.answer == expected else f"{file}: another answer, silently"
        return (lost := unclear(ending)) and f"{file}: {lost}"

    return attempt


def _ways(size: int, chance: random.Random, flips: int) -> Iterator[tuple[str, Damage | None]]:
    for _ in range(flips if size else 0):
        yield "flipped bits", _flip([chance.randrange(size)], 1 << chance.randrange(8))
    for _ in range(flips // 2 if size else 0):
        yield "flipped bytes", _flip([chance.randrange(size) for _ in range(10)], 0xFF)
    for length in sorted({0, size // 2, max(size - 1, 0)}):
        yield "cut short", lambda content, length=length: content[:length]
    yield "gone", None


def _flip(places: list[int], mask: int) -> Damage:
    def damage(content: bytes) -> bytes:
        changed = bytearray(content)
        for place in places:
            changed[place] ^= mask
        return bytes(changed)

    return damage
