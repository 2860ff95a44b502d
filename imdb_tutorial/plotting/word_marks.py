"""How a word is marked by how far it pushed a verdict: one code for widget, page and picture."""

# Red and green would look alike to many readers; blue and orange do not.
COLOURS = {True: (38, 115, 214), False: (214, 106, 0)}
LINES = {True: "solid", False: "dotted"}
# From these shares of the strongest push on, a word gets one mark, two, or three.
LEVELS = (0.1, 0.33, 0.66)
TINT = 0.17


def level_of(push: float, strongest: float) -> int:
    """Say how strongly a word is marked, 0 to 3.

    Args:
        push: How far the word pushed, in logits.
        strongest: The size of the strongest push in its text.

    Returns:
        0 for no mark: less than a tenth of the strongest.
    """
    share = abs(push) / strongest if strongest else 0.0
    return sum(share >= bound for bound in LEVELS)


def signs_of(level: int, is_positive: bool) -> str:
    """Write the small signs after a strong word, for whoever sees neither colour nor line."""
    return ("+" if is_positive else "−") * (level - 1)
