"""The interactive classifier: type a review, see the verdict and the words that did it."""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from imdb_tutorial.explorer.cards import Answer, Card, answer_html, message_html
from imdb_tutorial.explorer.history import Tried, table_html
from imdb_tutorial.explorer.models import Models, Source, available_models, one_line
from imdb_tutorial.explorer.page import READY, Page
from imdb_tutorial.explorer.reading import Span
from imdb_tutorial.explorer.safe_text import is_blank, shorten
from imdb_tutorial.explorer.surprises import Surprise, Surprises
from imdb_tutorial.explorer.what_is_left import left_html, left_line
from imdb_tutorial.explorer.worker import IsWanted, LatestOnly, SupersededError
from imdb_tutorial.machine.device import choose_device
from imdb_tutorial.machine.text import clean_text
from imdb_tutorial.presets import Preset

BUSY = "Reading …"
LOOKING = "Looking for the words that did it …"
DONE = "Done."
NO_ANSWER = "That did not work. The reason stands below; another text or model may."
NOTHING_TO_READ = "There is nothing to read yet: type or paste a review first."
SUPERSEDED = "Another text was given before this one was read."
ALL_BACK = "All words are back."
YOUR_GUESS = "A review that no model was trained on. What do you think? Then press Classify."


class SentimentExplorer(Page):
    """A widget that classifies what is typed and shows which words did it.

    Show it by making it the last line of a cell. The models work in a thread of their own, so the
    page never waits for them; a newer text takes the place of an older one.

    Args:
        models: What to ask, by name: sources for ``load_classifier``, or what it returned. Without
            it, the classifiers that come with this project (``available_models``).
        preset: Says where "Surprise me" takes its held-back reviews from; without it, the preset in
            use.

    Raises:
        ValueError: No models.
    """

    def __init__(
        self,
        models: Mapping[str, Source] | None = None,
        preset: Preset | None = None,
    ):
        self.models = dict(available_models() if models is None else models)
        if not self.models:
            raise ValueError("no models: expected at least one name with its source")
        choose_device()  # says so once; from the thread it would print into a later cell
        super().__init__(list(self.models))
        self.tried = Tried()
        self._models = Models(self.models)
        self._surprises = Surprises(preset)
        self._surprise: Surprise | None = None
        self._answered = Answer("")
        self._worker = LatestOnly("explorer")
        self._connect()

    def classify(self, text: str | None = None) -> Answer:
        """Classify a text and wait for the answer, which the page shows as well.

        Args:
            text: What to put into the box; without it, what stands there.

        Returns:
            What the models say. Where they cannot, it says why: nothing is raised.

        Raises:
            TypeError: Something that is no text.
        """
        if text is not None:
            if not isinstance(text, str):
                raise TypeError(f"got {shorten(repr(text))}: expected a text")
            self.box.value = clean_text(text)
        return self._wait(self._ask(is_kept=True))

    def surprise(self) -> str:
        """Put a held-back review into the box; its label is shown once it was classified.

        Returns:
            The review; empty when none could be had, and then the page says why.
        """
        return self._wait(self._submit(self._bring_review))

    def save_csv(self, folder: str | os.PathLike = ".") -> Path:
        """Save the table of what was tried, under a name that is still free.

        Args:
            folder: Where; without it, the working directory.

        Returns:
            The new file.

        Raises:
            ValueError: Nothing was tried yet.
            OSError: The disk refuses.
        """
        return self.tried.save(folder)

    def close(self) -> None:
        """Stop the thread, and take the widget off the page."""
        if hasattr(self, "_worker"):  # not if it could not be made
            self._worker.close()
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(models={list(self.models)}, state={self.state!r})"

    def _connect(self) -> None:
        self.surprise_button.on_click(lambda _: self._submit(self._bring_review))
        self.save_button.on_click(lambda _: self._save())
        self.box.observe(lambda _: self._ask(is_kept=True), "submitted")
        self.box.observe(lambda _: self.live.value and self._ask(is_kept=False), "value")
        self.words.on_change(self._ask_without)
        for switch in (self.chooser, self.side_by_side):
            # Not only after an answer: the change may come after the click that followed it.
            switch.observe(lambda _: self.state != "idle" and self._ask(is_kept=True), "value")

    def _ask(self, is_kept: bool) -> Future:
        names = list(self.models) if self.side_by_side.value else [self.chooser.value]
        text = clean_text(self.box.value)
        return self._submit(functools.partial(self._answer, text, names, is_kept))

    def _submit(self, work: Callable[[IsWanted], object]) -> Future:
        with self._worker.lock:
            future = self._worker.submit(work)
            self.words.clear()
            self._show("busy", BUSY)
            return future

    def _ask_without(self) -> None:
        with self._worker.lock:
            if self.words.buttons:  # not if a newer text was given meanwhile
                work = functools.partial(self._answer_without, self._answered, self.words.taken_out)
                self._worker.submit(work)
                self._show("busy", BUSY)

    def _wait(self, future: Future) -> Any:
        try:
            return future.result()
        except KeyboardInterrupt:
            with self._worker.lock:
                self._worker.give_up()
                self._show("idle", READY)
            raise

    def _publish(self, is_wanted: IsWanted, state: str, line: str, answer: Answer) -> None:
        with self._worker.lock:
            if not is_wanted():
                raise SupersededError(SUPERSEDED)
            self.output.value = answer_html(answer) if answer.cards else ""
            self._show(state, line)

    def _show_error(self, is_wanted: IsWanted, error: Exception) -> None:
        with self._worker.lock:
            if is_wanted():
                self._show("error", one_line(error))

    def _answer(self, text: str, names: list[str], is_kept: bool, is_wanted: IsWanted) -> Answer:
        try:
            if is_blank(text):
                answer = Answer(text, message=NOTHING_TO_READ)
                self._publish(is_wanted, "idle", NOTHING_TO_READ, answer)
                return answer
            return self._find_answer(text, names, is_kept, is_wanted)
        except SupersededError:
            return Answer(text, message=SUPERSEDED)
        except Exception as error:  # whatever it is, the page shows a line and goes on
            self._show_error(is_wanted, error)
            return Answer(text, message=one_line(error))

    def _find_answer(
        self, text: str, names: list[str], is_kept: bool, is_wanted: IsWanted
    ) -> Answer:
        answer = Answer(text, tuple(map(Card, names)))
        for card in answer.cards:
            if not self._models.is_loaded(card.model):
                self._publish(is_wanted, "busy", f"Loading {card.model} …", answer)
            answer = answer.with_card(self._models.with_verdict(card, text))
            self._publish(is_wanted, "busy", BUSY, answer)
        if self._surprise and text == self._surprise.text:
            answer = dataclasses.replace(answer, true_label=self._surprise.label)
        if is_kept:
            self._keep(answer)
        self.box.announcement = str(answer)
        for card in answer.cards:
            self._publish(is_wanted, "busy", LOOKING, answer)
            answer = answer.with_card(self._models.with_words(card, text, is_wanted))
        self._offer_words(is_wanted, answer)
        failed = all(card.problem for card in answer.cards)
        self._publish(
            is_wanted, "error" if failed else "answer", NO_ANSWER if failed else DONE, answer
        )
        return answer

    def _offer_words(self, is_wanted: IsWanted, answer: Answer) -> None:
        with self._worker.lock:
            card = next((card for card in answer.cards if card.attribution), None)
            if is_wanted() and card and card.attribution:
                self._answered = answer
                self.words.show(card.attribution, card.model)

    def _answer_without(self, answer: Answer, spans: list[Span], is_wanted: IsWanted) -> None:
        cards = [card for card in answer.cards if card.verdict and spans]
        checks = [(card.model, self._models.without(card, spans)) for card in cards]
        with self._worker.lock:
            if is_wanted():
                self.words.left.value = left_html(checks)
                self.box.announcement = left_line(checks) or ALL_BACK
                self._show("answer", DONE)

    def _keep(self, answer: Answer) -> None:
        self.tried.add(answer)
        self.table.value = table_html(self.tried.rows)
        self.save_button.disabled = not self.tried.rows

    def _bring_review(self, is_wanted: IsWanted) -> str:
        try:
            surprise = self._surprises.draw()
        except Exception as error:
            self._show_error(is_wanted, error)
            return ""
        with self._worker.lock:
            if not is_wanted():
                return ""
            self._surprise = surprise
            self.output.value = ""
            self._show("idle", YOUR_GUESS)
            self.box.value = surprise.text
        return surprise.text

    def _save(self) -> None:
        try:
            line = f"Saved as {self.save_csv().name}, in the notebook's folder."
        except (OSError, ValueError) as error:
            line = one_line(error)
        self.saved.value = message_html(line)
