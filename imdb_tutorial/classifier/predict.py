"""Many texts through a classifier at once."""

from collections.abc import Sequence

import numpy as np
import torch

from imdb_tutorial.classifier.long_texts import read_texts
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.dataset.labels import LABELS
from imdb_tutorial.encoder.tokens import (
    TOKENIZER_CHUNK,
    Tokens,
    join,
    pad,
    plan_batches,
    require_texts,
)
from imdb_tutorial.machine.memory import WithinMemory
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.progress import progress_bar

TOKEN_BUDGET = {"cpu": 2_048, "mps": 16_384, "cuda": 65_536}


def predict_proba(classifier: SentimentPipeline, texts: Sequence[str]) -> torch.Tensor:
    """Classify many texts at once, in float32 and in batches of similar length.

    Args:
        classifier: From ``load_classifier``.
        texts: The reviews; of a long one is read what the classifier reads of it.

    Returns:
        Probabilities ``[texts, 2]``, in the order of the texts: negative, positive. They are those
        that the classifier gives one text at a time.

    Raises:
        TypeError: One text instead of a list, or something that is no text; the message names its
            row.
        ValueError: The model's answer is not a number.
    """
    model = classifier.model
    tokens = _tokenize(texts, classifier)
    logits = torch.empty(len(texts), len(LABELS))  # [texts, 2]
    batches = list(plan_batches(tokens.lengths(), TOKEN_BUDGET[model.device.type]))

    memory = WithinMemory()

    def logits_of(rows: np.ndarray) -> list[torch.Tensor]:
        inputs = pad(tokens, rows, classifier.tokenizer.pad_token_id, model.device)
        return [classifier.forward(inputs)["logits"].float().cpu()]  # [batch, 2]

    def answer(rows: np.ndarray) -> np.ndarray:
        (logits[rows],) = memory.compute(logits_of, rows, tokens.lengths())
        return rows

    with progress_bar(
        total=len(batches), desc="classifying", leave=False, disable=len(batches) < 3
    ) as bar:
        for _ in in_parallel(answer, batches, model.device):
            bar.update()
    numbers = model.config.label2id or {}
    order = [int(numbers[name]) for name in LABELS]
    return logits[:, order].softmax(dim=1)  # [texts, 2]


def _tokenize(texts: Sequence[str], classifier: SentimentPipeline) -> Tokens:
    """Return the tokens that a classifier reads of each text, one text after the other."""
    require_texts(texts)
    starts = range(0, len(texts), TOKENIZER_CHUNK)
    ids: list[np.ndarray] = []
    for start in progress_bar(starts, desc="tokenizing", leave=False, disable=len(starts) < 2):
        some = list(texts[start : start + TOKENIZER_CHUNK])
        read = read_texts(some, classifier.tokenizer, classifier.max_length, classifier.reading)
        ids += [np.asarray(one.field("input_ids"), dtype=np.int32) for one in read]  # [tokens] each
    return join(ids, [np.array([len(one) for one in ids], dtype=np.int64)])
