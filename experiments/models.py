"""The ladder's models, fine-tuning on samples, where to cut a review, and what padding costs."""

import dataclasses
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from sklearn.feature_extraction.text import TfidfVectorizer

import imdb_tutorial
from experiments.data import (
    PARTS,
    PRESET,
    accuracy,
    features,
    labels,
    quantise,
    reviews,
    sample,
    tfidf,
    word_counts,
)
from experiments.probes import margins, new_trainer, sigmoid, standardise
from experiments.words import STRENGTH, fit_words
from imdb_tutorial import (
    extract_features,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
)
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.encoder.load import quiet_transformers
from imdb_tutorial.encoder.tokens import pad, plan_batches, tokenize
from imdb_tutorial.finetuning.run import (
    load_model_for_classification,
    tokenize_reviews,
    training_arguments,
)
from imdb_tutorial.machine.sources import packaged_encoder_folder

ASKED = PARTS[1:]
FINE_TUNING = {"max_length": 256, "batch_size": 16, "learning_rate": 1e-4, "num_epochs": 4}
FINE_TUNED_ON = 1_000
TIMED_REVIEWS = 2_000
PADDING_REVIEWS, PADDING_ROUNDS, PADDING_BATCH = 128, 3, 32
PACKAGED = Path(imdb_tutorial.__file__).with_name("data") / "packaged_classifier"


def climb(unit: dict) -> tuple[list[dict], dict]:
    """Train, or load, one model of the ladder; keep its margins on every held-back text."""
    answers, row = LADDER[unit["model"]](unit["seed"])
    row["test_accuracy"] = float(np.mean((answers["test"] > 0) == labels("test")))
    return [unit | row], {part: answers[part][None].astype(np.float32) for part in ASKED}


def climb_majority(seed: int) -> tuple[dict, dict]:
    """Answer every text with the training reviews' more frequent label; it is a tie: positive."""
    label = 1 if labels("train").mean() >= 0.5 else -1
    row = {"train_size": len(labels("train")), "seconds": 0.0, "megabytes": 0.0}
    return {part: np.full(len(labels(part)), 1e-6 * label) for part in ASKED}, row


def climb_words(seed: int) -> tuple[dict, dict]:
    """Fit TF-IDF with logistic regression on all training reviews."""
    texts, counts = reviews()["train"]["text"][:], word_counts()
    began = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    fit = fit_words(vectorizer.fit_transform(texts), labels("train"))
    seconds = time.perf_counter() - began
    _, *asked = tfidf(counts["train"], *(counts[part] for part in ASKED))
    vocabulary = sum(len(word.encode()) for word in vectorizer.vocabulary_)
    row = {
        "train_size": len(texts),
        "seconds": seconds,
        "megabytes": (fit.coef_.nbytes + vectorizer.idf_.nbytes + vocabulary) / 1e6,
        "strength": STRENGTH,
    }
    pairs = zip(ASKED, asked, strict=True)
    return {part: fit.decision_function(weights) for part, weights in pairs}, row


def climb_probe(pooling: str, softmax: bool, standardised: bool):
    """Return a function that trains a probe on all training reviews, with the classic recipe."""

    def climb_it(seed: int) -> tuple[dict, dict]:
        parts = [features(part)[pooling] for part in PARTS]
        began = time.perf_counter()
        if standardised:
            parts = standardise(*parts)
        truth = [labels(part) for part in PARTS]
        trainer = new_trainer(parts, truth, pooling, softmax, seed, PRESET.learning_rate)
        trainer.train(PRESET.num_epochs)
        seconds = time.perf_counter() - began
        texts = reviews()["train"]["text"][:TIMED_REVIEWS]
        began = time.perf_counter()
        extract_features(
            texts, load_tokenizer(), load_encoder(device="cpu"), pooling, use_cache=False
        )
        reading = (time.perf_counter() - began) * len(truth[0]) / len(texts)
        row = {
            "train_size": len(truth[0]),
            "seconds": seconds + reading,
            "seconds_of_it_to_read": reading,
            "megabytes": encoder_megabytes()
            + sum(p.numel() * p.element_size() for p in trainer.model.parameters()) / 1e6,
            "validation_accuracies": [round(a, 5) for a in trainer.val_accuracy],
        }
        return {p: margins(trainer, x) for p, x in zip(PARTS, parts, strict=True)}, row

    return climb_it


def climb_packaged(seed: int) -> tuple[dict, dict]:
    """Ask the packaged classifier; its training is recorded beside it."""
    record = json.loads((PACKAGED / "record.json").read_text(encoding="utf-8"))
    classifier = load_classifier("packaged")
    row = {
        "train_size": record["reviews"]["train"],
        "seconds": record["seconds"],
        "megabytes": encoder_megabytes()
        + sum(file.stat().st_size for file in PACKAGED.glob("*.safetensors")) / 1e6,
    }
    return {part: ask(classifier, reviews()[part]["text"][:]) for part in ASKED}, row


