"""A classifier that is asked about many versions of a text: without words, or with [MASK] there."""

import copy
import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from imdb_tutorial import choose_dtype
from imdb_tutorial.classifier.long_texts import read_texts
from imdb_tutorial.classifier.pipeline import ProbeForSequenceClassification, SentimentPipeline
from imdb_tutorial.encoder.tokens import join, pad, plan_batches
from imdb_tutorial.explorer.cutting import cut_out
from imdb_tutorial.explorer.reading import Reading, read_text
from imdb_tutorial.explorer.verdict import margin_of
from imdb_tutorial.machine.parallel import in_parallel

CPU = torch.device("cpu")
BUDGET = 1_024  # tokens a core computes at once: they stay in its caches
TAKEN_OUT, MASKED = "taken out", "[MASK] in their place"
REMOVALS = (TAKEN_OUT, MASKED)


class Asked:
    """A classifier, asked for margins: the logit of POSITIVE less the logit of NEGATIVE.

    Args:
        pipeline: From ``load_classifier``; it is left as it is.
    """

    def __init__(self, pipeline: SentimentPipeline):
        self.pipeline = pipeline
        self.sha256 = _digest(pipeline)
        # For gradients: hooks and float32 are nobody else's matter.
        self.exact = copy.deepcopy(pipeline.model).to(CPU).float().eval().requires_grad_(False)
        self._quick = copy.deepcopy(pipeline.model).to(CPU).eval()
        probed = isinstance(self._quick, ProbeForSequenceClassification)
        (self._quick.encoder if probed else self._quick).to(choose_dtype("cpu"))

    def read(self, text: str) -> Reading:
        """Return a text's words, as the explorer shows them."""
        return read_text(self.pipeline, text)

    def versions(self, reading: Reading, kept: np.ndarray, removal: str) -> list[list[int]]:
        """Return the token ids of versions of a text.

        Args:
            reading: From ``read``.
            kept: Which words each version keeps, true or false, ``[versions, words]``.
            removal: How the others go: one of ``REMOVALS``.
        """
        if removal == TAKEN_OUT:
            texts = [
                # What was not read is never asked about: it must not move up.
                cut_out(
                    reading.text, [reading.gap, *(reading.spans[n] for n in np.flatnonzero(~row))]
                )
                for row in kept
            ]
            pipeline = self.pipeline
            read = read_texts(texts, pipeline.tokenizer, pipeline.max_length, pipeline.reading)
            return [one.field("input_ids") for one in read]
        ids = reading.inputs["input_ids"][0].numpy()  # [tokens]
        of_word = np.array([-1 if word is None else word for word in reading.word_of_token])
        # The last column is that of the markers, which always stay.
        stays = np.hstack([kept, np.ones((len(kept), 1), dtype=bool)])[:, of_word]
        blank = self.pipeline.tokenizer.mask_token_id
        return np.where(stays, ids, blank).tolist()  # [versions, tokens]

    def margins(self, versions: Sequence[list[int]]) -> np.ndarray:
        """Ask about token ids, in batches of similar length and in the quickest precision.

        Args:
            versions: Each one's token ids, from one text or from several.

        Returns:
            float64 ``[versions]``.
        """
        lengths = np.array([len(ids) for ids in versions], dtype=np.int64)
        tokens = join([np.array(ids, dtype=np.int32) for ids in versions], [lengths])
        margins = np.empty(len(versions))
        pad_id = self.pipeline.tokenizer.pad_token_id

        @torch.no_grad()
        def answer(rows: np.ndarray) -> None:
            logits = self._quick(**pad(tokens, rows, pad_id, CPU)).logits  # [batch, 2]
            margins[rows] = self.margin_of(self._quick, logits).numpy()

        for _ in in_parallel(answer, plan_batches(lengths, BUDGET), CPU):
            pass
        return margins

    def margin_of(self, model: torch.nn.Module, logits: torch.Tensor) -> torch.Tensor:
        """Return the margins ``[texts]`` of logits ``[texts, 2]``, by the temperature."""
        return margin_of(model, logits.float() / self.pipeline.temperature)

    def without(self, reading: Reading, kept: np.ndarray) -> np.ndarray:
        """Ask about versions of one text whose other words are taken out; see ``versions``."""
        return self.margins(self.versions(reading, kept, TAKEN_OUT))


def _digest(pipeline: SentimentPipeline) -> str:
    """Digest all weights, what is read, and the temperature."""
    settings = (pipeline.max_length, pipeline.reading, pipeline.temperature)
    digest = hashlib.sha256(repr(settings).encode())
    for name, tensor in pipeline.model.state_dict().items():
        digest.update(name.encode() + tensor.cpu().float().numpy().tobytes())
    return digest.hexdigest()
