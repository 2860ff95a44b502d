"""What a training run remembers."""

import dataclasses


@dataclasses.dataclass
class History:
    """What a training run remembers, one number an epoch.

    Args:
        train_losses: Cross-entropy on the training reviews, the mean per review.
        val_accuracy: Share of the validation reviews that were right, 0 to 1.
        val_losses: Cross-entropy on the validation reviews, the mean per review.
    """

    train_losses: list[float] = dataclasses.field(default_factory=list)
    val_accuracy: list[float] = dataclasses.field(default_factory=list)
    val_losses: list[float] = dataclasses.field(default_factory=list)
