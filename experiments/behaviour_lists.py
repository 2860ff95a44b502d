"""The short and odd texts and the pairs that a classifier is asked, and their digest."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import NamedTuple

from experiments.behaviour_rules import Pair, pairs_by_rule

WRITTEN = Path(__file__).with_name("behaviour_texts.toml")
OF_TEXTS = ("positive", "negative", "unsure")
# What is expected of a pair, and which of CheckList's three kinds of test that is.
TESTS = {
    "positive, negative": "minimum functionality",
    "negative, positive": "minimum functionality",
    "same": "invariance",
    "higher": "directional",
    "lower": "directional",
    "not higher": "directional",
    "not lower": "directional",
}


class Text(NamedTuple):
    """A single text.

    Args:
        kind: What it is, such as ``"recipe"``.
        expected: ``"positive"``, ``"negative"``, or ``"unsure"`` where nobody could know.
        text: What the classifier is asked.
    """

    kind: str
    expected: str
    text: str


class Lists(NamedTuple):
    """Everything that is asked, in the order in which the record keeps the answers."""

    texts: list[Text]
    pairs: list[Pair]

    @property
    def sha256(self) -> str:
        """What tells these lists from others."""
        return hashlib.sha256(json.dumps([self.texts, self.pairs]).encode()).hexdigest()


def read_lists(written: Path = WRITTEN) -> Lists:
    """Read what was written by hand, and add the pairs that rules make.

    Args:
        written: A file like ``behaviour_texts.toml``.

    Raises:
        ValueError: What is expected of a text or of a pair is none of the words that there are, or
            something that is no text stands where a text should.
    """
    tables = tomllib.loads(written.read_text(encoding="utf-8"))
    texts = [
        Text(kind, expected, _is_text(text, kind))
        for kind, lists in tables["texts"].items()
        for expected in _known(lists, OF_TEXTS, kind)
        for text in lists[expected]
    ]
    pairs = [
        # Nothing else is made like a pair that was written by hand: it is a source of its own.
        Pair(kind, expected, f"{kind}, by hand {number}", *(_is_text(text, kind) for text in pair))
        for kind, lists in tables["pairs"].items()
        for expected in _known(lists, TESTS, kind)
        for number, pair in enumerate(lists[expected], start=1)
    ]
    return Lists(texts, pairs + pairs_by_rule())


def _known(lists: dict, words, kind: str) -> list[str]:
    for word in lists:
        if word not in words:
            raise ValueError(f"{kind!r} expects {word!r:.60}: expected one of {', '.join(words)}")
    return list(lists)


def _is_text(text: object, kind: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{kind!r} holds {text!r:.60}: expected a text")
    return text
