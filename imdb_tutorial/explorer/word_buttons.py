"""The words of a text as buttons: a word that is pressed is taken out, pressed again it is back."""

from collections.abc import Callable
from typing import Any

import ipywidgets

from imdb_tutorial.explorer.attributions import Attribution
from imdb_tutorial.explorer.cards import NO_MATHS
from imdb_tutorial.explorer.reading import Span
from imdb_tutorial.explorer.safe_text import plain_text, show_text
from imdb_tutorial.explorer.words import css_colour
from imdb_tutorial.plotting.word_marks import LEVELS, Mark, mark_words

# More would be tiring to go through with the keyboard, and slow to draw.
MOST_BUTTONS = 60
LONGEST_WORD = 30
ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 4px"}
INVITATION = "Press a word to take it out; press it again to put it back."
TAKE_OUT, PUT_BACK = "take this word out", "taken out: put it back"


class WordButtons(ipywidgets.VBox):
    """The words of one text to press, and a place for the verdict of what is left.

    Nothing is seen of it until it is given words.
    """

    def __init__(self) -> None:
        self.caption = ipywidgets.HTML()
        self.row = ipywidgets.HBox(layout=ROW)
        self.back_button = ipywidgets.Button(
            description="Put all back", disabled=True, layout={"width": "auto"}
        )
        self.left = ipywidgets.HTML()
        self._buttons: list[ipywidgets.ToggleButton] = []
        self._layouts = {mark: ipywidgets.Layout(**_look(mark)) for mark in _every_mark()}
        self._offered: tuple[tuple[ipywidgets.ToggleButton, Span], ...] = ()
        self._tell: Callable[[], object] = lambda: None
        self._is_filling = False
        super().__init__([self.caption, self.row, self.back_button, self.left])
        for name in ("imdb-words", *NO_MATHS.split()):
            self.add_class(name)
        self.back_button.on_click(lambda _: self._put_all_back())
        self.clear()

    @property
    def parts(self) -> tuple[ipywidgets.Widget, ...]:
        """What must be closed with it, beside its children."""
        return (*self._buttons, *self._layouts.values())

    @property
    def buttons(self) -> tuple[ipywidgets.ToggleButton, ...]:
        """The buttons that are shown, in the order of the text."""
        return tuple(button for button, _ in self._offered)

    @property
    def taken_out(self) -> list[Span]:
        """Where the words stand that are pressed, in characters."""
        return [span for button, span in self._offered if button.value]

    def on_change(self, tell: Callable[[], object]) -> None:
        """Say what is called whenever the reader takes a word out or puts it back."""
        self._tell = tell

    def show(self, attribution: Attribution, model: str) -> None:
        """Offer the words of a text, none of them taken out.

        Args:
            attribution: From ``attribute``; of many words the strongest are offered.
            model: The name of the model whose marks the words bear.
        """
        pushes, spans = attribution.pushes, attribution.reading.spans
        strongest = sorted(range(len(pushes)), key=lambda word: -abs(pushes[word]))
        offered = sorted(strongest[:MOST_BUTTONS])
        marks = mark_words(pushes)
        self._fill([(attribution.words[n], marks[n], spans[n]) for n in offered])
        some = ""
        if len(offered) < len(pushes):
            some = f" Of {len(pushes):,} words here are the {len(offered)} that pushed most."
        self.caption.value = (
            f'<p class="imdb-invitation"><strong>{INVITATION}</strong>{some} Marked for '
            f"{show_text(model, 80)}.</p>"
        )
        self.layout.display = None

    def clear(self) -> None:
        """Offer no word any more."""
        self._fill([])
        self.layout.display = "none"

    def _fill(self, words: list[tuple[str, Mark, Span]]) -> None:
        self._is_filling, self._offered = True, ()
        while len(self._buttons) < len(words):
            self._buttons.append(self._new_button())
        used = self._buttons[: len(words)]
        for button, (word, mark, _) in zip(used, words, strict=True):
            with button.hold_sync():
                button.value = False
                button.description = plain_text(show_text(word, LONGEST_WORD)) + mark.signs
                button.layout = self._layouts[mark]
        self.row.children = used
        self.left.value, self.back_button.disabled = "", True
        # At once, because the page's clicks are handled in another thread.
        self._offered = tuple(zip(used, (span for *_, span in words), strict=True))
        self._is_filling = False

    def _new_button(self) -> ipywidgets.ToggleButton:
        # One style for all: each part of a widget is a message to the page.
        style = self._buttons[0].style if self._buttons else {}
        button = ipywidgets.ToggleButton(
            tooltip=TAKE_OUT, style=style, layout=next(iter(self._layouts.values()))
        )
        button.observe(self._toggled, "value")
        return button

    def _toggled(self, change: dict[str, Any]) -> None:
        change["owner"].tooltip = PUT_BACK if change["new"] else TAKE_OUT
        if not self._is_filling:
            self.back_button.disabled = not self.taken_out
            self._tell()

    def _put_all_back(self) -> None:
        self._is_filling = True
        for button in self.buttons:
            button.value = False
        self._is_filling = False
        self.back_button.disabled = True
        self._tell()


def _every_mark() -> list[Mark]:
    levels = range(len(LEVELS) + 1)
    return [Mark(level, is_positive) for level in levels for is_positive in (True, False)]


def _look(mark: Mark) -> dict[str, str]:
    """Draw a button with the line that its word has in the text."""
    look = {"width": "auto", "max_width": "100%", "margin": "0", "padding": "0 5px"}
    if mark.level:
        line = f"{mark.line_width}px {mark.line} rgb({css_colour(mark.is_positive)})"
        look["border_bottom"] = line
    return look
