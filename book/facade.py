"""The API page: each public name of the package, in the rooms where ``__init__.pyi`` finds it."""

import ast
import inspect
from pathlib import Path

import imdb_tutorial

STUB = Path(imdb_tutorial.__file__).with_suffix(".pyi")
MARK = "<!-- api -->"


def rooms() -> dict[str, list[str]]:
    """Return the public names by their room: ``{"dataset": ["LABELS", ...], ...}``."""
    found: dict[str, list[str]] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            room = node.module.split(".")[0]
            found.setdefault(room, []).extend(alias.name for alias in node.names)
    return {room: sorted(names, key=str.lower) for room, names in sorted(found.items())}


def api() -> str:
    """Return the page's lists as MyST Markdown, with a directive of autodoc for each name."""
    text = ""
    for room, names in rooms().items():
        # A public name may be called like its room, so the room is asked for by its path.
        about = (inspect.getdoc(_module(room)) or "").splitlines()[0]
        text += f"\n## {room}\n\n{about}\n\n```{{eval-rst}}\n"
        text += "\n".join(_directive(name) for name in names) + "```\n"
    return text


def _module(room: str):
    import importlib

    return importlib.import_module(f"imdb_tutorial.{room}")


def _directive(name: str) -> str:
    public = getattr(imdb_tutorial, name)
    if inspect.isclass(public):
        return f".. autoclass:: imdb_tutorial.{name}\n   :members:\n"
    if callable(public):
        return f".. autofunction:: imdb_tutorial.{name}\n"
    return f".. autodata:: imdb_tutorial.{name}\n"


def add_api(app, docname, source):
    """Put the lists in the place of the mark."""
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, api())


def setup(app):
    """Called by Sphinx."""
    app.connect("source-read", add_api)
    return {"parallel_read_safe": True}
