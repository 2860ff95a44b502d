"""What was measured of the real size: a BERT of 12 layers of 768, all reviews, and a GPU."""

from typing import Any, NamedTuple

from imdb_tutorial.evaluation.intervals import Interval
from imdb_tutorial.evaluation.records import read_record


class RealSizeRun(NamedTuple):
    """All reviews of the three pools, read once by two encoders; a probe on each one's features.

    Args:
        device: On what it ran.
        dtype: The precision of BERT's arithmetic.
        reviews: Number of reviews by pool.
        accuracies: By encoder, by pooling: the share of test reviews that are right, with an
            interval that counts films.
        differences: By pooling: the first encoder's accuracy less the second's, on the same
            reviews; the difference, and where its interval begins and ends.
        seconds: By encoder, how long its features took, tokenizing included.
        tokens_per_second: By encoder; padding does not count.
        matrix_rate: By encoder: what large matrix products reached just then, FLOP a second.
        share_of_matrix_rate: By encoder: which share of that its features reached.
        peak_memory_mb: The most that was held, in the ``main`` memory and perhaps on a ``gpu``.
    """

    device: str
    dtype: str
    reviews: dict[str, int]
    accuracies: dict[str, dict[str, Interval]]
    differences: dict[str, list[float]]
    seconds: dict[str, float]
    tokens_per_second: dict[str, int]
    matrix_rate: dict[str, float]
    share_of_matrix_rate: dict[str, float]
    peak_memory_mb: dict[str, int]


class BothWays(NamedTuple):
    """BERT inside the loop beside BERT once: the same encoder, reviews and machine, in turn.

    Args:
        device: On what.
        encoder: Which BERT.
        tokens_per_second: By way; padding does not count.
        seconds: By way: thirty epochs of train and validation, extrapolated from a part.
        probe_seconds: How many of our seconds are thirty epochs of the probe; the rest is BERT.
        times_faster: By way: how often it fits into the classic loop's time.
        share_of_matrix_rate: What the fastest way reaches of the rate of large matrix products.
        peak_memory_mb: The most that was held, in the ``main`` memory and perhaps on a ``gpu``.
    """

    device: str
    encoder: str
    tokens_per_second: dict[str, int]
    seconds: dict[str, float]
    probe_seconds: float
    times_faster: dict[str, float]
    share_of_matrix_rate: float
    peak_memory_mb: dict[str, int]


class EstimateError(NamedTuple):
    """How far bills were from what the runs then took.

    Args:
        encoder: Which BERT.
        device: On what.
        reviews: Number of reviews by pool.
        ratios: By way, the bill's seconds divided by the run's, one a round.
        loads: How many programs wanted a processor core in the minute before, one a round.
    """

    encoder: str
    device: str
    reviews: dict[str, int]
    ratios: dict[str, list[float]]
    loads: list[float]


def load_estimate_error() -> EstimateError:
    """Read what ``benchmarks/estimate_error.py`` measured: bills asked for before, beside runs."""
    record = read_record("estimate_error")
    rounds = [one["ratio"] for one in record["rounds"]]
    return EstimateError(
        encoder=record["encoder"],
        device=f"{record['device']}, {record['threads']} threads, {record['dtype']}",
        reviews=record["reviews"],
        ratios={way: [one[way] for one in rounds] for way in rounds[0]},
        loads=[one["load"][0] for one in record["rounds"]],
    )


def load_base_run() -> RealSizeRun:
    """Read what ``benchmarks/base_run.py`` measured on all reviews."""
    record = read_record("base_run")["whole run"]
    encoders = list(dict.fromkeys(row["encoder"] for row in record["rows"]))
    tested = record["reviews"]["test"]
    return RealSizeRun(
        device=record["device"],
        dtype=record["dtype"],
        reviews=record["reviews"],
        accuracies={
            name: {
                row["pooling"]: Interval(
                    row["accuracy"],
                    low=row["interval_over_films"][0],
                    high=row["interval_over_films"][1],
                    reviews=tested,
                )
                for row in record["rows"]
                if row["encoder"] == name
            }
            for name in encoders
        },
        differences={
            pooling: record[f"base less MiniLM, {pooling}"]
            for pooling in dict.fromkeys(row["pooling"] for row in record["rows"])
        },
        seconds={name: record[name]["seconds, tokenizing included"] for name in encoders},
        tokens_per_second={name: record[name]["tokens_a_second"] for name in encoders},
        matrix_rate={name: record[name]["matrix_tflops"] * 1e12 for name in encoders},
        share_of_matrix_rate={name: record[name]["share_of_matrix_rate"] for name in encoders},
        peak_memory_mb=record["peak_memory_mb"],
    )


def load_both_ways() -> list[BothWays]:
    """Read what ``benchmarks/base_run.py`` and ``benchmarks/gpu_check.py`` measured on a part.

    Returns:
        One entry for each machine and encoder.
    """
    runs = read_record("base_run")["speed on a part"].values()
    found = [
        _both_ways(run, "all-mpnet-base-v2", run["device"], f"ours, {run['dtype']}") for run in runs
    ]
    check = read_record("gpu_check")
    encoders = [name for name in check if isinstance(check[name], dict) and "passed" in check[name]]
    return found + [_both_ways(check[name], name, check["device"], "") for name in encoders]


def _both_ways(run: dict, encoder: str, device: str, ours: str) -> BothWays:
    """Read one run; ``ours`` is the name of our way, where it has only one."""

    def by_way(values: Any) -> dict[str, Any]:
        values = values if isinstance(values, dict) else {"ours": values}
        return {ours if way == "ours" else way: value for way, value in values.items()}

    share = "share_of_matrix_rate" if "share_of_matrix_rate" in run else "model_flops_utilisation"
    return BothWays(
        device=device,
        encoder=encoder,
        tokens_per_second=by_way(run["tokens_of_text_a_second"]),
        seconds=by_way(run["run_seconds"]),
        probe_seconds=run["seconds_of_thirty_epochs_on_features"],
        times_faster=by_way(run["times_faster"]),
        share_of_matrix_rate=run[share],
        peak_memory_mb=run["peak_memory_mb"],
    )
