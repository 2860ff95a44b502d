"""Pairs of texts by rule: small tables of words, and sentences with gaps for them.

Every rule is CheckList's kind of test (Ribeiro et al., 2020, arXiv:2005.04118): what must be known,
what must not matter, and which way a change must move the verdict. Nothing here is drawn: the same
tables make the same pairs in the same order.
"""

import re
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import NamedTuple

# Words that fit into every sentence below, each beside its opposite.
OPPOSITES = (
    ("wonderful", "dreadful"),
    ("good", "bad"),
    ("funny", "boring"),
    ("convincing", "unconvincing"),
    ("exciting", "tedious"),
    ("charming", "annoying"),
    ("clever", "stupid"),
    ("moving", "lifeless"),
)
# Clear opinions of two sentences, with nothing in them that is not a word of every day.
STATEMENTS = {
    "positive": (
        "We saw this film with friends. It is a beautiful story with great actors.",
        "The best comedy in a long time. Everybody in the room was laughing.",
        "I did not expect much. It turned out to be a thrilling and intelligent film.",
        "The pictures are gorgeous. I will certainly watch it again.",
        "A gripping story about two brothers. Both actors are outstanding.",
        "My parents recommended it to me. They were right, it is delightful.",
    ),
    "negative": (
        "We saw this film with friends. It is an ugly story with terrible actors.",
        "The worst comedy in a long time. Nobody in the room was laughing.",
        "I expected a lot. It turned out to be a dull and brainless film.",
        "The pictures are blurred. I will certainly never watch it again.",
        "A pointless story about two brothers. Both actors are hopeless.",
        "My parents warned me about it. They were right, it is unbearable.",
    ),
}
PARTS = ("acting", "music", "script", "dialogue")
NAMES = (("Anna", "Fatima"), ("John", "Wei"), ("Maria", "Kwame"))
PLACES = (("London", "Lagos"), ("Texas", "Finland"), ("Paris", "Hanoi"))
NUMBERS = (("2", "5"), ("three", "seven"), ("12", "31"))


class Pair(NamedTuple):
    """Two texts, and what is expected of the verdicts on them.

    Args:
        kind: What is tested, such as ``"negation"``.
        expected: ``"positive, negative"``, ``"negative, positive"``, ``"same"``, or where the
            second text's probability of being positive must lie: ``"higher"``, ``"lower"``,
            ``"not higher"``, ``"not lower"``.
        source: The sentence that was filled; pairs of one sentence are alike.
        first: The one text.
        second: The other.
    """

    kind: str
    expected: str
    source: str
    first: str
    second: str


def pairs_by_rule() -> list[Pair]:
    """Return all pairs that rules make."""
    return [pair for rule in (*FILLED, *CHANGED) for pair in rule()]


def vocabulary() -> Iterator[Pair]:
    """A word and its opposite, in a sentence that says nothing else."""
    sentences = (
        "This is a {} film.",
        "The film is {}.",
        "I found it {}.",
        "What a {} story!",
        "From beginning to end it is {}.",
        "A {} film with a {} cast.",
    )
    for sentence, (good, bad) in _fill(sentences):
        yield Pair(
            "vocabulary", "positive, negative", sentence, _put(sentence, good), _put(sentence, bad)
        )


def negation() -> Iterator[Pair]:
    """A good word without and with a "not", near it or far away."""
    sentences = (
        ("The film is {}.", "The film is not {}."),
        ("I think that it is {}.", "I do not think that it is {}."),
        ("It is a {} story.", "It isn't a {} story."),
        ("The ending is {}.", "The ending is not {} at all."),
        ("Anybody would call this {}.", "Nobody would call this {}."),
        ("It was always {}.", "It was never {}."),
        ("It is, all in all, a {} film.", "It is not, by any measure, a {} film."),
        ("I can say that it is {}.", "I can't say that it is {}."),
    )
    for (plain, negated), (good, _) in _fill(sentences):
        first, second = _put(plain, good), _put(negated, good)
        yield Pair("negation", "positive, negative", negated, first, second)


def negated_negative() -> Iterator[Pair]:
    """A bad word without and with a "not": not bad is more positive than bad."""
    sentences = (
        ("The film is {}.", "The film is not {}."),
        ("It is a {} story.", "It isn't a {} story."),
        ("The ending is {}.", "The ending is not {} at all."),
        ("It was always {}.", "It was never {}."),
        ("Anybody would call this {}.", "Nobody would call this {}."),
        ("I think that it is {}.", "I do not think that it is {}."),
    )
    for (plain, negated), (_, bad) in _fill(sentences):
        first, second = _put(plain, bad), _put(negated, bad)
        yield Pair("negated negative", "higher", negated, first, second)


def contrast() -> Iterator[Pair]:
    """A part and the whole disagree: the verdict on the whole is the text's."""
    sentences = (
        "The {part} is {}, but the film is {}.",
        "Although the {part} is {}, the film is {}.",
        "The {part} may be {}; the film as a whole is {}.",
        "The {part} is {}. All the same, this film is {}.",
        "The film is {1}, even though the {part} is {0}.",
        "They told me it was {}, and I must say: the film is {}.",
    )
    for sentence, part, (good, bad) in _fill_with_parts(sentences):
        first, second = _put(sentence, good, bad, part=part), _put(sentence, bad, good, part=part)
        yield Pair("contrast", "negative, positive", sentence, first, second)


