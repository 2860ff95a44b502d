"""Text as HTML that shows it as it is and can do nothing else."""

import html
import re
import unicodedata

# Joiners are part of ordinary writing: of emoji, of Persian, of Hindi.
JOINERS = "\u200c\u200d"
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
# No writing puts more accents on one letter; towers of them cover the lines above and below.
MOST_ACCENTS = 8


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
        return f"{show_text(text[:start])}{_mark(gone)}{show_text(text[-end:])}"
    shown, accents = [], 0
    for run in re.finditer(r"(.)\1*", text, re.DOTALL):
        character, length = run[1], len(run[0])
        accents = accents + length if unicodedata.category(character) in ("Mn", "Me") else 0
        if is_visible(character) and accents <= MOST_ACCENTS:
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


def _mark(text: str) -> str:
    return f'<span class="imdb-mark" style="border: 1px dashed #888; font-size: 80%">{text}</span>'
