"""Run the notebooks headless, each in a fresh kernel, with progress.

Without ``--in-place`` the executed notebooks and their HTML go to a folder. With it the notebooks
themselves are executed again and cleaned of everything that changes from run to run.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> nbformat.NotebookNode:
    """Execute one notebook from top to bottom in a fresh kernel.

    Args:
        path: The notebook.

    Returns:
        The executed notebook.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=3600,
        kernel_name="python3",
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    with tqdm(total=code_cells, desc=path.stem, unit="cell") as bar:
        client.on_cell_executed = lambda **_: bar.update()
        client.execute()
    return notebook


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove what changes from run to run: timing notes, widgets without their state, versions.

    Args:
        notebook: An executed notebook; changed in place.

    Returns:
        The same notebook.
    """
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if "hide-input" in tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
        cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    return notebook


def save_html(notebook: nbformat.NotebookNode, target: Path) -> None:
    """Write a notebook as one HTML page.

    Args:
        notebook: An executed notebook.
        target: The page.
    """
    page, _ = HTMLExporter().from_notebook_node(
        notebook, resources={"metadata": {"name": target.stem}}
    )
    target.write_text(page, encoding="utf8")


def main() -> int:
    """Run the notebooks that are named, or all of them; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: the whole series")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="default: build/")
    parser.add_argument("--in-place", action="store_true", help="write the notebooks themselves")
    parsed = parser.parse_args()
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

    failed = []
    for path in parsed.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        began = time.perf_counter()
        try:
            notebook = clean(execute(path))
        except CellExecutionError as error:
            failed.append(path.name)
            print(f"{path.name} failed:\n{error}", file=sys.stderr)
            continue
        target = path if parsed.in_place else parsed.output / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        if not parsed.in_place:
            save_html(notebook, target.with_suffix(".html"))
        print(f"{target.name}: {time.perf_counter() - began:.0f} s")
    if failed:
        print(f"{len(failed)} of the notebooks failed: {', '.join(failed)}", file=sys.stderr)
    elif not parsed.in_place:
        print(f"executed notebooks and HTML pages are in {parsed.output}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
