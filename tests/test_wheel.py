"""The wheel holds what the package needs, and works where nothing of the repository is near."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import imdb_tutorial

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "imdb_tutorial"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, without network: what was built before cannot slip in."""
    pytest.importorskip("pip", reason="an environment of uv has no pip")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, source / "imdb_tutorial", ignore=ignored)
    command = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        built,
        source,
    ]
    subprocess.run([sys.executable, "-m", "pip", *command], check=True, timeout=600)
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_it_holds_every_file_of_the_package_and_nothing_else(unpacked):
    def files(folder: Path) -> set[str]:
        every = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix() for path in every if path.suffix != ".pyc"}

    assert files(unpacked / "imdb_tutorial") == files(PACKAGE)
    assert {"py.typed", "__init__.pyi"} <= files(unpacked / "imdb_tutorial")
    tops = {path.name for path in unpacked.iterdir()}
    assert tops == {"imdb_tutorial", f"imdb_tutorial-{imdb_tutorial.__version__}.dist-info"}


def elsewhere(unpacked: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the console script's own function, with the unpacked wheel, in another folder."""
    entry = (unpacked / f"{next(unpacked.glob('*.dist-info')).name}/entry_points.txt").read_text(
        encoding="utf-8"
    )
    assert "imdb-tutorial = imdb_tutorial.__main__:main" in entry
    code = "import sys; from imdb_tutorial.__main__ import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_doctor_is_content_in_an_empty_folder(unpacked, tmp_path):
    run = elsewhere(unpacked, tmp_path, "doctor")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "packaged encoder" in run.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_it_classifies_in_an_empty_folder(unpacked, tmp_path):
    run = elsewhere(unpacked, tmp_path, "classify", "What a wonderful film!")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith("POSITIVE")
    assert not list(tmp_path.iterdir())
