"""Text as it comes from anywhere, made fit for tokenizers and pages."""


def clean_text(text: str) -> str:
    """Replace halves of character pairs, as a broken download leaves them, by question marks.

    Args:
        text: Any text.

    Returns:
        The same text where it was whole; it can be encoded, tokenized and sent to a page.
    """
    return text.encode("utf-8", "replace").decode()


def one_line(error: BaseException, longest: int = 300) -> str:
    """Say in one line what went wrong.

    Args:
        error: What was raised.
        longest: Most characters of its message; libraries write whole pages.

    Returns:
        The message, or the error's name where it has none.
    """
    message = " ".join(str(error).split()) or type(error).__name__
    return message if len(message) <= longest else message[: longest - 1] + "…"
