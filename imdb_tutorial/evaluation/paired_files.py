"""A record of two files that belong together: runs as JSON, and the answers behind them."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imdb_tutorial.evaluation.records import require_sound

if TYPE_CHECKING:
    import pandas as pd


def read_paired_files(
    folder: Path, names: tuple[str, str], expected_format: int, renew: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read both files, and believe them only together.

    Args:
        folder: Where they lie.
        names: Of the JSON file and of the ``.npz`` file.
        expected_format: The record's ``format`` that the caller understands.
        renew: What to do about a record that cannot be used, for the messages.

    Returns:
        The record, and the arrays by name.

    Raises:
        FileNotFoundError: One of them is not there.
        ValueError: A record that is damaged or of another format, or two files that do not belong
            together.
        DamagedFileError: One of the package's own files is not as it was written.
    """
    json_name, npz_name = names
    try:
        text, packed = ((folder / name).read_bytes() for name in names)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no {Path(error.filename).name} in {folder}: {renew}") from None
    require_sound(folder, *names)
    try:
        record = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{json_name} is damaged ({error}): {renew}") from None
    if not isinstance(record, dict):
        raise ValueError(f"{json_name} is damaged (it holds no record): {renew}")
    if record.get("format") != expected_format:
        raise ValueError(
            f"{json_name} has the format {record.get('format')}, this code reads "
            f"{expected_format}: {renew}"
        )
    if hashlib.sha256(packed).hexdigest() != record.get("probabilities_sha256"):
        raise ValueError(f"{npz_name} does not belong to {json_name}: {renew}")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return record, dict(arrays)


def rows_where(
    runs: "pd.DataFrame", experiment: str, thing: str, which: Mapping[str, object]
) -> "pd.DataFrame":
    """Return the rows of an experiment's table that have certain values.

    Args:
        runs: The table.
        experiment: Its name, for the messages.
        thing: What a row is, ``"run"`` or ``"model"``, for the messages.
        which: Columns and their values; ``size="all"`` is the largest size there is.

    Returns:
        These rows, with the index they had.

    Raises:
        ValueError: There is no such column, or no row with such a value.
    """
    for column, value in which.items():
        if column not in runs:
            raise ValueError(
                f"no column {column!r} in {experiment!r}: expected one of {', '.join(runs)}"
            )
        known = runs[column].unique()
        if column == "size" and value == "all":
            value = max(known)
        runs = runs[runs[column] == value]
        if runs.empty:
            raise ValueError(
                f"no {thing} of {experiment!r} with {column} {value!r}: expected one of "
                f"{', '.join(map(str, known))}"
            )
    return runs
