"""Gathers where a number may stand: outputs and code of lessons, records, constants."""

import ast
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.prose.reading import Number, numbers, words
from tests.prose.structure import true_equations
from tests.prose.texts import code_of, labels

RECORDS = ("imdb_tutorial/data/**/*.json", "benchmarks/*.json", "experiments/*.json")
# Of a longer list of numbers, a curve, only the ends can be spoken of.
LONGEST_LIST = 12
# A longer text in a record is no name of what stands beside it.
LONGEST_NAME = 60
# Keys that say where all of a record comes from, and so nothing about one number.
PROVENANCE = {"machine", "device", "dtype", "versions"}
KEYS_WITH_UNITS = {
    r"\bms\b|_ms\b|\bms_|milliseconds": ("time", 1e-3),
    "seconds": ("time", 1.0),
    r"_mb\b|megabytes": ("size", 1e6),
    "bytes": ("size", 1.0),
}


class Source(NamedTuple):
    """A number that stands somewhere, with the words beside it and the place of its cell."""

    number: Number
    words: frozenset[str]
    cell: int


def of_lesson(cells: list[dict[str, Any]]) -> list[Source]:
    """Return the numbers of a notebook's code and outputs, and of what its prose proves."""
    found = []
    for place, cell in enumerate(cells):
        text = "".join(cell["source"])
        pieces = _code(text) if cell["cell_type"] == "code" else _quoted(text)
        for piece, beside in pieces:
            found += [Source(_exact(number), beside, place) for number in numbers(piece)]
        for output in cell.get("outputs", ()):
            for line, beside in _lines(output):
                beside |= words(text)
                found += [Source(number, beside, place) for number in numbers(line)]
    return found


def of_records(root: Path) -> list[Source]:
    """Return the numbers of all records."""
    found: list[Source] = []
    for pattern in RECORDS:
        for path in sorted(root.glob(pattern)):
            record = json.loads(path.read_text(encoding="utf-8"))
            found += _leaves(record, "", words(f"{path.parent.name} {path.stem}"))
    return found


def of_constants(root: Path) -> list[Source]:
    """Return the named numbers of the package, and the versions that it needs."""
    found = []
    for path in sorted(root.glob("imdb_tutorial/**/*.py")):
        for name, text in _named(ast.parse(path.read_text(encoding="utf-8"))):
            beside = words(f"{name} {path.stem}")
            found += [Source(_exact(number), beside, 0) for number in numbers(text)]
    for name in ("pyproject.toml", "constraints.txt"):
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            for version in re.findall(r"[<>=]=([\d.]+)", line):
                found += [Source(number, words(line), 0) for number in numbers(version)]
    return found


def _code(text: str) -> list[tuple[str, frozenset[str]]]:
    """Return the lines of code. What it writes into a figure is a claim of its own, no source."""
    for typed, _ in labels(text):
        text = text.replace(typed, " " * len(typed))
    return [(line, words(text)) for line in text.splitlines()]


def _quoted(text: str) -> list[tuple[str, frozenset[str]]]:
    pieces = [(code, words(code)) for code in code_of(text)]
    for line in text.splitlines():
        pieces += [(line[begin:end], words(line)) for begin, end in true_equations(line)]
    return pieces


def _lines(output: dict[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """Return an output's lines, each with its own words and those of the head."""
    data = output.get("data", {})
    for shown in (output.get("text"), data.get("text/plain"), data.get("text/html")):
        lines = html.unescape(re.sub(r"<[^>]+>", " ", "".join(shown or ""))).splitlines()
        head = words(" ".join(lines[:2]))
        yield from ((line, head | words(line)) for line in lines)
    yield output.get("evalue", ""), words(output.get("evalue", ""))


def _leaves(value: Any, key: str, beside: frozenset[str]) -> Iterator[Source]:
    if isinstance(value, dict):
        named = (value[key] for key in value.keys() - PROVENANCE)
        texts = (text for text in named if isinstance(text, str))
        beside |= words(" ".join(text for text in texts if len(text) < LONGEST_NAME))
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}/{name}", beside | words(name))
            yield from _leaves(name, "", beside)
    elif isinstance(value, list):
        is_curve = len(value) > LONGEST_LIST and not isinstance(value[0], (dict, list))
        for inner in (value[0], value[-1]) if is_curve else value:
            yield from _leaves(inner, key, beside)
    elif isinstance(value, str):
        yield from (Source(number, beside | words(value), 0) for number in numbers(value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for number in numbers(repr(value)):
            yield Source(_exact(_with_unit(number, key)), beside, 0)


def _with_unit(number: Number, key: str) -> Number:
    for pattern, (kind, factor) in KEYS_WITH_UNITS.items():
        if re.search(pattern, key):
            return number._replace(kind=kind, value=number.raw * factor)
    return number


def _exact(number: Number) -> Number:
    """Return a number of code or of a record, which has no digits but those that are written."""
    return number._replace(step=0.0)


def _named(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Return constants, defaults and arguments, each as its name and what it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Dict):
            yield " ".join(map(ast.unparse, node.targets)), ast.unparse(node.value)
        elif isinstance(node, ast.AnnAssign) and node.value:
            yield ast.unparse(node.target), ast.unparse(node.value)
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            yield node.arg or "", ast.unparse(node.value)
        elif isinstance(node, ast.Dict):
            for name, value in zip(node.keys, node.values, strict=True):
                if name and isinstance(value, ast.Constant):
                    yield ast.unparse(name), ast.unparse(value)
        elif isinstance(node, ast.arguments):
            behind = zip(reversed(node.args), reversed(node.defaults), strict=False)
            for argument, default in [
                *behind,
                *zip(node.kwonlyargs, node.kw_defaults, strict=True),
            ]:
                if default:
                    yield argument.arg, ast.unparse(default)
