"""The lessons, opened and run as a reader does it."""

from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SERIES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("name", SERIES)
def test_every_lesson_runs_to_its_end(lab, name):
    written = nbformat.read(NOTEBOOKS / name, as_version=4)
    lab.open(name)
    cells = lab.run_all(timeout_s=900)
    errors = [o for c in cells for o in c["outputs"] if o["output_type"] == "error"]
    assert not errors
    assert len(cells) == sum(cell.cell_type == "code" for cell in written.cells)
