"""Progress bars: text in a terminal, a widget alone in a notebook."""

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from imdb_tutorial.machine.progress import progress_bar

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize("options", [{}, {"disable": True}, {"leave": False}, {"total": 4}])
def test_every_item_comes_through(options):
    assert list(progress_bar(iter("abcd"), **options)) == list("abcd")


def test_a_bar_that_counts_by_itself():
    with progress_bar(total=10, initial=4) as bar:
        bar.update(3)
    assert (bar.n, bar.total) == (7, 10)


def test_a_disabled_bar_is_silent(capfd):
    list(progress_bar(range(3), disable=True))
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_text_bar_on_stderr():
    code = """
from imdb_tutorial.machine.progress import progress_bar
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
    "quick": """
import time
from tqdm.notebook import tqdm_notebook
moves, display = [], tqdm_notebook.display
tqdm_notebook.display = lambda *args, **options: (moves.append(1), display(*args, **options))
began = time.monotonic()
for _ in progress_bar(range(1000)):
    time.sleep(0.002)
print(len(moves) <= time.monotonic() - began + 3)
tqdm_notebook.display = display
""",
    "interrupted": """
with progress_bar(total=3) as bar:
    bar.update(1)
    raise RuntimeError('stop')
""",
}


@pytest.fixture(scope="module")
def outputs():
    notebook = nbformat.v4.new_notebook()
    sources = ["from imdb_tutorial.machine.progress import progress_bar", *CELLS.values()]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    assert notebook.cells[0].outputs == []
    return dict(zip(CELLS, (cell.outputs for cell in notebook.cells[1:]), strict=True)), notebook


@pytest.mark.parametrize("cell", ["loop", "counter", "interrupted"])
def test_a_notebook_keeps_the_widget_and_no_text_copy(outputs, cell):
    (bar,) = [out for out in outputs[0][cell] if out.output_type == "display_data"]
    assert set(bar.data) == {WIDGET}


def test_nothing_is_written_to_a_notebooks_error_stream(outputs):
    streams = [out.name for cell in outputs[0].values() for out in cell if "name" in out]
    assert set(streams) == {"stdout"}


def test_what_a_cell_prints_stands_beside_the_bar(outputs):
    printed = {
        name: "".join(out.text for out in cell if out.output_type == "stream")
        for name, cell in outputs[0].items()
    }
    assert printed["loop"].strip() == printed["disabled"].strip() == "[1, 2, 3]"
    assert printed["counter"].strip() == "line"


def test_a_bar_moves_once_a_second_so_that_its_messages_fill_no_queue(outputs):
    assert "True" in [out.text.strip() for out in outputs[0]["quick"] if "text" in out]


def test_a_disabled_bar_shows_no_widget(outputs):
    assert [out.output_type for out in outputs[0]["disabled"]] == ["stream"]


def widget_states(notebook) -> dict:
    return notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]


def test_the_widget_ends_full_and_green_and_red_after_an_error(outputs):
    cells, notebook = outputs
    states = widget_states(notebook)
    ends = {}
    for name in ("loop", "interrupted"):
        (bar,) = [out for out in cells[name] if out.output_type == "display_data"]
        box = states[bar.data[WIDGET]["model_id"]]["state"]
        children = [states[child.removeprefix("IPY_MODEL_")] for child in box["children"]]
        (shown,) = [c["state"] for c in children if c["model_name"] == "FloatProgressModel"]
        ends[name] = (shown["value"], shown["bar_style"])
    assert ends == {"loop": (3.0, "success"), "interrupted": (1.0, "danger")}
