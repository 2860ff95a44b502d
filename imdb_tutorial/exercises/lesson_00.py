"""Exercises of lesson 00: how many numbers, a loss, a step, what learns."""

from collections.abc import Callable

import torch
from torch import nn

from imdb_tutorial.exercises.exercise import Exercise, Mistake


def _try_number(answer: float) -> float:
    return round(float(answer), 3)


def _try_mean_squared_error(answer: Callable) -> list[float]:
    predictions = torch.tensor([1.0, 2.0, 3.0, 4.0])  # [reviews]
    targets = torch.tensor([3.0, 4.0, 7.0, 1.0])  # [reviews]
    return [float(answer(predictions, targets)), float(answer(predictions[:1], targets[:1]))]


def _try_one_step(answer: Callable) -> list[float]:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])  # [reviews]
    y = torch.tensor([3.0, 4.0, 7.0, 8.0])  # [reviews]
    given = ((1.0, 0.05), (3.0, 0.01))
    return [torch.as_tensor(answer(weight, x, y, size)).detach().item() for weight, size in given]


def _try_count_learning(answer: Callable) -> list[float]:
    half = nn.ModuleList([_Layer(4, 3), _Layer(3, 2)])
    half[0].requires_grad_(False)
    frozen = _Layer(5, 2).requires_grad_(False)
    return [float(answer(model)) for model in (half, frozen, _Layer(5, 2))]


class _Layer(nn.Module):
    """The parameters of a linear layer, made without drawing random numbers."""

    def __init__(self, width: int, height: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(height, width))
        self.bias = nn.Parameter(torch.zeros(height))


