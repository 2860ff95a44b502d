"""Lessons, opened and run in a browser as a reader does it."""

import ast
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
# nbval runs every lesson. These two, and lesson 06, into which test_explorer.py types after it was
# run, use the most of what only a page in a browser shows.
LESSONS = (
    "02_dataset.ipynb",  # tables, pictures, and reviews with HTML in them, shown as text
    "04_frozen_bert_probe.ipynb",  # progress bars, and a loop that prints while it runs
)
# Lesson 04 takes minutes at the laptop's size; so small it is here.
SMALL = {
    "04_frozen_bert_probe.ipynb": {
        "train_size": 32,
        "validation_size": 16,
        "test_size": 16,
        "max_length": 128,
        "batch_size": 8,
    },
}
# What a lesson asserts about its numbers holds at full size, where `pytest --nbval` checks it.
MAKE_SMALL = """
import ast as _ast
from imdb_tutorial import presets as _presets

class _WithoutAsserts(_ast.NodeTransformer):
    def visit_Assert(self, node):
        return _ast.copy_location(_ast.Pass(), node)

_presets.PRESETS["laptop"] = _presets.PRESETS["laptop"].replace(**{small})
get_ipython().ast_transformers.append(_WithoutAsserts())
"""


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(lab, name):
    written = nbformat.read(NOTEBOOKS / name, as_version=4)
    small = SMALL.get(name, {})
    lab.open(name)
    if small:
        lab.tell_kernel(MAKE_SMALL.replace("{small}", repr(small)))
    cells = lab.run_all(timeout_s=600)
    errors = [o for c in cells for o in c["outputs"] if o["output_type"] == "error"]
    assert not errors
    assert len(cells) == sum(cell.cell_type == "code" for cell in written.cells)
    if small:
        used = lab.tell_kernel("", f"{{name: getattr(preset, name) for name in {[*small]}}}")
        assert ast.literal_eval(used) == small
