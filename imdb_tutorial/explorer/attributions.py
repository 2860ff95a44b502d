"""Why a classifier decides as it does: how far each word of a text pushed the verdict."""

import copy
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from imdb_tutorial.dataset.labels import POSITIVE
from imdb_tutorial.explorer.reading import Reading, read_text

if TYPE_CHECKING:
    from transformers import TextClassificationPipeline

# Steps of the integral, taken in turn until the attributions add up; the last is tried at most.
STEPS = (20, 32, 64, 128, 256)
RELATIVE_ERROR, ABSOLUTE_ERROR = 0.05, 0.02
# Three times as many are a fifth quicker, but a process then grows by 90 MB in 200 texts, not 20.
TOKENS_AT_ONCE = 256


class SupersededError(RuntimeError):
    """Nobody waits for this answer any more."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a classifier says about a text.

    Args:
        label: ``"NEGATIVE"`` or ``"POSITIVE"``.
        probability: The probability that it gives this label, 0.5 to 1.
        margin: The logit of POSITIVE less the logit of NEGATIVE.
        reading: What it read.
    """

    label: str
    probability: float
    margin: float
    reading: Reading


@dataclasses.dataclass(frozen=True)
class Attribution:
    """How far each word pushed a classifier, in logits: above 0 towards POSITIVE.

    The scores and ``other`` add up to ``margin - baseline_margin``, but for ``completeness_error``.

    Args:
        words: The words, exactly as they stand in the text.
        scores: One number a word.
        other: What belongs to no word: the share of markers such as [CLS].
        margin: The logit of POSITIVE less the logit of NEGATIVE, for the text.
        baseline_margin: The same for the baseline, a text of as many blanks.
        steps: Number of steps of the integral.
        reading: What was read.
    """

    words: tuple[str, ...]
    scores: tuple[float, ...]
    other: float
    margin: float
    baseline_margin: float
    steps: int
    reading: Reading

    @property
    def completeness_error(self) -> float:
        """By how much the scores' sum misses the difference between text and baseline."""
        return sum(self.scores) + self.other - (self.margin - self.baseline_margin)

    @property
    def is_complete(self) -> bool:
        """Whether it misses by no more than 5 % of that difference, or 0.02 if that is more."""
        allowed = RELATIVE_ERROR * abs(self.margin - self.baseline_margin)
        return abs(self.completeness_error) <= max(allowed, ABSOLUTE_ERROR)

    @property
    def pieces(self) -> list[tuple[str, float | None]]:
        """What was read, cut in pieces: words with their scores, and what stands between them.

        Joined, the pieces are the text that was read, character for character.
        """
        text, position, pieces = self.reading.text, 0, []
        for (start, end), score in zip(self.reading.spans, self.scores, strict=True):
            if start > position:
                pieces.append((text[position:start], None))
            pieces.append((text[start:end], score))
            position = end
        if position < self.reading.end:
            pieces.append((text[position : self.reading.end], None))
        return pieces


def judge(pipeline: "TextClassificationPipeline", text: str) -> Verdict:
    """Classify a text, as the pipeline itself does, and say what was read of it.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.

    Returns:
        The verdict.

    Raises:
        TypeError: Something that is no text.
        ValueError: A tokenizer that does not say where its tokens come from.
    """
    model = pipeline.model
    reading = read_text(pipeline, text)
    logits = pipeline.forward(reading.inputs)["logits"][0].float()  # [2]
    winner = int(logits.argmax())
    return Verdict(
        label=model.config.id2label[winner],
        probability=float(logits.softmax(dim=0)[winner]),
        margin=float(_margin(model, logits[None])),
        reading=reading,
    )


