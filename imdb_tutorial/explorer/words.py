"""Words marked by how far they pushed a verdict, as HTML that reads without colours, too."""

from imdb_tutorial.dataset.labels import NEGATIVE, POSITIVE
from imdb_tutorial.explorer.attributions import Attribution
from imdb_tutorial.explorer.reading import Reading
from imdb_tutorial.explorer.safe_text import show_text
from imdb_tutorial.plotting.word_marks import COLOURS, LEVELS, Mark, mark_words, strongest_push

LONGEST_WORD, LONGEST_GAP, LONGEST_REST = 120, 24, 300


def words_html(attribution: Attribution) -> str:
    """Show a text with each word marked by how far it pushed, readable without colours.

    Args:
        attribution: From ``attribute``.

    Returns:
        HTML: coloured and underlined words, plus and minus signs at the strong ones.
    """
    marks = iter(mark_words(attribution.pushes))
    head, tail = (
        "".join(
            show_text(text, LONGEST_GAP) if push is None else _word(text, push, next(marks))
            for text, push in pieces
        )
        for pieces in (attribution.pieces_of_head, attribution.pieces_of_tail)
    )
    return _paragraph_of_text(head, attribution.reading, tail)


def plain_html(reading: Reading) -> str:
    """Show a text as ``words_html`` does, while nothing is known about its words."""
    longest = 6 * reading.max_length
    head, tail = show_text(reading.head, longest), show_text(reading.tail, longest)
    return _paragraph_of_text(head, reading, tail)


def legend_html(attribution: Attribution) -> str:
    """Say what the marks of ``words_html`` mean and how strong the strongest is."""
    samples = " ".join(
        _marked(f"pushed towards {label}", Mark(len(LEVELS), label == POSITIVE))
        for label in (POSITIVE, NEGATIVE)
    )
    return (
        f'<p class="imdb-legend">{samples} More colour, more push; the strongest word: '
        f"{strongest_push(attribution.pushes):.2f} logits.</p>"
    )


def summary_html(attribution: Attribution, most: int = 3) -> str:
    """Name the words that pushed most, and say what all of them add up to."""
    ranked = sorted(
        zip(attribution.pushes, attribution.words, strict=True), key=lambda x: -abs(x[0])
    )
    sentences = []
    for label, sign in ((POSITIVE, 1), (NEGATIVE, -1)):
        chosen = [(s, w) for s, w in ranked if s * sign > LEVELS[0] * abs(ranked[0][0])][:most]
        if chosen:
            named = ", ".join(f"“<bdi>{show_text(w, 30)}</bdi>” {signed(s)}" for s, w in chosen)
            sentences.append(f"Most towards {label}: {named}.<br>")
    total = sum(attribution.pushes) + attribution.other
    return (
        f'<p class="imdb-summary">{"".join(sentences)}All together: {signed(total)} logits, '
        f"from {signed(attribution.blank_margin)} for a blank text to "
        f"{signed(attribution.margin)}; off by {abs(attribution.completeness_error):.2f} after "
        f"{attribution.steps} steps.</p>"
    )


def css_colour(is_positive: bool) -> str:
    """Write the colour of a label's marks as CSS does between the brackets of ``rgb()``."""
    return ", ".join(map(str, COLOURS[is_positive]))


def signed(push: float) -> str:
    """Write a number with its sign and two decimals, with a true minus."""
    return f"{push:+.2f}".replace("-", "−")


def _word(text: str, push: float, mark: Mark) -> str:
    told = f' class="imdb-word" data-score="{push:+.2f}" title="{signed(push)}"'
    return _marked(show_text(text, LONGEST_WORD), mark, told)


def _marked(shown: str, mark: Mark, attributes: str = "") -> str:
    """Mark HTML with colour, line and signs, so that no reader needs the colours."""
    if not mark.level:
        return f"<span{attributes}>{shown}</span>"
    colour = css_colour(mark.is_positive)
    style = (
        f"background-color: rgba({colour}, {mark.opacity:.2f}); "
        f"border-bottom: {mark.line_width}px {mark.line} rgb({colour})"
    )
    raised = f'<sup style="white-space: nowrap">{mark.signs}</sup>' if mark.signs else ""
    return f'<span{attributes} style="{style}">{shown}</span>{raised}'


def _paragraph_of_text(head: str, reading: Reading, tail: str) -> str:
    shown, rest = head, reading.unread
    if rest:
        more = f" … {len(rest) - LONGEST_REST:,} more characters" * (len(rest) > LONGEST_REST)
        shown += (
            f'<span class="imdb-unread" style="opacity: 0.6"><em> [not read:]</em> '
            f"{show_text(rest[:LONGEST_REST])}{more}</span>"
        )
    if reading.has_tail:
        shown += f"<em> [read again:]</em> {tail}"
    return (
        '<p class="imdb-text" dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere; '
        f'unicode-bidi: isolate; line-height: 1.9">{shown}</p>'
    )
