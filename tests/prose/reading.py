"""Finds the numbers in a text, with what they are numbers of."""

import re
from typing import NamedTuple

UNITS = {
    r"%|per ?cent|of (?:100|a hundred)\b|points?\b|percentage points?": ("share", 1.0),
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
}
# A sign counts as one where nothing stands right before it; digits in a name (L6, SHA-256) do not.
DIGITS = re.compile(
    r"(?<![\w.,/^])(?<![A-Za-z]-)(?<!arXiv:)[-−+]?"
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:_\d{3})+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
    r"(?![\w/^]|[.,]\d|⁹|¹)"
)
CLOCK = re.compile(r"\s+(\d+) (min|s)\b")
JOINED = re.compile(r"\s*(?:to|and|or|–|,)\s+")
ROUGH = {
    "about": r"about|around|some|roughly|nearly|almost|near|towards|close to|perhaps",
    "above": r"more than|over|above|at least|beyond|older than",
    "below": r"less than|below|under|at most|fewer than|within",
}
BEFORE = {name: re.compile(rf"\b(?:{words})\W*$", re.IGNORECASE) for name, words in ROUGH.items()}
SMALL_WORDS = frozenset(
    "the and for are was were has have had its their they them that this these those with from "
    "than then when what which who how one two three more less most all any each every not but "
    "about here there into out only also can may will would for you your our "
    # Python's own, which stand in every cell
    "import print return def class assert lambda range len none true false self load imdb tutorial "
    "round format list dict str int".split()
)


class Number(NamedTuple):
    """A number in a text.

    Args:
        start: Where it begins in the text, in characters.
        end: Where it ends, its unit not counted.
        raw: As it is written, without a unit.
        value: In percent, seconds or bytes, where its unit says so.
        step: One in its last digit, in the same unit.
        kind: "share", "time", "size" or "plain".
        roughness: "about", "above", "below" or "", by the words before it.
    """

    start: int
    end: int
    raw: float
    value: float
    step: float
    kind: str
    roughness: str
    text: str


def numbers(text: str) -> list[Number]:
    """Return all numbers in digits, in order."""
    found: list[Number] = []
    for match in DIGITS.finditer(text):
        if found and match.start() < found[-1].end:
            continue  # the minutes of a time whose hours were read
        found.append(_one(text, match))
    return _share_units(text, found)


def is_claim(number: Number) -> bool:
    """Return whether a number has two digits, a decimal or a unit: anything more than a "3"."""
    return number.kind != "plain" or len(re.sub(r"\D", "", number.text)) > 1


def words(text: str) -> frozenset[str]:
    """Return the words of a text that may say what a number is about."""
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
    rough = next((name for name, before in BEFORE.items() if before.search(text[: match.start()])), "")
    number = Number(match.start(), match.end(), raw, raw, step, "plain", rough, written)
    for unit, (kind, factor) in UNITS.items():
        if found := re.compile(rf"[\s-]?(?:{unit})").match(text, match.end()):
            number = number._replace(kind=kind, value=raw * factor, step=step * factor)
            end = found.end()
            if re.search(r"\d", found[0]):  # of 100
                number = number._replace(end=end)
            while kind == "time" and (clock := CLOCK.match(text, end)):
                end = clock.end()
                factor = 60.0 if clock[2] == "min" else 1.0
                number = number._replace(
                    value=number.value + int(clock[1]) * factor,
                    step=factor,
                    end=end,
                    text=text[match.start() : end],
                )
            break
    return number


def _share_units(text: str, found: list[Number]) -> list[Number]:
    """Give "11.0 to 13.2 %" and "12.1 % (11.0 to 13.2)" their unit at each number."""
    found = list(found)
    for place in reversed(range(len(found) - 1)):
        number, following = found[place], found[place + 1]
        if number.kind == "plain" and JOINED.fullmatch(text, number.end, following.start):
            found[place] = _as(number, following)
    for place in range(1, len(found)):
        before, number = found[place - 1], found[place]
        between = text[before.end : number.start]
        is_range = re.fullmatch(r"[ -]?(?:%|points?|[a-z]{1,2})? \(|\s*(?:to|and) ", between)
        if number.kind == "plain" and before.kind in ("share", "time", "size") and is_range:
            found[place] = _as(number, before)
    return found


def _as(number: Number, other: Number) -> Number:
    if other.kind == "plain" and other.value == other.raw:
        return number
    factor = other.value / other.raw if other.raw else 1.0
    return number._replace(
        kind=other.kind, value=number.raw * factor, step=number.step * factor
    )
