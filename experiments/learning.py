"""The loop that teaches: steps in a fixed order, on every core, kept every two minutes."""

import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from experiments.adapted import CPU, Adapted, Hidden
from experiments.teaching_settings import Settings
from imdb_tutorial.encoder.tokens import plan_batches
from imdb_tutorial.machine.checkpoint import read_checkpoint, write_checkpoint
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.progress import progress_bar

CHECKPOINT_SECONDS = 120.0
BUDGET = 1_024  # tokens a core computes at once: they stay in its caches
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
Read = Callable[[np.ndarray], Hidden]


class Phase(NamedTuple):
    """Some epochs on the same texts, cut to the same length.

    Args:
        open: Makes what gives the vectors that reach the upper layers, for row numbers.
        lengths: Each text's number of tokens.
        epochs: How often all of them are learnt from.
    """

    open: Callable[[], Read]
    lengths: np.ndarray
    epochs: int


def plan_epoch(lengths: np.ndarray, batch_size: int, seed: tuple[int, ...]) -> list[np.ndarray]:
    """Cut texts in random order into batches of similar length, in random order again."""
    random = np.random.default_rng(seed)
    order, batches = random.permutation(len(lengths)), []
    for start in range(0, len(order), 50 * batch_size):
        near = order[start : start + 50 * batch_size]
        near = near[np.argsort(lengths[near], kind="stable")]
        batches += [near[n : n + batch_size] for n in range(0, len(near), batch_size)]
    return [batches[n] for n in random.permutation(len(batches))]


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Return the rate's share of its peak: a linear rise, then half a cosine to zero."""
    rise = warmup * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2


