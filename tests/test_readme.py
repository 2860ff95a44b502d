"""README and docs say what is there and what was measured; the ways without make work."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systems import needs_posix

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
start_commands = runpy.run_path(str(ROOT / "tools/start_commands.py"))["start_commands"]


def test_measurements_are_the_recorded_ones_and_stand_in_one_place_each():
    table = runpy.run_path(str(ROOT / "benchmarks/readme_table.py"))
    text = "".join(page.read_text(encoding="utf-8") for page in table["PAGES"])
    for name, expected in table["render"]().items():
        (block,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
        assert block == expected, name


def test_the_lessons_are_those_that_there_are():
    tool = runpy.run_path(str(ROOT / "tools/lesson_table.py"))
    assert tool["BLOCK"].search(README)[0] == tool["render"](), "run tools/lesson_table.py"
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(notebooks/{notebook.name})" in README


def test_a_lesson_without_claim_or_time_is_named(tmp_path):
    cell = {"cell_type": "markdown", "source": ["# 0. Here\n", "\n", "**Claim: so it is.**\n"]}
    (tmp_path / "00_here.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    render = runpy.run_path(str(ROOT / "tools/lesson_table.py"))["render"]
    with pytest.raises(ValueError, match=r"00_here\.ipynb.*Running time"):
        render(tmp_path)


def test_the_readme_is_short_and_has_every_other_page_one_link_away():
    assert len(README.splitlines()) < 120
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_target_of_make_is_explained():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1]
    commands = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    for target in phony.split():
        assert f"| `make {target}` |" in commands


@pytest.mark.slow
@needs_posix
def test_the_way_without_make_installs_what_is_installed_here(tmp_path):
    """The page's own line is run, in a folder whose path has a space and more than ASCII.

    This environment stands in for the new one; pip only says what it would install and asks no
    network. tools/check_install.py does the whole for real.
    """
    pytest.importorskip("pip", reason="an environment of uv has no pip")
    folder = tmp_path / "eine Übung 感情"
    (folder / "imdb_tutorial").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "imdb_tutorial/__init__.py", folder / "imdb_tutorial")
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    (install,) = [command for command in start_commands("pip") if "pip install" in command]
    asks_nobody = {
        "PIP_DRY_RUN": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the wrong way round
        "PIP_CONFIG_FILE": os.devnull,
    }
    result = subprocess.run(
        ["sh", "-c", install],
        cwd=folder,
        env={**os.environ, **asks_nobody},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    (would,) = [line for line in result.stdout.splitlines() if line.startswith("Would install")]
    assert would.split()[2:] == [f"imdb_tutorial-{_version()}"]


def _version() -> str:
    import imdb_tutorial

    return imdb_tutorial.__version__


@needs_posix
def test_the_way_without_make_starts_programs_that_are_installed():
    programs = [command.split()[0] for command in start_commands("pip")[1:]]
    assert all(program.startswith(".venv/bin/") for program in programs)
    for program in programs:
        assert Path(sys.prefix, *Path(program).parts[1:]).is_file(), program


def test_the_way_on_windows_is_the_same_in_its_own_spelling():
    def windows(command: str) -> str:
        words = command.replace("python3 -m venv", "py -m venv").split()
        paths = {word for word in words if word.startswith((".venv/", "notebooks/"))}
        for path in paths:
            command = command.replace(path, path.replace("/", "\\"))
        return command.replace("python3 -m venv", "py -m venv").replace("\\bin\\", "\\Scripts\\")

    assert [windows(command) for command in start_commands("pip")] == start_commands("windows")


def test_every_way_opens_the_first_lesson_and_runs_all_tests():
    for way in ("pip", "windows", "uv"):
        *_, lab, tests = start_commands(way)
        assert lab.replace("\\", "/").endswith("jupyter lab notebooks/00_start_here.ipynb")
        assert tests.endswith("pytest --nbval")
