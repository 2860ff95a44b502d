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
from tests.prose.texts import code_of

RECORDS = ("imdb_tutorial/data/**/*.json", "benchmarks/*.json", "experiments/*.json")
LONGEST_LIST = 12
KEYS_WITH_UNITS = {
    r"\bms\b|_ms\b|milliseconds": ("time", 1e-3),
    r"seconds|_s\b": ("time", 1.0),
    r"minutes": ("time", 60.0),
    r"hours": ("time", 3600.0),
    r"_mb\b|megabytes": ("size", 1e6),
    r"bytes": ("size", 1.0),
}


class Source(NamedTuple):
    """A number that stands somewhere, with the words beside it and the place of its cell."""

    number: Number
    words: frozenset[str]
    cell: int


def of_lesson(cells: list[dict[str, Any]]) -> list[Source]:
    """Return the numbers in the code and the outputs of a notebook's cells."""
    found = []
    for place, cell in enumerate(cells):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            pieces = [(code, words(code)) for code in code_of(text)]
            for line in text.splitlines():
                pieces += [(line[slice(*span)], words(line)) for span in true_equations(line)]
        else:
            pieces = [(line, words(text)) for line in text.splitlines()]
        for piece, beside in pieces:
            found += [Source(_exact(number), beside, place) for number in numbers(piece)]
        if cell["cell_type"] != "code":
            continue
        about = words(text)
        for text in _outputs(cell):
            head = words(" ".join(text.splitlines()[:2]))
            for line in text.splitlines():
                beside = about | head | words(line)
                found += [Source(number, beside, place) for number in numbers(line)]
    return found


def of_records(root: Path) -> list[Source]:
    """Return the numbers of all records."""
    found: list[Source] = []
    for pattern in RECORDS:
        for path in sorted(root.glob(pattern)):
            record = json.loads(path.read_text(encoding="utf-8"))
            found += _leaves(record, path.stem, words(f"{path.parent.name} {path.stem}"))
    return found


def of_constants(root: Path) -> list[Source]:
    """Return the named numbers of the package, and the versions that it needs."""
    found = []
    for path in sorted(root.glob("imdb_tutorial/**/*.py")):
        for name, text in _named(ast.parse(path.read_text(encoding="utf-8"))):
            beside = words(name) | words(path.stem)
            found += [Source(number, beside, 0) for number in map(_exact, numbers(text))]
    for name in ("pyproject.toml", "constraints.txt"):
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            version = re.search(r"[<>=]=? ?\"?>?=?([\d.]+)", line)
            found += [Source(n, words(line), 0) for n in numbers(version[1] if version else "")]
    return found


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    for output in cell["outputs"]:
        data = output.get("data", {})
        for text in (output.get("text"), data.get("text/plain"), data.get("text/html")):
            if text:
                yield html.unescape(re.sub(r"<[^>]+>", " ", "".join(text)))
        if "evalue" in output:
            yield output["evalue"]


def _leaves(value: Any, key: str, beside: frozenset[str]) -> Iterator[Source]:
    if isinstance(value, dict):
        named = [text for text in value.values() if isinstance(text, str) and len(text) < 60]
        beside |= words(" ".join(named))
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}/{name}", beside | words(name))
            yield from _leaves(str(name), "", beside | words(name))
    elif isinstance(value, list):
        # Of a long curve only its ends can be spoken of.
        is_curve = len(value) > LONGEST_LIST and not isinstance(value[0], (dict, list))
        for inner in (value[0], value[-1]) if is_curve else value:
            yield from _leaves(inner, key, beside)
    elif isinstance(value, str):
        yield from (Source(number, beside | words(value), 0) for number in numbers(value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        (number,) = numbers(repr(value)) or (None,)
        if number:
            yield Source(_exact(_with_unit(number, key)), beside, 0)


def _with_unit(number: Number, key: str) -> Number:
    for pattern, (kind, factor) in KEYS_WITH_UNITS.items():
        if re.search(pattern, key):
            return number._replace(
                kind=kind, value=number.raw * factor, step=number.step * factor
            )
    return number


def _exact(number: Number) -> Number:
    """Return a number of code or of a record, which has no digits but those that are written."""
    return number._replace(step=0.0)


def _named(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield " ".join(ast.unparse(t) for t in targets), ast.unparse(node.value)
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            yield node.arg or "", ast.unparse(node.value)
        elif isinstance(node, ast.FunctionDef):
            arguments = node.args.args[-len(node.args.defaults) or len(node.args.args) :]
            pairs = [*zip(arguments, node.args.defaults, strict=False)]
            pairs += [p for p in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if p[1]]
            for argument, default in pairs:
                yield argument.arg, ast.unparse(default)
