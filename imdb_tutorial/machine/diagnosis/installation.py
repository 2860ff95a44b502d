"""What is installed: libraries, this package, Jupyter, and the packaged files."""

import importlib.util
import json
import platform
import shutil
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import Requirement

from imdb_tutorial.machine import packages, sources
from imdb_tutorial.machine.diagnosis.check import Check, short
from imdb_tutorial.presets import load_preset

PACKAGE = "imdb_tutorial"


def python() -> Check:
    """Return the interpreter's version."""
    return Check("Python", "ok", platform.python_version())


def libraries() -> Check:
    """Compare the installed libraries with the bounds of this project and the tested versions."""
    tested, bounds = tested_versions(), _bounds()
    refused, others = {}, {}
    for name, expected in tested.items():
        version = _installed_version(name)
        if version is None or (name in bounds and not bounds[name].specifier.contains(version)):
            refused[name] = version or "is missing"
        elif version.split("+")[0] != expected:  # a local tag such as +cpu names a build
            others[name] = f"{version} (tested: {expected})"
    if refused:
        found = ", ".join(f"{name} {version}" for name, version in refused.items())
        return Check("libraries", "problem", found, how_to_install(*refused))
    if others:
        found = ", ".join(f"{name} {versions}" for name, versions in others.items())
        remedy = f"figures may differ a little; the tested ones: {how_to_install(*others)}"
        return Check("libraries", "note", found, remedy)
    shown = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "transformers"))
    return Check("libraries", "ok", f"{shown}; all {len(tested)} in the tested versions")


def copies() -> Check:
    """Look for a second copy of this package, which may be the one that somebody edits."""
    used = Path(__file__).resolve().parents[2]
    others = [folder for folder in _package_folders() if folder != used]
    if not others:
        return Check("copies", "ok", "one")
    found = f"{short(used)} is used, but there is also {', '.join(map(short, others))}"
    remedy = f"keep one: pip uninstall {PACKAGE}, then pip install --editable . in the one to keep"
    return Check("copies", "note", found, remedy)


def jupyter() -> Check:
    """Say whether JupyterLab would run the lessons in this environment."""
    if not importlib.util.find_spec("jupyterlab"):
        return Check(
            "Jupyter", "note", "no JupyterLab here", "pip install jupyterlab, to open the lessons"
        )
    here = Path(sys.executable).parent.resolve()
    command = shutil.which("jupyter")
    if command and Path(command).parent.resolve() != here:
        found = f"the command jupyter belongs to another environment ({short(command)})"
        return Check("Jupyter", "note", found, f"start it with {short(here / 'jupyter')} lab")
    program = _kernel_program()
    if program and Path(program).is_absolute() and Path(program).parent.resolve() != here:
        found = f"the kernel python3 starts {short(program)}, not this environment"
        remedy = f"{short(sys.executable)} -m ipykernel install --sys-prefix"
        return Check("Jupyter", "problem", found, remedy)
    return Check("Jupyter", "ok", "its kernel is this environment")


def preset() -> Check:
    """Say which preset the lessons will use."""
    return Check("preset", "ok", load_preset().name)


def packaged_reviews() -> Check:
    """Compare the packaged reviews with their hash."""
    packages.packaged_path(sources.PACKAGED_REVIEWS)
    return Check("packaged reviews", "ok", "25,000 IMDb reviews, verified")


def packaged_encoder() -> Check:
    """Compare the packaged encoder with its hashes."""
    sources.packaged_encoder_folder()
    return Check("packaged encoder", "ok", "MiniLM, 22.7 M parameters, verified")


def browser() -> Check:
    """Say whether the browser is there that some tests of the lessons need."""
    if not importlib.util.find_spec("playwright"):
        return Check("browser for tests", "ok", "not needed: the tests are not installed")
    if found := shutil.which("chromium") or shutil.which("chromium-browser"):
        return Check("browser for tests", "ok", Path(found).name)
    remedy = "only some tests need it: install chromium, for example apt install chromium"
    return Check("browser for tests", "note", "no chromium", remedy)


def tested_versions() -> dict[str, str]:
    """Return the version of each library that the lessons were tested with, by its name."""
    return json.loads(
        files(PACKAGE).joinpath("data/tested_versions.json").read_text(encoding="utf-8")
    )


def how_to_install(*names: str) -> str:
    """Return the command that installs these libraries in their tested versions."""
    tested = tested_versions()
    return "pip install " + " ".join(f"{name}=={tested[name]}" for name in names)


def _bounds() -> dict[str, Requirement]:
    try:
        requirements = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    except metadata.PackageNotFoundError:  # a source tree that was never installed
        return {}
    return {each.name: each for each in requirements if each.marker is None}


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _package_folders() -> list[Path]:
    roots = [Path(entry or ".") for entry in sys.path]
    for distribution in metadata.distributions(name=PACKAGE):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            roots.append(Path(url2pathname(urlsplit(origin["url"]).path)))
    folders = [(root / PACKAGE).resolve() for root in roots]
    return list(dict.fromkeys(each for each in folders if (each / "__init__.py").is_file()))


def _kernel_program() -> str | None:
    """Return what the first kernel named python3 starts; a bare name means Jupyter's own Python."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("kernels"):
        file = Path(folder, "python3", "kernel.json")
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))["argv"][0]
    return None
