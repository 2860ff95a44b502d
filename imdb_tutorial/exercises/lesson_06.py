"""The exercises of lesson 06: which words did it."""

from collections.abc import Callable

from imdb_tutorial.exercises.exercise import Exercise, Mistake

WEIGHTS = {"wonderful": 4.0, "slow": -3.0, "very": 0.5, "film": 0.25}


def _as_it_is(prediction: float) -> float:
    return float(prediction)


def _toy_ask(text: str) -> float:
    """A classifier of a few words, in which `not` turns everything round."""
    words = text.split()
    margin = sum(WEIGHTS.get(word, 0.0) for word in words) + 0.125 * len(words)
    return -margin if "not" in words else margin


def _try_leave_one_out(leave_one_out: Callable) -> object:
    found = leave_one_out("a very very slow film but not wonderful".split(), _toy_ask)
    return [float(number) for number in found]


def _try_margin_of(margin_of: Callable) -> object:
    return [float(margin_of(p)) for p in (0.1, 0.5, 0.9, 0.99)]


def _try_strongest_words(strongest_words: Callable) -> object:
    words = ("the", "story", "is", "slow", "and", "the", "actors", "shine")
    pushes = (0.1, -0.2, 1.5, -3.0, 0.4, 0.3, -0.6, 2.5)
    return [str(word) for word in strongest_words(words, pushes, 3)]


