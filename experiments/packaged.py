"""The packaged classifier: its rung of the ladder, and which part of a long review to read."""

import json
from pathlib import Path

import numpy as np

import imdb_tutorial
from experiments.data import accuracy, labels, quantise, reviews
from experiments.ladder import ask, ask_everything, encoder_megabytes, rung
from experiments.probes import sigmoid
from imdb_tutorial import load_classifier

PACKAGED = Path(imdb_tutorial.__file__).with_name("data") / "packaged_classifier"
FILES = tuple(sorted(file for file in PACKAGED.iterdir() if file.is_file()))


def climb_packaged(unit: dict) -> tuple[list[dict], dict]:
    """Ask the packaged classifier; its training is recorded beside it."""
    record = json.loads((PACKAGED / "record.json").read_text(encoding="utf-8"))
    (chosen,) = (run for run in record["runs"] if run["seed"] == record["chosen_seed"])
    classifier = load_classifier("packaged")
    row = {
        "train_size": record["reviews"]["train"],
        "seconds": chosen["seconds"],
        "megabytes": encoder_megabytes()
        + sum(file.stat().st_size for file in PACKAGED.glob("*.safetensors")) / 1e6,
    }
    return rung(unit, ask_everything(classifier), row)


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
