"""Exercises on softmax before cross-entropy, and on choosing on the test set."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch

from imdb_tutorial.exercises.exercise import Exercise, Mistake


def name_of_bin(number: float, edges: Sequence[float]) -> str:
    """Say between which edges a guess lies, so that close guesses are the same answer."""
    ends = [-np.inf, *edges, np.inf]
    return next(f"{low} to {high}" for low, high in pairwise(ends) if low <= float(number) <= high)


def _try_loss(answer: Callable) -> list[float]:
    one = torch.tensor([[2.0, -1.0], [0.5, 1.5], [-3.0, 1.0]]), torch.tensor([0, 0, 1])
    other = torch.tensor([[0.0, 0.0], [1.0, 3.0]]), torch.tensor([1, 1])
    return [float(answer(*one)), float(answer(*other))]


def _try_floor(answer: Callable) -> list[float]:
    return [float(answer(num_labels)) for num_labels in (2, 3, 10)]


def _try_push(answer: float) -> str:
    return name_of_bin(answer, (-0.01, 0.02, 0.2, 0.35, 0.6, 1.05))


def _try_coins(answer: float) -> str:
    return name_of_bin(answer, (0.495, 0.51, 0.59, 0.71, 0.85, 1.0))


def _toy_candidates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nine candidates' answers to eighty reviews, and two sets of fifteen of those."""
    random = np.random.default_rng(115)  # every way of choosing finds another candidate
    right = random.random((9, 80)) < np.linspace(0.6, 0.7, 9)[:, None]
    order = random.permutation(80)
    return right, order[:15], order[15:30]


def _try_optimism(answer: Callable) -> float:
    right, test, _ = _toy_candidates()
    return float(answer(right, test, np.setdiff1d(np.arange(80), test)))


def _try_choosing(answer: Callable) -> list[float]:
    candidate, accuracy = answer(*_toy_candidates())
    return [float(candidate), float(accuracy)]


