"""Which part of a long review the packaged classifier should read."""

import numpy as np

from experiments.data import accuracy, labels, quantise, reviews
from experiments.ladder import ask
from experiments.probes import sigmoid
from imdb_tutorial import load_classifier


def keep(text: str, part: str, size: int, tokenizer) -> str:
    """Cut a text to so many tokens: its head, its tail, or half of each; [CLS] and [SEP] count."""
    places = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
    places, room = places["offset_mapping"], size - 2
    if len(places) <= room:
        return text
    if part == "head":
        return text[: places[room - 1][1]]
    if part == "tail":
        return text[places[-room][0] :]
    half = room // 2
    return f"{text[: places[half - 1][1]]} {text[places[half - room][0] :]}"


def cut_texts(unit: dict) -> tuple[list[dict], dict]:
    """Let the packaged classifier read one part of every test review that is too long for it."""
    classifier = load_classifier("packaged")
    texts = reviews()["test"]["text"][:]
    cut = [keep(text, unit["part"], unit["size"], classifier.tokenizer) for text in texts]
    long = np.array([before != after for before, after in zip(texts, cut, strict=True)])
    answers = quantise(sigmoid(ask(classifier, list(np.array(cut, dtype=object)[long]))))
    truth = labels("test")[long]
    row = {"cut_reviews": int(long.sum()), "test_accuracy": accuracy(answers, truth)}
    padded = np.zeros(len(texts), dtype=np.uint8)
    padded[long] = answers
    return [unit | row], {"is_cut": long[None], "test": padded[None]}
