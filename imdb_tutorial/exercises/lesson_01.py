"""Exercises of lesson 01: tokens, logits, softmax, the whole pipeline, and what is never read."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch

from imdb_tutorial.exercises.exercise import Exercise, Mistake


def _try_number(answer: float) -> float:
    return round(float(answer), 2)


def _try_tokens(answer: int) -> int:
    return int(answer)


def _try_softmax(answer: Callable) -> list[Any]:
    several = (torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0]), torch.tensor([-2.0, 0.5, 1.0]))
    return [answer(logits) for logits in several]


def _try_share_never_read(answer: Callable) -> list[float]:
    return [float(answer(*given)) for given in ((1000, 512), (300, 512), (512, 512), (600, 150))]


class _Tokenizer:
    """Two words of praise, one of blame; notes how it is asked."""

    def __init__(self):
        self.asked: list[str] = []

    def __call__(self, text: str, return_tensors: str | None = None, **options: Any) -> dict:
        self.asked.append(text)
        ids = [[101, *({"good": 1, "fine": 1, "bad": 2}.get(w, 3) for w in text.split()), 102]]
        mask = [[1] * len(ids[0])]
        if return_tensors == "pt":
            return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}
        return {"input_ids": ids, "attention_mask": mask}


class _Model:
    """Counts words of praise and of blame; wants both inputs by name."""

    config = SimpleNamespace(id2label={0: "NEGATIVE", 1: "POSITIVE"})

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        counts = [(input_ids * attention_mask == word).sum(dim=1) for word in (2, 1)]
        return SimpleNamespace(logits=1.5 * torch.stack(counts, dim=1).float())  # [batch, 2]


def _try_my_pipeline(answer: Callable) -> list[Any]:
    outcomes: list[Any] = []
    for text in ("a good and fine film", "a bad film", "good but bad and good"):
        tokenizer = _Tokenizer()
        label, probability = answer(text, tokenizer, _Model())
        outcomes += [label, probability, tokenizer.asked == [text]]
    return outcomes


EXERCISES = (
    Exercise(
        name="tokens_of_a_sentence",
        answer_name="prediction",
        hints=(
            "Count the words, then the punctuation marks, then what the tokenizer adds itself.",
            "I, loved, it, and one mark. In front of them [CLS], behind them [SEP].",
        ),
        solution="prediction = 6",
        trial=_try_tokens,
        expects="a whole number of tokens",
        mistakes=(
            Mistake("prediction = 3", "These are the words. The mark at the end is a token, too."),
            Mistake("prediction = 4", "Something is added at the beginning and at the end."),
            Mistake("prediction = 5", "Nearly. Count the mark, [CLS] and [SEP]."),
            Mistake("prediction = 2", "These are only the two that the tokenizer adds."),
            Mistake(
                "prediction = 11", "These are letters and marks. A token is a word or a part of it."
            ),
        ),
    ),
    Exercise(
        name="both_logits_plus_two",
        answer_name="prediction",
        hints=(
            "Softmax divides by the sum. What happens to a fraction when both parts are "
            "multiplied by the same number?",
            "Only the difference of the two logits counts. Is it another one now?",
        ),
        solution="prediction = 0.88",
        trial=_try_number,
        expects="a probability, rounded to two decimals",
        mistakes=(
            Mistake(
                "prediction = 0.98",
                "This would be right if only the second logit grew. Both do.",
            ),
            Mistake(
                "prediction = 0.5", "Then both labels would be equal. The second logit leads still."
            ),
            Mistake("prediction = 1", "It is never exactly 1, and the lead did not grow."),
            Mistake("prediction = 2.88", "A probability is never above 1."),
            Mistake("prediction = 0.12", "This is the other label, with the smaller logit."),
        ),
    ),
    Exercise(
        name="softmax",
        hints=(
            "torch.exp takes e to the power of each number of a tensor at once.",
            "Divide by the sum of these powers. The result adds up to one.",
        ),
        solution="""
def softmax(logits):
    powers = torch.exp(logits)  # [labels]
    return powers / powers.sum()
""",
        trial=_try_softmax,
        expects="a tensor of probabilities that add up to one, as many as there are logits",
        mistakes=(
            Mistake(
                """
def softmax(logits):
    return torch.exp(logits)
""",
                "All are above zero now, but they do not add up to one.",
            ),
            Mistake(
                """
def softmax(logits):
    return logits / logits.sum()
""",
                "Logits can be below zero, and so are some of your probabilities. "
                "Where is e to the power of them?",
            ),
            Mistake(
                """
