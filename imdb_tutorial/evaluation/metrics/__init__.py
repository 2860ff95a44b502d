"""Local `evaluate` metrics, which need no network and refuse what is not a label.

Each also loads by itself, with its folder's path as a text:
``evaluate.load("imdb_tutorial/evaluation/metrics/f1")``.
"""

import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import evaluate


def load_metrics(*names: str) -> "evaluate.CombinedEvaluations":
    """Load metrics of this package and combine them with ``evaluate.combine``.

    The classes come straight from the package and keep their data in memory. ``evaluate.load``
    would copy their code and their data into a cache that other processes write to as well, and
    that has to be writable.

    Args:
        names: ``"accuracy"``, ``"f1"``; without any, both.

    Returns:
        The combined metrics; ``compute(predictions=..., references=...)`` returns a dict.

    Raises:
        ValueError: An unknown name. Later, in ``add``, ``add_batch`` and ``compute``: no labels,
            more predictions than references or fewer, floats, or labels other than 0 and 1.
    """
    import evaluate

    from imdb_tutorial.evaluation.metrics.accuracy.accuracy import Accuracy
    from imdb_tutorial.evaluation.metrics.f1.f1 import F1

    classes = {"accuracy": Accuracy, "f1": F1}
    for name in names:
        if name not in classes:
            raise ValueError(f"unknown metric {name!r}: expected one of {', '.join(classes)}")
    # In memory nothing is written, yet evaluate makes the folder where it would write.
    with tempfile.TemporaryDirectory() as folder:
        metrics = [classes[n](keep_in_memory=True, cache_dir=folder) for n in names or classes]
    return evaluate.combine(metrics)
