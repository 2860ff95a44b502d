"""Why the classic run took 5 h 13 min: its operations, and the speed that follows."""

import dataclasses

from imdb_tutorial.cost import report
from imdb_tutorial.cost.flops import BERT_BASE, EncoderShape, forward_flops
from imdb_tutorial.evaluation.records import load_reference_run
from imdb_tutorial.presets import MAX_LENGTH


@dataclasses.dataclass(frozen=True)
class ReferenceCost:
    """What the classic run computed, and how fast; ``print`` shows the arithmetic.

    Args:
        reviews_an_epoch: Reviews that BERT read in an epoch, to learn from and to test on.
        epochs: How often.
        tokens_a_review: Tokens of each review, padding included.
        shape: The encoder's layers, hidden and intermediate size.
        flops_a_token: Floating-point operations for each of them.
        tokens: Tokens in all.
        flops: Operations in all.
        seconds: How long the run took, as it was recorded.
    """

    reviews_an_epoch: int
    epochs: int
    tokens_a_review: int
    shape: EncoderShape
    flops_a_token: float
    tokens: int
    flops: float
    seconds: float

    @property
    def flops_per_second(self) -> float:
        """The speed that follows, all that was not BERT included."""
        return self.flops / self.seconds

    def __str__(self) -> str:
        return report.reference(self)

    def _repr_html_(self) -> str:
        return report.as_html(str(self))


def explain_reference_run(
    batch_size: int = 32, max_length: int = MAX_LENGTH, shape: EncoderShape = BERT_BASE
) -> ReferenceCost:
    """Say how many operations the classic run's 5 h 13 min were, and how fast its GPU worked.

    Time, epochs and reviews are the recorded ones. Which GPU it was is not known; the speed is what
    it did, not what it could have done.

    Args:
        batch_size: Reviews in a batch.
        max_length: Tokens to which each review was padded.
        shape: The encoder's; without it, that of bert-base (Devlin et al., 2019).

    Returns:
        Each factor, their product, and the speed.
    """
    run = load_reference_run()
    reviews = run.num_batches * batch_size + run.num_test_reviews
    epochs = len(run.accuracies)
    flops_a_token = float(forward_flops(shape, 1, max_length)) / max_length
    tokens = reviews * epochs * max_length
    return ReferenceCost(
        reviews_an_epoch=reviews,
        epochs=epochs,
        tokens_a_review=max_length,
        shape=shape,
        flops_a_token=flops_a_token,
        tokens=tokens,
        flops=tokens * flops_a_token,
        seconds=run.seconds,
    )
