"""Exercises of lesson 03: tokens and batches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from imdb_tutorial.exercises.exercise import Exercise, Mistake

PAD_ID, CLS_ID, SEP_ID = 9, 1, 2  # not BERT's: an answer should read them, not know them
SHORT = [("a good film", 1), ("bad", 0)]
WITH_A_LONG_ONE = [
    ("bad", 0),
    ("a film that begins well and then goes on and on without an end", 1),
    ("a good film", 1),
]


class _ToyTokenizer:
    """Gives each word its number of letters as its id; its options are those of transformers."""

    pad_token_id, cls_token_id, sep_token_id, model_max_length = PAD_ID, CLS_ID, SEP_ID, 8

    def __call__(
        self,
        texts: list[str],
        truncation: Any = False,
        padding: Any = False,
        max_length: int | None = None,
        return_tensors: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        most = (max_length or self.model_max_length) if truncation else None
        inside = [[10 + len(word) for word in text.split()] for text in texts]
        ids = [[CLS_ID, *words[: most - 2 if most else None], SEP_ID] for words in inside]
        widths = [len(row) for row in ids]
        width = max(widths) if padding in (True, "longest") else None
        if padding == "max_length":
            width = max(max_length or self.model_max_length, *widths)
        if width is None and return_tensors and len(set(widths)) > 1:
            raise ValueError(
                "Unable to create tensor, the rows have different lengths: activate padding"
            )
        mask = [[1] * len(row) for row in ids]
        if width is not None:
            ids = [row + [PAD_ID] * (width - len(row)) for row in ids]
            mask = [row + [0] * (width - len(row)) for row in mask]
        inputs = {
            "input_ids": ids,
            "token_type_ids": [[0] * len(row) for row in ids],
            "attention_mask": mask,
        }
        if return_tensors is None:
            return inputs
        return {name: torch.tensor(rows) for name, rows in inputs.items()}


def _try_collate(answer: Callable) -> list[dict[str, Any]]:
    return [_batch_in_words(answer(list(r), _ToyTokenizer(), 8)) for r in (SHORT, WITH_A_LONG_ONE)]


def _batch_in_words(batch: Any) -> dict[str, Any]:
    parts = len(batch) if isinstance(batch, tuple) else 0
    if parts != 2:
        return {"parts of the tuple": parts}
    inputs, labels = batch
    if not hasattr(inputs, "keys"):
        return {"first part": type(inputs).__name__, "second part": type(labels).__name__}
    ids = inputs.get("input_ids")
    if not isinstance(ids, torch.Tensor):
        return {"input_ids": type(ids).__name__}
    if not isinstance(labels, torch.Tensor):
        return {"labels": type(labels).__name__}
    return {
        "inputs": sorted(inputs.keys()),
        "input_ids": ids.tolist(),
        "labels": labels.tolist() if labels.dtype == torch.long else str(labels.dtype),
    }


def _try_attention_mask(answer: Callable) -> list:
    ids = torch.tensor([[1, 14, 0, 2], [1, 16, 2, PAD_ID], [1, 2, PAD_ID, PAD_ID]])  # [3, 4]
    mask = answer(ids, PAD_ID)
    return mask.tolist() if isinstance(mask, torch.Tensor) and mask.dtype != torch.bool else mask


def _try_tokens_computed(answer: Callable) -> list:
    lengths = [5, 3, 9, 2, 2, 7, 4]
    return [answer(list(lengths), 3), answer(list(lengths), 2), answer(list(lengths), 1)]


def _try_restore(answer: Callable) -> list[float]:
    order = np.array([3, 0, 4, 1, 2])
    in_order_of_length = np.array([0.3, 0.0, 0.4, 0.1, 0.2])
    return [float(each) for each in answer(order, in_order_of_length)]


def _number_of_tokens(answer: Any) -> Any:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return "no number"
    return int(answer) if answer == int(answer) else "no whole number"


def _share_of_text(answer: Any) -> str:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return "no number"
    if not 0 <= answer <= 1:
        return "not from 0 to 1"
    for name, end in (
        ("far too low", 0.35),
        ("too low", 0.48),
        ("right", 0.62),
        ("too high", 0.85),
    ):
        if answer <= end:
            return name
    return "far too high"


NO_NUMBER = "It is a text: write a number, without quotation marks."

EXERCISES = (
    Exercise(
        name="tokens_of_br",
        answer_name="prediction",
        hints=(
            "Every sign is a token of its own, as the full stop was. Letters in a row are a word.",
            "Cover the mark with a finger and uncover it sign by sign. A space is no token.",
        ),
        solution="prediction = 4",
        trial=_number_of_tokens,
        mistakes=(
            Mistake(
                "prediction = 1",
                "For a browser it is one mark. BERT's tokenizer knows no "
                "HTML: it breaks it at every sign.",
            ),
            Mistake("prediction = 2", "A space does divide it, but each sign is a token as well."),
            Mistake(
                "prediction = 3",
                "Near. Write it down sign by sign; letters in a row stay together.",
            ),
            Mistake("prediction = 5", "Near. A space divides tokens, and is none itself."),
            Mistake("prediction = 6", "These are the characters. Letters in a row stay together."),
            Mistake("prediction = '4'", NO_NUMBER),
        ),
    ),
    Exercise(
        name="attention_mask",
        hints=(
            "Comparing a tensor with a number gives True or False at each place.",
            "ids != pad_id is True where there is text; .long() turns True into 1.",
        ),
        solution="""
