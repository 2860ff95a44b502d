"""Text as it comes from anywhere, made fit for tokenizers and pages."""


def clean_text(text: str) -> str:
    """Replace halves of character pairs, as a broken download leaves them, by question marks.

    Args:
        text: Any text.

    Returns:
        The same text where it was whole; it can be encoded, tokenized and sent to a page.
    """
    return text.encode("utf-8", "replace").decode()
