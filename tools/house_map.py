"""Writes the map of the package into CONTRIBUTING.md: one line a room and a module.

Each line is the first sentence of that file's docstring; the order is that of the layers in
pyproject.toml. Run after a module came, went or changed its job.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "imdb_tutorial"
TARGET = ROOT / "CONTRIBUTING.md"
BLOCK = re.compile(r"(?<=<!-- map -->\n).*?(?=<!-- /map -->)", re.DOTALL)


def render() -> str:
    """Return the map as a Markdown list, the uppermost layer first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    return "".join(f"{line}\n" for layer in layers for line in _lines(layer, PACKAGE, 0))


def _lines(name: str, folder: Path, depth: int) -> Iterator[str]:
    room = folder / name
    file = room.with_suffix(".py") if room.with_suffix(".py").is_file() else room / "__init__.py"
    shown = f"{name}.py" if file.stem == name else f"{name}/"
    if file.is_file():
        yield f"{'  ' * depth}- `{shown}`: {_first_sentence(file)}"
    else:  # a folder that is found by its path, such as a metric of evaluate
        yield f"{'  ' * depth}- `{shown}`"
    if room.is_dir():
        for part in _parts(room):
            yield from _lines(part, room, depth + 1)


def _parts(room: Path) -> list[str]:
    modules = {path.stem for path in room.glob("*.py")} - {"__init__"}
    return sorted(modules | {path.parent.name for path in room.glob("*/*.py")})


def _first_sentence(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    (line, *_) = docstring.splitlines() or [""]
    if not line.endswith("."):
        raise ValueError(f"{file} begins with {line!r}: expected one sentence")
    return line


if __name__ == "__main__":
    text = TARGET.read_text(encoding="utf-8")
    TARGET.write_text(BLOCK.sub(lambda _: render(), text), encoding="utf-8")
