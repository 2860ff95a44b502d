"""Progress bars: text in a terminal, a widget alone in a notebook."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from imdb_tutorial import progress_bar

WIDGET = "application/vnd.jupyter.widget-view+json"


def test_a_bar_gives_every_item_and_counts_by_itself():
    assert list(progress_bar(iter("abcd"), total=4)) == list("abcd")
    with progress_bar(total=10, initial=4) as bar:
        bar.update(3)
    assert (bar.n, bar.total) == (7, 10)


def test_a_disabled_bar_is_silent(capfd):
    assert list(progress_bar("abc", disable=True)) == list("abc")
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_text_bar_on_stderr():
    code = """
from imdb_tutorial import progress_bar
for _ in progress_bar(range(3), desc="counting"):
    pass
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert answer.stdout == ""
    assert "counting: 100%" in answer.stderr
    assert "3/3" in answer.stderr


CELLS = {
    "loop": "print(list(progress_bar([1, 2, 3], desc='loop')))",
    "counter": "with progress_bar(total=3) as bar:\n    bar.update(3)\n    bar.write('line')",
    "disabled": "print(list(progress_bar([1, 2, 3], disable=True)))",
    "pace": "print(progress_bar(total=1, leave=False).mininterval)",
    "interrupted": """
with progress_bar(total=3) as bar:
    bar.update(1)
    raise RuntimeError('stop')
""",
}


@pytest.fixture(scope="module")
def notebook():
    notebook = nbformat.v4.new_notebook()
    sources = ["from imdb_tutorial import progress_bar", *CELLS.values()]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True).execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(notebook):
    return dict(zip(CELLS, (cell.outputs for cell in notebook.cells[1:]), strict=True))


def printed(cell):
    return "".join(out.text for out in cell if out.output_type == "stream").strip()


def bar_of(cell):
    (bar,) = [out for out in cell if out.output_type == "display_data"]
    return bar


@pytest.mark.parametrize("cell", ["loop", "counter", "interrupted"])
def test_a_notebook_keeps_the_widget_and_no_text_copy(outputs, cell):
    assert set(bar_of(outputs[cell]).data) == {WIDGET}


def test_what_a_cell_prints_stands_beside_the_bar_and_nothing_goes_to_stderr(outputs):
    assert printed(outputs["loop"]) == printed(outputs["disabled"]) == "[1, 2, 3]"
    assert printed(outputs["counter"]) == "line"
    assert [out.output_type for out in outputs["disabled"]] == ["stream"]
    streams = [out.name for cell in outputs.values() for out in cell if "name" in out]
    assert set(streams) == {"stdout"}


def test_a_bar_moves_once_a_second_so_that_its_messages_fill_no_queue(outputs):
    assert float(printed(outputs["pace"])) >= 1


def test_the_widget_ends_full_and_green_and_red_after_an_error(notebook, outputs):
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    ends = {}
    for name in ("loop", "interrupted"):
        box = states[bar_of(outputs[name]).data[WIDGET]["model_id"]]["state"]
        children = [states[child.removeprefix("IPY_MODEL_")] for child in box["children"]]
        (shown,) = [c["state"] for c in children if c["model_name"] == "FloatProgressModel"]
        ends[name] = (shown["value"], shown["bar_style"])
    assert ends == {"loop": (3.0, "success"), "interrupted": (1.0, "danger")}
