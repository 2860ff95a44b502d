"""When a classifier is not sure: probabilities at which its verdict means little."""

# From the lower to the upper end a probability is not sure. Outside of it a model claims to be
# right more than four times in five. Of a text that says nothing about a film it cannot know that
# much, and no reader would bet as much on it.
UNSURE = (0.2, 0.8)


def is_unsure(probability: float) -> bool:
    """Say whether a probability, of either label, is too near one half for a verdict.

    Args:
        probability: 0 to 1.

    Returns:
        Whether it lies in the band, its ends included.
    """
    lowest, highest = UNSURE
    return lowest <= probability <= highest


def in_words(label: str, probability: float) -> str:
    """Name a verdict, or say that there is none and where the classifier leans.

    Args:
        label: The more probable label.
        probability: Its probability.

    Returns:
        Such as ``"POSITIVE"``, or ``"not sure, leans POSITIVE"``.
    """
    return f"not sure, leans {label}" if is_unsure(probability) else label
