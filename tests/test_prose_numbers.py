"""Every number in prose and figures of lessons, README and docs stands in an output or a record.

``python -m tests.test_prose_numbers`` names those that do not.
"""

import random
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.prose import founded, texts
from tests.prose.founded import Claim, Sources, claims, is_founded
from tests.prose.matching import says
from tests.prose.reading import numbers
from tests.prose.sources import Source, of_lesson
from tests.prose.structure import is_cited_year, is_proved, worth
from tests.prose.texts import Passage

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [ROOT / "README.md", ROOT / "notebooks/glossary.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = ROOT / "tests/prose/elsewhere.toml"
LONGEST_LIST = 40
FIELDS = {"file", "phrase", "why", "worth", "stands_in"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def known() -> Sources:
    return founded.gather(ROOT, {name_of(p): texts.notebook_cells(p) for p in NOTEBOOKS})


@cache
def elsewhere() -> list[dict]:
    return tomllib.loads(ELSEWHERE.read_text(encoding="utf-8"))["number"]


@cache
def passages(path: Path) -> tuple[Passage, ...]:
    if path.suffix == ".ipynb":
        cells = texts.notebook_cells(path)
        written = texts.of_notebook(name_of(path), cells)
        return (*written, *texts.of_figures(name_of(path), cells))
    return tuple(texts.of_page(name_of(path), path.read_text(encoding="utf-8")))


def covers(entry: dict, claim: Claim) -> bool:
    """Say whether a number stands within an entry's phrase."""
    passage, number = claim
    start = passage.text.find(entry["phrase"])
    ends = start + len(entry["phrase"])
    return entry["file"] == passage.file and 0 <= start <= number.start and number.end <= ends


def stands_somewhere(claim: Claim) -> bool:
    return is_founded(claim, known()) or any(covers(entry, claim) for entry in elsewhere())


def changed(claim: Claim, digits: list[int], rng: random.Random) -> Claim | None:
    """Put other digits in some places of a number; None where no number is read there any more."""
    passage, number = claim
    written = list(number.text)
    for place in digits:
        other = [digit for digit in "0123456789" if digit != written[place]]
        written[place] = rng.choice(other[1:] if place == digits[0] and len(digits) > 1 else other)
    start, end = number.start, number.start + len(written)
    text, whole = (
        old[:start] + "".join(written) + old[end:] for old in (passage.text, passage.whole)
    )
    again = claims([passage._replace(text=text, whole=whole)])
    return next((found for found in again if found.number.start == start), None)


def share_found(how_many: str) -> float:
    """Change one digit, or all, of each number of the prose; return how often it is noticed."""
    rng, noticed = random.Random(0), []
    for path in [*NOTEBOOKS, *PAGES]:
        for claim in claims(passages(path)):
            digits = [place for place, sign in enumerate(claim.number.text) if sign.isdigit()]
            chosen = digits if how_many == "all" else [rng.choice(digits)]
            other = changed(claim, chosen, rng)
            noticed.append(other is None or not stands_somewhere(other))
    assert len(noticed) > 300
    return sum(noticed) / len(noticed)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.stem)
def test_every_number_of_the_prose_stands_somewhere(path):
    nowhere = [str(claim) for claim in claims(passages(path)) if not stands_somewhere(claim)]
    assert nowhere == [], "correct it, print it in a cell, or say in elsewhere.toml where it stands"


def test_the_list_of_other_places_is_short():
    assert len(elsewhere()) <= LONGEST_LIST
    for entry in elsewhere():
        assert set(entry) <= FIELDS
        assert len(entry["why"]) > 10, entry


def entries() -> list:
    return [
        pytest.param(entry, id=f"{number}: {entry['phrase']}")
        for number, entry in enumerate(elsewhere())
    ]


@pytest.mark.parametrize("entry", entries())
def test_an_entry_of_the_list_occurs_and_is_true(entry):
    covered = [claim for claim in claims(passages(ROOT / entry["file"])) if covers(entry, claim)]
    assert covered, "the phrase stands there no more: take the entry out"
    if "worth" in entry:
        (claim,) = covered
        value = worth(entry["worth"])
        exact = claim.number._replace(text=str(value), raw=value, value=value, step=0.0)
        assert says(Source(exact, frozenset(), 0), claim.number)
    if "stands_in" in entry:
        file, text = entry["stands_in"]
        assert text in (ROOT / file).read_text(encoding="utf-8")


def test_a_changed_digit_is_noticed_nearly_always():
    assert share_found("one") >= 0.8


def test_a_random_number_of_the_same_shape_is_noticed_nearly_always():
    assert share_found("all") >= 0.9


# The reader and the matcher, on texts of their own.


def read(text: str) -> list[tuple[float, str]]:
    return [(round(number.value, 9), number.kind) for number in numbers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17,642 reviews", [(17_642, "plain")]),
        ("82.4 % of 24,992", [(82.4, "share"), (24_992, "plain")]),
        ("82 of 100 reviews", [(82, "share")]),
        ("5 h 13 min on a GPU", [(18_780, "time")]),
        ("2 hours and 10 minutes", [(7_800, "time")]),
        ("-0.9 to -0.3 points", [(-0.9, "share"), (-0.3, "share")]),
        ("90.1 % (88.8 to 91.3)", [(90.1, "share"), (88.8, "share"), (91.3, "share")]),
        ("1.8 GB, 34 ms", [(1.8e9, "size"), (0.034, "time")]),
        ("a rate of 3e-5 or 1_000", [(3e-5, "plain"), (1_000, "plain")]),
        ("nearly 23 million parameters", [(23e6, "plain")]),
        ("all-MiniLM-L6-v2, bfloat16, SHA-256, arXiv:1706.04599, 7/10, 10⁹", []),
    ],
)
def test_numbers_are_read_with_their_units(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("claim", "source", "expected"),
    [
        ("92.4 %", "0.92437", True),
        ("92 %", "0.92437", True),
        ("92.5 %", "0.92437", False),
        ("92.40 %", "92.4 %", False),
        ("92 %", "92 s", False),
        ("92.4 %", "92.4 s", False),
        ("92 %", "92", False),
        ("92.4", "92.4 %", True),
        ("0.9 points", "-0.9 points", True),
        ("+0.9 points", "-0.9 points", False),
        ("5 h 13 min", "18771 s", True),
        ("5 h 14 min", "18771 s", False),
        ("17,642 reviews", "17642", True),
        ("17,643 reviews", "17642", False),
        ("about 17,600", "17642", True),
        ("17,600", "17642", False),
        ("more than 3,000", "3,443", True),
        ("more than 3,000", "2,999", False),
        ("less than 90 s", "88 s", True),
        ("less than 90 s", "60 s", False),
        ("15 times", "14.8", True),
        ("16 times", "14.8", False),
        ("23 million", "22713986", True),
        ("91 MB", "90.868376 MB", True),
        ("90 MB", "90.868376 MB", False),
    ],
)
def test_a_source_says_what_a_claim_says_at_its_digits(claim, source, expected):
    (number,), (found,) = numbers(claim), numbers(source)
    assert says(Source(found, frozenset(), 0), number) is expected


