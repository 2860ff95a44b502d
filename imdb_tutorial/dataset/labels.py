"""The two labels: their numbers, and what they are called."""

# As classifiers and people name them, by number.
LABELS = ("NEGATIVE", "POSITIVE")
NEGATIVE, POSITIVE = LABELS
ID2LABEL = dict(enumerate(LABELS))
LABEL2ID = {name: number for number, name in ID2LABEL.items()}

# As data sets name them, by number.
SHORT_LABELS = ("neg", "pos")
