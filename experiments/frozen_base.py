"""The base-size encoder at the budgets that are sampled; all labels stand in ``base_run.json``."""

import functools

import numpy as np

from experiments.budget import SIZES, balanced_sample
from experiments.data import reviews
from experiments.frozen import LENGTHS, POOLINGS, ask_frozen, together
from imdb_tutorial import extract_features, load_encoder, load_tokenizer

# A token takes ten times as long as MiniLM's, so larger samples would take an hour by themselves.
BASE_SIZES = tuple(size for size in SIZES if size and size <= 2_000)
LENGTH = LENGTHS["base"]


@functools.lru_cache(maxsize=2)
def base_vectors(part: str, seed: int | None) -> dict[str, np.ndarray]:
    """Return features ``[reviews of the pool, hidden]`` by pooling; not a number where none are.

    Args:
        part: ``"train"`` or ``"test"``.
        seed: The seed whose largest sample is read; ``None`` reads the whole part.
    """
    texts = reviews()[part]["text"][:]
    rows = np.arange(len(texts)) if seed is None else balanced_sample(seed, BASE_SIZES[-1])
    tokenizer, encoder = load_tokenizer("base"), load_encoder("base", device="cpu")
    found = extract_features([texts[row] for row in rows], tokenizer, encoder, POOLINGS, LENGTH)
    whole = {}
    for pooling, features in found.items():
        whole[pooling] = np.full((len(texts), features.shape[1]), np.nan, dtype=np.float32)
        whole[pooling][rows] = features.numpy()
    return whole


def fit_base(unit: dict) -> tuple[list[dict], dict]:
    """Fit both poolings of the base-size encoder on one sample."""
    train, test = base_vectors("train", unit["seed"]), base_vectors("test", None)
    about = {"length": LENGTH}
    return together([ask_frozen(unit, about | {"pooling": p}, train[p], test[p]) for p in POOLINGS])
