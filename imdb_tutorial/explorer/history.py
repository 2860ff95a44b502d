"""The table of what was tried, and its way into a spreadsheet."""

import csv
import io
import itertools
import os
from collections import deque
from pathlib import Path

from imdb_tutorial.explorer.cards import Answer
from imdb_tutorial.explorer.safe_text import is_visible
from imdb_tutorial.machine.files import write_whole

COLUMNS = ("text", "model", "verdict", "probability", "tokens read", "cut", "true label")
MOST_ROWS = 1_000
LONGEST_KEPT = 5_000
# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
RISKY_STARTS = ("\t", "\r", "\n")


class Tried:
    """What was tried so far, one row a text and model; the oldest of very many are forgotten."""

    def __init__(self):
        self._rows: deque[dict[str, object]] = deque(maxlen=MOST_ROWS)

    @property
    def rows(self) -> list[dict[str, object]]:
        """The rows, the oldest first, each with the same columns."""
        return list(self._rows)

    def add(self, answer: Answer) -> None:
        """Add what every model said; a model without a verdict adds nothing.

        Args:
            answer: What the models said about one text.
        """
        text = answer.text
        if len(text) > LONGEST_KEPT:
            text = f"{text[:LONGEST_KEPT]} [and {len(text) - LONGEST_KEPT:,} more characters]"
        for card in answer.cards:
            if card.verdict:
                reading = card.verdict.reading
                values = (
                    text,
                    card.model,
                    card.verdict.label,
                    round(card.verdict.probability, 4),
                    reading.tokens_read,
                    "yes" if reading.is_cut else "no",
                    answer.true_label,
                )
                self._rows.append(dict(zip(COLUMNS, values, strict=True)))

    def save(self, folder: str | os.PathLike = ".") -> Path:
        """Save the rows as csv, under a name that is still free.

        Args:
            folder: Where to write.

        Returns:
            The new file.

        Raises:
            ValueError: There are no rows yet.
            OSError: The disk refuses.
        """
        if not self._rows:
            raise ValueError("nothing was tried yet: classify a text first")
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        writer.writerows([_harmless(row[column]) for column in COLUMNS] for row in self._rows)
        suffixes = itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
        names = (Path(folder, f"tried_reviews{suffix}.csv") for suffix in suffixes)
        target = next(name for name in names if not name.exists())
        write_whole(target, lines.getvalue().encode())
        return target


def _harmless(value: object) -> object:
    if isinstance(value, str):
        seen = "".join(filter(is_visible, value)).lstrip()
        if value.startswith(RISKY_STARTS) or seen.startswith(FORMULA_STARTS):
            return f"'{value}"
    return value
