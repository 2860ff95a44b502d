"""The test of a reason: the same text without its strongest words, and the verdict of what is left.

Words that pushed a verdict should change it when they are gone; DeYoung and others (2020) call
this a reason's comprehensiveness.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.dataset.labels import POSITIVE
from imdb_tutorial.explorer.attributions import Attribution, attribute
from imdb_tutorial.explorer.cutting import Span, cut_out
from imdb_tutorial.explorer.safe_text import is_blank
from imdb_tutorial.explorer.verdict import Verdict, judge

STRONGEST = 3


@dataclasses.dataclass(frozen=True)
class ReasonCheck:
    """What a classifier says of a text without some of its words, beside what it said before.

    Args:
        words: The words that were taken out, in their order.
        text: What is left.
        before: What the classifier says of the text with these words.
        after: What it says of what is left; None where nothing is left that it could read.
    """

    words: tuple[str, ...]
    text: str
    before: Verdict
    after: Verdict | None

    @property
    def turns(self) -> bool:
        """Whether the more probable label is another one without these words."""
        return self.after is not None and self.after.label != self.before.label


def check_reason(pipeline: SentimentPipeline, text: str, count: int = STRONGEST) -> ReasonCheck:
    """Take the words out of a text that pushed most towards its verdict, and ask again.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.
        count: How many words; fewer are taken out where fewer pushed towards the verdict.

    Returns:
        The words, what is left, and the verdicts before and after.

    Raises:
        TypeError: Something that is no text, or no pipeline from ``load_classifier``.
        ValueError: A count below 1, or a model that cannot be asked for its reasons.

    Source:
        DeYoung et al. (2020), ERASER: comprehensiveness.
    """
    if count < 1:
        raise ValueError(f"count is {count}: expected at least 1 word to take out")
    verdict = judge(pipeline, text)
    attribution = attribute(pipeline, text)
    return check_without(pipeline, verdict, strongest_spans(attribution, verdict.label, count))


def without_words(attribution: Attribution, numbers: Iterable[int]) -> str:
    """Take words out of a text by their place, and leave the rest as it stood.

    The same word at another place stays.

    Args:
        attribution: From ``attribute``.
        numbers: Which of its words, counted from 0.

    Returns:
        What is left of the text that was read, without double blanks where a word stood.

    Raises:
        IndexError: There is no word of that number.
    """
    reading, spans = attribution.reading, []
    for number in numbers:
        if not 0 <= number < len(reading.spans):
            raise IndexError(
                f"no word has the number {number}: this text has {len(reading.spans)} words, "
                "counted from 0"
            )
        spans.append(reading.spans[number])
    return cut_out(reading.text, [*spans, reading.gap])


def strongest_spans(attribution: Attribution, label: str, count: int = STRONGEST) -> list[Span]:
    """Find the words that pushed most towards a verdict.

    Args:
        attribution: From ``attribute``.
        label: The verdict.
        count: The most words.

    Returns:
        Where they stand, in the order of the text; words that push the other way are never there.
    """
    sign = 1 if label == POSITIVE else -1
    pushes = zip(attribution.pushes, attribution.reading.spans, strict=True)
    towards = [(sign * push, span) for push, span in pushes if sign * push > 0]
    return sorted(span for _, span in sorted(towards, key=lambda pair: -pair[0])[:count])


def check_without(
    pipeline: SentimentPipeline, before: Verdict, spans: Sequence[Span]
) -> ReasonCheck:
    """Ask a classifier again about a text without some of its words, in one forward pass.

    Only what was read before is asked about: words that were not read must not move up.

    Args:
        pipeline: From ``load_classifier``.
        before: What it said of the whole text.
        spans: Start and end of the words, in characters; those that it did not read do not count.

    Returns:
        The words, what is left, and the verdicts before and after.
    """
    reading = before.reading
    head_ends, tail_begins = reading.gap
    spans = [(start, end) for start, end in spans if end <= head_ends or start >= tail_begins]
    left = cut_out(reading.text, [*spans, reading.gap])
    after = None if is_blank(left) else judge(pipeline, left)
    if after and not after.reading.spans:
        after = None
    return ReasonCheck(tuple(reading.text[i:j] for i, j in spans), left, before, after)
