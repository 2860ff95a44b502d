"""Why a classifier decides as it does: how far each word of a text pushed the verdict."""

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.explorer.reading import Reading, read_text
from imdb_tutorial.explorer.verdict import margin_of
from imdb_tutorial.explorer.worker import IsWanted, SupersededError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Steps of the integral, taken in turn until the attributions add up; the last is tried at most.
STEPS = (20, 32, 64, 128, 256)
RELATIVE_ERROR, ABSOLUTE_ERROR = 0.05, 0.02
# Two steps of 100 words, which have up to 160 tokens: one at a time takes a fifth longer, and many
# more make a process grow by 90 MB in 200 texts, not 20.
TOKENS_AT_ONCE = 320

Margin = Callable[[torch.Tensor], torch.Tensor]


@dataclasses.dataclass(frozen=True)
class Attribution:
    """How far each word pushed a classifier, in logits: above 0 towards POSITIVE.

    The pushes and ``other`` add up to ``margin - blank_margin``, but for ``completeness_error``.

    Args:
        words: The words, exactly as they stand in the text.
        pushes: One number a word.
        other: What belongs to no word: the share of markers such as [CLS].
        margin: The logit of POSITIVE less the logit of NEGATIVE, for the text.
        blank_margin: The same for the baseline, a text of as many blanks.
        steps: Number of steps of the integral.
        reading: What was read.
    """

    words: tuple[str, ...]
    pushes: tuple[float, ...]
    other: float
    margin: float
    blank_margin: float
    steps: int
    reading: Reading

    @property
    def completeness_error(self) -> float:
        """By how much the pushes' sum misses the difference between text and baseline."""
        return sum(self.pushes) + self.other - (self.margin - self.blank_margin)

    @property
    def is_complete(self) -> bool:
        """Whether it misses by no more than 5 % of that difference, or 0.02 if that is more."""
        allowed = RELATIVE_ERROR * abs(self.margin - self.blank_margin)
        return abs(self.completeness_error) <= max(allowed, ABSOLUTE_ERROR)

    @property
    def pieces(self) -> list[tuple[str, float | None]]:
        """What was read, cut in pieces: words with their pushes, and what stands between them.

        Joined, the pieces are the text that was read, character for character.
        """
        return [*self.pieces_of_head, *self.pieces_of_tail]

    @property
    def pieces_of_head(self) -> list[tuple[str, float | None]]:
        """The pieces before the part that was not read: all of them, where there is none."""
        return self._pieces(0, self.reading.gap[0])

    @property
    def pieces_of_tail(self) -> list[tuple[str, float | None]]:
        """The pieces behind the part that was not read."""
        return self._pieces(self.reading.gap[1], len(self.reading.text))

    def _pieces(self, position: int, to: int) -> list[tuple[str, float | None]]:
        text = self.reading.text
        pieces: list[tuple[str, float | None]] = []
        for (start, end), push in zip(self.reading.spans, self.pushes, strict=True):
            if start < position or end > to:
                continue
            if start > position:
                pieces.append((text[position:start], None))
            pieces.append((text[start:end], push))
            position = end
        if position < to:
            pieces.append((text[position:to], None))
        return pieces