EXERCISES = (
    Exercise(
        name="leave_one_out",
        expects="a list with one number a word",
        hints=(
            "`words[:i] + words[i + 1 :]` is the list without word i. `' '.join(...)` makes a text "
            "of it.",
            "The number of a word is the margin of the whole text, less the margin without it.",
        ),
        solution="""
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [whole - ask(" ".join(words[:i] + words[i + 1 :])) for i in range(len(words))]
""",
        trial=_try_leave_one_out,
        mistakes=(
            Mistake(
                """
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [ask(" ".join(words[:i] + words[i + 1 :])) - whole for i in range(len(words))]
""",
                "The sizes are right, the signs are not: a word that pushes towards POSITIVE "
                "should get a number above 0.",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    return [ask(" ".join(words[:i] + words[i + 1 :])) for i in range(len(words))]
""",
                "These are the margins without each word. How much did each word change?",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [whole - ask(" ".join(w for w in words if w != word)) for word in words]
""",
                "A word that stands twice in the text is left out twice. Go by its place, not by "
                "its letters.",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    return [ask(word) for word in words]
""",
                "You asked about each word alone. What does the text lose without the word?",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [whole - ask(" ".join(words[i + 1 :])) for i in range(len(words))]
""",
                "You left out everything up to the word. Keep the words before it.",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [whole - ask(" ".join(words[:i])) for i in range(len(words))]
""",
                "You left out the word and everything after it. Keep the words after it.",
            ),
            Mistake(
                """
def leave_one_out(words, ask):
    whole = ask(" ".join(words))
    return [whole - ask(" ".join(words[:i] + words[i:])) for i in range(len(words))]
""",
                "Nothing was left out: `words[i:]` begins with word i itself.",
            ),
        ),
    ),
    Exercise(
        name="adapter_numbers",
        answer_name="prediction",
        expects="a whole number",
        hints=(
            "The first matrix turns 384 numbers into 24, the second turns 24 into 384.",
            "A matrix holds rows times columns. There are two of them.",
        ),
        solution="""
prediction = 2 * 24 * 384
""",
        trial=_as_it_is,
        mistakes=(
            Mistake("prediction = 24 * 384", "That is one of the two matrices."),
            Mistake(
                "prediction = 384 * 384",
                "That is the matrix inside BERT. The two small ones are there to spare that.",
            ),
            Mistake(
                "prediction = 24 + 384", "A matrix has rows times columns, not rows and columns."
            ),
            Mistake(
                "prediction = 2 * (24 + 384)",
                "A matrix has rows times columns, not rows and columns.",
            ),
            Mistake(
                "prediction = 24 * 384 * 24 * 384",
                "You multiplied the two sizes. The two matrices stand side by side: add them.",
            ),
            Mistake("prediction = 24 * 24 * 2", "Each matrix has 384 on one of its sides."),
        ),
    ),
    Exercise(
        name="margin_of",
        expects="a number for each probability",
        hints=(
            "First the odds: how many times more probable is POSITIVE than NEGATIVE? NEGATIVE has "
            "the probability 1 - p.",
            "The margin is the natural logarithm of the odds: `math.log`.",
        ),
        solution="""
import math


def margin_of(probability):
    return math.log(probability / (1 - probability))
""",
        trial=_try_margin_of,
        mistakes=(
            Mistake(
                """
def margin_of(probability):
    return probability / (1 - probability)
""",
                "These are the odds. For 0.5 they are 1, but the margin should be 0.",
            ),
            Mistake(
                """
import math


def margin_of(probability):
    return math.log(probability)
""",
                "The logarithm of a probability is never above 0. Where is NEGATIVE?",
            ),
            Mistake(
                """
import math


def margin_of(probability):
    return math.log((1 - probability) / probability)
""",
                "The size is right, the sign is not: a probability of 0.9 should give a margin "
                "above 0.",
            ),
            Mistake(
                """
def margin_of(probability):
    return probability - (1 - probability)
""",
                "You subtract probabilities. The margin is a difference of logits.",
            ),
            Mistake(
                """
import math


def margin_of(probability):
    return math.log10(probability / (1 - probability))
""",
                "Nearly: softmax uses the number e, so the natural logarithm is needed.",
            ),
            Mistake(
                """
import math


def margin_of(probability):
    return 1 / (1 + math.exp(-probability))
""",
                "This is the way back, from a margin to a probability.",
            ),
        ),
    ),
    Exercise(
        name="all_together",
        answer_name="prediction",
        expects="a number of logits",
        hints=(
            "The pushes share out the whole way from the blank text to the review.",
            "How far is it from -6 up to 0, and from there up to +5?",
        ),
        solution="""
prediction = 5 - (-6)
""",
        trial=_as_it_is,
        mistakes=(
            Mistake(
                "prediction = 5",
                "That is the margin of the review. But the way does not begin at 0.",
            ),
            Mistake("prediction = 5 - 6", "The blank text stands below 0. Is the way up so short?"),
            Mistake(
                "prediction = -6 - 5",
                "The size is right. But the way goes upwards, so the sum is above 0.",
            ),
            Mistake("prediction = 6", "That is the way from the blank text up to 0 only."),
            Mistake("prediction = 0", "The pushes add up to 0 only if both margins are equal."),
        ),
    ),
    Exercise(
        name="strongest_words",
        expects="a list of words",
        hints=(
            "A push of -3 is stronger than one of +2: compare `abs(push)`.",
            "Sort the pairs of push and word by `abs(push)`, the largest first, and keep n words.",
        ),
        solution="""
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words), key=lambda pair: abs(pair[0]), reverse=True)
    return [word for push, word in pairs[:n]]
""",
        trial=_try_strongest_words,
        mistakes=(
            Mistake(
                """
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words), reverse=True)
    return [word for push, word in pairs[:n]]
""",
                "These push most towards POSITIVE. A word can push as strongly towards NEGATIVE.",
            ),
            Mistake(
                """
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words))
    return [word for push, word in pairs[:n]]
""",
                "These push most towards NEGATIVE. A word can push as strongly towards POSITIVE.",
            ),
            Mistake(
                """
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words), key=lambda pair: abs(pair[0]))
    return [word for push, word in pairs[:n]]
""",
                "These are the weakest words. The largest should come first.",
            ),
            Mistake(
                """
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words), key=lambda pair: abs(pair[0]), reverse=True)
    return [word for push, word in pairs]
""",
                "The order is right, but only the first n words are asked for.",
            ),
            Mistake(
                """
def strongest_words(words, pushes, n):
    pairs = sorted(zip(pushes, words), key=lambda pair: abs(pair[0]))
    return [word for push, word in pairs[-n:]]
""",
                "The right words, with the strongest at the end. It should come first.",
            ),
            Mistake(
                """
def strongest_words(words, pushes, n):
    return list(words[:n])
""",
                "These are the first words of the text. How far they push plays no part yet.",
            ),
        ),
    ),
)