def attention_mask(ids, pad_id):
    return (ids != pad_id).long()  # [batch, tokens]
""",
        trial=_try_attention_mask,
        mistakes=(
            Mistake(
                """
def attention_mask(ids, pad_id):
    return (ids == pad_id).long()
""",
                "It is the wrong way round: 1 stands for text, 0 for padding.",
            ),
            Mistake(
                """
def attention_mask(ids, pad_id):
    return (ids != 0).long()
""",
                "It takes 0 for the padding. Another tokenizer has another number: use pad_id.",
            ),
            Mistake(
                """
def attention_mask(ids, pad_id):
    return ids != pad_id
""",
                "True and False at the right places. Make whole numbers of them, 1 and 0.",
            ),
            Mistake(
                """
def attention_mask(ids, pad_id):
    return (ids != pad_id).sum(dim=1)
""",
                "These are the lengths, one number a review. The mask has one number a token.",
            ),
            Mistake(
                """
def attention_mask(ids, pad_id):
    return ids * (ids != pad_id)
""",
                "The padding is 0, but the text has kept its ids: it should be 1.",
            ),
            Mistake(
                """
def attention_mask(ids, pad_id):
    return torch.ones_like(ids)
""",
                "The mask is 1 everywhere: BERT would read the padding as if it were text.",
            ),
        ),
        expects="1 where there is text and 0 where there is padding, in a tensor as large as ids",
    ),
    Exercise(
        name="collate",
        hints=(
            "Divide the pairs first: texts = [text for text, label in reviews], and the labels in "
            "the same way. torch.tensor makes one tensor of a list of numbers.",
            'The tokenizer does the rest: truncation=True with max_length, padding="longest", and '
            'return_tensors="pt" for tensors of PyTorch.',
        ),
        solution="""
import torch


def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])  # [batch]
    inputs = tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )  # each [batch, tokens]
    return inputs, labels
""",
        trial=_try_collate,
        mistakes=(
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])
    inputs = tokenizer(
        texts, truncation=True, max_length=max_length, padding="max_length", return_tensors="pt"
    )
    return inputs, labels
""",
                "Every batch is as wide as max_length. The rows should be as long as the longest "
                "review of their batch.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])
    return tokenizer(texts, padding="longest", return_tensors="pt"), labels
""",
                "A long review is longer than max_length: nothing truncates it.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])
    inputs = tokenizer(texts, truncation=True, max_length=max_length, padding="longest")
    return inputs, labels
""",
                "The inputs are lists. BERT needs tensors.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = [label for text, label in reviews]
    inputs = tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )
    return inputs, labels
""",
                "The labels are a list. The loss needs a tensor.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([float(label) for text, label in reviews])
    inputs = tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )
    return inputs, labels
""",
                "The labels have become decimal numbers. A label is a whole number, 0 or 1.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])
    inputs = tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )
    return labels, inputs
