"""A run's bill: what each way costs, and what lies on disk."""

import dataclasses

from imdb_tutorial.cost import report
from imdb_tutorial.cost.flops import EncoderShape
from imdb_tutorial.presets import Preset


@dataclasses.dataclass(frozen=True)
class Way:
    """What one way of doing a run costs.

    Args:
        passes: How often BERT reads a training review.
        tokens: Tokens that BERT computes, padding and all passes included.
        flops: Floating-point operations for them.
        dtype: The precision, ``"float32"`` or ``"bfloat16"``.
        flops_per_second: The speed, measured on a small part.
        measured_tokens: How many tokens BERT computed for that.
        bert_seconds: How long BERT will take here.
        other_seconds: Tokenizing and the probe's learning, where that is not in it already.
    """

    passes: int
    tokens: int
    flops: float
    dtype: str
    flops_per_second: float
    measured_tokens: int
    bert_seconds: float
    other_seconds: float

    @property
    def seconds(self) -> float:
        """How long all of it will take here."""
        return self.bert_seconds + self.other_seconds


@dataclasses.dataclass(frozen=True)
class Cost:
    """The bill of a preset's run on this machine; ``print`` shows it as a table.

    Args:
        preset: Which reviews, which BERT, how long.
        shape: The encoder's layers, hidden and intermediate size.
        device: Where BERT runs.
        threads: How many processor cores take part.
        reviews: Number of reviews by pool.
        reviews_once: How many our way reads; a pool that is taken twice counts once.
        counted_reviews: How many of these were tokenized to know how long they are.
        text_tokens: Tokens of these texts, each once, without padding.
        matrix_rate: Of large matrix products by precision, measured, in operations a second.
        classic: BERT inside the loop, each review padded to the longest input. It reads train and
            validation in every epoch, test once.
        ours: One pass over batches sorted by length; then the probe learns on features.
        kept: Share of our pass, 0 to 1, that is in the cache already.
        seconds_left: How long our way will take with that.
        feature_bytes: The features on disk, all poolings together.
        shard_bytes: What shards hold beside them at most, until a pool is finished.
        shards: About how many that are, if nothing interrupts the run.
        encoder_bytes: The encoder's weights on disk.
        calibration_seconds: How long the measuring took.
    """

    preset: Preset
    shape: EncoderShape
    device: str
    threads: int
    reviews: dict[str, int]
    reviews_once: int
    counted_reviews: int
    text_tokens: int
    matrix_rate: dict[str, float]
    classic: Way
    ours: Way
    kept: float
    seconds_left: float
    feature_bytes: int
    shard_bytes: int
    shards: int
    encoder_bytes: int
    calibration_seconds: float

    @property
    def times_faster(self) -> float:
        """How many times our way fits into the classic one's time."""
        return self.classic.seconds / self.ours.seconds

    def __str__(self) -> str:
        return report.bill(self)

    def _repr_html_(self) -> str:
        return report.as_html(str(self))
