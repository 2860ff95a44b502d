"""The two labels: their numbers, and what they are called."""

# As classifiers and people name them, by number.
LABELS = ("NEGATIVE", "POSITIVE")
NEGATIVE, POSITIVE = LABELS
ID2LABEL = dict(enumerate(LABELS))
LABEL2ID = {name: number for number, name in ID2LABEL.items()}

# As data sets name them, by number.
SHORT_LABELS = ("neg", "pos")

_SPELLINGS = (
    ("0", "0.0", "false", "neg", "negative"),
    ("1", "1.0", "true", "pos", "positive"),
)


def label_number(label: object) -> int | None:
    """Return the number of a label as files and data sets write it.

    Args:
        label: For example ``0``, ``1.0``, ``True``, ``"neg"`` or ``" Positive "``.

    Returns:
        0 (negative) or 1 (positive); ``None`` where it is neither.
    """
    spelling = str(label).strip().lower()
    return next((number for number, names in enumerate(_SPELLINGS) if spelling in names), None)
