"""The models at hand, and what each of them says about a text."""

import dataclasses
import functools
import logging
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files

from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.explorer.attributions import attribute
from imdb_tutorial.explorer.cards import Card
from imdb_tutorial.explorer.reading import Span
from imdb_tutorial.explorer.reasons import ReasonCheck, check_without, strongest_spans
from imdb_tutorial.explorer.safe_text import shorten
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.worker import IsWanted, SupersededError
from imdb_tutorial.machine.base_encoder import PARTS
from imdb_tutorial.machine.packages import is_installed
from imdb_tutorial.probe import PROBE_FILE

NO_WORDS = "the model finds no word in this text: try a review in English"

Source = str | os.PathLike | SentimentPipeline

logger = logging.getLogger(__name__)


def available_models() -> dict[str, str]:
    """List the classifiers that come with this project and find their encoder.

    Returns:
        Sources for ``load_classifier`` by name. The first is the best of those that answer at once;
        the one on the base-size encoder is slower.
    """
    data = files("imdb_tutorial").joinpath("data")
    found = {}
    if data.joinpath("packaged_classifier", PROBE_FILE).is_file():
        found["packaged classifier"] = "packaged"
    if data.joinpath("base_classifier", PROBE_FILE).is_file() and all(map(is_installed, PARTS)):
        found["base classifier"] = "base"
    if data.joinpath("packaged_probe", PROBE_FILE).is_file():
        found["packaged probe"] = str(data.joinpath("packaged_probe"))
    return found


class Models:
    """Classifiers by name, each loaded when it is first asked.

    Whatever goes wrong with one of them stands on its card; the others go on.

    Args:
        sources: Sources for ``load_classifier``, or what it returned, by name.
    """

    def __init__(self, sources: Mapping[str, Source]):
        self._sources = sources
        self._pipelines: dict[str, SentimentPipeline] = {}

    def is_loaded(self, name: str) -> bool:
        """Say whether a model was asked before."""
        return name in self._pipelines

    def with_verdict(self, card: Card, text: str) -> Card:
        """Return a copy of a card with its model's verdict, or with the reason why not."""
        try:
            verdict = judge(self._pipeline(card.model), text)
            if not verdict.reading.spans:
                raise ValueError(NO_WORDS)
        except BaseException as error:  # even an exit is only this model's, and no reason to hang
            return dataclasses.replace(card, problem=one_line(error))
        return dataclasses.replace(card, verdict=verdict)

    def with_words(self, card: Card, text: str, is_wanted: IsWanted) -> Card:
        """Return a copy of a card with the words that did it and their test, or with why not.

        Args:
            card: With a verdict, or with a problem, with which it stays as it is.
            text: What was judged.
            is_wanted: Asked now and then; when it says no, the work is given up.

        Returns:
            The copy.

        Raises:
            SupersededError: ``is_wanted`` said no.
        """
        verdict = card.verdict
        if verdict is None:
            return card
        try:
            attribution = attribute(self._pipeline(card.model), text, is_wanted)
            card = dataclasses.replace(card, attribution=attribution)
            spans = strongest_spans(attribution, verdict.label)
            reason = check_without(self._pipeline(card.model), verdict, spans)
        except SupersededError:
            raise
        except BaseException as error:
            return dataclasses.replace(card, problem=one_line(error))
        return dataclasses.replace(card, reason=reason)

    def without(self, card: Card, spans: Sequence[Span]) -> ReasonCheck | str:
        """Ask a card's model again about the text without some words.

        Args:
            card: With a verdict.
            spans: Start and end of the words, in characters.

        Returns:
            The verdicts before and after, or in one line why there is none.
        """
        assert card.verdict is not None  # only such cards are asked again
        try:
            return check_without(self._pipeline(card.model), card.verdict, spans)
        except BaseException as error:
            return one_line(error)

    def _pipeline(self, name: str) -> SentimentPipeline:
        if name not in self._pipelines:
            source = self._sources[name]
            if isinstance(source, (str, os.PathLike)):
                source = _load(os.fspath(source))
            self._pipelines[name] = source
        return self._pipelines[name]


def one_line(error: BaseException) -> str:
    """Say in one line what went wrong; the whole of it goes into the log."""
    logger.debug("shown in the page as one line", exc_info=error)
    return shorten(" ".join(str(error).split())) or type(error).__name__


def _load(source: str) -> SentimentPipeline:
    # What comes with the project never changes; a folder may hold another model tomorrow.
    if source in available_models().values():
        return _load_packaged(source)
    return load_classifier(source)


@functools.cache
def _load_packaged(source: str) -> SentimentPipeline:
    return load_classifier(source)
