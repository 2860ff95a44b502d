"""Progress bars that look right in a terminal and in a notebook, and leave no trace in a file."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from imdb_tutorial.machine.rank import is_main_process

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(iterable: Iterable | None = None, **options: Any) -> "tqdm":
    """Return a tqdm bar: a widget in a notebook, text in a terminal.

    In a notebook tqdm shows its widget together with a copy in plain text, which stays in the saved
    file as a bar that stands at 0 % for ever. Showing the widget alone avoids that. The widget
    moves once a second: each move is several messages, and where nobody reads them until the cell
    has ended (nbval does not), thousands of them fill the queue and the cell's own end is lost.

    Of several processes the main one has the bar; the others' show and write nothing.

    Args:
        iterable: What to count, if anything.
        options: As for ``tqdm.tqdm``.

    Returns:
        The bar.
    """
    if not is_main_process():
        from tqdm import tqdm

        bar = tqdm(iterable, **options | {"disable": True})
        bar.write = lambda *_, **__: None
        return bar
    if not options.get("disable"):
        options.pop("disable", None)  # so that the environment's TQDM_DISABLE decides
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm_notebook

    if not issubclass(tqdm, tqdm_notebook) or options.get("disable"):
        return tqdm(iterable, **options)
    from IPython.display import display

    bar = tqdm(iterable, display=False, **{"mininterval": 1.0} | options)
    display(
        {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": bar.container.model_id,
            }
        },
        raw=True,
    )
    bar.displayed = True
    return bar
