"""pyproject.toml, constraints.txt, environment.yml and the Makefile say the same."""

import os
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def direct() -> list[Requirement]:
    extras = [name for extra in EXTRAS.values() for name in extra]
    return [Requirement(line) for line in PROJECT["dependencies"] + extras]


def test_every_constraint_is_one_exact_version_without_a_local_tag():
    for requirement in pins().values():
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        assert "+" not in specifier.version


def test_every_dependency_is_pinned_within_its_own_bounds():
    for requirement in direct():
        pin = pins()[canonicalize_name(requirement.name)]
        (specifier,) = pin.specifier
        assert requirement.specifier.contains(specifier.version), requirement


def test_torch_is_pinned_exactly_where_pip_resolves_it():
    (torch,) = [requirement for requirement in direct() if requirement.name == "torch"]
    assert str(torch.specifier) == "==2.13.0"


def installed_closure() -> set[str]:
    todo, seen = list(direct()), set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                todo.append(needed)
    return seen


def test_everything_that_is_installed_for_the_project_is_pinned_as_installed():
    for name in installed_closure():
        (specifier,) = pins()[name].specifier
        assert metadata.version(name).split("+")[0] == specifier.version


def test_conda_installs_what_make_setup_installs():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, _, pip = environment["dependencies"]
    assert python.startswith("python" + PROJECT["requires-python"])
    extras = ",".join(sorted(EXTRAS))
    assert pip["pip"] == ["--constraint constraints.txt", f"--editable .[{extras}]"]
    recipe = (ROOT / "Makefile").read_text()
    assert "--constraint constraints.txt $(if" in recipe
    assert f"--editable '.[{extras}]'" in recipe


def make(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def bare_copy(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    return tmp_path


def fake_python(folder: Path, script: str) -> str:
    python = folder / "fakepython"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('[ "$1" = -V ] && echo Python 3.9.1; exit 1', "is Python 3.9.1, but 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_an_unusable_python_is_said_in_one_line(bare_copy, script, said):
    result = make("setup", f"PYTHON={fake_python(bare_copy, script)}", cwd=bare_copy)
    assert result.returncode != 0
    assert said in result.stdout
    assert len(result.stdout.strip().splitlines()) == 1
    assert not (bare_copy / ".venv").exists()


def test_a_missing_python_is_said_in_one_line(bare_copy):
    result = make("setup", "PYTHON=nopython", cwd=bare_copy)
    assert result.returncode != 0
    assert "no nopython found" in result.stdout


def test_a_finished_setup_is_not_done_again(bare_copy):
    (bare_copy / ".venv").mkdir()
    (bare_copy / ".venv/.complete").touch()
    result = make("setup", "PYTHON=nopython", cwd=bare_copy)
    assert result.returncode == 0, result.stdout


def test_continuous_integration_calls_make_test_and_requires_the_browser():
    script = (ROOT / ".ci/run").read_text()
    assert "IMDB_TUTORIAL_REQUIRE_BROWSER=1" in script
    assert script.rstrip().endswith("make test")
    assert os.access(ROOT / ".ci/run", os.X_OK)
