"""Train the classifier that comes with the package: a LoRA adapter on MiniLM, and a linear layer.

It learns from the train pool alone. The run can be killed and started again: it goes on from its
last checkpoint. About an hour on two cores with native bfloat16.
"""

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

import imdb_tutorial
from imdb_tutorial import (
    load_classifier,
    load_encoder,
    load_preset,
    load_reviews,
    load_tokenizer,
    predict_proba,
)
from imdb_tutorial.classifier.adapter import ADAPTER_CONFIG, ADAPTER_FILE, save_adapter
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.encoder.pooling import pool
from imdb_tutorial.encoder.tokens import Tokens, pad, plan_batches, tokenize
from imdb_tutorial.machine.checkpoint import read_checkpoint, write_checkpoint
from imdb_tutorial.machine.device import choose_dtype
from imdb_tutorial.machine.manifest import encoder_fingerprint, write_manifest
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.probe import PROBE_FILE, load_probe, save_probe

DATA = Path(imdb_tutorial.__file__).with_name("data")
PROBE = DATA / "packaged_probe"
TARGET = DATA / "packaged_classifier"
CHECKPOINTS = Path("build/packaged_classifier")
RECIPE = {
    "rank": 16,
    "lora_alpha": 16,
    "start": "the packaged probe (mean of the tokens)",
    # A first epoch on the head and the tail of each review is half the price of one on 512 tokens.
    "epochs": ["128 first and 128 last tokens", "512 first tokens"],
    "batch_size": 32,
    "learning_rate": 1e-3,
    "warmup": 0.06,
    "weight_decay": 0.01,
    "max_norm": 1.0,
    "dropout": 0.0,
    "seed": 0,
}
RECORD_FILE = "record.json"
MAX_LENGTH = 512
CHECKPOINT_STEPS = 50
CHECK_STEPS = 140
CHECK_REVIEWS = 500
DEVICE = torch.device("cpu")


def head_and_tail(tokens: Tokens, size: int) -> Tokens:
    """Keep the first and the last ``size`` tokens of every review that has more than both."""
    pieces = [
        ids if len(ids) <= 2 * size else np.concatenate([ids[:size], ids[-size:]])
        for ids in np.split(tokens.ids, tokens.starts[1:-1])
    ]
    starts = np.cumsum([0, *(len(ids) for ids in pieces)])
    return Tokens(np.concatenate(pieces), starts)


def plan_epoch(lengths: np.ndarray, epoch: int) -> list[np.ndarray]:
    """Cut the reviews in random order into batches of similar length, in random order again."""
    random = np.random.default_rng([RECIPE["seed"], epoch])
    size = RECIPE["batch_size"]
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), 50 * size):
        neighbours = order[start : start + 50 * size]
        neighbours = neighbours[np.argsort(lengths[neighbours], kind="stable")]
        batches += [neighbours[n : n + size] for n in range(0, len(neighbours), size)]
    return [batches[n] for n in random.permutation(len(batches))]


def rate(step: int, steps: int) -> float:
    """Return the learning rate's share of its peak: a linear rise, then half a cosine to zero."""
    warmup = RECIPE["warmup"] * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


