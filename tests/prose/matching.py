"""Asks whether a number of the prose stands in a source, at the digits that the prose gives."""

import bisect
import math
import re
from collections.abc import Iterable, Iterator

from tests.prose.reading import Number
from tests.prose.sources import Source

# A column without a unit at its numbers says in its head what they are.
UNIT_WORDS = {
    "time": frozenset(("day", "hour", "millisecond", "minute", "second", "time")),
    "size": frozenset(("byte", "disk", "megabyte", "memory", "size")),
}


class Index:
    """Sources in the order of their numbers, so that few are compared with a claim.

    Args:
        sources: Where a number may stand.
    """

    def __init__(self, sources: Iterable[Source]):
        rows = []
        for source in sources:
            number = source.number
            keys = {abs(number.raw), abs(number.value), abs(number.raw * 100)}
            rows += [(key, source) for key in keys]
        rows.sort(key=lambda row: row[0])
        self.keys = [key for key, _ in rows]
        self.sources = [source for _, source in rows]

    def saying(self, claim: Number) -> Iterator[Source]:
        """Return the sources that say what a claim says, whatever they are about."""
        for value, width in {(claim.raw, _width(claim, 1)), (claim.value, _width(claim))}:
            begin = bisect.bisect_left(self.keys, (abs(value) - width) * (1 - 1e-9))
            end = bisect.bisect_right(self.keys, (abs(value) + width) * (1 + 1e-9))
            yield from (source for source in self.sources[begin:end] if says(source, claim))


def says(source: Source, claim: Number) -> bool:
    """Return whether a source's number is what a claim says: of its kind, and rounded the same.

    A share may stand as a fraction. A number without a unit may have one in the source.
    """
    number = source.number
    if claim.kind == "plain":
        if claim.value != claim.raw:  # millions
            return _rounds_to(number.value, number.step, claim, claim.value, claim.step)
        return _rounds_to(number.raw, number.step * _factor(number), claim, claim.raw, claim.step)
    if claim.kind == number.kind:
        return _rounds_to(number.value, number.step, claim, claim.value, claim.step)
    if number.kind != "plain":
        return False
    if claim.kind == "share":
        if abs(number.raw) <= 1 and number.step < 1:
            percent, step = number.raw * 100, number.step * 100
            if _rounds_to(percent, step, claim, claim.value, claim.step):
                return True
        is_count = number.raw > 1 and number.raw.is_integer()
        return not is_count and _rounds_to(number.raw, number.step, claim, claim.raw, claim.step)
    if not UNIT_WORDS[claim.kind] & source.words:
        return False
    return _rounds_to(number.raw, number.step, claim, claim.raw, claim.step * _factor(claim))


def _factor(number: Number) -> float:
    """Return what turns a value back into what is written."""
    return number.raw / number.value if number.value else 1.0


def _width(claim: Number, of_raw: float | None = None) -> float:
    """Return how far around a rough number its source may lie: one in its last digit but zeros."""
    step = claim.step * (_factor(claim) if of_raw else 1)
    whole = re.sub(r"\D", "", claim.text) if step >= 1 and "." not in claim.text else ""
    return step * 10.0 ** (len(whole) - len(whole.rstrip("0"))) if whole.strip("0") else step


def _rounds_to(source: float, precision: float, claim: Number, value: float, step: float) -> bool:
    if precision > step * 1.001:
        return False
    if claim.text[0] not in "-−+":
        source = abs(source)
    close = 1e-9 * max(1.0, abs(value))
    width = _width(claim) * (step / claim.step if claim.step else 1.0)
    if claim.roughness == "above" and value - close <= source < value + width:
        return True
    if claim.roughness == "below" and value - width < source <= value + close:
        return True
    if claim.kind == "plain" and step == 1:
        if claim.roughness == "about":
            return abs(source - value) <= width / 2 + close
        if source.is_integer():
            return math.isclose(source, value)
    return abs(source - value) <= step / 2 + close
