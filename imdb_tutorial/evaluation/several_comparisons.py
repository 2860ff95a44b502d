"""Several comparisons at once: what their p-values are worth together."""

import numpy as np
from numpy.typing import ArrayLike

from imdb_tutorial.machine.text import one_line


def holm(p_values: ArrayLike) -> np.ndarray:
    """Correct the p-values of several comparisons, so that all of them together are seldom wrong.

    Of twenty comparisons of equally good models one is expected to have a p-value below 0.05.
    After Holm's correction, the chance that any of them has is at most 0.05 (Holm, A Simple
    Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979,
    65-70). The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes
    smaller than one before it, or larger than 1.

    Args:
        p_values: One a comparison, 0 to 1, ``[comparisons]``: all that were looked at.

    Returns:
        The corrected p-values in the same order, ``[comparisons]``.

    Raises:
        ValueError: No p-values, or one that is none.
    """
    try:
        given = np.asarray(p_values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"p_values cannot be read as a list: {one_line(error)}") from None
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "fiu":
        raise ValueError(
            f"p_values are {given.dtype} of shape {given.shape}: expected a list of numbers from "
            "0 to 1, one a comparison"
        )
    found = given.astype(float)  # [comparisons]
    wrong = ~((found >= 0) & (found <= 1))  # so that not a number is wrong, too
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"p-value {row} is {found[row]}: expected a number from 0 to 1")
    order = np.argsort(found, kind="stable")
    steps = found[order] * np.arange(len(found), 0, -1)
    corrected = np.empty_like(found)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected
