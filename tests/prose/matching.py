"""Asks whether a number of the prose stands in a source, at the digits that the prose gives."""

import bisect
import re
from collections.abc import Iterable, Iterator

from tests.prose.reading import Number
from tests.prose.sources import Source

# A column without a unit at its numbers says in its head what they are.
UNIT_WORDS = {
    "time": frozenset(("day", "hour", "millisecond", "minute", "second", "time")),
    "size": frozenset(("byte", "disk", "megabyte", "memory", "size")),
}
# A rough number is at most this far from its source, as a share of itself.
ROUGHEST = 0.2


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
        far = ROUGHEST if claim.roughness else 0.0
        for size, step in {
            (abs(claim.raw), claim.step * _factor(claim)),
            (abs(claim.value), claim.step),
        }:
            begin = bisect.bisect_left(self.keys, size * (1 - far) - step)
            end = bisect.bisect_right(self.keys, size * (1 + far) + step)
            yield from (source for source in self.sources[begin:end] if says(source, claim))


def says(source: Source, claim: Number) -> bool:
    """Return whether a source's number is what a claim says: of its kind, and rounded the same.

    A share may stand as a fraction. A number without a unit may have one in the source.
    """
    number = source.number
    if number.kind == claim.kind != "plain" or (claim.kind == "plain" and claim.value != claim.raw):
        return _rounds_to(number.value, number.step, claim, claim.value, claim.step)
    if claim.kind == "plain":
        return _rounds_to(number.raw, number.step * _factor(number), claim, claim.raw, claim.step)
    if number.kind != "plain":
        return False
    if claim.kind == "share":
        is_fraction = abs(number.raw) <= 1 and number.step < 1
        percent, step = number.raw * 100, number.step * 100
        if is_fraction and _rounds_to(percent, step, claim, claim.value, claim.step):
            return True
        is_count = number.raw > 1 and number.raw.is_integer()
        return not is_count and _rounds_to(number.raw, number.step, claim, claim.raw, claim.step)
    if not UNIT_WORDS[claim.kind] & source.words:
        return False
    return _rounds_to(number.raw, number.step, claim, claim.raw, claim.step * _factor(claim))


def _factor(number: Number) -> float:
    """Return what turns a value back into what is written."""
    return number.raw / number.value if number.value else 1.0


def _rounds_to(source: float, precision: float, claim: Number, value: float, step: float) -> bool:
    """Compare a source of some precision with a claim's value, whose last digit counts `step`."""
    if precision > step * 1.001:
        return False
    if claim.text[0] not in "-−+":
        source = abs(source)
    close = 1e-9 * max(1.0, abs(value))
    width = _width(claim, value, step) if claim.roughness else step
    if claim.roughness == "above" and value - close <= source < value + width:
        return True
    if claim.roughness == "below" and value - width < source <= value + close:
        return True
    if claim.roughness == "about" and claim.kind == "plain":
        return abs(source - value) <= width / 2 + close
    is_exact = claim.kind == "plain" and step == 1 and source.is_integer()
    return abs(source - value) <= (0 if is_exact else step / 2) + close


def _width(claim: Number, value: float, step: float) -> float:
    """Return how far from a rough number its source may lie: zeros at its end say nothing."""
    zeros = len(re.findall("0(?=0*$)", re.sub(r"\D", "", claim.text))) if step >= 1 else 0
    return min(step * 10.0**zeros, max(step, ROUGHEST * abs(value)))
