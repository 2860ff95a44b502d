"""Ratings that authors write into their reviews, such as 7/10: found, and taken out."""

import re

# No digit, comma, point or slash before it: the 2/10 of "9 1/2/10" is none.
RATING = re.compile(r"(?<![\d.,/])(10|\d(?:[.,]\d)?)\s?/\s?10\b(?!\s?/)")


def written_rating(text: str) -> float | None:
    """Read the rating out of ten that a review writes, the first one if there are several.

    Only the form with a slash is read. Who gave the rating, and to what, is not looked at.

    Args:
        text: A review, such as ``"Dull from start to end. 3/10"``.

    Returns:
        A number from 0 to 10, here 3.0; ``None`` where no rating is written.

    Raises:
        TypeError: What is no text.
    """
    found = RATING.search(text)
    return float(found[1].replace(",", ".")) if found else None


def without_ratings(text: str) -> str:
    """Take every rating such as ``3/10`` out of a review.

    Args:
        text: A review.

    Returns:
        The text without them; one that holds none comes back as it is.

    Raises:
        TypeError: What is no text.
    """
    return RATING.sub("", text)
