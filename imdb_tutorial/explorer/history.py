"""The table of what was tried: in the page, and on its way into a spreadsheet."""

import csv
import io
import itertools
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from imdb_tutorial.explorer.cards import NO_MATHS, Answer, percent
from imdb_tutorial.explorer.safe_text import show_text
from imdb_tutorial.explorer.spreadsheet import as_text_cell
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.text import clean_text

COLUMNS = ("text", "model", "verdict", "probability", "tokens read", "cut", "true label")
SHOWN_COLUMNS = ("text", "model", "verdict", "probability", "tokens read", "true label")
MOST_ROWS, SHOWN_ROWS = 1_000, 20
LONGEST_KEPT, LONGEST_CELL = 5_000, 80

Row = dict[str, object]


class Tried:
    """What was tried so far, one row a text and model; the oldest of very many are forgotten."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=MOST_ROWS)

    @property
    def rows(self) -> list[Row]:
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
                    card.verdict.in_words,
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
        writer.writerows(map(_csv_cells, self._rows))
        suffixes = itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
        names = (Path(folder, f"tried_reviews{suffix}.csv") for suffix in suffixes)
        target = next(name for name in names if not name.exists())
        write_whole(target, clean_text(lines.getvalue()).encode())
        return target


def table_html(rows: Sequence[Row]) -> str:
    """Show what was tried as a table, the newest first.

    Args:
        rows: From ``Tried.rows``.

    Returns:
        HTML; empty without rows.
    """
    if not rows:
        return ""
    newest = rows[: -SHOWN_ROWS - 1 : -1]
    head = "".join(f'<th scope="col">{show_text(column)}</th>' for column in SHOWN_COLUMNS)
    body = "".join(f"<tr>{_cells_html(row)}</tr>" for row in newest)
    more = f", the newest {len(newest)} of {len(rows):,}" if len(newest) < len(rows) else ""
    return (
        f'<div class="imdb-table {NO_MATHS}" role="region" aria-label="What you tried" '
        f'tabindex="0"><table><caption>What you tried{more}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells_html(row: Row) -> str:
    cells = []
    for column in SHOWN_COLUMNS:
        value = row[column]
        shown = percent(value) if isinstance(value, float) else str(value)
        more = " …" if len(shown) > LONGEST_CELL else ""
        cells.append(f"<td><bdi>{show_text(shown[:LONGEST_CELL])}{more}</bdi></td>")
    return "".join(cells)


def _csv_cells(row: Row) -> list[object]:
    cells = []
    for column in COLUMNS:
        value = row[column]
        cells.append(as_text_cell(value) if isinstance(value, str) else value)
    return cells
