"""Reads the prose: paragraphs of lessons and pages, without what is no claim of theirs."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
ONLY_NUMBER = re.compile(r"[-−+]?[\d,.]+ ?%?")
# What another test compares with the record, code to type in, addresses, formulas.
NOT_PROSE = [
    re.compile(r"<!-- ([\w-]+) -->\n.*?<!-- /\1 -->", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    FENCED,
    re.compile(r"\$[^$\n]+\$"),
    re.compile(r"(?<=\])\([^)\s]+\)|https?://\S+"),
]
# Numbers that name a place: a heading, a lesson, a section, a step of a list.
NAMES_A_PLACE = [
    re.compile(r"^(?:#+|\d+\.|-) (?:\[)?\d+\. ?", re.MULTILINE),
    re.compile(r"^\s*\d+\. ", re.MULTILINE),
    re.compile(r"\b[Ll]essons? \[?\d\d?(?:(?:, | and | to )\d\d?)*\b"),
    re.compile(r"\[\d\d(?:: [^\]]+)?\](?=\(| )|^\| (?:\*\*\w+\*\* )?\| \d\d: ", re.MULTILINE),
]

SENTENCE_END = re.compile(r"(?<=[.!?:])(?<!al\.) +(?=[A-Z*(\[\"])")


class Passage(NamedTuple):
    """A sentence or a line of a table.

    Args:
        file: Its file, from the project's folder.
        cell: The place of its cell in a notebook, else 0.
        text: What it says, with spaces where something is no claim.
        whole: What it says.
        around: Its whole paragraph.
    """

    file: str
    cell: int
    text: str
    whole: str
    around: str


def notebook_cells(path: Path) -> list[dict[str, Any]]:
    """Return a notebook's cells."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def of_notebook(name: str, cells: list[dict[str, Any]]) -> Iterator[Passage]:
    """Return the passages of a notebook's markdown."""
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            yield from of_page(name, "".join(cell["source"]), place)


def of_page(name: str, text: str, cell: int = 0) -> Iterator[Passage]:
    """Return the passages of a page of markdown."""
    whole = text
    for pattern in [*NOT_PROSE, CODE, *NAMES_A_PLACE]:
        text = pattern.sub(_blank, text)
    for line, whole_line in zip(text.splitlines(), whole.splitlines(), strict=True):
        begin = 0
        for end in [*(match.end() for match in SENTENCE_END.finditer(line)), len(line)]:
            if line[begin:end].strip():
                yield Passage(name, cell, line[begin:end], whole_line[begin:end], whole_line)
            begin = end


def of_figures(name: str, cells: list[dict[str, Any]]) -> Iterator[Passage]:
    """Return what a notebook's code writes into its figures."""
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            for _, label in labels("".join(cell["source"])):
                for passage in of_page(name, label, place):
                    yield passage._replace(around=label)


def labels(code: str) -> list[tuple[str, str]]:
    """Return the texts that are typed into a drawing, each as the code has it and as it reads."""
    drawings = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("plot_")
    ]
    return [
        (ast.get_source_segment(code, node) or "", node.value)
        for drawing in drawings
        for node in ast.walk(drawing)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def code_of(text: str) -> Iterator[str]:
    """Return the code that a text quotes, piece by piece."""
    yield from (match[0] for match in FENCED.finditer(text))
    yield from (match[1] for match in CODE.finditer(FENCED.sub("", text)))


def _blank(match: re.Match[str]) -> str:
    if match.re is CODE and ONLY_NUMBER.fullmatch(match[1]):
        return f" {match[1]} "
    return re.sub(r"[^\n]", " ", match[0])