LESSON = [
    {"cell_type": "markdown", "source": ["The model has 90.8 % accuracy on 4,000 test reviews.\n"]},
    {
        "cell_type": "code",
        "source": ["print(f'accuracy {right.mean():.1%} of {len(right):,} reviews')"],
        "outputs": [{"text": ["accuracy 90.8% of 4,000 reviews\n"]}],
    },
]


def nowhere_in(*prose: str, root: Path, cells=LESSON, citations: str = "") -> list[str]:
    """Return the numbers of a lesson's prose that stand neither in its cells nor in records."""
    cells = [*cells, *({"cell_type": "markdown", "source": [text]} for text in prose)]
    for name in ("pyproject.toml", "constraints.txt"):
        (root / name).touch()
    found = founded.gather(root, {"a lesson": cells})._replace(citations=citations)
    said = claims(texts.of_notebook("a lesson", cells))
    return [claim.number.text for claim in said if not is_founded(claim, found)]


def test_what_an_output_shows_is_founded_and_anything_else_is_not(tmp_path):
    said = ("It had an accuracy of 90.8 %.", "An accuracy of 90.9 % was had on 4,001 reviews.")
    assert nowhere_in(*said, root=tmp_path) == ["90.9", "4,001"]


def test_a_short_number_needs_words_beside_it(tmp_path):
    cells = [{"cell_type": "code", "source": ["print('films', 34)"], "outputs": []}]
    said = ("There are 34 films.", "It takes 34 apples.")
    assert nowhere_in(*said, root=tmp_path, cells=cells) == ["34"]


