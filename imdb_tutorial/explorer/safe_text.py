"""Text as HTML that shows it as it is and can do nothing else."""

import html
import re
import unicodedata

# Joiners are part of ordinary writing: of emoji, of Persian, of Hindi.
JOINERS = "\u200c\u200d"
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
# No writing puts more accents on one letter; towers of them cover the lines above and below.
MOST_ACCENTS = 8
# Of what is invisible, and stands in one place, so many different characters are named.
MOST_NUMBERS = 8


def show_text(text: str, longest: int | None = None) -> str:
    """Make HTML that shows a text as it is and can do nothing else.

    What is invisible and could turn the page around (control characters, overrides of the writing
    direction, zero-width spaces) is shown by its number, and so are accents piled on one letter.

    Args:
        text: Any text.
        longest: The most characters to show; from a longer text the middle is left out.

    Returns:
        Escaped text.
    """
    if longest is not None and len(text) > longest:
        start, end = longest * 2 // 3, longest // 3
        gone = f"[… {len(text) - start - end:,} characters …]"
        return f"{show_text(text[:start])}{_mark(gone)}{show_text(text[len(text) - end :])}"
    shown: list[str] = []
    unshown: list[str] = []
    accents = 0
    for run in re.finditer(r"(.)\1*", text, re.DOTALL):
        character, length = run[1], len(run[0])
        accents = accents + length if is_accent(character) else 0
        if is_visible(character) and accents <= MOST_ACCENTS:
            shown += [_numbers(unshown), html.escape(run[0], quote=True)]
            unshown = []
        else:
            unshown.append(run[0])
    return "".join([*shown, _numbers(unshown)])


def plain_text(markup: str) -> str:
    """Return what a reader sees of the explorer's own HTML, for places that take text and no HTML.

    Args:
        markup: HTML with every typed ``<`` escaped, such as ``show_text`` makes.

    Returns:
        Text that is not escaped: only for what never becomes HTML.
    """
    return html.unescape(re.sub("<[^>]*>", "", markup))


def shorten(line: str, longest: int = 300) -> str:
    """Cut a line for the reader, and say so."""
    return line if len(line) <= longest else f"{line[:longest]} …"


def is_visible(character: str) -> bool:
    """Say whether a character can be shown as it is."""
    if character in JOINERS or character in "\t\n\r":
        return True
    category = unicodedata.category(character)
    return category not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character not in BLANKS


def is_accent(character: str) -> bool:
    """Say whether a character stands over, under or around the one before it."""
    return unicodedata.category(character) in ("Mn", "Me")


def is_blank(text: str) -> bool:
    """Say whether there is nothing to see in a text."""
    # Its different characters are few, however long it is.
    return not any(is_visible(letter) and not letter.isspace() for letter in set(text))


def _numbers(runs: list[str]) -> str:
    """Show by their numbers what cannot be shown as it is, each with its repetitions."""
    if not runs:
        return ""
    named = [
        f"U+{ord(run[0]):04X}" + (f" × {len(run):,}" if len(run) > 1 else "")
        for run in runs[:MOST_NUMBERS]
    ]
    more = sum(map(len, runs[MOST_NUMBERS:]))
    return _mark(" ".join(named) + (f" … {more:,} more" if more else ""))


def _mark(text: str) -> str:
    return f'<span class="imdb-mark" style="border: 1px dashed #888; font-size: 80%">{text}</span>'