def swapped() -> Iterator[Pair]:
    """The same two clauses in the other order: what comes after "but" weighs more."""
    sentences = (
        ("The {part} is {}, but the story is {}.", "The story is {1}, but the {part} is {0}."),
        ("It is {}, but {}.", "It is {1}, but {0}."),
        ("It may be {}, yet it is {}.", "It may be {1}, yet it is {0}."),
        ("Although it is {}, it is {}.", "Although it is {1}, it is {0}."),
    )
    # A bad word that is not the good one's opposite: a film can be both.
    bads = cycle(bad for _, bad in (*OPPOSITES[3:], *OPPOSITES[:3]))
    for number, ((one, other), part, (good, _)) in enumerate(_fill_with_parts(sentences, each=4)):
        words, expected = (good, next(bads)), "higher"
        if number % 2:
            words, expected = words[::-1], "lower"
        first, second = _put(one, *words, part=part), _put(other, *words, part=part)
        yield Pair("clauses swapped", expected, one, first, second)


def intensifier() -> Iterator[Pair]:
    """A stronger word makes a good film no worse and a bad film no better."""
    sentences = (
        ("The film is {}.", "The film is very {}."),
        ("It is a {} story.", "It is an extremely {} story."),
        ("I found it {}.", "I found it incredibly {}."),
        ("The ending is {}.", "The ending is really {}."),
    )
    for (plain, stronger), (good, bad) in _fill(sentences):
        for expected, word in (("not lower", good), ("not higher", bad)):
            first, second = _put(plain, word), _put(stronger, word)
            yield Pair("intensifier", expected, stronger, first, second)


def other_names() -> Iterator[Pair]:
    """Another first name, place or number tells nothing about the film."""
    gaps = {
        "another name": (
            NAMES,
            "{} plays the lead, and the film is a joy.",
            "{} plays the lead, and the film is a bore.",
            "I went with {} and we both loved every minute.",
            "I went with {} and we both hated every minute.",
        ),
        "another place": (
            PLACES,
            "The story takes place in {}. It is a lovely film.",
            "The story takes place in {}. It is a stupid film.",
            "I saw it in {} and was very happy with it.",
            "I saw it in {} and was very unhappy with it.",
        ),
        "another number": (
            NUMBERS,
            "There are {} songs in it. It is a great film.",
            "There are {} songs in it. It is an awful film.",
            "I went with {} friends. The film was a pleasure.",
            "I went with {} friends. The film was a torment.",
        ),
    }
    for kind, (words, *sentences) in gaps.items():
        for sentence in sentences:
            for one, other in words:
                first, second = _put(sentence, one), _put(sentence, other)
                yield Pair(kind, "same", sentence, first, second)


def swap_letters(text: str) -> str:
    """Swap two different neighbours in the middle of the longest word, as a quick typist does."""
    longest = max((word.strip(".,!") for word in text.split()), key=len)
    inner = sorted(range(1, len(longest) - 2), key=lambda place: abs(place - len(longest) // 2))
    place = next(n for n in inner if longest[n] != longest[n + 1])
    wrong = longest[:place] + longest[place + 1] + longest[place] + longest[place + 2 :]
    return text.replace(longest, wrong, 1)


# What must not matter, whatever the text: a kind, and what is done to it.
CHANGES: dict[str, Callable[[str], str]] = {
    "typing error": swap_letters,
    "capital letters": str.upper,
    "small letters": str.lower,
    "space at the end": lambda text: f"{text}  \n",
    "line break": lambda text: text.replace(". ", ".<br /><br />", 1),
    "exclamation mark": lambda text: f"{text.rstrip('.')}!",
    "a sentence of no opinion": lambda text: f"{text} It runs for two hours.",
}


def changed() -> Iterator[Pair]:
    """Every statement, with each change that tells nothing about the film."""
    for kind, change in CHANGES.items():
        for statement in (*STATEMENTS["positive"], *STATEMENTS["negative"]):
            yield Pair(kind, "same", statement, statement, change(statement))


FILLED = (vocabulary, negation, negated_negative, contrast, swapped, intensifier)
CHANGED = (other_names, changed)


def _fill(sentences, each: int = 3) -> Iterator[tuple]:
    """Give each sentence some of the opposites; together the sentences use all of them."""
    opposites = cycle(OPPOSITES)
    for sentence in sentences:
        for words in islice(opposites, each):
            yield sentence, words


def _fill_with_parts(sentences, each: int = 3) -> Iterator[tuple]:
    parts = cycle(PARTS)
    for sentence, words in _fill(sentences, each):
        yield sentence, next(parts), words


def _put(sentence: str, *words: str, **named: str) -> str:
    """Fill the gaps; with a single word, all of them. "A" becomes "an" where it must."""
    gaps = sentence.count("{}")
    text = sentence.format(*(words * gaps if len(words) == 1 else words), **named)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