""",
                "The order is the other way round: the inputs come first, then the labels.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    labels = torch.tensor([label for text, label in reviews])
    data = tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )
    return data["input_ids"], data["attention_mask"], data["token_type_ids"], labels
""",
                "These are four things, as in the classic tutorial. Return two: all the inputs "
                "together, and the labels.",
            ),
            Mistake(
                """
def collate(reviews, tokenizer, max_length):
    texts = [text for text, label in reviews]
    return tokenizer(
        texts, truncation=True, max_length=max_length, padding="longest", return_tensors="pt"
    )
""",
                "The labels are missing: return two things, the inputs and the labels.",
            ),
        ),
        expects="the tuple (inputs, labels)",
    ),
    Exercise(
        name="share_of_text",
        answer_name="prediction",
        hints=(
            "The figure of the lengths helps: its peak is near 170 tokens, with a long tail.",
            "A review of 170 tokens fills a third of its row; a long one fills all of it. What is "
            "the mean?",
        ),
        solution="prediction = 0.55",
        trial=_share_of_text,
        mistakes=(
            Mistake("prediction = 0.2", "Far too low: few reviews are shorter than 100 tokens."),
            Mistake(
                "prediction = 0.4", "Too low: think of the long tail. Long reviews fill their rows."
            ),
            Mistake("prediction = 0.7", "Too high: most reviews have fewer than 250 tokens."),
            Mistake(
                "prediction = 0.95", "Far too high: only about one review in six fills its row."
            ),
            Mistake("prediction = '53 %'", NO_NUMBER),
            Mistake("prediction = 53", "A share goes from 0 to 1: write 30 % as 0.3."),
        ),
    ),
    Exercise(
        name="tokens_computed",
        hints=(
            "A batch is lengths[start : start + size]; start goes up in steps of size.",
            "A batch costs its number of reviews times its longest review. The last batch may have "
            "fewer reviews.",
        ),
        solution="""
def tokens_computed(lengths, size):
    total = 0
    for start in range(0, len(lengths), size):
        batch = lengths[start : start + size]
        total += len(batch) * max(batch)
    return total
""",
        trial=_try_tokens_computed,
        mistakes=(
            Mistake(
                """
def tokens_computed(lengths, size):
    return sum(lengths)
""",
                "These are the tokens of text only. Padding is computed too.",
            ),
            Mistake(
                """
def tokens_computed(lengths, size):
    return len(lengths) * max(lengths)
""",
                "It pads to the longest of all. Each batch has a longest review of its own.",
            ),
            Mistake(
                """
def tokens_computed(lengths, size):
    return sum(
        size * max(lengths[start : start + size]) for start in range(0, len(lengths), size)
    )
""",
                "The last batch has fewer reviews than the others, and costs less.",
            ),
            Mistake(
                """
def tokens_computed(lengths, size):
    whole = len(lengths) // size * size
    return sum(size * max(lengths[start : start + size]) for start in range(0, whole, size))
""",
                "The last batch is left out when it is not full. Its reviews count as well.",
            ),
            Mistake(
                """
def tokens_computed(lengths, size):
    return sum(max(lengths[start : start + size]) for start in range(0, len(lengths), size))
""",
                "This is one row of each batch. A batch has several.",
            ),
            Mistake(
                """
def tokens_computed(lengths, size):
    lengths = sorted(lengths)
    return sum(
        len(lengths[start : start + size]) * max(lengths[start : start + size])
        for start in range(0, len(lengths), size)
    )
""",
                "It sorts the reviews. Take them in the order in which they come.",
            ),
        ),
        expects="the number of tokens in all batches, padding included",
    ),
    Exercise(
        name="restore",
        hints=(
            "Write down a small case: order = [2, 0, 1]. The first answer belongs to review 2.",
            "Make an empty array for the answers, restored = np.empty_like(answers). Which of its "
            "places does each answer belong to?",
        ),
        solution="""
import numpy as np


def restore(order, answers):
    restored = np.empty_like(answers)
    restored[order] = answers
    return restored
""",
        trial=_try_restore,
        mistakes=(
            Mistake(
                """
def restore(order, answers):
    return answers[order]
""",
                "This puts them into a new order once more. With three reviews, order = [2, 0, 1], "
                "try it on paper: where does the first answer go?",
            ),
            Mistake(
                """
def restore(order, answers):
    return answers
""",
                "Nothing has changed: the answers still stand in the order of the lengths.",
            ),
            Mistake(
                """
def restore(order, answers):
    return answers[::-1]
""",
                "Turning them round is not enough: order is any order, not only the reverse.",
            ),
            Mistake(
                """
def restore(order, answers):
    return order
""",
                "This is the order itself. Return the answers.",
            ),
            Mistake(
                """
import numpy as np


def restore(order, answers):
    return np.argsort(order)
""",
                "You know now where each answer stands. Fetch the answers from there.",
            ),
        ),
        expects="the answers, in the order of the reviews",
    ),
)
