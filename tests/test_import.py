import ast
import subprocess
import sys
from pathlib import Path

import pytest

import imdb_tutorial

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "imdb_tutorial"
HEAVY = ("torch", "transformers", "datasets", "pandas", "matplotlib", "numpy")
STUB = ast.parse((PACKAGE / "__init__.pyi").read_text())


@pytest.mark.parametrize(
    "code",
    [
        "import imdb_tutorial",
        "import imdb_tutorial; imdb_tutorial.load_preset().replace(train_size=5)",
        "from imdb_tutorial.machine import sources; sources.packaged_encoder_folder()",
    ],
)
def test_light_work_loads_no_heavy_library(code):
    code += f"\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout == "[]\n", run.stdout + run.stderr


@pytest.mark.parametrize("name", imdb_tutorial.__all__)
def test_every_public_name_resolves(name):
    value = getattr(imdb_tutorial, name)
    if callable(value):
        assert value.__name__ == name
        assert value.__doc__
    assert name in dir(imdb_tutorial)


def test_editors_find_the_public_names_in_the_stub():
    listed = {
        alias.asname
        for node in ast.walk(STUB)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert listed == set(imdb_tutorial.__all__)


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_review"):
        imdb_tutorial.load_review  # noqa: B018
    with pytest.raises(ImportError):
        from imdb_tutorial import load_review  # noqa: F401


def test_rooms_import_downwards_only():
    """import-linter reads the layers that pyproject.toml lists."""
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_first_level_stays_small_and_shows_the_way():
    rooms = {
        path.stem
        for path in PACKAGE.iterdir()
        if not path.name.startswith(("_", ".")) and path.name != "py.typed"
    }
    assert {"dataset", "collate", "probe", "trainer", "plotting"} <= rooms
    assert len(rooms) <= 15
