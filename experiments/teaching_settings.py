"""What the teacher and the student are taught with: the only place with numbers to change."""

from dataclasses import dataclass, replace

import torch

from imdb_tutorial import choose_dtype


@dataclass(frozen=True)
class Settings:
    """How one classifier is taught.

    Args:
        encoder: What ``load_encoder`` takes.
        layers: So many layers learn, counted from the top; those below stay as they are.
        rank: Of the small matrices.
        alpha: Their product is multiplied by ``alpha / rank``.
        rates: Learning rates to choose from.
        phases: One after the other, ``(tokens, epochs)``: a longer review is read by its head and
            its tail, half of the tokens each.
        readings: So many tokens the finished classifier may read of a review, by head and tail; the
            number with the lowest validation loss is kept.
        seeds: One run each; the best by validation loss is kept, or a mean of several if better.
        goes_on: Phases in which what was kept goes on, one after another, each beginning at half
            the rate; what comes of one, or the mean of several, is kept if its loss is lower.
        true_label: The share of the true label in what the student learns; the rest is the
            teacher's soft label.
        trial_reviews: A rate is tried on so many reviews, in the first phase, for one epoch.
        passages: For this share of the reviews it also learns from one to three sentences out of
            one, with the review's label: so it learns how little a single sentence says.
        fragments: For this share of the reviews it also learns from a few words out of one.
        most_bytes: The saved adapter must not be larger.
        reviews: So many train reviews are learnt from; ``None`` takes all.
        batch_size: Texts in a step.
        warmup: Share of the steps in which the rate rises.
        weight_decay: As in AdamW.
        max_norm: Longer gradients are cut.
    """

    encoder: str
    layers: int
    rank: int
    alpha: int
    rates: tuple[float, ...]
    phases: tuple[tuple[int, int], ...]
    readings: tuple[int, ...]
    seeds: tuple[int, ...]
    true_label: float
    trial_reviews: int
    most_bytes: int
    goes_on: tuple[tuple[int, int], ...] = ()
    passages: float = 0.25
    fragments: float = 0.0
    reviews: int | None = None
    batch_size: int = 32
    warmup: float = 0.06
    weight_decay: float = 0.01
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        for name in ("layers", "rank", "alpha", "batch_size", "trial_reviews", "most_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected 1 or more")
        for name in ("true_label", "passages", "fragments"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected a share, 0 to 1")
        if self.reviews is not None and self.reviews < 2:
            raise ValueError(f"reviews is {self.reviews}: expected 2 or more, or None for all")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds is {self.seeds}: expected one or more different ones")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"rates is {self.rates}: expected one or more above zero")
        if not self.phases:
            raise ValueError("phases is empty: expected one or more (tokens, epochs)")
        for tokens, epochs in (*self.phases, *self.goes_on):
            if tokens < 8 or tokens % 2 or epochs < 1:
                raise ValueError(
                    f"the phase ({tokens}, {epochs}): expected an even number of tokens, 8 or "
                    "more, and one epoch or more"
                )
        if not self.readings or any(n < 8 or n % 2 for n in self.readings):
            raise ValueError(
                f"readings is {self.readings}: expected one or more even numbers of tokens, each 8 "
                "or more"
            )


# Six of twelve layers: what the six below them give is computed once and kept on the disk. Hu
# et al. (2021, table 9) take 4e-4 or 5e-4 for every task of a RoBERTa of this size, and so no time
# goes into trying rates. It learns from fewer than half of the reviews: to the others its soft
# labels are answers to texts it never saw, and the time goes into the small classifier.
TEACHER = Settings(
    encoder="base",
    layers=6,
    rank=20,
    alpha=20,
    rates=(5e-4,),
    phases=((384, 1),),
    readings=(384, 512),
    seeds=(0,),
    true_label=1.0,
    trial_reviews=1_500,
    most_bytes=4_000_000,
    reviews=8_000,
)
# Twice this rate has the lower validation loss after a short trial, and the higher one at the end.
STUDENT = Settings(
    encoder="packaged",
    layers=6,
    rank=24,
    alpha=24,
    rates=(1e-3,),
    phases=((128, 1), (384, 1)),
    readings=(384, 512),
    seeds=(0, 1, 2),
    true_label=0.3,
    trial_reviews=4_000,
    most_bytes=2_500_000,
    goes_on=((512, 1), (512, 1)),
    passages=0.5,
    fragments=0.25,
)
# Float32 takes two to three times as long, so less is done without bfloat16.
WITHOUT_BFLOAT16 = {STUDENT.encoder: {"seeds": (0,)}}


def for_this_machine(settings: Settings, reviews: int | None) -> Settings:
    """Take fewer reviews where asked to; do less without bfloat16, and say so."""
    if reviews is not None:
        return replace(settings, reviews=reviews)
    less = WITHOUT_BFLOAT16.get(settings.encoder, {})
    if choose_dtype("cpu") == torch.bfloat16 or not less:
        return settings
    each = ", ".join(f"{name} = {value}" for name, value in less.items())
    print(
        "this processor has no bfloat16, so the work takes more than twice as long: "
        f"{settings.encoder!r} is taught with {each}"
    )
    return replace(settings, **less)