def attribute(
    pipeline: SentimentPipeline,
    text: str,
    is_wanted: IsWanted = lambda: True,
) -> Attribution:
    """Say how far each word of a text pushed a classifier towards POSITIVE or NEGATIVE.

    Integrated gradients (Sundararajan et al., 2017) on the word vectors, with captum: the words are
    faded in step by step from a baseline, a text of as many [MASK] between the same markers, and
    every word is credited with its part of what this changes. The steps are repeated with more of
    them until the pushes add up.

    No blank is neutral: the packaged classifier takes a text of [MASK] for a little positive and
    one of [PAD] for negative, and every word gets a little of the way back. [MASK] is the
    best by the rule of the record (``make attributions``) that answers in time. A tokenizer without
    it gives [PAD] in its place, or else what it has for the unknown.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.
        is_wanted: Asked between the steps; when it says no, the work is given up.

    Returns:
        The pushes, unscaled: in logits, comparable between the words of one text.

    Raises:
        TypeError: Something that is no text, or no pipeline from ``load_classifier``.
        ValueError: A tokenizer that does not say where its tokens come from or has none for a
            blank, other labels than NEGATIVE and POSITIVE, or a model that answers with NaN or
            infinity.
        SupersededError: ``is_wanted`` said no.
    """
    reading = read_text(pipeline, text)
    model = _private_copy(pipeline.model)
    inputs = {name: x.to(model.device) for name, x in reading.inputs.items()}  # each [1, tokens]
    ids = inputs.pop("input_ids")
    assert pipeline.tokenizer is not None  # it has just read the text
    baseline = _baseline(ids, reading.word_of_token, pipeline.tokenizer)  # [1, tokens]

    def margin(ids: torch.Tensor) -> torch.Tensor:
        """Ask about ids ``[steps, tokens]``, and return ``[steps]``."""
        if not is_wanted():
            raise SupersededError("another text was given meanwhile")
        rest = {name: x.expand(len(ids), -1) for name, x in inputs.items()}  # [steps, tokens]
        logits = model(input_ids=ids, **rest).logits.float()  # [steps, labels]
        return margin_of(model, logits / pipeline.temperature)

    text_margin, blank_margin = _margins_at_ends(model, margin, ids, baseline)
    _require_finite([text_margin, blank_margin])
    for steps in STEPS:
        shares = _integrate(model, margin, ids, baseline, steps)
        _require_finite(shares)
        pushes, other = _sum_by_word(shares, reading)
        attribution = Attribution(
            words=tuple(reading.text[start:end] for start, end in reading.spans),
            pushes=tuple(pushes),
            other=other,
            margin=text_margin,
            blank_margin=blank_margin,
            steps=steps,
            reading=reading,
        )
        if attribution.is_complete:
            break
    return attribution


def _private_copy(model: "PreTrainedModel") -> "PreTrainedModel":
    """Copy the modules but not the weights, so that captum's hooks meet nobody else's calls."""
    if model.dtype != torch.float32:
        return copy.deepcopy(model).float().eval()
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared).eval()


def _baseline(
    ids: torch.Tensor, word_of_token: tuple[int | None, ...], tokenizer: "PreTrainedTokenizerBase"
) -> torch.Tensor:
    """Put a blank in every word's place, and leave the markers where they are."""
    is_marker = torch.tensor([word is None for word in word_of_token]).to(ids.device)  # [tokens]
    candidates = (tokenizer.mask_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id)
    blank = next((number for number in candidates if number is not None), None)
    if blank is None:
        raise ValueError(
            "the tokenizer has no token for a blank: expected a mask_token, a pad_token or an "
            "unk_token, where attributions begin; name one that the model knows"
        )
    return torch.where(is_marker, ids, blank)  # [1, tokens]


def _margins_at_ends(
    model: "PreTrainedModel", margin: Margin, ids: torch.Tensor, baseline: torch.Tensor
) -> tuple[float, float]:
    """Return the margin of the text and that of the baseline, where the integral begins."""
    layer = model.get_input_embeddings()
    with torch.no_grad():
        vectors = layer(baseline)  # [1, tokens, hidden]
        # Only the vectors are exchanged: RoBERTa would number its positions by the ids.
        with layer.register_forward_hook(lambda *_: vectors):
            blank_margin = float(margin(ids))
        return float(margin(ids)), blank_margin


def _integrate(
    model: "PreTrainedModel", margin: Margin, ids: torch.Tensor, baseline: torch.Tensor, steps: int
) -> list[float]:
    """Return every token's share of what changes on the way from the baseline to the text."""
    from captum.attr import LayerIntegratedGradients

    with torch.enable_grad():
        shares = LayerIntegratedGradients(margin, model.get_input_embeddings()).attribute(
            ids,
            baselines=baseline,
            n_steps=steps,
            # Equal steps: the way is not smooth, which Gauss-Legendre would rely on.
            method="riemann_middle",
            internal_batch_size=max(1, TOKENS_AT_ONCE // ids.shape[1]),
        )  # [1, tokens, hidden]
    return shares.detach().sum(dim=-1)[0].tolist()  # [tokens]


def _require_finite(values: list[float]) -> None:
    strange = [value for value in values if not math.isfinite(value)]
    if strange:
        raise ValueError(
            f"a word's push comes out as {strange[0]}: expected a number; the model's weights are "
            "damaged, or too large for its precision; copy or train it again"
        )


def _sum_by_word(shares: list[float], reading: Reading) -> tuple[list[float], float]:
    """Add the tokens' shares up to words, and those of the markers to one number."""
    pushes, other = [0.0] * len(reading.spans), 0.0
    for share, word in zip(shares, reading.word_of_token, strict=True):
        if word is None:
            other += share
        else:
            pushes[word] += share
    return pushes, other
