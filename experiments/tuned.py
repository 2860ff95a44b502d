"""Words, probe, LoRA and full fine-tuning: the same labels, each with choices made inside them."""

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from experiments.bags import BAGS
from experiments.budget import balanced_sample, fits
from experiments.data import accuracy, labels, quantise, reviews, word_counts
from experiments.frozen import STRENGTHS, standardised, vectors
from imdb_tutorial import choose_dtype, load_model_for_classification, load_tokenizer, tokenize
from imdb_tutorial.encoder.tokens import pad, plan_batches

SIZES = (50, 500, 5_000)
TUNED = ("LoRA", "full")
WAYS = (*BAGS, "probe", *TUNED)
LENGTH, BATCH = 128, 8  # as many tokens as MiniLM was trained on
RATES = {"LoRA": (3e-4, 1e-3), "full": (5e-5, 1e-4)}
STEPS, WARM_UP = (100, 200, 300), 30
VALIDATION = 0.2
CHOSEN_ON = f"a validation part inside the sample, {VALIDATION:.0%} of it"


def fit_tuned(unit: dict) -> tuple[list[dict], dict]:
    """Learn in one way from a sample less its validation part; ask the chosen model test once."""
    rows = balanced_sample(unit["seed"], unit["size"])
    learnt, checked = train_test_split(
        rows, test_size=VALIDATION, stratify=labels("train")[rows], random_state=unit["seed"]
    )
    way = unit["way"]
    if way in TUNED:
        probabilities, choice = fine_tune(way, unit["seed"], learnt, checked)
    else:
        probabilities, choice = fit_linear(way, learnt, checked)
    answers = quantise(probabilities)
    row = unit | {"learnt_from": len(learnt), "validated_on": len(checked), **choice}
    row |= {"chosen_on": CHOSEN_ON, "asked": "test"}
    return [row | {"test_accuracy": accuracy(answers, labels("test"))}], {"test": answers[None]}


def fit_linear(way: str, learnt: np.ndarray, checked: np.ndarray) -> tuple[np.ndarray, dict]:
    """Fit words or MiniLM's frozen mean, with the strength that is best on the validation part."""
    truth = labels("train")
    if way == "probe":
        weigh, strengths, about = standardised, STRENGTHS, {"length": LENGTH}
        known, asked = (vectors("packaged", part, LENGTH)["mean"] for part in ("train", "test"))
    else:
        (weigh, strengths), about = BAGS[way], {}
        known, asked = (word_counts()[part] for part in ("train", "test"))
    train, held, asked = weigh(known[learnt], truth[learnt], known[checked], asked)
    scores = [fit.score(held, truth[checked]) for fit in fits(train, truth[learnt], strengths)]
    best = int(np.argmax(scores))  # of equals the simplest
    (fit,) = fits(train, truth[learnt], strengths[best : best + 1])
    return fit.predict_proba(asked)[:, 1], about | {
        "strength": strengths[best],
        "strengths": list(strengths),
        "chosen_with_accuracy": round(float(scores[best]), 5),
    }


def fine_tune(
    way: str, seed: int, learnt: np.ndarray, checked: np.ndarray
) -> tuple[np.ndarray, dict]:
    """Try each learning rate for the first steps, go on with the better one, keep its best steps.

    Better is the higher accuracy on the validation part; of equals the lower loss there.
    """
    runs = [checkpoints(way, seed, rate, learnt, checked) for rate in RATES[way]]
    begun = [next(run) for run in runs]
    chosen = max(range(len(runs)), key=lambda n: begun[n]["score"])
    best = max([begun[chosen], *runs[chosen]], key=lambda point: point["score"])
    model = new_model(way, seed)
    model.load_state_dict(best["weights"], strict=False)
    return margins_of(model, reviews()["test"]["text"][:])[1], {
        "length": LENGTH,
        "learning_rate": RATES[way][chosen],
        "learning_rates": list(RATES[way]),
        "rate_chosen_after_steps": STEPS[0],
        "steps": best["steps"],
        "steps_to_choose_from": list(STEPS),
        "batch_size": BATCH,
        "chosen_with_accuracy": round(best["score"][0], 5),
    }


