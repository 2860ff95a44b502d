"""The pass through BERT: batches in parallel, kept in shards, shared among processes."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from imdb_tutorial.encoder.pooling import encode_and_pool
from imdb_tutorial.encoder.tokens import Tokens, TokenSource, pad, plan_batches
from imdb_tutorial.machine.memory import WithinMemory
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.shards import Shards

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# On a processor small batches stay in its caches; a GPU wants to be filled.
TOKEN_BUDGET = {"cpu": 1_024, "mps": 16_384, "cuda": 65_536}


def compute_features(
    texts: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    encoder: "PreTrainedModel",
    poolings: Sequence[str],
    max_length: int,
    dtype: torch.dtype,
    key: str | None,
) -> dict[str, torch.Tensor]:
    """Compute the features of all texts, or what of it the shards on disk lack.

    Args:
        texts: What BERT reads.
        tokenizer: The encoder's tokenizer.
        encoder: The model; it stays as it is.
        poolings: Which features.
        max_length: Longest input, in tokens.
        dtype: Precision of the arithmetic.
        key: Under which name shards and result are kept; None keeps nothing.

    Returns:
        float32 ``[reviews, hidden]`` by pooling, on the CPU.

    Raises:
        ValueError: A review whose features are not finite; the message names its row.
        LostProcessError: One of several processes is gone.
    """
    if dtype != encoder.dtype or encoder.training:
        encoder = copy.deepcopy(encoder).to(dtype).eval()  # type: ignore[arg-type]
    source = TokenSource(texts, tokenizer, max_length)
    # Planned over all reviews: what a row becomes depends on those beside it, in the last bits.
    batches = list(plan_batches(source.lengths, TOKEN_BUDGET[encoder.device.type]))
    shards = Shards(key, poolings, batches, encoder.config.hidden_size)
    memory = WithinMemory()

    @torch.inference_mode()
    def encode(batch: tuple[int, tuple[Tokens, np.ndarray]]) -> tuple[int, dict[str, np.ndarray]]:
        number, (tokens, rows) = batch

        def pooled_of(some: np.ndarray) -> list[torch.Tensor]:
            inputs = pad(tokens, some, tokenizer.pad_token_id, encoder.device)  # [batch, tokens]
            # Copies: [CLS] is a view, which would keep every token's vector as long as its own.
            return [v.cpu().clone() for v in encode_and_pool(encoder, inputs, *poolings)]

        pooled = memory.compute(pooled_of, rows, tokens.lengths())
        for vectors in pooled:  # each [batch, hidden]
            _check_finite(vectors, batches[number])
        return number, {name: v.numpy() for name, v in zip(poolings, pooled, strict=True)}

    everyone = processes()
    reviews = np.array([len(rows) for rows in batches])  # [batches]
    tokens = np.array([source.lengths[rows].sum() for rows in batches])  # [batches]
    # With several processes the bar is that of the main one: its share of what is to be done.
    desc = "BERT" if everyone.count == 1 else f"BERT, process 1 of {everyone.count}"
    with progress_bar(total=int(tokens.sum()), desc=desc, unit="tok", unit_scale=True) as bar:
        while (tables := shards.tables()) is None:
            missing = shards.missing()
            mine = everyone.share(missing)
            done = len(texts) - int(reviews[missing].sum())
            if done:
                bar.write(f"{done:,} of {len(texts):,} reviews were there already: going on")
            in_all = done + int(reviews[mine].sum())
            done_tokens = int(tokens.sum() - tokens[missing].sum())
            bar.reset(done_tokens + int(tokens[mine].sum()))
            bar.update(done_tokens)
            work = zip(mine, source.take([batches[n] for n in mine]), strict=True)
            try:
                for number, vectors in in_parallel(encode, work, encoder.device):
                    shards.add(number, vectors)
                    done += len(batches[number])
                    bar.set_postfix_str(f"{done:,} of {in_all:,} reviews", refresh=False)
                    bar.update(int(tokens[number]))
                    everyone.check()
            except BaseException:
                shards.keep()
                raise
    return tables


def _check_finite(vectors: torch.Tensor, rows: np.ndarray) -> None:
    finite = vectors.isfinite().all(dim=1).numpy()  # [batch]
    if not finite.all():
        raise ValueError(
            f"the features of row {int(rows[~finite].min())} are not finite: use "
            "dtype=torch.float32"
        )
