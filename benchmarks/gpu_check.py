"""What can only be seen on a GPU: equal features, speed, memory, and what happens without memory.

``make gpu-check``. Without a GPU it says so and changes nothing.
"""

import argparse
import copy
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from base_run import classic_epoch, peak_memory, probe_seconds, say
from machine_rates import device_name, matrix_rate, now

from imdb_tutorial import extract_features, load_encoder, load_preset, load_reviews, load_tokenizer
from imdb_tutorial.cost.flops import encoder_shape, forward_flops
from imdb_tutorial.encoder.tokens import tokenize
from imdb_tutorial.evaluation.records import DATA, seal_records
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.machine.sources import model_source

RESULT = DATA / "gpu_check.json"
POOLINGS = ("cls", "mean")
EQUAL, PART, CLASSIC, ROUNDS = 48, 4_096, (512, 256), 3
# Absolute, in float32 without TF32; the features themselves are up to about 1.
TOLERANCE = 1e-3


def main() -> int:
    """Check, print a line each, and write JSON; end with 1 where something is not as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=RESULT)
    parsed = parser.parse_args()
    if not torch.cuda.is_available():
        print("no NVIDIA GPU here: nothing was checked and nothing was changed")
        return 0
    device = torch.device("cuda")
    record: dict = provenance("torch", "transformers") | {"device": device_name(device)}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        record.setdefault("matrix_tflops", {})[name] = round(matrix_rate(device, dtype) / 1e12, 1)
    say(f"{record['device']}: {record['matrix_tflops']} TFLOP/s")
    for name, source in sources().items():
        torch.cuda.reset_peak_memory_stats()
        record[name] = check(source, device, record["matrix_tflops"]["bfloat16"])
        say(f"{name}: {json.dumps(record[name])}")
        parsed.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if parsed.output == RESULT:
        seal_records()
    failed = [
        f"{name}: {what}"
        for name in sources()
        for what, is_fine in record[name]["passed"].items()
        if not is_fine
    ]
    say("all is as it should be" if not failed else f"not as it should be: {', '.join(failed)}")
    return int(bool(failed))


def sources() -> dict[str, str]:
    """Return the encoders that are at hand."""
    found = {"all-MiniLM-L6-v2": "packaged"}
    try:
        model_source("base")
    except (OSError, RuntimeError) as error:
        say(f"without the base encoder: {error}")
    else:
        found["all-mpnet-base-v2"] = "base"
    return found


def check(source: str, device: torch.device, matrix_tflops: float) -> dict:
    """Check one encoder."""
    preset = load_preset("base").replace(encoder=source)
    pools = load_reviews(preset)
    tokenizer, encoder = load_tokenizer(source), load_encoder(source, device="cuda")
    reviews = pools["train"].shuffle(seed=0)
    texts = reviews.select(range(PART))["text"][:]

    def features(some: list[str], model=encoder, dtype=torch.float32) -> dict:
        return extract_features(some, tokenizer, model, POOLINGS, dtype=dtype, use_cache=False)

    there, here = features(texts[:EQUAL]), features(texts[:EQUAL], copy.deepcopy(encoder).cpu())
    rounded = features(texts[:EQUAL], dtype=torch.bfloat16)
    found: dict = {
        "float32, GPU less processor, at most": {
            p: float((there[p] - here[p]).abs().max()) for p in POOLINGS
        },
        "bfloat16, cosine with float32, at least": {
            p: float(torch.cosine_similarity(there[p], rounded[p]).min()) for p in POOLINGS
        },
    }
    found |= speed(preset, pools, reviews, texts, tokenizer, encoder, matrix_tflops)
    found |= {"peak_memory_mb": peak_memory()}
    little = with_little_memory(lambda: features(texts[:2_048], dtype=torch.bfloat16))
    full = features(texts[:2_048], dtype=torch.bfloat16)
    cosine = min(float(torch.cosine_similarity(little[p], full[p]).min()) for p in POOLINGS)
    found["with little memory, cosine with enough, at least"] = cosine
    found["passed"] = {
        "equal features": max(found["float32, GPU less processor, at most"].values()) < TOLERANCE,
        "bfloat16 is close": min(found["bfloat16, cosine with float32, at least"].values()) > 0.99,
        "little memory": cosine > 0.999,
    }
    return found


def speed(preset, pools, reviews, texts, tokenizer, encoder, matrix_tflops: float) -> dict:
    """Take turns: the classic loop in float32, ours in float32 and bfloat16; medians."""
    device = encoder.device
    lengths = tokenize(texts, tokenizer, preset.max_length).lengths()
    sides: dict[str, Callable] = {
        "classic loop": classic_epoch(preset, reviews, tokenizer, encoder, *CLASSIC)
    }
    for dtype in (torch.float32, torch.bfloat16):
        model = copy.deepcopy(encoder).to(dtype)
        sides[f"ours, {str(dtype).removeprefix('torch.')}"] = lambda model=model, dtype=dtype: (
            extract_features(texts, tokenizer, model, "mean", dtype=dtype, use_cache=False)
        )
    for side in sides.values():
        side()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            began = now(device)
            side()
            seconds[name].append(now(device) - began)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    sizes = {pool: len(split) for pool, split in pools.items()}
    an_epoch = sizes["train"] + sizes["validation"]
    probe = probe_seconds(preset, encoder.config.hidden_size, sizes)
    classic = preset.num_epochs * an_epoch * median["classic loop"] / sum(CLASSIC)
    flops = float(forward_flops(encoder_shape(encoder.config), 1, lengths).sum())
    ours = {name: median[name] / len(texts) * an_epoch + probe for name in list(sides)[1:]}
    return {
        "reviews": {"ours": len(texts), "classic loop": CLASSIC},
        "seconds": {name: [round(s, 3) for s in values] for name, values in seconds.items()},
        "tokens_of_text_a_second": {
            "classic loop": round(float(np.mean(lengths)) * sum(CLASSIC) / median["classic loop"]),
            **{name: round(float(lengths.sum()) / median[name]) for name in ours},
        },
        "model_flops_utilisation": round(
            flops / median["ours, bfloat16"] / (matrix_tflops * 1e12), 3
        ),
        "seconds_of_thirty_epochs_on_features": round(probe, 1),
        "run_seconds": {
            "classic loop": round(classic),
            **{name: round(value, 1) for name, value in ours.items()},
        },
        "times_faster": {name: round(classic / value, 1) for name, value in ours.items()},
    }


def with_little_memory(work: Callable) -> dict:
    """Run something where a GPU gives little more than what is in use now."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 1.5e9) / total)
    try:
        return work()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


if __name__ == "__main__":
    sys.exit(main())
