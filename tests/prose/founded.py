"""Says which numbers of the prose stand nowhere else."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.prose import sources, structure
from tests.prose.matching import Index
from tests.prose.reading import Number, is_claim, is_plain, numbers, words
from tests.prose.sources import Source
from tests.prose.texts import Passage

# How many cells before and after a passage are the ones that it speaks of.
NEAR = (-8, 4)
# Of a sentence as short as this the paragraph says what it is about.
FEW_WORDS = 3
# "500 reviews" here and there says as much as so many shared words.
SAME_NOUN = 2


class Claim(NamedTuple):
    """A number in a passage of the prose."""

    passage: Passage
    number: Number

    def __str__(self) -> str:
        """Name the place, and quote it."""
        text, number = self.passage.text, self.number
        quote = text[max(0, number.start - 60) : number.end + 30].strip()
        return f"{self.passage.file}, cell {self.passage.cell}: {number.text} in {quote!r}"


class Sources(NamedTuple):
    """Where a number may stand.

    Args:
        lessons: The code and the outputs of each notebook, by its file.
        all_lessons: The same of all together.
        records: What was measured and kept.
        constants: What the code and its requirements say.
        citations: The code, which names the papers.
    """

    lessons: dict[str, Index]
    all_lessons: Index
    records: Index
    constants: Index
    citations: str


def gather(root: Path, notebooks: dict[str, list[dict[str, Any]]]) -> Sources:
    """Read everything in which a number may stand."""
    lessons = {name: sources.of_lesson(cells) for name, cells in notebooks.items()}
    code = [*root.glob("imdb_tutorial/**/*.py"), *root.glob("experiments/*.py")]
    return Sources(
        {name: Index(found) for name, found in lessons.items()},
        Index(source for found in lessons.values() for source in found),
        Index(sources.of_records(root)),
        Index(sources.of_constants(root)),
        "".join(path.read_text(encoding="utf-8") for path in code),
    )


def claims(passages: Iterable[Passage]) -> Iterator[Claim]:
    """Return every number that must stand somewhere else, too."""
    for passage in passages:
        yield from (Claim(passage, n) for n in numbers(passage.text) if is_claim(n))


def is_founded(claim: Claim, known: Sources) -> bool:
    """Return whether a number stands in an output, in code, in a record, or proves itself.

    The shorter a number, the more of them there are everywhere. So a short one must share words
    with what stands beside it there, the more the farther away it is.
    """
    passage, number = claim
    is_proved = structure.is_proved(passage.text, number)
    if is_proved is not None:
        return is_proved
    if structure.is_cited_year(passage.text, number, known.citations):
        return True
    about, strength = words(passage.whole), _strength(number)
    beside = about if len(about) > FEW_WORDS else words(passage.around)

    def shared(source: Source, with_words: frozenset[str]) -> int:
        same_noun = number.noun and number.noun == source.number.noun
        return len(with_words & source.words) + (SAME_NOUN if same_noun else 0)

    def stands_in(index: Index, least: int) -> bool:
        return any(shared(source, about) >= least for source in index.saying(number))

    if passage.file not in known.lessons:
        if stands_in(known.all_lessons, 2):
            return True
    else:
        for source in known.lessons[passage.file].saying(number):
            is_near = NEAR[0] <= source.cell - passage.cell <= NEAR[1]
            if is_near and shared(source, beside) >= (1 if strength < 3 else 0):
                return True
            if shared(source, about) >= (3 if strength < 3 else 1):
                return True
    least = 1 if strength > 3 else 2 if strength == 3 else 3
    if number.kind in ("time", "size"):
        least = max(1, least - 1)
    return stands_in(known.records, least) or stands_in(known.constants, 1 if strength > 1 else 2)


def _strength(number: Number) -> int:
    """Return how many digits tell a number from others: zeros at its ends do not, millions do."""
    mantissa, point, decimals = number.text.partition("e")[0].partition(".")
    whole = re.sub(r"\D", "", mantissa) + decimals
    is_large = is_plain(number) and number.value != number.raw
    return len(whole.lstrip("0") if point else whole.strip("0")) + is_large