def test_a_record_is_asked_with_the_words_of_its_keys(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    record = '{"probe": {"train_seconds": 512.4, "curve": [' + "0.5, " * 20 + "0.25]}}"
    (tmp_path / "benchmarks/speed.json").write_text(record, encoding="utf-8")
    said = (
        "To train the probe takes 512 s.",
        "To train the probe takes 513 s.",
        "It has 512 eggs.",
    )
    assert nowhere_in(*said, root=tmp_path, cells=[]) == ["513", "512"]


def test_code_addresses_formulas_and_generated_tables_are_not_read(tmp_path):
    said = (
        "```python\nx = 123456\n```\n",
        "<!-- measured -->\n| 123456 |\n<!-- /measured -->",
        "Take `size=123456` or $x = 123456$, see [here](page-123456.md).",
        "## 12. A heading\n\n[Lesson 05](05_x.ipynb), lessons 07 to 11",
    )
    assert nowhere_in(*said, root=tmp_path) == []


def test_a_number_that_is_typed_into_a_figure_is_a_claim_and_no_source(tmp_path):
    code = ["plot_bars({'few': 3}, 'accuracy on 4,321 test reviews')\n", "print(1234)"]
    cells = [{"cell_type": "code", "source": code, "outputs": []}]
    said = ("The figure has 4,321 test reviews.",)
    assert nowhere_in(*said, root=tmp_path, cells=cells) == ["4,321"]
    assert [claim.number.text for claim in claims(texts.of_figures("x", cells))] == ["4,321"]


def test_a_true_equation_proves_its_numbers_and_a_false_one_none(tmp_path):
    said = ("It has 2 × 384 + 2 = 770 numbers.", "The loss is ln 2 = 0.693.", "So 8 × 20 = 161.")
    assert nowhere_in(*said, root=tmp_path) == ["20", "161"]
    (number,) = numbers("771")
    assert is_proved("770 + 2 = 771", number._replace(start=10)) is False
    assert is_proved("there are 771", number) is None


def test_a_year_must_be_the_one_that_the_code_cites():
    text = "Wang and Manning (2012) weigh words."
    (number,) = numbers(text)
    assert is_cited_year(text, number, "weights (Wang and Manning, 2012)")
    assert not is_cited_year(text, number, "weights (Wang and Manning, 2013)")


def test_what_is_worth_something_is_numbers_alone():
    assert worth("12 * (4 * 768**2 + 2 * 768 * 3072)") == 84_934_656
    for other in ("open('x')", "__import__('os').getcwd()", "x + 1", "'a' * 3"):
        with pytest.raises((ValueError, AttributeError)):
            worth(other)


def test_sources_of_a_lesson_are_its_code_its_outputs_and_what_it_quotes():
    cells = [
        *LESSON,
        {"cell_type": "markdown", "source": ["Try `size=512`. So 3 × 4 = 12 are 77."]},
    ]
    assert {source.number.raw for source in of_lesson(cells)} == {90.8, 4_000, 512, 3, 4, 12}


if __name__ == "__main__":
    for one in [*NOTEBOOKS, *PAGES]:
        for claim in claims(passages(one)):
            if not stands_somewhere(claim):
                print(re.sub(r"\s+", " ", str(claim)))
    print(f"one digit changed: {share_found('one'):.1%} noticed; all: {share_found('all'):.1%}")
