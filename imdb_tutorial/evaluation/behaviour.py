"""What was recorded of short and odd texts, of negation and contrast, of what must not matter."""

from typing import TYPE_CHECKING, NamedTuple

from imdb_tutorial.evaluation.records import read_record

if TYPE_CHECKING:
    import pandas as pd


class Behaviour(NamedTuple):
    """How often models answer as expected; rates, probabilities and errors are 0 to 1.

    Args:
        models: Who was asked: ``"packaged"`` first; ``"before"``, where the record was begun with
            another packaged classifier, is that one.
        unsure_band: Where the probability of an unsure text must lie.
        sure_above: From which confidence on a model counts as sure.
        texts: A row for each model, ``kind`` and ``expected`` (either may be ``"all"``): ``rate``
            with ``low`` and ``high``, ``count``, ``mean_confidence``, ``share_sure`` and
            ``share_positive``.
        pairs: A row for each model, ``test`` and ``kind`` (either may be ``"all"``): ``rate`` with
            ``low`` and ``high``, ``count``, how many ``sentences`` they were made from, and the
            ``mean_change`` of the probability.
        calibration: A row for each model and sort of ``texts``: ``count``, ``groups``,
            ``mean_confidence``, ``share_sure``; and, each with the ends of its interval,
            ``accuracy``, ``error`` and ``confidence_less_accuracy``.
    """

    models: list[str]
    unsure_band: tuple[float, float]
    sure_above: float
    texts: "pd.DataFrame"
    pairs: "pd.DataFrame"
    calibration: "pd.DataFrame"


def load_behaviour() -> Behaviour:
    """Read what ``python -m experiments.behaviour`` measured.

    Raises:
        DamagedFileError: The record is missing or damaged.
    """
    record = read_record("behaviour")
    models = record["models"]
    low, high = record["unsure_band"]
    return Behaviour(
        models=list(models),
        unsure_band=(low, high),
        sure_above=record["sure_above"],
        texts=_by_model(models, "texts"),
        pairs=_by_model(models, "pairs"),
        calibration=_by_model(models, "calibration"),
    )


def _by_model(models: dict, part: str) -> "pd.DataFrame":
    import pandas as pd

    rows = [{"model": name} | row for name, model in models.items() for row in model[part]]
    return pd.DataFrame(rows).set_index("model")
