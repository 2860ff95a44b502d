"""A teacher that mostly read whole reviews is too sure of a single sentence: this is mended."""

import numpy as np
import torch

from experiments.teaching_texts import MOST_SENTENCES, Texts
from imdb_tutorial import fit_temperature


def soften_passages(
    soft: np.ndarray, texts: Texts, learnt: int
) -> tuple[np.ndarray, dict[int, float]]:
    """Make soft labels as unsure of passages as the teacher is wrong about them.

    For passages of one, of two and of three sentences a temperature each is fitted, on those out of
    reviews that the teacher has not learnt from (out of all, where it has learnt from all).

    Args:
        soft: The teacher's probabilities of the readable texts, ``[texts, 2]``.
        texts: What they are about, and its labels.
        learnt: The teacher has learnt from so many of the first reviews.

    Returns:
        The probabilities, and the temperature by number of sentences: 1 or more, and 1 where there
        is no such passage.
    """
    count = len(soft)
    sentences, unseen = texts.sentences()[:count], texts.sources[:count] >= learnt
    logits = np.log(np.clip(soft, np.finfo(np.float32).tiny, None))  # [texts, 2]
    softened, temperatures = soft.copy(), {}
    for number in range(1, MOST_SENTENCES + 1):
        these = sentences == number
        fitted = these & unseen if (these & unseen).any() else these
        temperature = 1.0
        if fitted.any():
            truth = texts.labels[:count][fitted]
            temperature = max(1.0, fit_temperature(y_true=truth, logits=logits[fitted]))
        cooled = torch.from_numpy(logits[these] / temperature)
        softened[these] = cooled.softmax(dim=1).numpy()
        temperatures[number] = temperature
    return softened, temperatures
