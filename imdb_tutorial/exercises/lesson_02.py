"""Exercises of lesson 02: look at the data first."""

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from imdb_tutorial.exercises.exercise import Exercise, Mistake

RATINGS = (
    "Weak. 4/10",
    "I give it 10/10, at least.",
    "7/10: my son is 3 years old and liked it.",
    "I waited 24 hours for this, and it was good.",
    "It opened on 9/11 and ran for 3/4 of a year.",
)
TEXTS = (
    "A fine film.",
    "Dull, dull, dull.",
    "a FINE film.",
    "A fine<br />film!",
    "Never again.",
    "Dull dull dull",
    "A fine film.",
)
TRAIN_FILMS = ["tt01", "tt01", "tt02", "tt03", "tt03", "tt03"]
TEST_FILMS = ["tt03", "tt04", "tt03", "tt01", "tt05"]


def _try_written_rating(answer: Callable) -> list:
    return [answer(text) for text in RATINGS]


def _try_repeats(answer: Callable) -> list[int]:
    return [int(row) for row in answer(list(TEXTS))]


def _try_shared_films(answer: Callable) -> list:
    pairs = (
        (list(TRAIN_FILMS), list(TEST_FILMS)),
        (["tt04"], list(TEST_FILMS)),
        (["tt06"], list(TEST_FILMS)),
    )
    found = [answer(*pair) for pair in pairs]
    # Names are shown in their order: a set has none.
    return [one if isinstance(one, Real) else sorted(map(str, one)) for one in found]


def _try_hold_back(answer: Callable) -> dict[str, Any]:
    films = np.repeat([f"tt{number:02}" for number in range(40)], 5)[[*range(0, 200, 2)] * 2]
    chosen = np.asarray(answer(films.copy(), 30))
    if chosen.shape != films.shape or chosen.dtype != bool:
        return {"answers": chosen.size, "true or false": False}
    torn = set(films[chosen]) & set(films[~chosen])
    in_order = chosen[np.argsort(films, kind="stable")]
    taken = in_order[:30].all() or in_order[-30:].all() or chosen[:30].all()
    held_back = ("too few", "just enough", "too many", "nearly all")[
        int(np.searchsorted([30, 37, 160], chosen.sum(), side="right"))
    ]
    return {
        "a film on both sides": bool(torn),
        "held back": held_back,
        "the films of one end of the file": bool(taken),
    }


def _share_bin(low: float, high: float) -> Callable[[Any], str]:
    """Put a predicted share into the words that a check can answer to."""

    def bin_of(answer: Any) -> str:
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            return "no number"
        if not 0 <= answer <= 1:
            return "not from 0 to 1"
        if answer == 0.5:
            return "half"
        if low <= answer <= high:
            return "right"
        return "too low" if answer < low else "too high"

    return bin_of


NO_NUMBER = Mistake("prediction = '60 %'", "It is a text: write a number such as 0.3.")
NO_SHARE = Mistake("prediction = 60", "A share goes from 0 to 1: write 30 % as 0.3.")

