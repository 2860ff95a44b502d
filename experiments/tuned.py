"""Probe, LoRA and full fine-tuning: the same labels, the same tokens, each with its own choices."""

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from experiments.budget import balanced_sample, fits
from experiments.data import accuracy, labels, quantise, reviews
from experiments.frozen import STRENGTHS, standardised, vectors
from experiments.units import code_digest
from imdb_tutorial import choose_dtype, load_model_for_classification, load_tokenizer, tokenize
from imdb_tutorial.encoder.tokens import pad, plan_batches
from imdb_tutorial.machine.files import write_whole

SIZES = (50, 200, 1_000, 5_000)
WAYS = ("probe", "LoRA", "full")
LENGTH, BATCH = 256, 16
RATES = {"LoRA": (3e-4, 1e-3), "full": (5e-5, 1e-4)}
STEPS, WARM_UP = (100, 200, 300), 30
VALIDATION = 0.2
CHOSEN_ON = f"a validation part inside the sample, {VALIDATION:.0%} of it"
TRIALS = Path("build/evidence/trials")


def fit_tuned(unit: dict) -> tuple[list[dict], dict]:
    """Train in one way on a sample less its validation part; ask the chosen model test once."""
    rows = balanced_sample(unit["seed"], unit["size"])
    learnt, checked = train_test_split(
        rows, test_size=VALIDATION, stratify=labels("train")[rows], random_state=unit["seed"]
    )
    train = fit_probe if unit["way"] == "probe" else fine_tune
    probabilities, choice = train(unit, learnt, checked)
    answers = quantise(probabilities)
    row = unit | {"length": LENGTH, "learnt_from": len(learnt), **choice}
    row |= {"chosen_on": CHOSEN_ON, "asked": "test"}
    return [row | {"test_accuracy": accuracy(answers, labels("test"))}], {"test": answers[None]}


def fit_probe(unit: dict, learnt: np.ndarray, checked: np.ndarray) -> tuple[np.ndarray, dict]:
    """Fit MiniLM's frozen mean with the strength that is best on the validation part."""
    means, asked = (vectors("packaged", part, LENGTH)["mean"] for part in ("train", "test"))
    truth = labels("train")
    train, held, asked = standardised(means[learnt], truth[learnt], means[checked], asked)
    scores = [f.score(held, truth[checked]) for f in fits(train, truth[learnt], STRENGTHS)]
    best = int(np.argmax(scores))
    (fit,) = fits(train, truth[learnt], STRENGTHS[best : best + 1])
    return fit.predict_proba(asked)[:, 1], {"strength": STRENGTHS[best]}


def fine_tune(unit: dict, learnt: np.ndarray, checked: np.ndarray) -> tuple[np.ndarray, dict]:
    """Fine-tune once a learning rate; keep the rate and the steps that are best on validation.

    A rate that was finished is kept under ``TRIALS`` until all of them are.
    """
    best, files = None, []
    for rate in RATES[unit["way"]]:
        name = f"{unit['way']}-{unit['size']}-{unit['seed']}-{rate}"
        files.append(TRIALS / f"{name}-{trial_digest(learnt, checked)}.pt")
        if not files[-1].is_file():
            keep_trial(files[-1], unit, rate, learnt, checked)
        trial = torch.load(files[-1], weights_only=True)
        if best is None or trial["score"] > best["score"]:
            best = trial | {"rate": rate}
    model = new_model(unit["way"], unit["seed"])
    model.load_state_dict(best["weights"], strict=False)
    probabilities = ask(model, reviews()["test"]["text"][:])
    for file in files:
        file.unlink()
    return probabilities, {
        "learning_rate": best["rate"],
        "learning_rates": list(RATES[unit["way"]]),
        "steps": best["steps"],
        "steps_to_choose_from": list(STEPS),
        "batch_size": BATCH,
        "chosen_with_accuracy": best["score"],
    }


def trial_digest(learnt: np.ndarray, checked: np.ndarray) -> str:
    """Digest this experiment's code and the reviews, so that no other trial is taken up."""
    texts = reviews()["train"].select(np.concatenate([learnt, checked]))["text"][:]
    return hashlib.sha256("\0".join([code_digest(__name__), *texts]).encode()).hexdigest()[:16]


def new_model(way: str, seed: int) -> torch.nn.Module:
    """Return MiniLM with a new head; for LoRA (Hu et al., 2021), all but adapter and head fixed."""
    torch.manual_seed(seed)
    model = load_model_for_classification("packaged")
    if way == "LoRA":
        import peft

        settings = peft.LoraConfig("SEQ_CLS", r=8, lora_alpha=16, target_modules=["query", "value"])
        model = peft.get_peft_model(model, settings)
    return model


def keep_trial(
    file: Path, unit: dict, rate: float, learnt: np.ndarray, checked: np.ndarray
) -> None:
    """Train with one learning rate; keep the steps that are best on validation, of equals first."""
    model, truth = new_model(unit["way"], unit["seed"]), torch.from_numpy(labels("train"))
    texts, held = ([reviews()["train"]["text"][int(r)] for r in some] for some in (learnt, checked))
    tokenizer = load_tokenizer()
    tokens = tokenize(texts, tokenizer, LENGTH)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, rate)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / WARM_UP, 1, WARM_UP)
    random, order, best = np.random.default_rng(unit["seed"]), [], None
    for step in range(1, STEPS[-1] + 1):
        while len(order) < BATCH:
            order += random.permutation(len(learnt)).tolist()
        rows, order = np.array(order[:BATCH]), order[BATCH:]
        inputs = pad(tokens, rows, tokenizer.pad_token_id, torch.device("cpu"))
        model.train()
        with torch.autocast("cpu", choose_dtype("cpu"), choose_dtype("cpu") == torch.bfloat16):
            logits = model(**inputs).logits.float()  # [batch, 2]
        loss = torch.nn.functional.cross_entropy(logits, truth[learnt[rows]])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        warm_up.step()
        if step in STEPS:
            score = float(np.mean((ask(model, held) >= 0.5) == labels("train")[checked]))
            if best is None or score > best["score"]:
                changed = {n for n, p in model.named_parameters() if p.requires_grad}
                weights = {n: t.clone() for n, t in model.state_dict().items() if n in changed}
                best = {"score": score, "steps": step, "weights": weights}
    buffer = io.BytesIO()
    torch.save(best, buffer)
    write_whole(file, buffer.getvalue())


def ask(model: torch.nn.Module, texts: list[str]) -> np.ndarray:
    """Return the probabilities of being positive, in float32."""
    tokenizer, found = load_tokenizer(), np.zeros(len(texts))
    tokens = tokenize(texts, tokenizer, LENGTH)
    model.eval()
    for rows in plan_batches(tokens.lengths(), 1_024):
        inputs = pad(tokens, rows, tokenizer.pad_token_id, torch.device("cpu"))
        with torch.inference_mode():
            found[rows] = model(**inputs).logits.softmax(dim=1)[:, 1].numpy()
    return found