def climb_fine_tuned(seed: int) -> tuple[dict, dict]:
    """Fine-tune on a thousand reviews."""
    classifier, seconds = fine_tune(FINE_TUNED_ON, seed)
    row = {"train_size": FINE_TUNED_ON, "seconds": seconds, "megabytes": encoder_megabytes()}
    return {part: ask(classifier, reviews()[part]["text"][:]) for part in ASKED}, row


LADDER = {
    "majority": climb_majority,
    "TF-IDF": climb_words,
    "classic probe": climb_probe("cls", softmax=True, standardised=False),
    "mended probe": climb_probe("mean", softmax=False, standardised=True),
    "packaged": climb_packaged,
    "fine-tuned": climb_fine_tuned,
}


def encoder_megabytes() -> float:
    """Return the size of the pip-installed MiniLM's weights."""
    return (packaged_encoder_folder() / "model.safetensors").stat().st_size / 1e6


def ask(classifier: SentimentPipeline, texts: Sequence[str]) -> np.ndarray:
    """Return a classifier's margins: the log of its odds for positive."""
    probabilities = predict_proba(classifier, texts).double().clamp_min(1e-12).numpy()
    return np.log(probabilities[:, 1] / probabilities[:, 0])


def fine_tune(size: int, seed: int) -> tuple[SentimentPipeline, float]:
    """Fine-tune on a sample for a fixed number of epochs; return classifier and seconds."""
    preset = PRESET.replace(seed=seed, **FINE_TUNING)
    transformers.set_seed(seed)
    tokenizer, model = load_tokenizer(), load_model_for_classification(preset.encoder)
    chosen = reviews()["train"].select(sample(seed, size))
    with tempfile.TemporaryDirectory() as folder, quiet_transformers():
        settings = dataclasses.replace(
            training_arguments(preset, folder),
            eval_strategy="no",
            save_strategy="no",
            load_best_model_at_end=False,
        )
        trainer = transformers.Trainer(
            model=model,
            args=settings,
            train_dataset=tokenize_reviews(chosen, tokenizer, preset.max_length),
            processing_class=tokenizer,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        # In bfloat16 the Trainer leaves the model wrapped.
        model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    pipeline = SentimentPipeline(
        model=model.eval(),
        tokenizer=tokenizer,
        device="cpu",
        truncation=True,
        max_length=preset.max_length,
    )
    return pipeline, seconds


def fine_tune_on(unit: dict) -> tuple[list[dict], dict]:
    """Fine-tune on fewer reviews, for the learning curve."""
    classifier, seconds = fine_tune(unit["size"], unit["seed"])
    answers = quantise(sigmoid(ask(classifier, reviews()["test"]["text"][:])))
    row = {
        "model": "fine-tuned",
        "seconds": round(seconds, 1),
        "test_accuracy": accuracy(answers, labels("test")),
    }
    return [unit | row], {"test": answers[None]}


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


def pay_for_padding(unit: dict) -> tuple[list[dict], dict]:
    """Time the same reviews with three ways of padding, in turn; count what was text."""
    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
    rows = np.random.default_rng(unit["seed"]).permutation(len(labels("test")))
    texts = [reviews()["test"]["text"][int(row)] for row in rows[:PADDING_REVIEWS]]
    tokens = tokenize(texts, tokenizer, PRESET.max_length)
    lengths = tokens.lengths()
    as_they_come = np.split(np.arange(len(texts)), range(PADDING_BATCH, len(texts), PADDING_BATCH))
    by_length = np.split(np.argsort(lengths), range(PADDING_BATCH, len(texts), PADDING_BATCH))
    ways = {
        "to 500": (as_they_come, PRESET.max_length),
        "to the longest of the batch": (as_they_come, 0),
        "sorted by length": (by_length, 0),
        "by a budget of tokens": (list(plan_batches(lengths, 1_024)), 0),
    }
    seconds = {way: [] for way in ways}
    computed = dict.fromkeys(ways, 0)
    for number in range(PADDING_ROUNDS + 1):
        for way, (batches, width) in ways.items():
            began = time.perf_counter()
            computed[way] = 0
            for batch in batches:
                inputs = pad(tokens, batch, tokenizer.pad_token_id, encoder.device)
                ids, mask = inputs["input_ids"], inputs["attention_mask"]  # [batch, tokens]
                missing = max(0, width - ids.shape[1])
                ids = torch.nn.functional.pad(ids, (0, missing), value=tokenizer.pad_token_id)
                mask = torch.nn.functional.pad(mask, (0, missing))
                with torch.inference_mode():
                    encoder(input_ids=ids, attention_mask=mask)
                computed[way] += ids.numel()
            if number:  # the first round warms up
                seconds[way].append(time.perf_counter() - began)
    text = int(lengths.sum())
    return [
        {
            "way": way,
            "reviews": len(texts),
            "rounds": PADDING_ROUNDS,
            "tokens_of_text": text,
            "tokens_computed": computed[way],
            "median_seconds": round(float(np.median(seconds[way])), 2),
        }
        for way in ways
    ], {}
