"""CONTRIBUTING.md describes the package as it is, and the package keeps its habits."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import imdb_tutorial

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "imdb_tutorial"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = [
    path
    for folder in ("imdb_tutorial", "experiments", "benchmarks", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def block(name: str) -> str:
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", CONTRIBUTING, re.DOTALL)[1]


def test_the_map_is_the_one_that_its_tool_writes():
    tool = runpy.run_path(str(ROOT / "tools/house_map.py"))
    assert block("map") == tool["render"](), "run python tools/house_map.py"


def test_the_map_has_every_room_and_module_and_nothing_else():
    mapped, above = set(), []
    for indent, name in re.findall(r"^( *)- `([^`]+)`", block("map"), re.MULTILINE):
        above[len(indent) // 2 :] = [name.rstrip("/")]
        if name.endswith(".py"):
            mapped.add("/".join(above))
    modules = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    assert mapped == {path for path in modules if not path.endswith("__init__.py")}


def test_the_map_has_the_order_of_the_layers():
    rooms = re.findall(r"^- `([a-z_]+)", block("map"), re.MULTILINE)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert rooms == settings["tool"]["importlinter"]["contracts"][0]["layers"]


def test_the_way_of_the_data_names_what_exists():
    # Names with a capital or an underscore are the package's; the other words are columns, keys.
    names = re.findall(r"`(\w*[A-Z_]\w*|pool|finetune)`", block("way"))
    others = {"DatasetDict", "input_ids", "attention_mask"}
    assert len(set(names) - others) >= 12
    assert set(names) - others <= set(imdb_tutorial.__all__)


def test_contributing_names_files_that_exist():
    prose = CONTRIBUTING.replace(block("map"), "")
    files = re.findall(r"`([a-z_.]+/[\w./]*)`", prose)
    files += re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    files = [name for name in files if not name.startswith("build/")]  # what commands make
    assert len(files) > 10
    for name in files:
        assert (ROOT / name).exists() or (PACKAGE / name).exists(), name


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_is_read_and_written_as_utf_8_on_every_system(path):
    """Without an encoding, Windows takes its own; ruff sees only some of these calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = len(node.args) + sum(word.arg == "encoding" for word in node.keywords)
            needed = {"read_text": 1, "write_text": 2}.get(node.func.attr, 0)
            assert given >= needed, f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.slow
def test_the_types_fit():
    mypy = [sys.executable, "-m", "mypy", "--no-color-output"]
    run = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stdout
