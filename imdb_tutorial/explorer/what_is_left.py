"""A text without the words that a reader took out, and what the models say of it."""

from collections.abc import Sequence

from imdb_tutorial.explorer.cards import LONGEST_MESSAGE, NO_MATHS, message_html, reason_html
from imdb_tutorial.explorer.reasons import ReasonCheck
from imdb_tutorial.explorer.safe_text import plain_text, show_text


def left_html(checks: Sequence[tuple[str, ReasonCheck | str]]) -> str:
    """Show what is left of a text without the words that a reader took out, and the verdicts.

    Args:
        checks: By model, in their order: what it says now, or in one line why it cannot.

    Returns:
        HTML; empty where no word was taken out.
    """
    parts, left = [], ""
    for model, check in checks:
        if len(checks) > 1:
            parts.append(f'<p class="imdb-model"><strong>{show_text(model, 80)}</strong></p>')
        if isinstance(check, str):
            parts.append(message_html(check))
        else:
            parts.append(reason_html(check))
            left = left or check.text
    if left:
        shown = f"<bdi>{show_text(left, LONGEST_MESSAGE)}</bdi>"
        parts.append(f'<p class="imdb-left" dir="auto">What is left: {shown}</p>')
    return f'<div class="imdb-answer {NO_MATHS}">{"".join(parts)}</div>' if parts else ""


def left_line(checks: Sequence[tuple[str, ReasonCheck | str]]) -> str:
    """Say the verdicts of ``left_html`` in one line, for a screen reader."""
    lines = (
        f"{model}: {check if isinstance(check, str) else plain_text(reason_html(check))}"
        for model, check in checks
    )
    return " ".join(lines)
