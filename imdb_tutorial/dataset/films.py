"""Which film each of IMDb's official training reviews is about, and how many stars it gives."""

import gzip
import io
from pathlib import Path

import pandas as pd

from imdb_tutorial.machine import packages

FILMS = Path(__file__).parents[1] / "data" / "imdb_train_films.csv.gz"
FILMS_SHA256 = "4b237edc8879abcaac7746456c7451b3f19f1dff6587f5cb12df4c49c1717011"


def load_films() -> pd.DataFrame:
    """Read the film and the stars of each of the 25,000 reviews, in the official order.

    The facts come from the original archive (``aclImdb/train/urls_*.txt`` and its file names; Maas
    et al., 2011), matched to the rows by their text.

    Returns:
        ``film``, IMDb's title number such as ``"tt0061834"``, and ``stars``: 1 to 4 for the
        negative reviews, 7 to 10 for the positive ones.

    Raises:
        DamagedFileError: The table is missing or not the one this project was made with.
    """
    try:
        content = gzip.decompress(FILMS.read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(f"cannot be read ({error})") from None
    found = packages.bytes_sha256(content)
    if found != FILMS_SHA256:
        raise _damaged(f"has SHA-256 {found[:12]}…, expected {FILMS_SHA256[:12]}…")
    return pd.read_csv(io.BytesIO(content), usecols=["film", "stars"])


def _damaged(reason: str) -> packages.DamagedFileError:
    return packages.DamagedFileError(
        f"the table of films {str(FILMS)!r} {reason}: reinstall imdb_tutorial"
    )