EXERCISES = (
    Exercise(
        name="loss_from_logits",
        hints=(
            "Three steps: softmax, the true label's share, its negative logarithm.",
            "Softmax of a row: logits.exp() divided by its sum over dim=1 (keepdim=True).",
            "shares[torch.arange(len(labels)), labels] picks one number a row. Then the mean.",
        ),
        solution="""
def loss_from_logits(logits, labels):
    shares = logits.exp() / logits.exp().sum(dim=1, keepdim=True)  # [batch, 2]
    of_the_true_label = shares[torch.arange(len(labels)), labels]  # [batch]
    return -of_the_true_label.log().mean()
""",
        trial=_try_loss,
        expects="one number, the mean loss of the batch",
        mistakes=(
            Mistake(
                """
def loss_from_logits(logits, labels):
    return nn.functional.cross_entropy(logits.softmax(dim=1), labels)
""",
                "Softmax is applied twice here: cross_entropy applies it, too. This is the trap.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    shares = logits.softmax(dim=1)
    return -shares[torch.arange(len(labels)), labels].log().sum()
""",
                "You add the losses up. The loss of a batch is the mean over its reviews.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    shares = logits.softmax(dim=1)
    return shares[torch.arange(len(labels)), labels].log().mean()
""",
                "The sign is wrong: this grows when the model gets better. A loss falls.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    shares = logits.softmax(dim=0)
    return -shares[torch.arange(len(labels)), labels].log().mean()
""",
                "Your shares add up to 1 in each column. They must add up to 1 for each review.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    shares = logits.softmax(dim=1)
    return -shares[torch.arange(len(labels)), labels].mean().log()
""",
                "You take the mean first and the logarithm after it. Each review has its own loss.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    return -logits.softmax(dim=1).max(dim=1).values.log().mean()
""",
                "You take the larger share of each review. The labels say which share counts.",
            ),
            Mistake(
                """
def loss_from_logits(logits, labels):
    return -logits.softmax(dim=1).log().mean()
""",
                "You use the shares of both labels. Only the true label's share counts.",
            ),
        ),
    ),
    Exercise(
        name="loss_floor",
        hints=(
            "The best possible output: 1 for the true label, 0 for all the others.",
            "Softmax of that: e for the true label, 1 (which is e to the power 0) for each other.",
            "The sum is e + (num_labels - 1). The loss is the negative logarithm of the share.",
        ),
        solution="""
def loss_floor(num_labels):
    share = math.e / (math.e + num_labels - 1)
    return -math.log(share)
""",
        trial=_try_floor,
        expects="0.3133 for two labels, and more for more labels",
        mistakes=(
            Mistake(
                """
def loss_floor(num_labels):
    return math.log(1 + math.exp(-1))
""",
                "This is right for two labels only. What changes when there are ten?",
            ),
            Mistake(
                """
def loss_floor(num_labels):
    return 0.0
""",
                "Zero is the lowest loss when softmax is applied once. Here it is applied twice.",
            ),
            Mistake(
                """
def loss_floor(num_labels):
    return math.log(num_labels)
""",
                "This is the loss of a model that knows nothing. You want that of a perfect one.",
            ),
            Mistake(
                """
def loss_floor(num_labels):
    return math.e / (math.e + num_labels - 1)
""",
                "This is the share of the true label. One step is missing to make a loss of it.",
            ),
            Mistake(
                """
def loss_floor(num_labels):
    return -math.log(math.e / (math.e + num_labels))
""",
                "You count the true label among the others, too: there are num_labels in all.",
            ),
            Mistake(
                """
def loss_floor(num_labels):
    return -math.log(1 / (1 + (num_labels - 1) * math.e))
""",
                "Here a wrong label has the 1, and the true one the 0: this is the highest loss.",
            ),
        ),
    ),
    Exercise(
        name="push_when_wrong",
        answer_name="prediction",
        hints=(
            "The first softmax makes of a gap of -8 the shares 0.9997 and 0.0003.",
            "Move the gap to -7: the shares are 0.999 and 0.001. How much did they change?",
        ),
        solution="prediction = 0.0005",
        trial=_try_push,
        mistakes=(
            Mistake(
                "prediction = 1.0",
                "This is the push with one softmax. Does the first softmax let it through?",
            ),
            Mistake("prediction = 0.5", "This is the push at gap 0 with one softmax."),
            Mistake("prediction = 0.25", "This is the push at gap 0. The gap here is -8."),
            Mistake("prediction = 0.1", "Too much. How far do the shares move at a gap of -8?"),
            Mistake("prediction = 2", "Too much: no push here is larger than 1."),
            Mistake(
                "prediction = -1",
                "A negative push would make the model worse. The sign is right in both ways.",
            ),
        ),
    ),
    Exercise(
        name="best_of_coins",
        answer_name="prediction",
        hints=(
            "One coin, 100 times: about 50 heads, and five more or five less is nothing unusual.",
            "15 heads above the middle happen once in about 600 times. You try 450 times.",
        ),
        solution="prediction = 0.65",
        trial=_try_coins,
        mistakes=(
            Mistake(
                "prediction = 0.50",
                "This is the mean of all the candidates. You report the best of them.",
            ),
            Mistake(
                "prediction = 0.55",
                "Too low. One coin in six gets there, and you choose among 450.",
            ),
            Mistake("prediction = 0.80", "Too high: 100 coins hardly ever fall that unevenly."),
            Mistake("prediction = 0.95", "Far too high: no luck of this size in 450 tries."),
            Mistake("prediction = 65", "Give a share between 0 and 1: 50 % is 0.50."),
            Mistake(
                "prediction = 0.4", "Lower than a single coin on average: you report the best."
            ),
        ),
    ),
    Exercise(
        name="optimism",
        hints=(
            "right[:, test] are the answers to the test reviews; its mean over axis=1 is one "
            "accuracy for each candidate.",
            "argmax() says which candidate is best there.",
            "Promised is its accuracy on test, kept is its accuracy on rest.",
        ),
        solution="""
def optimism(right, test, rest):
    on_test = right[:, test].mean(axis=1)  # [candidates]
    best = on_test.argmax()
    return on_test[best] - right[best, rest].mean()
""",
        trial=_try_optimism,
        expects="the promised accuracy less the kept one",
        mistakes=(
            Mistake(
                """
def optimism(right, test, rest):
    best = right.mean(axis=1).argmax()
    return right[best, test].mean() - right[best, rest].mean()
""",
                "You choose by all reviews. The choice may only look at the test reviews.",
            ),
            Mistake(
                """
def optimism(right, test, rest):
    return right[:, test].mean(axis=1).max() - right[:, rest].mean(axis=1).max()
""",
                "You compare two winners. What does the winner of test reach on the rest?",
            ),
            Mistake(
                """
def optimism(right, test, rest):
    return right[:, test].mean(axis=1).max() - right[:, rest].mean()
""",
                "You compare the winner with the mean of all candidates. Follow the winner alone.",
            ),
            Mistake(
                """
def optimism(right, test, rest):
    best = right[:, test].mean(axis=1).argmax()
    return right[best, rest].mean() - right[best, test].mean()
""",
                "The other way round: promised less kept, so that too high a promise is above 0.",
            ),
            Mistake(
                """
def optimism(right, test, rest):
    return right[:, test].mean(axis=1).max()
""",
                "This is the promise. What the winner keeps on the rest is still missing.",
            ),
            Mistake(
                """
def optimism(right, test, rest):
    best = right[:, rest].mean(axis=1).argmax()
    return right[best, test].mean() - right[best, rest].mean()
""",
                "You choose on the rest, which nobody has at hand when choosing.",
            ),
        ),
    ),
    Exercise(
        name="choose_fairly",
        hints=(
            "Which candidate: look at the validation reviews only.",
            "Which number: that candidate's accuracy on the test reviews.",
        ),
        solution="""
def choose_fairly(right, validation, test):
    best = right[:, validation].mean(axis=1).argmax()
    return best, right[best, test].mean()
""",
        trial=_try_choosing,
        expects="two things: the number of the candidate, and its accuracy on test",
        mistakes=(
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right[:, test].mean(axis=1).argmax()
    return best, right[best, test].mean()
""",
                "You choose by the test reviews. This is the trap.",
            ),
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right[:, validation].mean(axis=1).argmax()
    return best, right[best, validation].mean()
""",
                "The right candidate, but you report the accuracy by which it was chosen.",
            ),
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right[:, validation].mean(axis=1).argmax()
    return best, right[:, test].mean(axis=1).max()
""",
                "The right candidate, but you report the best test accuracy of all candidates.",
            ),
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right[:, validation].mean(axis=1).argmax()
    return right[best, test].mean(), best
""",
                "Both are right, in the wrong order: first the candidate, then the accuracy.",
            ),
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right[:, validation].mean(axis=1).argmin()
    return best, right[best, test].mean()
""",
                "This is the worst candidate on validation.",
            ),
            Mistake(
                """
def choose_fairly(right, validation, test):
    best = right.mean(axis=1).argmax()
    return best, right[best, test].mean()
""",
                "You choose by all reviews, and the test reviews are among them.",
            ),
        ),
    ),
)
