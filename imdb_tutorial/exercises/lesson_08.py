"""Exercises on baselines, intervals and paired comparisons."""

from collections.abc import Callable

import numpy as np

from imdb_tutorial.exercises.exercise import Exercise, Mistake
from imdb_tutorial.exercises.lesson_07 import name_of_bin


def _try_majority(answer: Callable) -> list[float]:
    mostly_negative = np.array([0, 0, 0, 1, 0, 1, 0, 0, 1, 0])
    mostly_positive = np.array([1, 1, 0, 1, 1])
    pairs = (
        (mostly_negative, mostly_positive),
        (mostly_positive, mostly_negative),
        (mostly_positive, np.array([1, 0, 1, 1])),
    )
    return [float(answer(train, test)) for train, test in pairs]


def _try_bag(answer: float) -> str:
    return name_of_bin(answer, (0.45, 0.55, 0.70, 0.82, 0.90, 0.96, 1.0))


def _try_bootstrap(answer: Callable) -> list[float]:
    """Ends of the interval in standard errors, in halves: other ways to draw end the same."""
    right = np.arange(400) % 4 > 0  # 75 % of 400
    low, high = answer(right, 2_000, np.random.default_rng(11))
    error = (0.75 * 0.25 / 400) ** 0.5
    return [round(2 * (float(end) - 0.75) / error) / 2 for end in (low, high)]


def _try_only_one(answer: Callable) -> list[float]:
    a = np.array([1, 1, 1, 1, 1, 0, 0, 1, 0, 1], dtype=bool)
    b = np.array([1, 0, 1, 0, 0, 1, 0, 1, 0, 0], dtype=bool)
    only_a, only_b = answer(a, b)
    return [float(only_a), float(only_b)]


def _try_ahead(answer: Callable) -> list[float]:
    sizes = [50, 100, 200, 500, 1_000]
    pairs = (
        ([0.66, 0.76, 0.74, 0.85, 0.88], [0.70, 0.75, 0.78, 0.79, 0.80]),  # changes sides thrice
        ([0.66, 0.70, 0.80, 0.85, 0.86], [0.66, 0.66, 0.80, 0.80, 0.80]),  # a tie is not ahead
        ([0.50, 0.60, 0.60, 0.60, 0.90], [0.60, 0.70, 0.80, 0.80, 0.85]),
        ([0.90, 0.91, 0.92, 0.93, 0.94], [0.80, 0.80, 0.80, 0.80, 0.80]),
    )
    return [float(answer(sizes, a, b)) for a, b in pairs]


def _try_difference(answer: Callable) -> list[float]:
    """Ends of the interval in standard errors, in halves, on reviews that both find as hard."""
    hard = np.arange(400) % 4 == 0
    a, b = ~hard, ~hard
    a[:20], b[20:60] = True, True  # a is better on five reviews, b on ten
    difference = a.astype(float) - b
    low, high = answer(a, b, 1_000, np.random.default_rng(3))
    error = difference.std() / 400**0.5
    return [round(2 * (float(end) - difference.mean()) / error) / 2 for end in (low, high)]


EXERCISES = (
    Exercise(
        name="majority_accuracy",
        hints=(
            "Which label is more frequent in train? The mean of the labels is the share of ones.",
            "Then: which share of the test labels is that label?",
        ),
        solution="""
def majority_accuracy(train_labels, test_labels):
    more_frequent = 1 if train_labels.mean() >= 0.5 else 0
    return (test_labels == more_frequent).mean()
""",
        trial=_try_majority,
        expects="a number between 0 and 1",
        mistakes=(
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    share = test_labels.mean()
    return max(share, 1 - share)
""",
                "You looked at the test labels to choose the answer. It has to come from train.",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    share = train_labels.mean()
    return max(share, 1 - share)
""",
                "This is the accuracy on train. How many of the test reviews have that label?",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    return test_labels.mean()
""",
                "This is right only where train has more positives. Let train decide the label.",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    return 1 if train_labels.mean() >= 0.5 else 0
""",
                "This is the label that the model always gives. How often is it right?",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    more_frequent = 1 if train_labels.mean() >= 0.5 else 0
    return (test_labels == more_frequent).sum()
""",
                "This is a count. Divide by the number of test reviews.",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    more_frequent = 0 if train_labels.mean() >= 0.5 else 1
    return (test_labels == more_frequent).mean()
""",
                "You give the rarer label of train.",
            ),
            Mistake(
                """
def majority_accuracy(train_labels, test_labels):
    return 0.5
""",
                "It is 50 % only where the labels are balanced. Write it for any labels.",
            ),
        ),
    ),
    Exercise(
        name="bag_guess",
        answer_name="prediction",
        hints=(
            "A coin gets 0.50. In lesson 04 the probe on frozen MiniLM had the same 2,000 reviews.",
            "Words such as 'waste', 'worst' or 'excellent' say a lot on their own.",
        ),
        solution="prediction = 0.86",
        trial=_try_bag,
        mistakes=(
            Mistake("prediction = 0.5", "This is a coin. Counted words know more than that."),
            Mistake("prediction = 0.6", "Too low: a few words nearly give the label away."),
            Mistake("prediction = 0.75", "Too low. Many people guess this. Run the cell below."),
            Mistake("prediction = 0.93", "Too high: irony and mixed reviews are left over."),
            Mistake("prediction = 0.98", "Far too high: some labels even contradict their text."),
            Mistake("prediction = 86", "Give a share between 0 and 1: 50 % is 0.50."),
            Mistake("prediction = 0.3", "Worse than a coin: that model would be good if turned."),
        ),
    ),
    Exercise(
        name="bootstrap_interval",
        hints=(
            "One draw: rng.choice(right, size=len(right)) takes as many reviews, some twice.",
            "Collect the means of all draws in a list.",
            "np.quantile(list, [0.025, 0.975]) leaves 2.5 % of them out on each side.",
        ),
        solution="""
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=len(right)).mean() for _ in range(draws)]
    return np.quantile(accuracies, [0.025, 0.975])
""",
        trial=_try_bootstrap,
        expects="the lower and the upper end, about two standard errors on each side",
        mistakes=(
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, len(right), replace=False).mean() for _ in range(draws)]
    return np.quantile(accuracies, [0.025, 0.975])
