"""What an answer costs on each rung of the ladder, and what others report of larger models."""

import statistics
from typing import TYPE_CHECKING

from imdb_tutorial.evaluation.records import read_record

if TYPE_CHECKING:
    import pandas as pd

MEASURED = {"ms_alone": "ms a review", "ms_in_batches": "ms in batches", "memory_mb": "MB memory"}


def load_cost_at_use() -> "pd.DataFrame":
    """Read what ``benchmarks/cost_at_use.py`` measured: reviews of 200 words, on one core.

    Returns:
        A row for each model: milliseconds for a review alone and in batches of 32, megabytes of
        memory beside an empty Python, all medians over the rounds; megabytes on disk, vocabulary
        included; seconds to train with all that it starts from; the number of rounds; and whether
        every round began on a quiet machine.

    Raises:
        DamagedFileError: The record is missing or damaged.
    """
    import pandas as pd

    record = read_record("cost_at_use")
    rows = {}
    for name, rung in record["rungs"].items():
        runs = rung["runs"]
        rows[name] = {
            column: statistics.median(run[key] for run in runs) for key, column in MEASURED.items()
        } | {
            "MB on disk": rung["disk_mb"],
            "seconds to train": rung["seconds_to_train"],
            "rounds": len(runs),
            "quiet": all(run["load"] <= record["quiet_below_load"] for run in runs),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def load_citations() -> "pd.DataFrame":
    """Read what others report of larger models on IMDb reviews; nothing of it was measured here.

    Returns:
        A row for each model: its accuracy (0 to 1), what it was trained on, whether its source
        uses the official split (``None``: the source does not say), the source's title, address
        and year, and ``measured here``, which is ``False``.

    Raises:
        DamagedFileError: The record is missing or damaged.
    """
    import pandas as pd

    record = read_record("cited")
    table = pd.DataFrame(record["citations"]).set_index("model")
    table["year"] = table["year"].astype("Int64")
    table["measured here"] = record["measured_here"]
    return table.rename(columns={"trained_on": "trained on", "official_split": "official split"})
