"""Exercises of lesson 10: data of your own."""

import math
from collections.abc import Callable

from imdb_tutorial.exercises.exercise import Exercise, Mistake

# Whose reviews are strewn over the file, as in a table that somebody sorted by date.
GROUPS = [f"film {(7 * row) % 40}" for row in range(200)]


def _try_split_by_group(answer: Callable) -> dict[str, object]:
    parts = answer(list(GROUPS))
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        return {"parts": "not two"}
    train, test = (list(part) for part in parts)
    if any(isinstance(row, str) for row in train + test):
        return {"rows": "names of groups"}
    if any(isinstance(row, bool) for row in train + test):
        return {"rows": "True and False"}
    rows = sorted(int(row) for row in train + test)
    torn = {GROUPS[row] for row in train} & {GROUPS[row] for row in test}
    return {
        "rows": _how_often(rows),
        "groups on both sides": _how_many(len(torn), len(set(GROUPS))),
        "test": _size(len(test) / len(GROUPS)),
    }


def _how_often(rows: list[int]) -> str:
    if len(set(rows)) < len(rows):
        return "some twice"
    return "each once" if rows == list(range(len(GROUPS))) else "some lost"


def _how_many(count: int, of: int) -> str:
    return "none" if count == 0 else "all" if count == of else "some"


def _size(share: float) -> str:
    bins = ((0.0, "empty"), (0.1, "small"), (0.35, "about a fifth"), (0.65, "half"))
    return next((name for most, name in bins if share <= most), "large")


LOSSES: tuple[list[float], ...] = (
    [],
    [0.7],
    [0.7, 0.6, 0.5],
    [0.5, 0.6],
    [0.5, 0.6, 0.55],
    [0.5, 0.6, 0.55, 0.52],
    [0.7, 0.5, 0.6, 0.4],
    [0.7, 0.8, 0.6, 0.7, 0.5, 0.6],
    [0.4, 0.7, 0.6, 0.5],
    [0.9, 0.5, 0.6, 0.7, 0.8],
    [0.5, 0.6, 0.7, 0.4],
)


def _try_should_stop(answer: Callable) -> list[bool]:
    return [bool(answer(list(losses), patience)) for losses in LOSSES for patience in (1, 2, 3)]


TRAIN_TEXTS = ("A good film.", "Dull and long", "A good film.", "I laughed", "Twice  is  nice")
TEST_TEXTS = (
    "a GOOD film.",
    "A good film.",
    " dull and\tlong ",
    "I  laughed",
    "I cried",
    "Not seen",
    "Never",
    "In no cinema",
    "Nowhere",
)


def _try_shared_texts(answer: Callable) -> object:
    first = answer(list(TRAIN_TEXTS), list(TEST_TEXTS))
    if isinstance(first, list | tuple | set):
        return {"kind": "texts"}
    if isinstance(first, float) and not first.is_integer():
        return {"kind": "a share"}
    nothing = answer(["one", "two", "three"], ["four"])
    return {"nine texts": int(first), "none": int(nothing)}


def _bins(*bins: tuple[float, str]) -> Callable[[object], str]:
    """Put a predicted share into a named bin, each given with its upper end."""

    def name(prediction: object) -> str:
        value = float(prediction)  # type: ignore[arg-type]
        if math.isnan(value):
            return "no number"
        return next(word for most, word in bins if value <= most)

    return name


def _try_loss(prediction: object) -> str:
    value = float(prediction)  # type: ignore[arg-type]
    known = {
        "right": 1.0986,
        "two classes": 0.6931,
        "the probability": 0.3333,
        "base 2": 1.585,
        "base 10": 0.4771,
        "negative": -1.0986,
        "three": 3.0,
    }
    return next((name for name, loss in known.items() if abs(value - loss) < 0.03), "another")


def _values(*mistakes: tuple[str, str]) -> tuple[Mistake, ...]:
    return tuple(Mistake(f"prediction = {value}", message) for value, message in mistakes)


