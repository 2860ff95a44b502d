"""Units of work: kept with a digest of what made them, claimed by one process at a time."""

import ast
import functools
import hashlib
import io
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imdb_tutorial.machine.files import only_writer, write_whole

ROOT = Path(__file__).parents[1]
OURS = ("experiments", "imdb_tutorial")
PACKAGES = ("torch", "transformers", "datasets", "scikit-learn", "scipy", "numpy", "peft")


class Unit(NamedTuple):
    """One piece of an experiment.

    Args:
        experiment: Its name.
        make: What makes it, of what it varies.
        varies: What it varies.
        files: What it reads beside code and reviews, such as a trained model's files.
    """

    experiment: str
    make: Callable[[dict], tuple[list[dict], dict]]
    varies: dict
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        parts = "-".join(f"{key}={value}" for key, value in self.varies.items())
        return f"{self.experiment}-{parts}".replace(" ", "_")


class Found(NamedTuple):
    """What a unit found: rows of a table, and the answers behind them.

    ``digest`` says what made it and is ``None`` where that was not kept, as ``seconds`` are.
    """

    digest: str | None
    rows: list[dict]
    seconds: float | None
    answers: dict[str, np.ndarray]


def sources_of(module: str) -> dict[str, Path]:
    """Find a module's source, and that of all modules of ours that it imports, and so on.

    This module is left out: how units are kept does not change what they find.
    """
    found: dict[str, Path] = {}
    ahead = [module]
    while ahead:
        name = ahead.pop()
        if name not in found and name != __name__ and (path := _file_of(name)):
            found[name] = path
            ahead += _imports(path)
    return found


@functools.cache
def code_digest(module: str) -> str:
    """Digest what a module does; comments, docstrings and the layout of its code play no part."""
    digest = hashlib.sha256()
    for name, path in sorted(sources_of(module).items()):
        digest.update(f"{name}\0{_code(path)}\0".encode())
    return digest.hexdigest()


def digest_of(unit: Unit, data: str) -> str:
    """Digest all that makes a unit: code, data, files, what it varies, the libraries' versions."""
    versions = [version(package) for package in PACKAGES]
    parts = [code_digest(unit.make.__module__), unit.make.__qualname__, data, unit.varies, versions]
    parts += [hashlib.sha256(file.read_bytes()).hexdigest() for file in unit.files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def file_of(unit: Unit, folder: Path) -> Path:
    """Return where a finished unit is kept."""
    return folder / f"{unit}.npz"


def read_unit(unit: Unit, folder: Path, data: str) -> Found | None:
    """Return what a finished unit found; nothing where other code or data made it.

    A file that cannot be read counts as none: the unit is run again.
    """
    try:
        with np.load(file_of(unit, folder), allow_pickle=False) as kept:
            answers = dict(kept)
        about = json.loads(str(answers.pop("about")))
        found = Found(about["digest"], about["rows"], about["seconds"], answers)
    except Exception:  # a damaged zip file raises nearly anything
        return None
    return found if found.digest == digest_of(unit, data) else None


def keep_unit(unit: Unit, folder: Path, found: Found) -> None:
    """Keep what a unit found."""
    about = {"digest": found.digest, "rows": found.rows, "seconds": found.seconds}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found.answers, about=np.array(json.dumps(about)))
    write_whole(file_of(unit, folder), buffer.getvalue())


def run_unit(unit: Unit, folder: Path, data: str) -> bool:
    """Run a unit and keep it, unless it is done or another process is at it.

    A claim is a lock that the system frees when its owner dies, so none can go stale.

    Returns:
        Whether it was run here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with only_writer(file_of(unit, folder).with_suffix(".claim"), wait=False):
            if read_unit(unit, folder, data):
                return False
            began = time.perf_counter()
            rows, answers = unit.make(unit.varies)
            seconds = round(time.perf_counter() - began, 1)
            keep_unit(unit, folder, Found(digest_of(unit, data), rows, seconds, answers))
            return True
    except BlockingIOError:
        return False


@functools.cache
def _public_names() -> dict[str, str]:
    """Return the module of each public name of the package."""
    stub = ast.parse((ROOT / "imdb_tutorial/__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: f"imdb_tutorial.{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _file_of(module: str) -> Path | None:
    if module.partition(".")[0] not in OURS:
        return None
    path = ROOT.joinpath(*module.split("."))
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


@functools.cache
def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            for alias in node.names:  # a module, or a name that another module gives
                found.append(f"{node.module}.{alias.name}")
                if node.module == "imdb_tutorial" and alias.name in _public_names():
                    found.append(_public_names()[alias.name])
    return found


@functools.cache
def _code(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (body := getattr(node, "body", None)) and isinstance(body, list):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                body[:1] = [] if body[1:] else [ast.Pass()]
    return ast.unparse(tree)