class Model(nn.Module):
    """The adapted encoder and the linear layer on the mean of its tokens."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(RECIPE["seed"])
        encoder = load_encoder(device=DEVICE)
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = RECIPE["dropout"]
        adapter = LoraConfig(
            r=RECIPE["rank"],
            lora_alpha=RECIPE["lora_alpha"],
            target_modules=["query", "key", "value", "dense"],
            exclude_modules=["pooler.dense"],
        )
        self.encoder: PeftModel = get_peft_model(encoder, adapter)
        # The packaged probe as a start: first the probe, then fine-tuning (Kumar et al., 2022).
        self.probe, _ = load_probe(PROBE)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=choose_dtype() == torch.bfloat16):
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        return self.probe(pool(hidden, attention_mask, self.probe.pooling))


def check(model: Model, tokens: Tokens, labels: torch.Tensor, pad_id: int) -> float:
    """Return the share of tokenized reviews that the model gets right."""
    right = 0
    with torch.no_grad():
        for rows in plan_batches(tokens.lengths(), 4_096):
            answers = model(**pad(tokens, rows, pad_id, DEVICE)).argmax(dim=1)
            right += (answers == labels[rows]).sum().item()
    return right / len(labels)


def train(model: Model, train_tokens: list[Tokens], labels, few, pad_id: int) -> dict:
    """Train through all epochs, from the last checkpoint if there is one."""
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(
        learning.values(), lr=1.0, weight_decay=RECIPE["weight_decay"], fused=True
    )
    plan = [
        (tokens, rows)
        for epoch, tokens in enumerate(train_tokens)
        for rows in plan_epoch(tokens.lengths(), epoch)
    ]
    state = {"step": 0, "seconds": 0.0, "losses": [], "checks": [], "recipe": RECIPE}
    found = read_checkpoint(CHECKPOINTS)
    if found:
        tensors, state = found
        if state["recipe"] != RECIPE:
            raise ValueError(f"{CHECKPOINTS} belongs to another recipe: delete it to start again")
        with torch.no_grad():
            for name, parameter in learning.items():
                parameter.copy_(tensors[name])
        moments = {
            n: {entry: tensors[f"{name}/{entry}"] for entry in ("step", "exp_avg", "exp_avg_sq")}
            for n, name in enumerate(learning)
        }
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": moments, "param_groups": groups})
    began = time.perf_counter() - state["seconds"]
    for step in progress_bar(
        range(state["step"], len(plan)), initial=state["step"], total=len(plan), desc="training"
    ):
        optimizer.param_groups[0]["lr"] = RECIPE["learning_rate"] * rate(step, len(plan))
        tokens, rows = plan[step]
        loss = nn.functional.cross_entropy(model(**pad(tokens, rows, pad_id, DEVICE)), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learning.values(), RECIPE["max_norm"])
        optimizer.step()
        state["losses"].append(round(loss.item(), 4))
        done = step + 1
        if done % CHECK_STEPS == 0 or done == len(plan):
            state["checks"].append([done, round(check(model, *few, pad_id), 4)])
            print(f"step {done}: accuracy {state['checks'][-1][1]:.1%}", flush=True)
        if done % CHECKPOINT_STEPS == 0 or done == len(plan):
            state |= {"step": done, "seconds": round(time.perf_counter() - began, 1)}
            tensors = dict(learning)
            for n, name in enumerate(learning):
                moments = optimizer.state_dict()["state"][n]
                tensors |= {f"{name}/{entry}": value for entry, value in moments.items()}
            write_checkpoint(CHECKPOINTS, tensors, state)
    return state


def main() -> None:
    """Train, test, and write the adapter, the linear layer and the record into the package."""
    preset = load_preset("laptop").replace(train_size=None, validation_size=None, test_size=None)
    reviews = load_reviews(preset)
    tokenizer = load_tokenizer()
    labels = {pool: torch.tensor(split["label"][:]) for pool, split in reviews.items()}
    whole = tokenize(reviews["train"]["text"][:], tokenizer, 10**6)
    cut = tokenize(reviews["train"]["text"][:], tokenizer, MAX_LENGTH)
    model = Model()
    few = tokenize(reviews["validation"]["text"][:CHECK_REVIEWS], tokenizer, MAX_LENGTH)
    state = train(
        model,
        [head_and_tail(whole, 128), cut],
        labels["train"],
        (few, labels["validation"][:CHECK_REVIEWS]),
        tokenizer.pad_token_id,
    )
    save_adapter(model.encoder, TARGET)
    save_probe(model.probe, TARGET, max_length=MAX_LENGTH)
    # Tested as it will be used: from the saved files, with the adapter in half precision.
    classifier = load_classifier(TARGET)
    accuracy = {}
    for name in ("validation", "test"):
        right = predict_proba(classifier, reviews[name]["text"][:]).argmax(dim=1) == labels[name]
        accuracy[name] = round(right.float().mean().item(), 5)
        print(f"{name}: {accuracy[name]:.2%}")
    record = {
        "recipe": RECIPE,
        "reviews": {name: len(split) for name, split in reviews.items()},
        "train_ids_sha256": ids_sha256(reviews["train"]["id"][:]),
        "accuracy": accuracy,
        "checks_on_500_validation_reviews": state["checks"],
        "mean_loss_per_100_steps": [
            round(float(np.mean(state["losses"][n : n + 100])), 4)
            for n in range(0, len(state["losses"]), 100)
        ],
        "seconds": state["seconds"],
        **provenance("torch", "transformers", "peft", "datasets"),
    }
    (TARGET / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    names = (ADAPTER_CONFIG, ADAPTER_FILE, PROBE_FILE, RECORD_FILE)
    write_manifest(TARGET, names, encoder_fingerprint("packaged"))


if __name__ == "__main__":
    main()