EXERCISES = (
    Exercise(
        name="written_rating",
        hints=(
            "re.search(pattern, text) finds the first place that fits; where nothing fits it gives "
            "None. In a pattern, a part in round brackets is what you want to keep: match[1].",
            r"The number is 10, or one digit from 1 to 9: (10|[1-9]). Behind it stands /10. Turn "
            "what you keep into a whole number with int.",
        ),
        solution=r"""
import re


def written_rating(text):
    match = re.search(r"\b(10|[1-9])/10\b", text)
    return int(match[1]) if match else -1
""",
        trial=_try_written_rating,
        mistakes=(
            Mistake(
                r"""
import re


def written_rating(text):
    match = re.search(r"(10|[1-9])/10", text)
    return match[1] if match else -1
""",
                "The rating is still a text, such as '7', and '7' is not equal to 7: make it a "
                "whole number.",
            ),
            Mistake(
                r"""
import re


def written_rating(text):
    match = re.search(r"([1-9])/10", text)
    return int(match[1]) if match else -1
""",
                "The review with 10/10 gets another answer: a rating may have two digits.",
            ),
            Mistake(
                r"""
import re


def written_rating(text):
    match = re.search(r"(\d+)", text)
    return int(match[1]) if match else -1
""",
                "Not every number is a rating: 24 hours is none. Ask for the /10 as well.",
            ),
            Mistake(
                r"""
import re


def written_rating(text):
    match = re.search(r"(\d+)/(\d+)", text)
    return int(match[1]) if match else -1
""",
                "A date such as 9/11 and a part such as 3/4 count as ratings: only a number of 10 "
                "is one.",
            ),
            Mistake(
                r"""
def written_rating(text):
    return "/10" in text
""",
                "It says whether there is a rating. The question is which one.",
            ),
            Mistake(
                r"""
import re


def written_rating(text):
    match = re.search(r"\b(10|[1-9])/10\b", text)
    return int(match[1]) if match else 0
""",
                "A review without a rating should give -1; yours gives 0.",
            ),
        ),
        expects="[4, 10, 7, -1, -1]",
    ),
    Exercise(
        name="html_share",
        answer_name="prediction",
        hints=(
            "Think of the first review. It had several paragraphs. Do most have them?",
            "About half of the reviews have more than 174 words. Who writes that much without a "
            "new line?",
        ),
        solution="prediction = 0.59",
        trial=_share_bin(0.55, 0.63),
        mistakes=(
            Mistake("prediction = 0.3", "Too low: most reviews have more than one paragraph."),
            Mistake("prediction = 0.5", "Near, but it is more than half."),
            Mistake("prediction = 0.9", "Too high: many reviews are one single paragraph."),
            NO_NUMBER,
            NO_SHARE,
        ),
    ),
    Exercise(
        name="repeats",
        hints=(
            "Keep a set of what you have seen so far. Go through the texts with enumerate.",
            "Two texts are the same if normalise(text) gives the same for both. The first of them "
            "is no repeat; the second one is.",
        ),
        solution="""
from imdb_tutorial import normalise


def repeats(texts):
    seen, rows = set(), []
    for row, text in enumerate(texts):
        words = normalise(text)
        if words in seen:
            rows.append(row)
        seen.add(words)
    return rows
""",
        trial=_try_repeats,
        mistakes=(
            Mistake(
                """
def repeats(texts):
    seen, rows = set(), []
    for row, text in enumerate(texts):
        if text in seen:
            rows.append(row)
        seen.add(text)
    return rows
""",
                "It finds texts that are equal to the letter only. 'a FINE film.' and 'A fine "
                "film!' have the same words.",
            ),
            Mistake(
                """
def repeats(texts):
    seen, rows = set(), []
    for row, text in enumerate(texts):
        if text.lower() in seen:
            rows.append(row)
        seen.add(text.lower())
    return rows
""",
                "It looks at lower case only. Signs and HTML marks should not count either.",
            ),
            Mistake(
                """
from imdb_tutorial import normalise


def repeats(texts):
    words = [normalise(text) for text in texts]
    return [row for row, text in enumerate(words) if words.count(text) > 1]
""",
                "The first of several equal texts is in the list as well: it repeats nothing.",
            ),
            Mistake(
                """
from imdb_tutorial import normalise


def repeats(texts):
    seen, rows = set(), []
    for row, text in enumerate(texts):
        words = normalise(text)
        if words not in seen:
            rows.append(row)
        seen.add(words)
    return rows
""",
                "These are the rows to keep. The question is which rows repeat an earlier one.",
            ),
            Mistake(
                """
from imdb_tutorial import normalise


def repeats(texts):
    return [
        row
        for row in range(1, len(texts))
        if normalise(texts[row]) == normalise(texts[row - 1])
    ]
""",
                "It compares a text only with the one just before it. An equal text may stand far "
                "away.",
            ),
            Mistake(
                """
from imdb_tutorial import normalise


def repeats(texts):
    seen, rows = set(), []
    for row, text in enumerate(texts, start=1):
        words = normalise(text)
        if words in seen:
            rows.append(row)
        seen.add(words)
    return rows
""",
                "Every row number is one too large: rows are counted from 0.",
            ),
            Mistake(
                """
from imdb_tutorial import normalise


def repeats(texts):
    words = [normalise(text) for text in texts]
    return [words.index(text) for row, text in enumerate(words) if words.index(text) != row]
""",
                "These are the rows of the first ones. The question is which rows repeat them.",
            ),
        ),
        expects="the rows of the repeats, in their order: a list of whole numbers",
    ),
    Exercise(
        name="film_only_by_blocks",
        answer_name="prediction",
        hints=(
            "Nearly half of these test reviews have their film in train, but with the other label "
            "only. What does the model answer there?",
            "On a film it does not know it guesses: half right. On a film of which it knows only "
            "the other label it is always wrong.",
        ),
        solution="prediction = 0.29",
        trial=_share_bin(0.22, 0.39),
        mistakes=(
            Mistake("prediction = 0.85", "Too high: that was the cut by rows."),
            Mistake(
                "prediction = 0.5",
                "So it would be if no film were on both sides. But a film's reviews of the other "
                "label stand in another block.",
            ),
            Mistake("prediction = 0.1", "Too low: about half of the films are new to the model."),
            NO_NUMBER,
            NO_SHARE,
        ),
    ),
    Exercise(
        name="shared_films",
        hints=(
            "A set holds each film once: set(films).",
            "The sign & gives what two sets share; len says how many there are.",
        ),
        solution="""
def shared_films(train_films, test_films):
    return len(set(train_films) & set(test_films))
""",
        trial=_try_shared_films,
        mistakes=(
            Mistake(
                """
def shared_films(train_films, test_films):
    return sum(film in train_films for film in test_films)
""",
                "It counts reviews. The question is how many films: each counts once.",
            ),
            Mistake(
                """
def shared_films(train_films, test_films):
    return set(train_films) & set(test_films)
""",
                "These are the films themselves. Return how many there are.",
            ),
            Mistake(
                """
def shared_films(train_films, test_films):
    return len(set(train_films) | set(test_films))
""",
                "It counts the films of both pools together. Only those in both should count.",
            ),
            Mistake(
                """
def shared_films(train_films, test_films):
    return set(train_films).isdisjoint(test_films)
""",
                "It says yes or no. A number tells more: how many films are in both pools.",
            ),
            Mistake(
                """
def shared_films(train_films, test_films):
    return sum(one == other for one, other in zip(train_films, test_films))
""",
                "It compares the first with the first and the second with the second. A film may "
                "stand anywhere in the other pool.",
            ),
            Mistake(
                """
def shared_films(train_films, test_films):
    return len(set(test_films) - set(train_films))
""",
                "It counts the films that are new in test. Count those that are not new.",
            ),
        ),
        expects="the number of films that are in both pools",
    ),
    Exercise(
        name="hold_back",
        hints=(
            "Shuffle the films, not the reviews: names = random.permutation(np.unique(films)), "
            "with random = np.random.default_rng(0).",
            "Take one film after the other until enough reviews are chosen. np.isin(films, some) "
            "says for each review whether its film is one of some.",
        ),
        solution="""
import numpy as np


def hold_back(films, count):
    chosen, reviews = [], 0
    for film in np.random.default_rng(0).permutation(np.unique(films)):
        if reviews >= count:
            break
        chosen.append(film)
        reviews += (films == film).sum()
    return np.isin(films, chosen)
""",
        trial=_try_hold_back,
        mistakes=(
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    rows = np.random.default_rng(0).permutation(len(films))[:count]
    return np.isin(np.arange(len(films)), rows)
""",
                "A film is on both sides: single reviews were chosen, not whole films.",
            ),
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    names = np.random.default_rng(0).permutation(np.unique(films))
    return np.isin(films, names[:count])
""",
                "Far too many reviews are held back: count is a number of reviews, not of films.",
            ),
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    return np.arange(len(films)) < count
""",
                "It takes the beginning of the file, and the last film there is on both sides.",
            ),
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    names, taken = np.unique(films), 0
    while np.isin(films, names[:taken]).sum() < count:
        taken += 1
    return np.isin(films, names[:taken])
""",
                "Whole films, but always those with the first names: shuffle the films.",
            ),
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    names = np.random.default_rng(0).permutation(np.unique(films))
    taken = 0
    while np.isin(films, names[:taken]).sum() < count:
        taken += 1
    return np.flatnonzero(np.isin(films, names[:taken]))
""",
                "These are row numbers. Return one answer for each review: True where it is held "
                "back.",
            ),
            Mistake(
                """
import numpy as np


def hold_back(films, count):
    names = np.random.default_rng(0).permutation(np.unique(films))
    taken = 0
    while np.isin(films, names[:taken]).sum() < count:
        taken += 1
    return ~np.isin(films, names[:taken])
""",
                "It is the wrong way round: True is where a review stays in train.",
            ),
        ),
        expects="True for the reviews held back: whole films, in a random order, and just enough",
    ),
)
