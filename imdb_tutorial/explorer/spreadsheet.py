"""Cells that a spreadsheet takes for text, whatever stands in them."""

import unicodedata

from imdb_tutorial.explorer.safe_text import is_accent, is_visible

# A spreadsheet takes a cell that begins like this for a formula or a command, and runs it. NFKC
# writes fullwidth, small, raised and lowered forms of them as these.
FORMULA_STARTS = frozenset("=+-−@|%")
CONTROL_STARTS = ("\t", "\r", "\n")
# Programs that import a table may take quotes away.
QUOTES = frozenset("\"'`´′″")


def as_text_cell(value: str) -> str:
    """Put an apostrophe before what a spreadsheet could take for a formula.

    See https://owasp.org/www-community/attacks/CSV_Injection.

    Args:
        value: Any text.

    Returns:
        The text, with ``'`` before it where it begins like a formula; spaces, quotes, accents and
        invisible characters at the beginning do not hide one.
    """
    first = next((x for x in value if not _is_passed_over(x)), "")
    forms = unicodedata.normalize("NFKC", first).lstrip()
    if value.startswith(CONTROL_STARTS) or forms[:1] in FORMULA_STARTS:
        return f"'{value}"
    return value


def _is_passed_over(character: str) -> bool:
    if character.isspace() or not is_visible(character) or is_accent(character):
        return True
    plain = unicodedata.normalize("NFKC", character)
    return plain in QUOTES or unicodedata.category(character) in ("Pi", "Pf", "Ps")