""",
                "All draws are the same reviews in another order. A review may be drawn twice.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=len(right)).mean() for _ in range(draws)]
    return np.quantile(accuracies, [0.05, 0.95])
""",
                "This leaves out 5 % on each side: an interval of 90 %, not of 95 %.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=len(right)).mean() for _ in range(draws)]
    return min(accuracies), max(accuracies)
""",
                "The smallest and the largest draw: with more draws this gets wider and wider.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=100).mean() for _ in range(draws)]
    return np.quantile(accuracies, [0.025, 0.975])
""",
                "Each draw has 100 reviews. Draw as many as there are, or it gets too wide.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=len(right)).mean() for _ in range(draws)]
    return np.quantile(accuracies, [0.975, 0.025])
""",
                "The ends are in the wrong order: first the lower one, then the upper one.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    return right.mean() - 1.96 * right.std(), right.mean() + 1.96 * right.std()
""",
                "This is how much single reviews differ. You want how much their mean differs.",
            ),
            Mistake(
                """
def bootstrap_interval(right, draws, rng):
    accuracies = [rng.choice(right, size=draws).mean() for _ in range(len(right))]
    return np.quantile(accuracies, [0.025, 0.975])
""",
                "You changed places: len(right) reviews in each draw, and as many draws as asked.",
            ),
        ),
    ),
    Exercise(
        name="only_one_right",
        hints=(
            "~right_b is True where model b is wrong.",
            "right_a & ~right_b is True where only a is right; .sum() counts.",
        ),
        solution="""
def only_one_right(right_a, right_b):
    return (right_a & ~right_b).sum(), (right_b & ~right_a).sum()
""",
        trial=_try_only_one,
        expects="two counts: only a is right, only b is right",
        mistakes=(
            Mistake(
                """
def only_one_right(right_a, right_b):
    return right_a.sum(), right_b.sum()
""",
                "These are all the reviews that each model gets right. Leave out those of both.",
            ),
            Mistake(
                """
def only_one_right(right_a, right_b):
    return (right_b & ~right_a).sum(), (right_a & ~right_b).sum()
""",
                "The other way round: first the reviews that only a gets right.",
            ),
            Mistake(
                """
def only_one_right(right_a, right_b):
    return (right_a & right_b).sum(), (~right_a & ~right_b).sum()
""",
                "These are the reviews on which both agree. They do not say who is better.",
            ),
            Mistake(
                """
def only_one_right(right_a, right_b):
    return (right_a & ~right_b).mean(), (right_b & ~right_a).mean()
""",
                "These are shares. Count the reviews.",
            ),
            Mistake(
                """
def only_one_right(right_a, right_b):
    return (right_a != right_b).sum(), (right_a == right_b).sum()
""",
                "You count where they differ. Part those reviews by who is right.",
            ),
            Mistake(
                """
def only_one_right(right_a, right_b):
    return right_a.sum() - right_b.sum(), right_b.sum() - right_a.sum()
""",
                "This is the difference of the totals. Count the reviews of each side.",
            ),
        ),
    ),
    Exercise(
        name="ahead_from",
        hints=(
            "A curve that is ahead once may fall behind again. Begin at the largest size.",
            "Go backwards while a is larger than b; the last size you reach is the answer.",
            "One line: all(x > y for x, y in zip(a[n:], b[n:])) says that a stays ahead from n on.",
        ),
        solution="""
def ahead_from(sizes, a, b):
    for n in range(len(sizes)):
        if all(x > y for x, y in zip(a[n:], b[n:])):
            return sizes[n]
""",
        trial=_try_ahead,
        expects="a number of labels, from which on a is larger at every size",
        mistakes=(
            Mistake(
                """
def ahead_from(sizes, a, b):
    for n in range(len(sizes)):
        if a[n] > b[n]:
            return sizes[n]
""",
                "This is where a is ahead for the first time. It may fall behind again.",
            ),
            Mistake(
                """
def ahead_from(sizes, a, b):
    for n in range(len(sizes)):
        if all(x >= y for x, y in zip(a[n:], b[n:])):
            return sizes[n]
""",
                "Equal is not ahead.",
            ),
            Mistake(
                """
def ahead_from(sizes, a, b):
    for n in range(len(sizes)):
        if all(x > y for x, y in zip(a[n:], b[n:])):
            return n
""",
                "This is the place in the list. Return the number of labels that stands there.",
            ),
            Mistake(
                """
def ahead_from(sizes, a, b):
    for n in range(len(sizes)):
        if all(y > x for x, y in zip(a[n:], b[n:])):
            return sizes[n]
    return 0
""",
                "You ask from where on b is ahead. It is a that must be larger.",
            ),
            Mistake(
                """
def ahead_from(sizes, a, b):
    return [size for size, x, y in zip(sizes, a, b) if x > y][-1]
""",
                "This is the largest size at which a is ahead. Where does that begin?",
            ),
            Mistake(
                """
def ahead_from(sizes, a, b):
    behind = [size for size, x, y in zip(sizes, a, b) if x <= y]
    return behind[-1] if behind else sizes[0]
""",
                "This is the last size at which a is not ahead. The answer is the next one.",
            ),
        ),
    ),
    Exercise(
        name="difference_interval",
        hints=(
            "Draw numbers of reviews, not answers: rows = rng.integers(len(right_a), size=...).",
            "right_a[rows].mean() - right_b[rows].mean() is the difference of one draw.",
            "Collect the differences of all draws, and take their quantiles 0.025 and 0.975.",
        ),
        solution="""
def difference_interval(right_a, right_b, draws, rng):
    differences = []
    for _ in range(draws):
        rows = rng.integers(len(right_a), size=len(right_a))
        differences.append(right_a[rows].mean() - right_b[rows].mean())
    return np.quantile(differences, [0.025, 0.975])
""",
        trial=_try_difference,
        expects="the lower and the upper end, about two standard errors on each side",
        mistakes=(
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    differences = [
        rng.choice(right_a, len(right_a)).mean() - rng.choice(right_b, len(right_b)).mean()
        for _ in range(draws)
    ]
    return np.quantile(differences, [0.025, 0.975])
""",
                "You draw other reviews for b than for a: this is not paired, and far too wide.",
            ),
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    differences = []
    for _ in range(draws):
        rows = rng.integers(len(right_a), size=len(right_a))
        differences.append(right_b[rows].mean() - right_a[rows].mean())
    return np.quantile(differences, [0.025, 0.975])
""",
                "The other way round: a less b.",
            ),
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    rows = rng.integers(len(right_a), size=len(right_a))
    difference = right_a[rows].mean() - right_b[rows].mean()
    return difference, difference
""",
                "One draw is not enough: collect the differences of as many draws as asked.",
            ),
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    differences = []
    for _ in range(draws):
        rows = rng.permutation(len(right_a))
        differences.append(right_a[rows].mean() - right_b[rows].mean())
    return np.quantile(differences, [0.025, 0.975])
""",
                "Each draw holds all reviews once, in another order. Some must come twice.",
            ),
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    differences = []
    for _ in range(draws):
        rows = rng.integers(len(right_a), size=len(right_a))
        differences.append(right_a[rows].mean() - right_b[rows].mean())
    return min(differences), max(differences)
""",
                "The smallest and the largest draw: with more draws this gets wider and wider.",
            ),
            Mistake(
                """
def difference_interval(right_a, right_b, draws, rng):
    differences = []
    for _ in range(draws):
        rows = rng.integers(len(right_a), size=len(right_a))
        differences.append(right_a[rows].mean() - right_b[rows].mean())
    return np.quantile(differences, [0.05, 0.95])
""",
                "This leaves out 5 % on each side: an interval of 90 %, not of 95 %.",
            ),
        ),
    ),
)
