"""Each term of the glossary is explained in its lesson, in bold, and used in none before it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ENTRY = re.compile(r"^- \*\*(.+?)\*\*: (.+) \[Lesson (\d+)\]\((\d\d)_(\w+)\.ipynb\)$")
BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)

# How a term looks in a text where it is more than itself with or without a plural's ending.
FORMS = {
    "adapter": r"adapters?|LoRA",
    "backward": r"backward(?: pass)?",
    "bag of words": r"bags?[- ]of[- ]words",
    "bootstrap": r"bootstrap\w*",
    "cache": r"cach(?:es?|ed|ing)",
    "calibration": r"(?:un)?calibrat\w+",
    "cross-entropy": r"cross[- ]entropy",
    "duplicate": r"duplicat\w+",
    "fine-tuning": r"fine-?tun\w+",
    "interval": r"(?:confidence )?intervals?",
    "leak": r"leak(?:s|ed|ing|age)?",
    "optimizer": r"optimi[sz]ers?",
    "overfitting": r"overfit\w*",
    "paired": r"paired(?: comparisons?)?",
    "pretraining": r"pre-?train\w*",
    "resume": r"resum(?:es?|ed|ing)",
    "scheduler": r"(?:learning[- ]rate )?schedulers?",
    "TF-IDF": r"TF-?IDF",
    "truncate": r"truncat\w+",
    "warm-up": r"warm-?ups?",
}
# Everyday words: only these uses of them are the term, everything else is English.
TECHNICAL_USES = {
    "class": r"(?:two|three|four|five|more|several|many|number of) classes",  # not Python's class
    "duplicate": r"(?<!\*)duplicat\w+",  # not *Duplicate*, the command of JupyterLab
    "group": r"groups? (?:of|that share)|whole groups?",  # not "a group of cells" in lesson 0 or 1
    "step": r"(?:training|gradient|optimi[sz]er) steps?|steps? of (?:training|the optimi[sz]er)",
}


class Term(NamedTuple):
    """A term, and the number of the lesson that explains it."""

    name: str
    lesson: int

    @property
    def form(self) -> str:
        """Return a pattern for the term as it may be explained."""
        plural = rf"{self.name[:-1]}ies" if re.search(r"[^aeiou]y$", self.name) else "(?!)"
        name = re.escape(self.name).replace(r"\ ", r"\s+")
        return FORMS.get(self.name, rf"{name}(?:e?s)?|{plural}")

    @property
    def use(self) -> str:
        """Return a pattern for the term as it may be used."""
        return TECHNICAL_USES.get(self.name, self.form)


def read_glossary(text: str) -> list[Term]:
    """Return the terms of a glossary; fail at an entry that has another form."""
    terms = []
    for line in text.splitlines():
        if line.startswith("- "):
            entry = ENTRY.match(line)
            assert entry, f"expected '- **term**: sentence. [Lesson N](NN_name.ipynb)', not {line}"
            assert int(entry[3]) == int(entry[4]), line
            terms.append(Term(entry[1], int(entry[3])))
    return terms


def read_lessons(folder: Path) -> dict[int, list[str]]:
    """Return the Markdown cells of each lesson by its number."""
    lessons = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        lessons[int(path.stem[:2])] = [c.source for c in cells if c.cell_type == "markdown"]
    return lessons


def blocks(cells: list[str]) -> Iterator[str]:
    """Yield paragraphs, and the rows of tables and lists one by one, without fenced code."""
    for cell in cells:
        text = re.sub(r"^(```|~~~).*?^\1", "", cell, flags=re.DOTALL | re.MULTILINE)
        yield from re.split(r"\n\s*\n|\n(?=\s*[-*|]|\s*\d+\.\s)", text)


def prose(block: str) -> str:
    """Return a block without code, formulas, links, and HTML's own words."""
    for hidden in (r"(`+).+?\1", r"\$\$?.+?\$\$?", r"!?\[[^]]*\]\([^)]*\)", r"<[^>]*>"):
        block = re.sub(hidden, " ", block, flags=re.DOTALL)
    return block


def explains(cells: list[str], term: Term) -> bool:
    """Say whether the term stands in bold, alone: a claim in bold explains nothing."""
    form = re.compile(rf"(?:an? |the )?(?:{term.form})(?: \(.+\))?[.,:]?", re.IGNORECASE)
    bold = (span for block in blocks(cells) for span in BOLD.findall(block))
    return any(form.fullmatch(" ".join(span.replace("`", "").split())) for span in bold)


def uses(cells: list[str], term: Term) -> list[str]:
    """Return where the term is used, with some words around it.

    A block that leads to the lesson of the term by a link is a pointer to it, not a use.
    """
    found = []
    use = re.compile(rf"(?<!\w)(?:{term.use})(?!\w)", re.IGNORECASE)
    for block in blocks(cells):
        if re.search(rf"\]\({term.lesson:02d}_\w+\.ipynb", block):
            continue
        text = " ".join(prose(block).split())
        found += [text[max(0, m.start() - 40) : m.end() + 40] for m in use.finditer(text)]
    return found


def used_too_early(terms: list[Term], lessons: dict[int, list[str]]) -> list[str]:
    """Return every use of a term in a lesson before its own, unless that explains it, too."""
    violations = []
    for term in terms:
        for number in sorted(number for number in lessons if number < term.lesson):
            if explains(lessons[number], term):
                break
            violations += [
                f"lesson {number} uses {term.name!r} of lesson {term.lesson}: …{use}…"
                for use in uses(lessons[number], term)
            ]
    return violations