EXERCISES = (
    Exercise(
        name="film_name_alone",
        answer_name="prediction",
        hints=(
            "Most films here have mostly good or mostly bad reviews. How often is a review as the "
            "others of its film are?",
            "It is far above 0.67, and below 0.9.",
        ),
        solution="prediction = 0.82\n",
        trial=_bins(
            (0.0, "nothing"),
            (0.4, "below guessing"),
            (0.64, "below the majority"),
            (0.735, "the majority"),
            (0.9, "right"),
            (1.0, "perfect"),
            (math.inf, "percent"),
        ),
        mistakes=_values(
            ("-1", "A share is a number from 0 to 1."),
            ("0.3", "That would be worse than any guess: what would it have to get wrong?"),
            ("0.5", "It knows more than a coin: it may always say the more frequent label."),
            (
                "0.67",
                "That is what it gets if a film's name says nothing. Do all films get equally "
                "good reviews?",
            ),
            ("0.97", "Then all reviews of a film would have one label. Do people agree so well?"),
            ("80", "Give a share from 0 to 1, not percent."),
        ),
    ),
    Exercise(
        name="split_by_group",
        hints=(
            "Choose groups first, rows afterwards. sorted(set(groups)) lists each group once.",
            "Take every fifth group for test. Then go through the rows: a row whose group was "
            "chosen goes to test, any other to train.",
        ),
        solution="""
def split_by_group(groups):
    names = sorted(set(groups))
    chosen = set(names[::5])  # every fifth group
    train_rows, test_rows = [], []
    for row, name in enumerate(groups):
        if name in chosen:
            test_rows.append(row)
        else:
            train_rows.append(row)
    return train_rows, test_rows
""",
        trial=_try_split_by_group,
        expects="two lists of row numbers, train first, that share no group",
        may_draw=True,
        mistakes=(
            Mistake(
                """
def split_by_group(groups):
    rows = list(range(len(groups)))
    cut = len(rows) * 4 // 5
    return rows[:cut], rows[cut:]
""",
                "You split the rows, and every group is now on both sides. Which side a row "
                "goes to must depend on its group.",
            ),
            Mistake(
                """
def split_by_group(groups):
    names = sorted(set(groups))
    return names[8:], names[:8]
""",
                "You return names of groups. Return the numbers of their rows.",
            ),
            Mistake(
                """
def split_by_group(groups):
    chosen = set(sorted(set(groups))[::5])
    test_rows = [row for row, name in enumerate(groups) if name in chosen]
    train_rows = [row for row, name in enumerate(groups) if name not in chosen]
    return test_rows, train_rows
""",
                "The second list is far larger than the first. Return train first, then test.",
            ),
            Mistake(
                """
def split_by_group(groups):
    chosen = sorted(set(groups))[0]
    test_rows = [row for row, name in enumerate(groups) if name == chosen]
    train_rows = [row for row, name in enumerate(groups) if name != chosen]
    return train_rows, test_rows
""",
                "No group is on both sides, but test is tiny: about a fifth of the groups should "
                "go there.",
            ),
            Mistake(
                """
def split_by_group(groups):
    chosen = set(sorted(set(groups))[::5])
    test_rows = [row for row, name in enumerate(groups) if name in chosen]
    return list(range(len(groups))), test_rows
""",
                "The test rows are in train as well, so every test group is on both sides.",
            ),
            Mistake(
                """
def split_by_group(groups):
    names = sorted(set(groups))
    train_rows = [groups.index(name) for name in names[8:]]
    test_rows = [groups.index(name) for name in names[:8]]
    return train_rows, test_rows
""",
                "Rows got lost: a group has several rows, and you keep one of each.",
            ),
            Mistake(
                """
def split_by_group(groups):
    chosen = set(sorted(set(groups))[::5])
    return [name not in chosen for name in groups], [name in chosen for name in groups]
""",
                "You return True and False for each row. Return the numbers of the rows.",
            ),
            Mistake(
                """
def split_by_group(groups):
    chosen = set(sorted(set(groups))[::5])
    return [row for row, name in enumerate(groups) if name in chosen]
""",
                "You return one list. Return two: train and test.",
            ),
            Mistake(
                """
def split_by_group(groups):
    names = sorted(set(groups))
    chosen = set(names[::2])
    test_rows = [row for row, name in enumerate(groups) if name in chosen]
    train_rows = [row for row, name in enumerate(groups) if name not in chosen]
    return train_rows, test_rows
""",
                "Half of the groups are in test, and little is left to learn from: take about a "
                "fifth.",
            ),
        ),
    ),
    Exercise(
        name="should_stop",
        hints=(
            "Where in the list is the smallest loss? losses.index(min(losses)) says so.",
            "How many epochs came after it? That number against the patience. An empty list has no "
            "smallest loss: answer it first.",
        ),
        solution="""
def should_stop(losses, patience):
    if not losses:
        return False
    best = losses.index(min(losses))
    epochs_since = len(losses) - 1 - best
    return epochs_since >= patience
""",
        trial=_try_should_stop,
        expects="True or False for each list of losses",
        mistakes=(
            Mistake(
                """
def should_stop(losses, patience):
    return len(losses) > 1 and losses[-1] > losses[-2]
""",
                "You compare the last epoch with the one before, and never use the patience. One "
                "bad epoch is often followed by a better one.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    if not losses:
        return False
    return len(losses) - 1 - losses.index(min(losses)) > patience
""",
                "It stops one epoch too late: when exactly patience epochs have passed, it should "
                "stop already.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    if not losses:
        return False
    return len(losses) - losses.index(min(losses)) >= patience
""",
                "It stops one epoch too early: the best epoch itself does not count as waiting.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    return len(losses) >= patience
""",
                "It stops after so many epochs, whatever the losses do.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    if not losses:
        return False
    return len(losses) - 1 - losses.index(max(losses)) >= patience
""",
                "It looks for the highest loss. The best epoch has the lowest one.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    rises = sum(later > earlier for earlier, later in zip(losses, losses[1:]))
    return rises >= patience
""",
                "You count how often the loss rose, from the beginning on. A new best epoch starts "
                "the waiting again.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    if not losses:
        return False
    return len(losses) - 1 - losses.index(min(losses)) < patience
""",
                "It is the wrong way round: it says stop while the loss is still falling.",
            ),
            Mistake(
                """
def should_stop(losses, patience):
    return len(losses) > patience and losses[-1] > losses[-1 - patience]
""",
                "You compare the last epoch with one earlier epoch. Compare with the best of all.",
            ),
        ),
    ),
    Exercise(
        name="loss_of_three_guesses",
        answer_name="prediction",
        hints=(
            "Cross-entropy is minus the natural logarithm of the probability of the true class.",
            "The probability is 1/3 for each class: -math.log(1 / 3).",
        ),
        solution="prediction = 1.10\n",
        trial=_try_loss,
        expects="a loss in nats, with two digits",
        mistakes=_values(
            ("0.69", "That is the loss of a guess between two classes."),
            ("0.33", "That is the probability. The loss is computed from it."),
            ("1.58", "That is the logarithm with base 2. PyTorch takes the natural one."),
            ("0.48", "That is the logarithm with base 10. PyTorch takes the natural one."),
            ("-1.10", "The size is right. A loss is never below zero: mind the minus sign."),
            ("3", "That is the number of classes. What does a probability of one third cost?"),
        ),
    ),
    Exercise(
        name="twenty_reviews",
        answer_name="prediction",
        hints=(
            "Two errors in twenty: could a model that is right in 80 % be so lucky? And one of "
            "75 %?",
            "accuracy_interval(18, 20) gives the value, and where its interval begins and ends.",
        ),
        solution="prediction = 0.70\n",
        trial=_bins(
            (0.0, "nothing"),
            (0.5, "far too wide"),
            (0.64, "too wide"),
            (0.76, "right"),
            (0.84, "narrow"),
            (0.9, "far too narrow"),
            (1.0, "above"),
            (math.inf, "percent"),
        ),
        mistakes=_values(
            ("-1", "A share is a number from 0 to 1."),
            ("0.45", "A model that is right every second time gets 18 of 20 once in 5,000 tries."),
            (
                "0.6",
                "A little too wide: a model with 60 % gets 18 or more of 20 in 4 of 1,000 tries.",
            ),
            (
                "0.8",
                "Still too narrow: a model with 80 % gets 18 or more of 20 in one of five tries.",
            ),
            (
                "0.88",
                "That would need nearly a thousand reviews. Here one review more or less is 5 "
                "points.",
            ),
            ("0.95", "The lower end is below the 90 % that were counted."),
            ("70", "Give a share from 0 to 1, not percent."),
        ),
    ),
    Exercise(
        name="shared_texts",
        hints=(
            "Make both lists alike first: text.lower(), and split and join for the spaces.",
            "Put the train texts into a set; then count the test texts that are in it.",
        ),
        solution="""
def shared_texts(train_texts, test_texts):
    seen = {" ".join(text.lower().split()) for text in train_texts}
    return sum(" ".join(text.lower().split()) in seen for text in test_texts)
""",
        trial=_try_shared_texts,
        expects="the number of test texts that are in train as well",
        mistakes=(
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    return sum(text in train_texts for text in test_texts)
""",
                "Texts that differ only in case or spaces are not found.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    seen = {text.lower() for text in train_texts}
    return sum(text.lower() in seen for text in test_texts)
""",
                "Case is taken care of, spaces are not.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    train = [" ".join(text.lower().split()) for text in train_texts]
    test = [" ".join(text.lower().split()) for text in test_texts]
    return sum(train.count(text) for text in test)
""",
                "You count pairs: a test text that is in train twice counts twice.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    train = {" ".join(text.lower().split()) for text in train_texts}
    test = {" ".join(text.lower().split()) for text in test_texts}
    return len(train & test)
""",
                "You count different texts. If a shared text is in test twice, two test rows are "
                "spoilt.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    seen = {" ".join(text.lower().split()) for text in train_texts}
    return sum(" ".join(text.lower().split()) in seen for text in test_texts) / len(test_texts)
""",
                "That is a share. Return how many they are.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    seen = {" ".join(text.lower().split()) for text in train_texts}
    return [text for text in test_texts if " ".join(text.lower().split()) in seen]
""",
                "You return the texts. Return how many they are.",
            ),
            Mistake(
                """
def shared_texts(train_texts, test_texts):
    seen = {" ".join(text.lower().split()) for text in train_texts}
    return sum(" ".join(text.lower().split()) not in seen for text in test_texts)
""",
                "You count the texts that are only in test.",
            ),
        ),
    ),
)