def new_model(way: str, seed: int) -> torch.nn.Module:
    """Return MiniLM with a new head; for LoRA (Hu et al., 2021), all but adapter and head fixed."""
    torch.manual_seed(seed)
    model = load_model_for_classification("packaged")
    # Plain products: on a processor a step takes a quarter less time than with torch's own call.
    model.set_attn_implementation("eager")
    if way == "LoRA":
        import peft

        settings = peft.LoraConfig("SEQ_CLS", r=8, lora_alpha=16, target_modules=["query", "value"])
        model = peft.get_peft_model(model, settings)
    return model


def checkpoints(
    way: str, seed: int, rate: float, learnt: np.ndarray, checked: np.ndarray
) -> Iterator[dict]:
    """Train with one learning rate; after each of ``STEPS`` yield weights and validation score."""
    model, truth = new_model(way, seed), torch.from_numpy(labels("train"))
    dropout = torch.get_rng_state()  # the other rate's run has its own numbers
    texts = [reviews()["train"]["text"][int(row)] for row in learnt]
    held = [reviews()["train"]["text"][int(row)] for row in checked]
    tokenizer = load_tokenizer()
    tokens = tokenize(texts, tokenizer, LENGTH)
    learning = {n: p for n, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(learning.values(), rate, fused=True)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / WARM_UP, 1, WARM_UP)
    random, order = np.random.default_rng(seed), []
    for step in range(1, STEPS[-1] + 1):
        while len(order) < BATCH:
            order += random.permutation(len(learnt)).tolist()
        rows, order = np.array(order[:BATCH]), order[BATCH:]
        inputs = pad(tokens, rows, tokenizer.pad_token_id, torch.device("cpu"))
        model.train()
        torch.set_rng_state(dropout)
        with native_precision():
            logits = model(**inputs).logits.float()  # [batch, 2]
        dropout = torch.get_rng_state()
        loss = torch.nn.functional.cross_entropy(logits, truth[learnt[rows]])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
        optimizer.step()
        warm_up.step()
        if step in STEPS:
            weights = {name: p.detach().clone() for name, p in learning.items()}
            score = score_of(model, held, truth[checked])
            yield {"steps": step, "score": score, "weights": weights}


def score_of(model: torch.nn.Module, texts: list[str], truth: torch.Tensor) -> tuple[float, float]:
    """Return a model's accuracy on texts, 0 to 1, and the negative of its mean loss there."""
    logits, probabilities = margins_of(model, texts)
    right = np.mean((probabilities >= 0.5) == truth.numpy())
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth.double())
    return float(right), -float(loss)


def margins_of(model: torch.nn.Module, texts: list[str]) -> tuple[torch.Tensor, np.ndarray]:
    """Return the texts' log-odds of being positive, float64 ``[texts]``, and probabilities."""
    tokenizer, found = load_tokenizer(), torch.zeros(len(texts), dtype=torch.double)
    tokens = tokenize(texts, tokenizer, LENGTH)
    model.eval()
    for rows in plan_batches(tokens.lengths(), 1_024):
        inputs = pad(tokens, rows, tokenizer.pad_token_id, torch.device("cpu"))
        with torch.inference_mode(), native_precision():
            logits = model(**inputs).logits.double()  # [batch, 2]
        found[torch.from_numpy(rows)] = logits[:, 1] - logits[:, 0]
    return found, found.sigmoid().numpy()


def native_precision() -> torch.autocast:
    """Compute in bfloat16 where the processor can; the weights stay in float32."""
    dtype = choose_dtype("cpu")
    return torch.autocast("cpu", dtype, dtype == torch.bfloat16)
