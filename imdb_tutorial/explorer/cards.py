"""Verdicts and answers as HTML: what the explorer shows, and what stands where no widget runs."""

import dataclasses
import html

from imdb_tutorial.dataset.labels import POSITIVE
from imdb_tutorial.explorer.attributions import Attribution
from imdb_tutorial.explorer.reading import Reading
from imdb_tutorial.explorer.reasons import ReasonCheck
from imdb_tutorial.explorer.safe_text import show_text
from imdb_tutorial.explorer.verdict import Verdict
from imdb_tutorial.explorer.words import (
    css_colour,
    legend_html,
    plain_html,
    signed,
    summary_html,
    words_html,
)

STRIPES = "repeating-linear-gradient(45deg, transparent 0 6px, rgba(255, 255, 255, 0.6) 6px 9px)"
LONGEST_MESSAGE = 300
MOST_NAMED = 8
# JupyterLab typesets what looks like maths, but for what stands inside these classes.
NO_MATHS = "tex2jax_ignore mathjax_ignore"


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known so far about one model's answer.

    Args:
        model: The model's name.
        verdict: What it says, once that is known.
        attribution: Which words did it, once that is known.
        reason: What it says without the strongest of them, once that is known.
        problem: Why there is no answer, in one line.
    """

    model: str
    verdict: Verdict | None = None
    attribution: Attribution | None = None
    reason: ReasonCheck | None = None
    problem: str = ""

    def __str__(self) -> str:
        if self.verdict is None:
            return f"{self.model}: {self.problem or '...'}"
        verdict, reading = self.verdict, self.verdict.reading
        cut = f", the {'middle' if reading.has_tail else 'rest'} was cut" if reading.is_cut else ""
        return (
            f"{self.model}: {verdict.in_words}, probability {percent(verdict.probability)}, "
            f"{reading.tokens_read} tokens read{cut}"
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Answer:
    """What the models say about one text; a notebook shows it as a picture that needs no widget.

    Args:
        text: What was asked.
        cards: One a model.
        message: A friendly line where there is nothing to say about a text.
        true_label: The label that the review's author gave, where it is known.
    """

    text: str
    cards: tuple[Card, ...] = ()
    message: str = ""
    true_label: str = ""

    def __repr__(self) -> str:
        lines = [self.message] if self.message else [str(card) for card in self.cards]
        return "\n".join([*lines, *([f"true label: {self.true_label}"] if self.true_label else [])])

    def _repr_html_(self) -> str:
        return answer_html(self)

    def with_card(self, card: Card) -> "Answer":
        """Return a copy in which this card takes the place of its model's older one."""
        cards = tuple(card if old.model == card.model else old for old in self.cards)
        return dataclasses.replace(self, cards=cards)


def percent(probability: float) -> str:
    """Write a probability in per cent, without ever claiming certainty."""
    if probability > 0.9995:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


def verdict_html(verdict: Verdict) -> str:
    """Show a verdict with its probability as a labelled bar, and what was read."""
    reading = verdict.reading
    width = f"{100 * verdict.probability:.1f}"
    fill = f"background-color: rgb({css_colour(verdict.label == POSITIVE)})"
    if verdict.label != POSITIVE:
        fill += f"; background-image: {STRIPES}"
    return (
        f'<p class="imdb-verdict"><strong>{show_text(verdict.in_words)}</strong>, '
        f"probability {html.escape(percent(verdict.probability))}</p>"
        f'<div class="imdb-bar" role="meter" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{width}" aria-label="probability of {html.escape(verdict.label)}" '
        'style="border: 1px solid #888; height: 0.9em; max-width: 24em">'
        f'<div style="height: 100%; width: {width}%; {fill}"></div></div>'
        f'<p class="imdb-read">{reading.tokens_read:,} tokens read, of at most '
        f"{reading.max_length:,}.</p>{_warnings(reading)}"
    )


def card_html(card: Card) -> str:
    """Show one model's answer, as far as it is known."""
    parts = [f'<p class="imdb-model"><strong>{show_text(card.model, 80)}</strong></p>']
    if card.problem:
        parts.append(message_html(card.problem))
    if card.verdict:
        parts.append(verdict_html(card.verdict))
        if card.attribution:
            makers = (words_html, legend_html, summary_html)
            parts += [make(card.attribution) for make in makers]
            if card.reason:
                parts.append(reason_html(card.reason))
        elif not card.problem:
            parts.append(plain_html(card.verdict.reading))
            parts.append('<p class="imdb-legend">Looking for the words that did it …</p>')
    return f'<section class="imdb-card">{"".join(parts)}</section>'


def reason_html(check: ReasonCheck) -> str:
    """Show a verdict without some words beside the one with them."""
    before = _briefly(check.before)
    if not check.words:
        line = f"No word pushed towards {show_text(check.before.label)}: there is none to take out."
    elif check.after is None:
        line = (
            f"{_without(check)} nothing is left to read (before: {before}). Put a word back, or "
            "type a longer text."
        )
    else:
        after = check.after
        line = (
            f"{_without(check)} <strong>{_briefly(after)}</strong> (before: {before}). The verdict "
            f"{_change(check.before, after)}; the margin goes from "
            f"{signed(check.before.margin)} to {signed(after.margin)} logits."
        )
    return f'<p class="imdb-reason">{line}</p>'


def _briefly(verdict: Verdict) -> str:
    return f"{show_text(verdict.in_words)} {html.escape(percent(verdict.probability))}"


def _change(before: Verdict, after: Verdict) -> str:
    """Say what becomes of a verdict; one that is not sure cannot turn."""
    if after.is_unsure:
        return "stays open" if before.is_unsure else "is open now"
    if after.label != before.label:
        return "turns"
    return "is sure now" if before.is_unsure else "stays"


def _without(check: ReasonCheck) -> str:
    shown = [f"“<bdi>{show_text(word, 30)}</bdi>”" for word in check.words[:MOST_NAMED]]
    more = len(check.words) - len(shown)
    *rest, last = [*shown, *([f"{more} more"] if more else [])]
    listed = f"{', '.join(rest)} and {last}" if rest else last
    return f"Without {listed}:"


def answer_html(answer: Answer) -> str:
    """Show what all models say about a text, side by side where there is room."""
    if answer.message:
        return f'<div class="imdb-answer {NO_MATHS}">{message_html(answer.message)}</div>'
    truth = ""
    if answer.true_label:
        truth = (
            '<p class="imdb-truth">Its author meant: '
            f"<strong>{show_text(answer.true_label)}</strong>.</p>"
        )
    cards = "".join(map(card_html, answer.cards))
    return f'<div class="imdb-answer {NO_MATHS}">{truth}<div class="imdb-cards">{cards}</div></div>'


def message_html(message: str) -> str:
    """Show a line for the reader."""
    return f'<p class="imdb-message">{show_text(message, LONGEST_MESSAGE)}</p>'


def _warnings(reading: Reading) -> str:
    lines = []
    if reading.is_cut:
        lines.append(reading.what_was_cut)
    words = sum(word is not None for word in reading.word_of_token)
    if 2 * reading.unknown >= max(words, 1):
        lines.append(
            f"The model knows {words - reading.unknown} of these {words} tokens: its verdict "
            "means little."
        )
    return "".join(f'<p class="imdb-warning" role="note">⚠ {line}</p>' for line in lines)