def softmax(logits):
    powers = torch.exp(logits)
    return powers / powers.max()
""",
                "You divide by the largest one. The result must add up to one.",
            ),
            Mistake(
                """
def softmax(logits):
    powers = torch.exp(logits)
    return powers / logits.sum()
""",
                "You divide by the sum of the logits. Divide by the sum of the powers.",
            ),
            Mistake(
                """
def softmax(logits):
    powers = torch.exp(-logits)
    return powers / powers.sum()
""",
                "The smaller logit gets the larger probability: look at the sign.",
            ),
            Mistake(
                """
def softmax(logits):
    powers = torch.exp(logits)
    return (powers / powers.sum()).max()
""",
                "This is one probability. Return all of them.",
            ),
            Mistake(
                """
def softmax(logits):
    powers = 2**logits
    return powers / powers.sum()
""",
                "The powers are those of 2. Take those of e, with torch.exp.",
            ),
        ),
    ),
    Exercise(
        name="my_pipeline",
        hints=(
            "Four steps, as above: tokenizer, model, softmax, name of the label.",
            'inputs = tokenizer(text, return_tensors="pt"), then model(**inputs).logits[0].',
            "The place of the largest probability, argmax, is the number of the label.",
        ),
        solution="""
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits[0]  # [labels]
    probabilities = logits.softmax(dim=0)  # [labels]
    best = probabilities.argmax().item()
    return model.config.id2label[best], probabilities[best].item()
""",
        trial=_try_my_pipeline,
        expects="the label's name and its probability",
        mistakes=(
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits[0]
    best = logits.argmax().item()
    return model.config.id2label[best], logits[best].item()
""",
                "The second number is a logit. Softmax makes a probability of it.",
            ),
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits[0]
    probabilities = logits.softmax(dim=0)
    best = probabilities.argmax().item()
    return best, probabilities[best].item()
""",
                "The first part is the label's number. model.config.id2label knows its name.",
            ),
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits[0]
    probabilities = logits.softmax(dim=0)
    return model.config.id2label[probabilities.argmax().item()], probabilities[1].item()
""",
                "The probability is always that of POSITIVE. Give the one of your own answer.",
            ),
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits
    probabilities = logits.softmax(dim=0)[0]
    best = probabilities.argmax().item()
    return model.config.id2label[best], probabilities[best].item()
""",
                "Every probability is 1: softmax went over the texts. It goes over the labels.",
            ),
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits[0]
    probabilities = logits.softmax(dim=0)
    best = probabilities.argmin().item()
    return model.config.id2label[best], probabilities[best].item()
""",
                "This is the label with the smaller probability.",
            ),
            Mistake(
                """
def my_pipeline(text, tokenizer, model):
    inputs = tokenizer(text, return_tensors="pt")
    logits = model(**inputs).logits[0]
    probabilities = logits.softmax(dim=0)
    best = probabilities.argmax().item()
    return {"label": model.config.id2label[best], "score": probabilities[best].item()}
""",
                "This is a dictionary. Return two things: the name, and the probability.",
            ),
        ),
    ),
    Exercise(
        name="share_never_read",
        hints=(
            "How many tokens are left over: the length less the limit.",
            "A short text has none left over, not fewer than none: max(0, ...).",
            "A share is a part divided by the whole: by the length.",
        ),
        solution="""
def share_never_read(length, limit):
    return max(0, length - limit) / length
""",
        trial=_try_share_never_read,
        expects="a share between 0 and 1",
        mistakes=(
            Mistake(
                """
def share_never_read(length, limit):
    return (length - limit) / length
""",
                "A text that is shorter than the limit gets a share below zero.",
            ),
            Mistake(
                """
def share_never_read(length, limit):
    return max(0, length - limit)
""",
                "This is a number of tokens. A share is a part of the whole text.",
            ),
            Mistake(
                """
def share_never_read(length, limit):
    return max(0, length - limit) / limit
""",
                "You divide by the limit. The whole is the text.",
            ),
            Mistake(
                """
def share_never_read(length, limit):
    return min(length, limit) / length
""",
                "This is the share that is read.",
            ),
            Mistake(
                """
def share_never_read(length, limit):
    return 100 * max(0, length - limit) / length
""",
                "This is in percent. Give a share between 0 and 1.",
            ),
            Mistake(
                """
def share_never_read(length, limit):
    return float(length > limit)
""",
                "This says only whether something is left over. How large is that part?",
            ),
        ),
    ),
)