EXERCISES = (
    Exercise(
        name="numbers_in_a_batch",
        answer_name="prediction",
        hints=(
            "Draw it: one token is a list of 384 numbers. One review is a table of such lists.",
            "A table with 20 rows and 384 columns has 20 times 384 numbers. How many tables?",
        ),
        solution="prediction = 8 * 20 * 384",
        trial=_try_number,
        expects="the number of all numbers in the tensor",
        mistakes=(
            Mistake(
                "prediction = 8 + 20 + 384",
                "You added the sizes. A table with 2 rows and 3 columns has 6 numbers, not 5.",
            ),
            Mistake(
                "prediction = 8 * 20",
                "This is the number of tokens. Each of them is a whole list of numbers.",
            ),
            Mistake("prediction = 20 * 384", "This is one review. The batch holds more of them."),
            Mistake(
                "prediction = 8 * 384",
                "This counts one token in each review. Every review has more tokens.",
            ),
            Mistake("prediction = 3", "This is the number of dimensions, not of the numbers."),
            Mistake(
                "prediction = 384", "This is one single token. Count all tokens of all reviews."
            ),
        ),
    ),
    Exercise(
        name="weight_after_a_step",
        answer_name="prediction",
        hints=(
            "A gradient above zero says: a larger parameter gives a larger loss. Where to go?",
            "The way to go is the gradient times the size of the step, 13 times 0.1.",
        ),
        solution="prediction = 3 - 0.1 * 13",
        trial=_try_number,
        expects="the parameter after the step, one number",
        mistakes=(
            Mistake(
                "prediction = 3 + 0.1 * 13",
                "This goes uphill: the slope is above zero, so a larger parameter is worse.",
            ),
            Mistake(
                "prediction = 3 - 13",
                "This takes the whole gradient as the step. Make it smaller by the step's size.",
            ),
            Mistake(
                "prediction = 3 + 13", "This goes uphill, and takes the whole gradient as the step."
            ),
            Mistake(
                "prediction = 3 - 0.1",
                "This goes down by the step's size alone. How steep the slope is counts, too.",
            ),
            Mistake(
                "prediction = 0.1 * 13",
                "This is how far the parameter moves. Where does it stand after that?",
            ),
            Mistake(
                "prediction = 2.133",
                "This is the bottom of the valley. One small step does not get there.",
            ),
        ),
    ),
    Exercise(
        name="mean_squared_error",
        hints=(
            "First the error of each review: prediction less target. A tensor does all at once.",
            "Multiply each error by itself, ** 2. Then one number for all: .mean().",
        ),
        solution="""
def mean_squared_error(predictions, targets):
    errors = predictions - targets  # [reviews]
    return (errors**2).mean()
""",
        trial=_try_mean_squared_error,
        expects="one number: the mean of the squared errors",
        mistakes=(
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return (predictions - targets).mean()
""",
                "Errors above and below zero cancel each other. Square each error first.",
            ),
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return (predictions - targets).abs().mean()
""",
                "This is the mean distance. Here each error is multiplied by itself instead.",
            ),
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return ((predictions - targets) ** 2).sum()
""",
                "This is the sum. With more reviews it grows; take the mean.",
            ),
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return (predictions - targets).mean() ** 2
""",
                "You square the mean. Square each error, then take the mean.",
            ),
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return ((predictions - targets) ** 2).mean().sqrt()
""",
                "The last step is one too many: no square root here.",
            ),
            Mistake(
                """
def mean_squared_error(predictions, targets):
    return (predictions**2 - targets**2).mean()
""",
                "You square both numbers and then subtract. Subtract first.",
            ),
        ),
    ),
    Exercise(
        name="one_step",
        hints=(
            "Make the parameter a tensor with requires_grad=True, compute the loss, call backward.",
            "After loss.backward() the gradient is in w.grad. w.grad.item() makes it a number.",
            "Go against the gradient: weight - size * w.grad.item().",
        ),
        solution="""
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return weight - size * w.grad.item()
""",
        trial=_try_one_step,
        expects="one number: the parameter after the step",
        mistakes=(
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return weight + size * w.grad.item()
""",
                "The loss gets larger: you went with the gradient, which points uphill.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return weight - w.grad.item()
""",
                "The size of the step is not used: you went the whole gradient.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return w.grad.item()
""",
                "This is the gradient. Return where the parameter stands after the step.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).sum()
    loss.backward()
    return weight - size * w.grad.item()
""",
                "The loss is a sum here. It should be the mean over the reviews, as above.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return w
""",
                "The parameter did not move. backward only computes the gradient; then you step.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    return weight - size * loss.item()
""",
                "You stepped by the loss. How far to go is said by the gradient, in w.grad.",
            ),
            Mistake(
                """
def one_step(weight, x, y, size):
    w = torch.tensor(weight, requires_grad=True)
    loss = (w * x - y).mean()
    loss.backward()
    return weight - size * w.grad.item()
""",
                "The errors are not squared, so the loss has no lowest point.",
            ),
        ),
    ),
    Exercise(
        name="count_learning",
        hints=(
            "Go through model.parameters(): each is a tensor that says requires_grad.",
            "A tensor counts its numbers with numel().",
            "sum(p.numel() for p in ... if ...)",
        ),
        solution="""
def count_learning(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
""",
        trial=_try_count_learning,
        expects="a whole number: how many numbers of the model can change",
        mistakes=(
            Mistake(
                """
def count_learning(model):
    return sum(p.numel() for p in model.parameters())
""",
                "This counts all parameters. The frozen ones do not learn.",
            ),
            Mistake(
                """
def count_learning(model):
    return sum(1 for p in model.parameters() if p.requires_grad)
""",
                "This counts tensors. Count the numbers in them.",
            ),
            Mistake(
                """
def count_learning(model):
    return sum(len(p) for p in model.parameters() if p.requires_grad)
""",
                "You count with len: it gives the first size alone. A table has rows and columns.",
            ),
            Mistake(
                """
def count_learning(model):
    return sum(p.numel() for p in model.parameters() if not p.requires_grad)
""",
                "This counts the frozen ones.",
            ),
            Mistake(
                """
def count_learning(model):
    return len(list(model.parameters()))
""",
                "This counts all tensors, frozen ones too. Count the numbers that can change.",
            ),
            Mistake(
                """
def count_learning(model):
    return sum(p.requires_grad * p.shape[-1] for p in model.parameters())
""",
                "This takes the last size of each tensor. A table has rows and columns.",
            ),
        ),
    ),
)