def pieces_of(rows: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Cut a batch into an even number of pieces, so that two cores end at the same time.

    The cut does not depend on the number of cores, and so neither does what is learnt.
    """
    rows = rows[np.argsort(-lengths[rows], kind="stable")]
    count = 2 * math.ceil(lengths[rows].sum() / (2 * BUDGET))
    # In turns, so that the pieces have equally many tokens.
    return [rows[n::count] for n in range(min(count, len(rows)))]


def gradients(
    model: Adapted, hidden: Hidden, targets: torch.Tensor
) -> tuple[float, tuple[torch.Tensor, ...]]:
    """Return the loss, summed over texts, and its gradients.

    Args:
        model: The classifier.
        hidden: What reaches its upper layers.
        targets: What it should answer, float32 ``[batch, 2]``.
    """
    loss = nn.functional.cross_entropy(model(*hidden), targets, reduction="sum")
    return loss.item(), torch.autograd.grad(loss, list(model.learning().values()))


def learn(
    model: Adapted,
    phases: list[Phase],
    targets: torch.Tensor,
    settings: Settings,
    rate: float,
    seed: int,
    made_of: list[str],
    folder: Path,
) -> dict:
    """Teach through all phases, from the last checkpoint if there is one.

    Args:
        model: Where it ends depends on where it begins; resumed, it is what it would have been.
        phases: What is learnt from.
        targets: What should be answered to each text, float32 ``[texts, 2]``.
        settings: How.
        rate: The highest learning rate.
        seed: Of the order.
        made_of: What else the result depends on, such as digests of the texts.
        folder: Where checkpoints are kept.

    Returns:
        ``steps``, ``seconds`` of teaching, and the mean ``losses`` of every 100 steps.

    Raises:
        ValueError: The checkpoint belongs to other settings or other texts.
    """
    plan = [
        (number, rows)
        for number, phase in enumerate(phases)
        for epoch in range(phase.epochs)
        for rows in plan_epoch(phase.lengths, settings.batch_size, (seed, number, epoch))
    ]
    learning = model.learning()
    optimizer = torch.optim.AdamW(
        learning.values(), lr=rate, weight_decay=settings.weight_decay, fused=True
    )
    key = key_of(plan, targets, [repr(settings), rate, *made_of])
    state = {"key": key, "step": 0, "seconds": 0.0, "losses": []}
    if found := read_checkpoint(folder):
        state = take_up(model, optimizer, found, key, folder)
    began, kept = time.perf_counter() - state["seconds"], time.monotonic()
    opened, read, lengths = -1, None, None
    with progress_bar(
        total=len(plan),
        initial=state["step"],
        desc=f"teaching {settings.encoder}",
        disable=state["step"] == len(plan),
    ) as bar:
        for step in range(state["step"], len(plan)):
            number, rows = plan[step]
            if number != opened:
                opened, read, lengths = number, phases[number].open(), phases[number].lengths
            optimizer.param_groups[0]["lr"] = rate * rate_at(step, len(plan), settings.warmup)
            total, sums = 0.0, None
            for loss, some in in_parallel(
                lambda piece, read=read: gradients(model, read(piece), targets[piece]),
                pieces_of(rows, lengths),
                CPU,
            ):
                total += loss
                sums = some if sums is None else [a + b for a, b in zip(sums, some, strict=True)]
            for parameter, one in zip(learning.values(), sums, strict=True):
                parameter.grad = one / len(rows)
            nn.utils.clip_grad_norm_(learning.values(), settings.max_norm)
            optimizer.step()
            model.refresh()
            state["losses"].append(total / len(rows))
            bar.update()
            bar.set_postfix_str(f"loss {np.mean(state['losses'][-50:]):.3f}", refresh=False)
            if time.monotonic() - kept > CHECKPOINT_SECONDS or step + 1 == len(plan):
                state |= {"step": step + 1, "seconds": time.perf_counter() - began}
                write_checkpoint(folder, tensors_of(learning, optimizer), state)
                kept = time.monotonic()
    losses = state["losses"]
    return {
        "steps": len(plan),
        "seconds": round(state["seconds"], 1),
        "mean_loss_per_100_steps": [
            round(float(np.mean(losses[n : n + 100])), 4) for n in range(0, len(losses), 100)
        ],
    }


def key_of(plan: list, targets: torch.Tensor, made_of: list) -> str:
    """Digest what a run depends on."""
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for number, rows in plan:
        digest.update(number.to_bytes(4, "big") + rows.astype("<i8").tobytes())
    digest.update(targets.numpy().tobytes())
    return digest.hexdigest()


def tensors_of(learning: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> dict:
    """Return all tensors of a checkpoint: what learns, and the optimizer's moments of it."""
    moments = optimizer.state_dict()["state"]
    tensors = dict(learning)
    for number, name in enumerate(learning):
        tensors |= {f"{name}/{entry}": moments[number][entry] for entry in MOMENTS}
    return tensors


def take_up(
    model: Adapted, optimizer: torch.optim.Optimizer, found: tuple, key: str, folder: Path
) -> dict:
    """Put a checkpoint's tensors in place and return its state."""
    tensors, state = found
    if state["key"] != key:
        raise ValueError(
            f"the checkpoint in {str(folder)!r} belongs to other settings or other texts: delete "
            "the folder to start again"
        )
    model.take(tensors)
    moments = {
        number: {entry: tensors[f"{name}/{entry}"] for entry in MOMENTS}
        for number, name in enumerate(model.learning())
    }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return state


def ask(compute: Callable[[np.ndarray], torch.Tensor], lengths: np.ndarray) -> np.ndarray:
    """Compute something for every text, a batch on every core.

    Args:
        compute: Returns a row for each of some row numbers, ``[batch, columns]``.
        lengths: Each text's number of tokens.

    Returns:
        float32 ``[texts, columns]``.
    """
    rows_and_tables = in_parallel(
        torch.no_grad()(lambda rows: (rows, compute(rows).float().numpy())),
        plan_batches(lengths, BUDGET),
        CPU,
    )
    (rows, tables) = zip(*rows_and_tables, strict=True)
    return np.concatenate(tables)[np.argsort(np.concatenate(rows))]
