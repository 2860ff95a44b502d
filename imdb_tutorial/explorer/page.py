"""What the explorer looks like: its box, buttons and switches, and the places for answers."""

from collections.abc import Iterator, Sequence

import ipywidgets

from imdb_tutorial.explorer.review_box import ReviewBox
from imdb_tutorial.explorer.safe_text import show_text
from imdb_tutorial.explorer.word_buttons import WordButtons

READY = "Ready: type a review, then press Classify or Ctrl+Enter."
ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 12px"}
NARROW = {"width": "auto"}


class Page(ipywidgets.VBox):
    """The explorer's controls, which do nothing by themselves yet.

    Args:
        names: The models to choose from.
    """

    def __init__(self, names: Sequence[str]):
        self.box = ReviewBox()
        self.surprise_button = ipywidgets.Button(
            description="Surprise me", tooltip="Bring a review that was held back", layout=NARROW
        )
        self.chooser = ipywidgets.Dropdown(
            options=names,
            description="Model",
            style={"description_width": "initial"},
            layout={"width": "230px"},
        )
        self.side_by_side = ipywidgets.Checkbox(
            description="all models, side by side",
            disabled=len(names) < 2,
            indent=False,
            layout=NARROW,
        )
        self.live = ipywidgets.Checkbox(description="while I type", indent=False, layout=NARROW)
        self.status = ipywidgets.HTML()
        self.output = ipywidgets.HTML()
        self.words = WordButtons()
        self.table = ipywidgets.HTML()
        self.save_button = ipywidgets.Button(
            description="Save table as csv", disabled=True, layout=NARROW
        )
        self.saved = ipywidgets.HTML()
        controls = (self.surprise_button, self.chooser, self.side_by_side, self.live)
        super().__init__(
            [
                self.box,
                ipywidgets.HBox(controls, layout=ROW),
                self.status,
                self.output,
                self.words,
                self.table,
                ipywidgets.HBox((self.save_button, self.saved), layout=ROW),
            ]
        )
        self._show("idle", READY)

    @property
    def state(self) -> str:
        """What the widget is doing: ``idle``, ``busy``, ``answer`` or ``error``."""
        return self._dom_classes[-1].removeprefix("imdb-explorer-")

    def close(self) -> None:
        """Take the widget and all its parts off the page."""
        for widget in list(_with_parts(self)):
            ipywidgets.Widget.close(widget)

    def _show(self, state: str, line: str) -> None:
        self._dom_classes = ("imdb-explorer", f"imdb-explorer-{state}")
        self.status.value = f'<span class="imdb-state">{show_text(line, 500)}</span>'
        if state in ("idle", "error"):
            self.box.announcement = line

    def _ipython_display_(self) -> None:
        from IPython.display import display

        # Only the widget, without a line of text that would stay in the saved notebook.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"application/vnd.jupyter.widget-view+json": view}, raw=True)


def _with_parts(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """Give a widget and what it is made of; ipywidgets would keep the parts for ever."""
    parts = [getattr(widget, name, None) for name in ("layout", "style")]
    for part in (*getattr(widget, "children", ()), *getattr(widget, "parts", ()), *parts):
        if isinstance(part, ipywidgets.Widget):
            yield from _with_parts(part)
    yield widget
