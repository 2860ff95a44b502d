"""The exercises of lesson 09: groups of verdicts, temperatures, and both ends of a review."""

from collections.abc import Callable
from typing import Any

import numpy as np

from imdb_tutorial.exercises.exercise import Exercise, Mistake


def _try_one_group(one_group: Callable) -> list:
    # On each edge of the group stands a verdict.
    sure = np.array([0.55, 0.9, 0.9, 0.91, 0.94, 0.95, 0.95, 0.99])
    right = np.array([True, True, True, True, False, True, True, False])
    outcomes = [one_group(sure, right, 0.9, 0.95), one_group(sure, right, 0.5, 0.6)]
    return [[float(number) for number in outcome] for outcome in outcomes]


def _try_loss_at_temperature(loss_at_temperature: Callable) -> list[float]:
    margins, labels = np.array([3.0, -1.0, 0.5, -2.0]), np.array([1, 0, 0, 1])
    return [float(loss_at_temperature(margins, labels, t)) for t in (1.0, 2.0, 4.0)]


def _try_both_ends(both_ends: Callable) -> list[list[int]]:
    tries = [(list(range(10)), 4), (list(range(10)), 5), (list(range(6)), 6), ([7, 8], 5)]
    return [list(both_ends(ids, room)) for ids, room in tries]


def _try_share_of_all(share_of_all: Callable) -> list[float]:
    tries = (([3, 1], [10, 20], [100, 900]), ([0, 2], [5, 4], [50, 150]))
    return [float(share_of_all(*map(np.array, numbers))) for numbers in tries]


def _size_of_floor(prediction: Any) -> str:
    floor = float(prediction)
    if floor > 1:
        return "percent"
    bins = ((0.0, "none"), (0.008, "smaller"), (0.014, "the same"), (0.025, "a little larger"))
    return next((name for top, name in bins if floor <= top), "fits" if floor <= 0.08 else "huge")


def _accuracy_and_confidence(prediction: Any) -> list[float]:
    return [round(float(number), 2) for number in prediction]


