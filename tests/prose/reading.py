"""Finds the numbers in a text, with what they are numbers of."""

import re
from typing import NamedTuple

UNITS = {
    re.compile(rf"[\s-]?(?:{unit})"): kind_and_factor
    for unit, kind_and_factor in {
        r"%|per ?cent\b|of (?:100|a hundred)\b|points?\b": ("share", 1.0),
        r"ms\b|milliseconds?\b": ("time", 1e-3),
        r"s\b|seconds?\b": ("time", 1.0),
        r"min\b|minutes?\b": ("time", 60.0),
        r"h\b|hours?\b": ("time", 3600.0),
        r"days?\b": ("time", 86400.0),
        r"k[bB]\b": ("size", 1e3),
        r"MB\b|megabytes?\b": ("size", 1e6),
        r"GB\b": ("size", 1e9),
        r"TB\b": ("size", 1e12),
        r"thousand\b": ("plain", 1e3),
        r"million\b": ("plain", 1e6),
        r"billion\b": ("plain", 1e9),
    }.items()
}
# A minus is a sign where nothing stands right before it. The digits of a name (L6, SHA-256, a
# paper's number), of a fraction or of a power are none of these numbers.
DIGITS = re.compile(
    r"(?<![\w.,/^])(?<![A-Za-z]-)(?<!arXiv:)[-−+]?"
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:_\d{3})+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
    r"(?![\w/^]|[.,]\d|⁹|¹)"
)
CLOCK = re.compile(r"\s+(?:and )?(\d+) (min(?:utes?)?|s)\b")
NOUN = re.compile(r"[\s*]*([A-Za-z]{4,})")
JOINED = re.compile(r"\s*(?:to|and|or|–|,)\s+")
RANGE = re.compile(r"[ -]?(?:%|points?|[A-Za-z]{1,2})? \(|\s*(?:to|and) ")
ROUGHNESS = {
    name: re.compile(rf"\b(?:{words})\W*$", re.IGNORECASE)
    for name, words in {
        "about": "about|around|some|roughly|nearly|almost|near|close to",
        "above": "more than|over|above|at least|beyond",
        "below": "less than|below|under|at most|fewer than|within",
    }.items()
}
SMALL_WORDS = frozenset(
    "the and for are was were has have had its their they them that this these those with from "
    "than then when what which who how one two three more less most all any each every not but "
    "about here there into out only also can may will would for you your our "
    # Python's own and the package's name, which stand in every cell
    "import print return def class assert lambda range len none true false self load imdb tutorial "
    "round format list dict str int".split()
)


class Number(NamedTuple):
    """A number in a text.

    Args:
        start: Where it begins in the text.
        end: Where it ends, its unit counted only where digits are part of it.
        text: As it is written, without a unit.
        raw: What is written; of "5 h 13 min" the hours.
        value: In percent, seconds or bytes where it has such a unit; all of it for millions.
        step: One in its last digit, as the value is counted; 0 where it is exact.
        kind: "share", "time", "size" or "plain".
        roughness: "about", "above", "below" or "", by the words before it.
        noun: The word behind a number without such a unit, in the singular, or "".
    """

    start: int
    end: int
    text: str
    raw: float
    value: float
    step: float
    kind: str
    roughness: str
    noun: str


def numbers(text: str) -> list[Number]:
    """Return all numbers in digits, in order."""
    found: list[Number] = []
    for match in DIGITS.finditer(text):
        if not found or match.start() >= found[-1].end:
            found.append(_one(text, match))
    return _share_units(text, found)


def is_claim(number: Number) -> bool:
    """Return whether a number has two digits, a decimal or a unit: anything more than a "3"."""
    return number.kind != "plain" or len(re.sub(r"\D", "", number.text)) > 1


def is_plain(number: Number) -> bool:
    """Return whether a number is no share, time or size."""
    return number.kind == "plain"


def words(text: str) -> frozenset[str]:
    """Return the words of a text that may say what a number is about, in the singular."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text.replace("_", " "))
    found = (word.lower() for word in re.findall(r"[A-Za-z]{3,}", spaced))
    return frozenset(_singular(word) for word in found if word not in SMALL_WORDS)


def _singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")


def _one(text: str, match: re.Match[str]) -> Number:
    written = match[0]
    raw = float(written.replace("−", "-").replace(",", "").replace("_", ""))
    mantissa, _, exponent = written.partition("e")
    step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    before = text[: match.start()]
    rough = next((name for name, ends in ROUGHNESS.items() if ends.search(before)), "")
    number = Number(match.start(), match.end(), written, raw, raw, step, "plain", rough, "")
    end = number.end
    for unit, (kind, factor) in UNITS.items():
        if found := unit.match(text, end):
            number = number._replace(kind=kind, value=raw * factor, step=step * factor)
            end = found.end()
            break
    if number.kind == "time":
        return _whole_clock(text, number, end)
    if number.kind == "share" and "100" in text[number.end : end]:
        return number._replace(end=end)
    behind = NOUN.match(text, end)
    is_named = behind and is_plain(number)
    return number._replace(noun=_singular(behind[1].lower())) if is_named else number


def _whole_clock(text: str, number: Number, end: int) -> Number:
    """Take the minutes and the seconds behind the hours."""
    unit = number.value / number.raw if number.raw else 1.0
    while clock := CLOCK.match(text, end):
        end, factor = clock.end(), 60.0 if clock[2].startswith("min") else 1.0
        value, written = number.value + int(clock[1]) * factor, text[number.start : end]
        number = number._replace(end=end, text=written, raw=value / unit, value=value, step=factor)
    return number


def _share_units(text: str, found: list[Number]) -> list[Number]:
    """Give each number of "11.0 to 13.2 %" and of "12.1 % (11.0 to 13.2)" the unit of one."""
    for place in reversed(range(len(found) - 1)):
        number, following = found[place : place + 2]
        if is_plain(number) and JOINED.fullmatch(text, number.end, following.start):
            found[place] = _in_unit_of(following, number)
    for place in range(1, len(found)):
        before, number = found[place - 1 : place + 1]
        is_range = RANGE.fullmatch(text, before.end, number.start)
        if is_plain(number) and not is_plain(before) and is_range:
            found[place] = _in_unit_of(before, number)
    return found


def _in_unit_of(other: Number, number: Number) -> Number:
    factor = other.value / other.raw if other.raw else 1.0
    return number._replace(
        kind=other.kind,
        value=number.raw * factor,
        step=number.step * factor,
        noun=number.noun or other.noun,
    )
