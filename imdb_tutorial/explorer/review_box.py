"""A text area that knows Ctrl+Enter, which ipywidgets' own does not, and the explorer's looks.

Text and button are one widget, because the messages of two widgets can overtake one another:
JupyterLab gives them to different threads of the kernel, and a click could classify an older text.
"""

from importlib.resources import files

import anywidget
import traitlets

HERE = files("imdb_tutorial.explorer")


class ReviewBox(anywidget.AnyWidget):
    """A text area for a review, and the button to send it.

    Args:
        value: The text; it comes when the reader pauses in typing, leaves the box, or submits.
        submitted: Counts the clicks on the button and the times Ctrl+Enter (Cmd+Enter on
            a Mac) was pressed.
        announcement: What a screen reader says next.
        label: The line above the box.
        action: What stands on the button.
        placeholder: Shown while it is empty.
        rows: Its height in lines.
        delay_ms: How long a pause in typing must be, in milliseconds.
    """

    _esm = HERE.joinpath("review_box.js").read_text(encoding="utf-8")
    _css = HERE.joinpath("explorer.css").read_text(encoding="utf-8")

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)
    submitted = traitlets.Int(0)
    announcement = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("A review, in English").tag(sync=True)
    action = traitlets.Unicode("Classify").tag(sync=True)
    placeholder = traitlets.Unicode("Type or paste a review").tag(sync=True)
    rows = traitlets.Int(5).tag(sync=True)
    delay_ms = traitlets.Int(400).tag(sync=True)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._newest = 0
        self.on_msg(self._receive)

    def submit(self) -> None:
        """Do what a click on the button does."""
        self.submitted += 1

    def _receive(self, _: object, message: dict, __: object) -> None:
        if message["sent_at"] < self._newest:
            return  # overtaken, too
        self._newest = message["sent_at"]
        # As if the page had changed the state: a long text is not sent back to where it was typed.
        self.set_state({"value": message["value"]})
        if message["is_submitted"]:
            self.submit()
