"""Which pool the study's models were chosen on, and which one they were asked."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

FIXED = "nothing: fixed beforehand"
VALIDATION = "validation"


class Pools(NamedTuple):
    """Of an experiment's rows: what they were ``asked``, and what they were ``chosen_on``.

    Rows with one of the values in ``other`` (of the column ``by``) were chosen on something else.
    """

    asked: str
    chosen_on: str
    by: str = ""
    other: tuple[tuple[str, str], ...] = ()


POOLS = {
    "probes": Pools("test", FIXED, "loss", (("optimum", VALIDATION),)),
    "choosing": Pools(
        "reviews of validation and test, drawn together", "what the column's name says"
    ),
    "rates": Pools("test", VALIDATION),
    "cutting": Pools("the reviews that the cut holds back, of all pools", VALIDATION),
    "padding": Pools("test, for the time alone", FIXED),
    "ladder": Pools(
        "test", FIXED, "model", tuple((m, VALIDATION) for m in ("TF-IDF", "packaged", "base"))
    ),
    "parts": Pools("test", VALIDATION),
}


def with_pools(experiment: str, table: "pd.DataFrame") -> "pd.DataFrame":
    """Add the columns ``chosen_on`` and ``asked``; what a row says of itself stays.

    Args:
        experiment: The experiment's name; of one that is not known here nothing is added.
        table: Its rows.

    Returns:
        The table with both columns at its end.
    """
    if experiment not in POOLS:
        return table
    pools = POOLS[experiment]
    chosen = (
        table[pools.by].map(dict(pools.other)).fillna(pools.chosen_on)
        if pools.by
        else pools.chosen_on
    )
    said = table.reindex(columns=["chosen_on", "asked"]).astype(object)
    filled = {
        "chosen_on": said["chosen_on"].where(said["chosen_on"].notna(), chosen),
        "asked": said["asked"].where(said["asked"].notna(), pools.asked),
    }
    return table.drop(columns=[*filled], errors="ignore").assign(**filled)