EXERCISES = (
    Exercise(
        name="one_group",
        hints=(
            "Make an array of True and False first: which confidences are in the group?",
            "Two conditions on arrays are joined with &, each in its own brackets. The upper edge "
            "belongs to the group, the lower one does not.",
            "sure[inside] are the confidences in the group. The mean of True and False is a share.",
        ),
        solution="""
def one_group(sure, right, low, high):
    inside = (sure > low) & (sure <= high)
    return inside.sum(), sure[inside].mean(), right[inside].mean()
""",
        trial=_try_one_group,
        mistakes=(
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure >= low) & (sure < high)
    return inside.sum(), sure[inside].mean(), right[inside].mean()
""",
                "The edges are the other way round: a confidence of exactly high belongs to the "
                "group, one of exactly low does not.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure >= low) & (sure <= high)
    return inside.sum(), sure[inside].mean(), right[inside].mean()
""",
                "Both edges are in your group. Then a verdict on an edge is counted twice: in this "
                "group and in the one below.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = sure > low
    return inside.sum(), sure[inside].mean(), right[inside].mean()
""",
                "Your group has a lower end only: more confident verdicts are in it, too.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure > low) & (sure <= high)
    return len(inside), sure[inside].mean(), right[inside].mean()
""",
                "The first number counts all verdicts. Count only those in the group, where the "
                "array of True and False is True.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure > low) & (sure <= high)
    return inside.sum(), sure[inside].mean(), right.mean()
""",
                "The third number is the accuracy on all verdicts, not on those of the group.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure > low) & (sure <= high)
    return inside.sum(), sure[inside].mean(), right[inside].sum()
""",
                "The third number is a count. A share of the group is asked for, between 0 and 1.",
            ),
            Mistake(
                """
def one_group(sure, right, low, high):
    inside = (sure > low) & (sure <= high)
    return inside.sum(), right[inside].mean(), sure[inside].mean()
""",
                "All three numbers are right, in another order: the count, then the confidence, "
                "then the share that is right.",
            ),
        ),
        expects="three numbers for each of two groups",
    ),
    Exercise(
        name="floor_with_fewer_reviews",
        answer_name="prediction",
        hints=(
            "Each group now holds 16 times fewer reviews. Does its share that is right wobble more "
            "or less by chance?",
            "An interval gets twice as wide with a quarter of the reviews. So how much wider with "
            "a sixteenth?",
        ),
        solution="prediction = 0.04",
        trial=_size_of_floor,
        mistakes=(
            Mistake(
                "prediction = 0",
                "It would be 0 only if each group's share hit its confidence exactly. Chance does "
                "not allow that.",
            ),
            Mistake(
                "prediction = 0.005",
                "Smaller than with 4,000 reviews? With fewer reviews chance has more room, not "
                "less.",
            ),
            Mistake(
                "prediction = 0.01",
                "About the same as with 4,000 reviews? Think of the interval of an accuracy: does "
                "its width depend on the number of reviews?",
            ),
            Mistake(
                "prediction = 0.02",
                "Larger is the right direction, but this would be the answer for a quarter of the "
                "reviews. Here it is a sixteenth.",
            ),
            Mistake(
                "prediction = 0.16",
                "Too large: 16 times fewer reviews do not make the error 16 times larger. It grows "
                "more slowly.",
            ),
            Mistake(
                "prediction = 4",
                "That is more than 1. A calibration error is a share: write 0.02 for 2 percent.",
            ),
        ),
        expects="one number, such as 0.5",
    ),
    Exercise(
        name="loss_at_temperature",
        hints=(
            "Three steps: divide the margins, turn them into probabilities of POSITIVE, take the "
            "logarithm of the probability of the label.",
            "The probability of the label is p where the label is 1, and 1 - p where it is 0: "
            "np.where chooses between them.",
            "Cross-entropy is minus the mean of these logarithms.",
        ),
        solution="""
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins / temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).mean()
""",
        trial=_try_loss_at_temperature,
        mistakes=(
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins * temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).mean()
""",
                "You multiply by the temperature. A high temperature should make the margins "
                "smaller.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins)) / temperature
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).mean()
""",
                "You divide the probabilities. The temperature divides the margins, before they "
                "become probabilities.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins / temperature))
    return -np.log(positive).mean()
""",
                "You take the probability of POSITIVE for every review. For a negative review the "
                "probability of NEGATIVE counts.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins / temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return np.log(of_the_label).mean()
""",
                "The number is right but for its sign: a loss is never below 0.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins / temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).sum()
""",
                "You add up the losses of the reviews. Their mean is asked for, so that the number "
                "does not grow with the number of reviews.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins / temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label.mean())
""",
                "You take the mean first and the logarithm of it. Each review has its own "
                "logarithm; the mean comes last.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(-margins))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).mean()
""",
                "It gives the same at every temperature: you do not use it yet.",
            ),
            Mistake(
                """
def loss_at_temperature(margins, labels, temperature):
    positive = 1 / (1 + np.exp(margins / temperature))
    of_the_label = np.where(labels == 1, positive, 1 - positive)
    return -np.log(of_the_label).mean()
""",
                "A sign is missing inside exp: with a large margin the probability of POSITIVE "
                "should be near 1.",
            ),
        ),
        expects="one number above 0 at each of three temperatures",
    ),
    Exercise(
        name="very_high_temperature",
        answer_name="prediction",
        hints=(
            "Which verdicts change when all margins are divided by the same number? Think of their "
            "signs.",
            "A margin of 5 becomes 0.005. What is the probability of POSITIVE there, and so the "
            "confidence?",
        ),
        solution="prediction = (0.91, 0.50)",
        trial=_accuracy_and_confidence,
        mistakes=(
            Mistake(
                "prediction = (0.50, 0.50)",
                "The confidence is right. But which verdicts change? A margin above 0 stays above "
                "0, however small it gets.",
            ),
            Mistake(
                "prediction = (0.91, 0.91)",
                "The accuracy is right. But such a high temperature does not calibrate the model: "
                "look at what it does to a margin of 5.",
            ),
            Mistake(
                "prediction = (0.91, 0.00)",
                "The accuracy is right. A margin near 0 is not a confidence near 0: compute the "
                "probability at a margin of 0.",
            ),
            Mistake(
                "prediction = (0.91, 1.00)",
                "The accuracy is right. The confidence goes the other way: a high temperature "
                "makes a model less sure.",
            ),
            Mistake(
                "prediction = (0.50, 0.91)",
                "Two things: first the accuracy, then the mean confidence. And which of them does "
                "a temperature change?",
            ),
            Mistake(
                "prediction = (0.50, 0.00)",
                "No verdict changes, so the accuracy cannot fall. And the less likely verdict of "
                "two would have less than half: can a confidence be 0?",
            ),
        ),
        expects="two numbers from 0 to 1: the accuracy, the mean confidence",
    ),
    Exercise(
        name="both_ends",
        hints=(
            "First the easy case: what if the list is not longer than room?",
            "How many of the room are for the head? room // 2 rounds down; the tail gets the rest.",
            "The last n of a list are ids[-n:], or ids[len(ids) - n:].",
        ),
        solution="""
def both_ends(ids, room):
    if len(ids) <= room:
        return ids
    head = room // 2
    return ids[:head] + ids[-(room - head):]
""",
        trial=_try_both_ends,
        mistakes=(
            Mistake(
                """
def both_ends(ids, room):
    head = room // 2
    return ids[:head] + ids[-(room - head):]
""",
                "A list that fits comes back with some tokens twice: treat that case first.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    if len(ids) <= room:
        return ids
    return ids[:room] + ids[-room:]
""",
                "You return twice as many tokens as there is room for: half of them each.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    if len(ids) <= room:
        return ids
    half = room // 2
    return ids[:half] + ids[-half:]
""",
                "With an odd room one place stays empty. The tail should have it.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    if len(ids) <= room:
        return ids
    tail = room // 2
    return ids[:room - tail] + ids[-tail:]
""",
                "With an odd room your head has one token more. The tail should have it.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    return ids[:room]
""",
                "That is the head alone: what the usual truncation keeps.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    return ids[-room:]
""",
                "That is the tail alone. Half of the room is for the head.",
            ),
            Mistake(
                """
def both_ends(ids, room):
    if len(ids) <= room:
        return ids
    head = room // 2
    return ids[-(room - head):] + ids[:head]
""",
                "Both ends are there, but the tail comes first. Keep the order of the text.",
            ),
        ),
        expects="a list of token ids for each of four reviews",
    ),
    Exercise(
        name="share_of_all",
        hints=(
            "How many wrong labels do you expect among all the suspects, read or not? And among "
            "all the others?",
            "Among 100 suspects, of which 10 were read and 3 are wrong, expect 100 * 3 / 10.",
            "Add up what you expect in both groups, then divide by the number of all reviews.",
        ),
        solution="""
def share_of_all(wrong, read, there):
    expected = there * wrong / read
    return expected.sum() / there.sum()
""",
        trial=_try_share_of_all,
        mistakes=(
            Mistake(
                """
def share_of_all(wrong, read, there):
    return wrong.sum() / read.sum()
""",
                "This is the share in the sample. But the sample holds far more suspects than the "
                "pools do: each group must count as much as it is large.",
            ),
            Mistake(
                """
def share_of_all(wrong, read, there):
    return (wrong / read).mean()
""",
                "Both groups count alike here. There are many more others than suspects: weigh "
                "each share by the size of its group.",
            ),
            Mistake(
                """
def share_of_all(wrong, read, there):
    return (there * wrong / read).sum()
""",
                "This is how many wrong labels to expect, not which share of all reviews that is.",
            ),
            Mistake(
                """
def share_of_all(wrong, read, there):
    return wrong.sum() / there.sum()
""",
                "Reviews that nobody read count as right here. What was read stands for the rest "
                "of its group.",
            ),
            Mistake(
                """
def share_of_all(wrong, read, there):
    return there[0] * wrong[0] / read[0] / there.sum()
""",
                "Only the suspects are counted. Among the others there are wrong labels as well.",
            ),
            Mistake(
                """
def share_of_all(wrong, read, there):
    return 100 * (there * wrong / read).sum() / there.sum()
""",
                "These are percent. A share between 0 and 1 is asked for.",
            ),
        ),
        expects="one share for each of two tries",
    ),
)
