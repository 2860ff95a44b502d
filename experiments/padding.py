"""What padding costs: the same reviews in batches that are padded in different ways."""

import time

import numpy as np
import torch

from experiments.data import PRESET, labels, reviews
from imdb_tutorial import load_encoder, load_tokenizer
from imdb_tutorial.encoder.tokens import pad, plan_batches, tokenize

PADDING_REVIEWS, PADDING_ROUNDS, PADDING_BATCH = 128, 3, 32


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
