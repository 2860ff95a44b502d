"""Verdicts and attributions as HTML in which every text stays text."""

import dataclasses
import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from imdb_tutorial.attributions import POSITIVE, Attribution, Verdict
from imdb_tutorial.reading import Reading

# Red and green would look alike to many readers; blue and orange do not.
COLOURS = {True: "38, 115, 214", False: "214, 106, 0"}
STRIPES = "repeating-linear-gradient(45deg, transparent 0 6px, rgba(255, 255, 255, 0.6) 6px 9px)"
LINES = {True: "solid", False: "dotted"}
LEVELS = (0.1, 0.33, 0.66)
LONGEST_WORD, LONGEST_GAP, LONGEST_REST, LONGEST_CELL = 120, 24, 300, 80
SHOWN_ROWS = 20
# Joiners are part of ordinary writing: of emoji, of Persian, of Hindi.
JOINERS = "\u200c\u200d"
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
NO_MATHS = "tex2jax_ignore mathjax_ignore"


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known so far about one model's answer.

    Args:
        model: The model's name.
        verdict: What it says, once that is known.
        attribution: Which words did it, once that is known.
        problem: Why there is no answer, in one line.
    """

    model: str
    verdict: Verdict | None = None
    attribution: Attribution | None = None
    problem: str = ""

    def __str__(self) -> str:
        if self.verdict is None:
            return f"{self.model}: {self.problem or '...'}"
        verdict, reading = self.verdict, self.verdict.reading
        return (
            f"{self.model}: {verdict.label}, probability {percent(verdict.probability)}, "
            f"{reading.tokens_read} tokens read{', the rest was cut' if reading.is_cut else ''}"
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


def show_text(text: str, longest: int | None = None) -> str:
    """Make HTML that shows a text as it is and can do nothing else.

    What is invisible and could turn the page around (control characters, overrides of the writing
    direction, zero-width spaces) is shown by its number.

    Args:
        text: Any text.
        longest: The most characters to show; from a longer text the middle is left out.

    Returns:
        Escaped text.
    """
    if longest is not None and len(text) > longest:
        start, end = longest * 2 // 3, longest // 3
        gone = f"[… {len(text) - start - end:,} characters …]"
        return f"{show_text(text[:start])}{_mark(gone)}{show_text(text[-end:])}"
    shown = []
    for run in re.finditer(r"(.)\1*", text, re.DOTALL):
        character, length = run[1], len(run[0])
        if is_visible(character):
            shown.append(html.escape(run[0], quote=True))
        else:
            times = f" × {length:,}" if length > 1 else ""
            shown.append(_mark(f"U+{ord(character):04X}{times}"))
    return "".join(shown)


def is_visible(character: str) -> bool:
    """Say whether a character can be shown as it is."""
    if character in JOINERS or character in "\t\n\r":
        return True
    category = unicodedata.category(character)
    return category not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character not in BLANKS


def percent(probability: float) -> str:
    """Write a probability in per cent, without ever claiming certainty."""
    if probability > 0.9995:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


def signed(score: float) -> str:
    """Write a number with its sign and two decimals, with a true minus."""
    return f"{score:+.2f}".replace("-", "−")


def words_html(attribution: Attribution) -> str:
    """Show a text with each word marked by how far it pushed, readable without colours.

    Args:
        attribution: From ``attribute``.

    Returns:
        HTML: coloured and underlined words, plus and minus signs at the strong ones.
    """
    strongest = max(map(abs, attribution.scores), default=0.0)
    pieces = (_piece(text, score, strongest) for text, score in attribution.pieces)
    return _paragraph_of_text("".join(pieces), attribution.reading)


def legend_html(attribution: Attribution) -> str:
    """Say what the marks of ``words_html`` mean and how strong the strongest is."""
    strongest = max(map(abs, attribution.scores), default=0.0)
    samples = " ".join(
        _marked(f"pushed towards {label}", len(LEVELS), label == POSITIVE)
        for label in (POSITIVE, "NEGATIVE")
    )
    return (
        f'<p class="imdb-legend">{samples} More colour, more push; the strongest word: '
        f"{strongest:.2f} logits.</p>"
    )


def summary_html(attribution: Attribution, most: int = 3) -> str:
    """Name the words that pushed most, and say what all of them add up to."""
    ranked = sorted(
        zip(attribution.scores, attribution.words, strict=True), key=lambda x: -abs(x[0])
    )
    sentences = []
    for label, sign in ((POSITIVE, 1), ("NEGATIVE", -1)):
        chosen = [(s, w) for s, w in ranked if s * sign > LEVELS[0] * abs(ranked[0][0])][:most]
        if chosen:
            named = ", ".join(f"<bdi>{show_text(w, 30)}</bdi> {signed(s)}" for s, w in chosen)
            sentences.append(f"Most towards {label}: {named}.<br>")
    total = sum(attribution.scores) + attribution.other
    return (
        f'<p class="imdb-summary">{"".join(sentences)}All together: {signed(total)} logits, '
        f"from {signed(attribution.baseline_margin)} for a blank text to "
        f"{signed(attribution.margin)}; off by {abs(attribution.completeness_error):.2f} after "
        f"{attribution.steps} steps.</p>"
    )


def verdict_html(verdict: Verdict) -> str:
    """Show a verdict with its probability as a labelled bar, and what was read."""
    reading = verdict.reading
    width = f"{100 * verdict.probability:.1f}"
    fill = f"background-color: rgb({COLOURS[verdict.label == POSITIVE]})"
    if verdict.label != POSITIVE:
        fill += f"; background-image: {STRIPES}"
    return (
        f'<p class="imdb-verdict"><strong>{show_text(verdict.label)}</strong>, '
        f"probability {html.escape(percent(verdict.probability))}</p>"
        f'<div class="imdb-bar" role="meter" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{width}" aria-label="probability of {show_text(verdict.label)}" '
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
        elif not card.problem:
            read = card.verdict.reading
            plain = show_text(read.text[: read.end], 6 * read.max_length)
            parts.append(_paragraph_of_text(plain, read))
            parts.append('<p class="imdb-legend">Looking for the words that did it …</p>')
    return f'<section class="imdb-card">{"".join(parts)}</section>'


def answer_html(answer: Answer) -> str:
    """Show what all models say about a text, side by side where there is room."""
    if answer.message:
        return f'<div class="imdb-answer">{message_html(answer.message)}</div>'
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
    return f'<p class="imdb-message">{show_text(message, LONGEST_REST)}</p>'


def table_html(rows: Sequence[Mapping[str, object]], columns: Iterable[str]) -> str:
    """Show what was tried as a table, the newest first.

    Args:
        rows: The oldest first.
        columns: Which of their values to show.

    Returns:
        HTML; empty without rows.
    """
    if not rows:
        return ""
    columns = list(columns)
    shown = rows[: -SHOWN_ROWS - 1 : -1]
    head = "".join(f'<th scope="col">{show_text(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row[column])}</td>" for column in columns) + "</tr>"
        for row in shown
    )
    hidden = len(rows) - len(shown)
    more = f", the newest {len(shown)} of {len(rows):,}" if hidden else ""
    return (
        f'<div class="imdb-table {NO_MATHS}" role="region" aria-label="What you tried" '
        f'tabindex="0"><table><caption>What you tried{more}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: object) -> str:
    shown = percent(value) if isinstance(value, float) else str(value)
    more = " …" if len(shown) > LONGEST_CELL else ""
    return f"<bdi>{show_text(shown[:LONGEST_CELL])}{more}</bdi>"


def _mark(text: str) -> str:
    return f'<span class="imdb-mark" style="border: 1px dashed #888; font-size: 80%">{text}</span>'


def _piece(text: str, score: float | None, strongest: float) -> str:
    if score is None:
        return show_text(text, LONGEST_GAP)
    share = abs(score) / strongest if strongest else 0.0
    level = sum(share >= bound for bound in LEVELS)
    told = f' class="imdb-word" data-score="{score:+.2f}" title="{signed(score)}"'
    return _marked(show_text(text, LONGEST_WORD), level, score > 0, told)


def _marked(shown: str, level: int, is_positive: bool, attributes: str = "") -> str:
    """Mark HTML with colour, line and signs, so that no reader needs the colours."""
    if not level:
        return f"<span{attributes}>{shown}</span>"
    colour = COLOURS[is_positive]
    style = (
        f"background-color: rgba({colour}, {0.17 * level:.2f}); "
        f"border-bottom: {level}px {LINES[is_positive]} rgb({colour})"
    )
    signs = ("+" if is_positive else "−") * (level - 1)
    raised = f"<sup>{signs}</sup>" if signs else ""
    return f'<span{attributes} style="{style}">{shown}</span>{raised}'


def _paragraph_of_text(shown: str, reading: Reading) -> str:
    rest = reading.unread
    if rest:
        more = f" … {len(rest) - LONGEST_REST:,} more characters" * (len(rest) > LONGEST_REST)
        shown += (
            f'<span class="imdb-unread" style="opacity: 0.6"><em> [not read:]</em> '
            f"{show_text(rest[:LONGEST_REST])}{more}</span>"
        )
    return (
        '<p class="imdb-text" dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere; '
        f'unicode-bidi: isolate; line-height: 1.9">{shown}</p>'
    )


def _warnings(reading: Reading) -> str:
    lines = []
    if reading.is_cut:
        lines.append(
            f"The text was cut: the model read its first {reading.end:,} characters; the other "
            f"{len(reading.text) - reading.end:,} had no part in this."
        )
    words = sum(word is not None for word in reading.word_of_token)
    if 2 * reading.unknown >= max(words, 1):
        lines.append(
            f"The model knows {words - reading.unknown} of these {words} tokens: its verdict "
            "means little."
        )
    return "".join(f'<p class="imdb-warning" role="note">⚠ {line}</p>' for line in lines)