def attribute(
    pipeline: "TextClassificationPipeline",
    text: str,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Attribution:
    """Say how far each word of a text pushed a classifier towards POSITIVE or NEGATIVE.

    Integrated gradients (Sundararajan et al., 2017) on the word vectors, with captum: the words are
    faded in step by step from a baseline, a text of as many [PAD] between the same markers, and
    every word is credited with its part of what this changes. The steps are repeated with more of
    them until the scores add up.

    No blank is neutral: the packaged classifier takes a text of [PAD] for negative and one of
    [MASK] for positive, and every word gets a little of the way back. [PAD] needs fewer steps.

    Args:
        pipeline: From ``load_classifier``.
        text: Any text.
        is_wanted: Asked between the steps; when it says no, the work is given up.

    Returns:
        The scores, unscaled: in logits, comparable between the words of one text.

    Raises:
        TypeError: Something that is no text.
        ValueError: A tokenizer that does not say where its tokens come from.
        SupersededError: ``is_wanted`` said no.
    """
    reading = read_text(pipeline, text)
    model = _private_copy(pipeline.model)
    inputs = _on(model, reading.inputs)
    baseline = _baseline(inputs["input_ids"], reading.word_of_token, pipeline.tokenizer)

    def margin(ids: torch.Tensor) -> torch.Tensor:
        if not is_wanted():
            raise SupersededError("another text was given meanwhile")
        rest = {name: x.expand(len(ids), -1) for name, x in inputs.items() if name != "input_ids"}
        return _margin(model, model(input_ids=ids, **rest).logits.float())

    ends = _ends(model, margin, inputs["input_ids"], baseline)
    for steps in STEPS:
        scores = _integrate(model, margin, inputs["input_ids"], baseline, steps)
        attribution = _join(reading, scores, ends, steps)
        if attribution.is_complete:
            break
    return attribution


def _on(model: nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


def _margin(model: nn.Module, logits: torch.Tensor) -> torch.Tensor:
    names = {name: int(number) for number, name in model.config.id2label.items()}
    positive = names[POSITIVE]
    return logits[:, positive] - logits[:, 1 - positive]


def _private_copy(model: nn.Module) -> nn.Module:
    """Copy the modules but not the weights, so that captum's hooks meet nobody else's calls."""
    if model.dtype != torch.float32:
        return copy.deepcopy(model).float().eval()
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared).eval()


def _baseline(ids: torch.Tensor, word_of_token: tuple, tokenizer) -> torch.Tensor:
    is_marker = torch.tensor([word is None for word in word_of_token], device=ids.device)
    blank = tokenizer.pad_token_id
    return torch.where(is_marker, ids, tokenizer.unk_token_id if blank is None else blank)


def _ends(model, margin, ids: torch.Tensor, baseline: torch.Tensor) -> tuple[float, float]:
    """Return the margin of the text and of the baseline, where the integral ends and begins."""
    layer = model.get_input_embeddings()
    with torch.no_grad():
        vectors = layer(baseline)
        # Only the vectors are exchanged: RoBERTa would number its positions by the ids.
        with layer.register_forward_hook(lambda *_: vectors):
            first = float(margin(ids))
        return float(margin(ids)), first


def _integrate(model, margin, ids, baseline, steps: int) -> list[float]:
    from captum.attr import LayerIntegratedGradients

    with torch.enable_grad():
        shares = LayerIntegratedGradients(margin, model.get_input_embeddings()).attribute(
            ids,
            baselines=baseline,
            n_steps=steps,
            # Equal steps: the way is not smooth, which Gauss-Legendre would rely on.
            method="riemann_middle",
            internal_batch_size=max(1, TOKENS_AT_ONCE // ids.shape[1]),
        )
    return shares.detach().sum(dim=-1)[0].tolist()


def _join(reading: Reading, shares: list[float], ends, steps: int) -> Attribution:
    """Add the tokens' shares up to words."""
    scores, other = [0.0] * len(reading.spans), 0.0
    for share, word in zip(shares, reading.word_of_token, strict=True):
        if word is None:
            other += share
        else:
            scores[word] += share
    return Attribution(
        words=tuple(reading.text[start:end] for start, end in reading.spans),
        scores=tuple(scores),
        other=other,
        margin=ends[0],
        baseline_margin=ends[1],
        steps=steps,
        reading=reading,
    )
