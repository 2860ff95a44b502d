"""Writes the tested version of each direct dependency into the package, where the doctor reads it.

constraints.txt is the source; it is not part of the wheel. Run after a change of it.
"""

import json
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "imdb_tutorial/data/tested_versions.json"


def pins() -> dict[str, str]:
    """Return the exact version of every package in constraints.txt, by its canonical name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in found}


def render() -> str:
    """Return what the file should hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [Requirement(line).name for line in project["dependencies"]]
    versions = {name: pins()[canonicalize_name(name)] for name in names}
    return json.dumps(versions, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
