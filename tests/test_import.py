import ast
import subprocess
import sys
from pathlib import Path

import pytest

import imdb_tutorial

PACKAGE = Path(imdb_tutorial.__file__).parent
HEAVY = ("torch", "transformers", "datasets", "pandas", "matplotlib", "numpy")

# A module may import only what stands before it.
ORDER = (
    "presets progress provenance files pools sources dataset collate tokens parallel encoder "
    "cache features loaders probe checkpoint trainer adapter metrics pipelines classifier "
    "finetuning export records evaluation study reading attributions safe_text word_marks "
    "rendering review_box tried latest asking plotting charts widgets diagnosis __main__"
).split()
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def modules_imported_by(module):
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        assert not any(name.startswith(".") for name in names), "expected absolute imports"
        for name in names:
            package, _, rest = name.partition(".")
            if package == "imdb_tutorial":
                first = rest.split(".")[0]
                found.add(imdb_tutorial._MODULE_OF.get(first, first))
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import imdb_tutorial",
        "import imdb_tutorial; imdb_tutorial.load_preset().replace(train_size=5)",
        "from imdb_tutorial import sources; sources.packaged_encoder_folder()",
    ],
)
def test_light_work_loads_no_heavy_library(code):
    code += f"\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout == "[]\n", run.stdout + run.stderr


@pytest.mark.parametrize("name", imdb_tutorial.__all__)
def test_every_public_name_resolves(name):
    value = getattr(imdb_tutorial, name)
    assert value.__name__ == name
    assert value.__doc__
    assert name in dir(imdb_tutorial)


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_review"):
        imdb_tutorial.load_review  # noqa: B018
    with pytest.raises(ImportError):
        from imdb_tutorial import load_review  # noqa: F401


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_those_above_it(module):
    allowed = ORDER[: ORDER.index(module)]
    assert modules_imported_by(module) <= {*allowed, "__version__"}
