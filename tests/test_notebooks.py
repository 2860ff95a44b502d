"""The committed notebooks: executed, clean, and really checked."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
SERIES = (
    "00_start_here",
    "01_pipeline",
    "02_dataset",
    "03_tokens_and_batches",
    "04_frozen_bert_probe",
    "05_fine_tuning",
    "06_classify_widget",
    "07_two_traps",
    "08_is_bert_worth_it",
    "09_errors",
    "10_your_own_data",
    "11_scaling_out",
)
IGNORE = "nbval-ignore-output"
TAGS = {IGNORE, "raises-exception", "hide-input", "answer", "exercise-setup"}
MARKERS = re.compile(r"^\s*#\s*(NBVAL_|PYTEST_VALIDATE)", re.MULTILINE)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_series_is_the_designed_one():
    names = [path.stem for path in NOTEBOOKS]
    assert tuple(names) == SERIES


def test_is_valid(notebook):
    nbformat.validate(notebook)


def test_every_code_cell_was_executed_in_order(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_imports_only_from_the_package_itself(notebook):
    """So that the package's rooms can move without a lesson noticing."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("imdb_tutorial."), ast.unparse(node)
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("imdb_tutorial.") for alias in node.names)


def test_nearly_every_cell_is_compared(notebook):
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if IGNORE in cell.metadata.get("tags", [])]
    assert len(ignored) <= 3
    assert len(ignored) <= 0.15 * len(cells)
    for cell in cells:
        assert not MARKERS.search(cell.source), "use a cell tag, it keeps the code clean"
        assert set(cell.metadata.get("tags", [])) <= TAGS


def test_what_is_not_compared_is_asserted(notebook):
    cells = code_cells(notebook)
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if IGNORE in cell.metadata.get("tags", []):
            assert "assert " in cell.source or "assert " in following.source, cell.source


def test_holds_no_warning_no_error_and_no_path_of_a_machine(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in cell.metadata.tags
            assert output.get("name") != "stderr", output
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert "Warning" not in text
            assert not re.search(r"(/root/|/home/|/Users/|site-packages|[A-Z]:\\\\)", text), text


def test_holds_no_widget_state(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert not any("widget" in kind for kind in output.get("data", {}))


def test_cells_are_short_and_explained(notebook):
    lengths = sorted(
        len([line for line in cell.source.splitlines() if line.strip()])
        for cell in code_cells(notebook)
    )
    assert lengths[-1] <= 20
    assert lengths[len(lengths) // 2] <= 4
    assert len(lengths) <= 45
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    assert words >= 7 * sum(lengths)
    assert words <= 3_000


def test_has_one_title(notebook):
    """More would stand as chapters of their own in the book."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    without_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert len(re.findall(r"^# ", without_code, re.MULTILINE)) == 1


def test_no_output_says_only_true(notebook):
    """A reader who computes by hand wants the number."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            assert not lines or not set(lines) <= {"True", "False"}, cell.source


def test_cells_that_only_assert_are_folded(notebook):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if lines and all(line.startswith(("assert ", "    ", ")", "#")) for line in lines):
            assert "hide-input" in cell.metadata.get("tags", []), cell.source
        if "hide-input" in cell.metadata.get("tags", []):
            assert cell.metadata.jupyter.source_hidden


def test_no_lesson_does_the_records_plumbing(notebook):
    """It stands behind named functions."""
    for cell in code_cells(notebook):
        assert not re.search(
            r"unpackbits|bitwise_|\.pivot\(|zip\(\*|next\(\w+ for|\.xs\(", cell.source
        )


def test_opens_with_claim_and_time_and_closes_with_what_comes_next(notebook):
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    assert "**Claim" in first
    assert "unning time" in first
    headings = [line for cell in notebook.cells for line in cell.source.splitlines()]
    for heading in ("## What you have learnt", "## Next"):
        assert heading in headings
    assert any(line.startswith("## Exercise") for line in headings)
    assert "## Next" in last


def test_links_lead_somewhere(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#]+\.ipynb)[^)]*\)", cell.source):
                assert target in [path.name for path in NOTEBOOKS]


def test_installs_nothing(notebook):
    for cell in code_cells(notebook):
        assert not re.search(r"\b(pip|conda|apt|apt-get)\s+install", cell.source)