def not_explained(terms: list[Term], lessons: dict[int, list[str]]) -> list[str]:
    """Return the terms that are not in bold in their lesson."""
    return [
        f"lesson {term.lesson} does not have {term.name!r} in bold"
        for term in terms
        if not explains(lessons.get(term.lesson, []), term)
    ]


GLOSSARY = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
TERMS = read_glossary(GLOSSARY)
LESSONS = read_lessons(NOTEBOOKS)


def test_the_glossary_is_in_order_and_short():
    names = [term.name for term in TERMS]
    assert names == sorted(set(names), key=str.lower)
    for line in GLOSSARY.splitlines():
        if entry := ENTRY.match(line):
            sentences = re.findall(r"[.?!](?=\s|$)", entry[2])
            assert 1 <= len(sentences) <= 3, line
            assert len(entry[2].split()) <= 45, line


def test_its_letters_are_headings_with_their_terms_below():
    letter = None
    for line in GLOSSARY.splitlines():
        if line.startswith("## "):
            letter = line[3:]
        elif entry := ENTRY.match(line):
            assert entry[1][0].upper() == letter


def test_its_links_lead_to_lessons():
    for target in re.findall(r"\(([^()]+\.ipynb)\)", GLOSSARY):
        assert (NOTEBOOKS / target).is_file(), target


def test_the_exceptions_are_about_terms_of_the_glossary():
    assert FORMS.keys() | TECHNICAL_USES.keys() <= {term.name for term in TERMS}


def test_every_term_is_explained_in_its_lesson():
    missing = not_explained(TERMS, LESSONS)
    assert not missing, "\n".join(["", *missing])


def test_no_lesson_uses_a_term_before_it_is_explained():
    violations = used_too_early(TERMS, LESSONS)
    assert not violations, "\n".join(["", *violations])


PADDING = Term("padding", 3)


def series(*cells: str) -> dict[int, list[str]]:
    """Return toy lessons, from number 0 on, of one cell each; the last explains padding."""
    lessons = {number: [cell] for number, cell in enumerate(cells)}
    return lessons | {3: ["Empty places are **padding**."]}


@pytest.mark.parametrize(
    "planted",
    [
        "So much padding.",
        "**Padding costs time.**",
        "# Padding, and what it costs",
        "Paddings\nof all lengths.",
        "| a | the padding of a batch |",
        "*padding*",
        "> padding",
        "See [here](02_dataset.ipynb) about padding.",
        "Look at `mask`, then at padding, then at `ids`.",
        "It costs $5 and padding.",
        "A padding-free batch.",
        "Padding.\n\n[Lesson 3](03_tokens_and_batches.ipynb)",
    ],
)
def test_a_planted_use_is_found(planted):
    (violation,) = used_too_early([PADDING], series("Nothing.", planted))
    assert violation.startswith("lesson 1 uses 'padding' of lesson 3")


@pytest.mark.parametrize(
    "harmless",
    [
        "Set `padding=True`, ``padding``.",
        "```python\npadding = 1\n```",
        "[What padding costs](03_tokens_and_batches.ipynb)",
        "| [3](03_tokens_and_batches.ipynb) | what padding costs |",
        "[padding](glossary.md)",
        "The footpadding and the padding_side.",
        "$padding$",
        '<span class="padding">no</span>',
        "",
    ],
)
def test_what_is_no_use_is_left_alone(harmless):
    assert not used_too_early([PADDING], series("Nothing.", harmless))


def test_a_lesson_may_use_what_it_or_an_earlier_one_explains_as_well():
    assert not used_too_early([PADDING], series("", "**Padding** is empty.", "More padding."))
    (late,) = used_too_early([PADDING], series("Padding.", "**Padding** is empty.", "Padding."))
    assert late.startswith("lesson 0")


@pytest.mark.parametrize("bold", ["**padding**", "**Padding** (empty)", "**the padding:** it"])
def test_a_term_in_bold_is_explained(bold):
    assert not not_explained([PADDING], {3: [f"Now {bold} is."]})


@pytest.mark.parametrize("plain", ["padding", "**Claim: padding costs.**", "*padding*", "**pad**"])
def test_a_term_that_is_not_in_bold_alone_is_missed(plain):
    assert not_explained([PADDING], {3: [f"Now {plain} is."]})
    assert not_explained([PADDING], {})


@pytest.mark.parametrize(
    ("name", "used", "everyday"),
    [
        ("class", "a model with three classes", "a class of Python, and two ways"),
        ("step", "after 28 training steps", "step by step, and the next step"),
        ("duplicate", "24 duplicates", "Click on *Duplicate*"),
        ("adapter", "a small LoRA", "an adaptable one"),
        ("probability", "two probabilities", "probably"),
        ("bag of words", "two bags of words", "a bag of rice"),
        ("pool", "the test pool", "pooling"),
    ],
)
def test_everyday_english_is_no_term(name, used, everyday):
    term = Term(name, 3)
    assert uses([used], term)
    assert not uses([everyday], term)


@pytest.mark.parametrize(
    "line",
    [
        "- **padding** The empty tokens. [Lesson 3](03_tokens_and_batches.ipynb)",
        "- **padding**: The empty tokens.",
        "- **padding**: The empty tokens. [Lesson 4](03_tokens_and_batches.ipynb)",
    ],
)
def test_an_entry_of_another_form_is_refused(line):
    with pytest.raises(AssertionError):
        read_glossary(line)
