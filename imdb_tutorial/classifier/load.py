"""A classifier from what is at hand, behind the interface of a transformers pipeline."""

import json
import os
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification

from imdb_tutorial.classifier.adapter import ADAPTER_FILE, apply_adapter
from imdb_tutorial.classifier.pipeline import (
    ProbeConfig,
    ProbeForSequenceClassification,
    SentimentPipeline,
)
from imdb_tutorial.dataset.labels import LABELS, SHORT_LABELS
from imdb_tutorial.encoder.load import (
    load_encoder,
    load_tokenizer,
    plain_errors,
    quiet_transformers,
    vocabulary_sha256,
)
from imdb_tutorial.encoder.tokens import pad, plan_batches, tokenize
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import best_device
from imdb_tutorial.machine.parallel import in_parallel
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.presets import MAX_LENGTH
from imdb_tutorial.probe import PROBE_FILE, load_probe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH_SIZE = 16
PREDICT_TOKENS = {"cpu": 2_048, "mps": 16_384, "cuda": 65_536}
# Vocabularies are often filled up to a multiple of 64 or 128 rows, never by more.
VOCABULARY_PADDING = 128


def load_classifier(source: str | os.PathLike = "packaged") -> SentimentPipeline:
    """Load a sentiment classifier as a transformers ``text-classification`` pipeline.

    Args:
        source: ``"packaged"``, the classifier that comes with this project; a folder with a model
            that was fine-tuned and saved, or with a probe that ``save_probe`` wrote; or a hub model
            with its revision, ``"name@revision"``.

    Returns:
        A pipeline: call it with a text or a list of texts, and it answers with a ``label``
        (NEGATIVE or POSITIVE) and a ``score`` (its probability). Long texts are cut.

    Raises:
        FileNotFoundError: The folder holds no classifier or no tokenizer, its weights are a pickle,
            or a packaged file is missing.
        ValueError: A damaged model or probe, a tokenizer that does not belong to it, labels other
            than negative and positive, or a hub model without its revision.
        ConnectionError: The hub is asked for and does not answer.
    """
    source = os.fspath(source)
    if source == "packaged":
        with as_file(files("imdb_tutorial").joinpath("data/packaged_classifier")) as folder:
            _verify(folder)
            return _probe_pipeline(folder)
    folder = Path(source).expanduser()
    if (folder / PROBE_FILE).is_file():
        return _probe_pipeline(folder)
    if folder.is_dir():
        _require_safetensors(folder)
    elif folder.is_absolute() or source.count("/") != 1:
        raise FileNotFoundError(
            f"no classifier at {source!r}: expected 'packaged', a folder with a saved model or "
            "probe, or a hub model with its revision, 'name@revision'"
        )
    elif not source.partition("@")[2] and source not in sources.HUB_REVISIONS:
        name = source.removesuffix("@")
        raise ValueError(
            f"the hub model {name!r} has no revision: name one, {name + '@revision'!r}, so "
            "that it stays the same model tomorrow"
        )
    return _model_pipeline(source)


def predict_proba(classifier: SentimentPipeline, texts: Sequence[str]) -> torch.Tensor:
    """Classify many texts at once, in float32 and in batches of similar length.

    Args:
        classifier: From ``load_classifier``.
        texts: The reviews; long ones are cut as the classifier cuts them.

    Returns:
        Probabilities ``[texts, 2]``, in the order of the texts: negative, positive.

    Raises:
        ValueError: A text that cannot be tokenized; the message names its row.
    """
    if isinstance(texts, str):
        raise TypeError("got one text: expected a list of texts; put it into one, [text]")
    if len(texts) == 0:
        return torch.empty(0, len(LABELS))
    model = classifier.model
    tokens = tokenize(texts, classifier.tokenizer, classifier.max_length)
    logits = torch.empty(len(texts), 2)
    batches = list(plan_batches(tokens.lengths(), PREDICT_TOKENS[model.device.type]))

    def answer(rows: np.ndarray) -> np.ndarray:
        ids, mask = pad(tokens, rows, classifier.tokenizer.pad_token_id, model.device)
        with torch.no_grad():  # holds for one thread only
            logits[rows] = model(input_ids=ids, attention_mask=mask).logits.float().cpu()
        return rows

    with progress_bar(
        total=len(batches), desc="classifying", leave=False, disable=len(batches) < 3
    ) as bar:
        for _ in in_parallel(answer, batches, model.device):
            bar.update()
    order = [model.config.label2id[name] for name in LABELS]
    return logits[:, order].softmax(dim=1)


def _verify(folder: Path) -> None:
    recorded = json.loads((folder / "record.json").read_text())["files_sha256"]
    for name, expected in recorded.items():
        if not (folder / name).is_file() or sources.file_sha256(folder / name) != expected:
            raise sources.DamagedFileError(
                f"the packaged classifier's {name} is missing or damaged: reinstall imdb_tutorial"
            )


def _require_safetensors(folder: Path) -> None:
    if any(folder.glob("model*.safetensors")):
        return
    pickles = sorted(
        path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern)
    )
    if pickles:
        raise FileNotFoundError(
            f"the weights in {str(folder)!r} are a pickle ({pickles[0]}), and opening one runs "
            "whatever code is in it: save the model again with model.save_pretrained(folder), "
            "which writes model.safetensors"
        )
    raise FileNotFoundError(
        f"no classifier in {str(folder)!r}: expected model.safetensors and config.json from "
        f"save_pretrained, or {PROBE_FILE} from save_probe"
    )


def _probe_pipeline(folder: Path) -> SentimentPipeline:
    probe, settings = load_probe(folder)
    labels = _labels(dict(enumerate(settings["labels"])), folder)
    encoder = load_encoder(settings["encoder"])
    if encoder.config.hidden_size != probe.linear.in_features:
        raise ValueError(
            f"the probe in {str(folder)!r} reads {probe.linear.in_features} features, but its "
            f"encoder {settings['encoder']!r} gives {encoder.config.hidden_size}: use the encoder "
            "that it was trained on"
        )
    if (folder / ADAPTER_FILE).is_file():
        encoder = apply_adapter(encoder, folder)
    elif left := sorted(path.name for path in folder.glob("adapter_*")):
        raise FileNotFoundError(
            f"{str(folder)!r} holds {left[0]} but no {ADAPTER_FILE}: save the adapter again with "
            "save_adapter, or remove what is left of it"
        )
    probe.softmax = False  # the pipeline applies softmax itself
    config = ProbeConfig(id2label=labels, label2id={name: n for n, name in labels.items()})
    model = ProbeForSequenceClassification(config, encoder, probe)
    return _pipeline(model, load_tokenizer(settings["encoder"]), settings["max_length"])


def _model_pipeline(source: str) -> SentimentPipeline:
    name_or_path, revision = sources.model_source(source)
    tokenizer = load_tokenizer(source)
    with plain_errors(source), quiet_transformers():
        model, report = AutoModelForSequenceClassification.from_pretrained(
            name_or_path,
            revision=revision or "main",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    if report["missing_keys"]:
        raise ValueError(
            f"the weights of {source!r} lack {min(report['missing_keys'])!r}: expected a model "
            "that was fine-tuned for classification and saved with save_pretrained"
        )
    labels = _labels(model.config.id2label, source)
    model.config.id2label = labels
    model.config.label2id = {name: n for n, name in labels.items()}
    _require_own_tokenizer(model, tokenizer, source)
    model.requires_grad_(False).to(best_device())
    model.config.problem_type = None  # otherwise the pipeline may apply a sigmoid
    positions = getattr(model.config, "max_position_embeddings", MAX_LENGTH)
    trained = getattr(model.config, "max_length_trained", MAX_LENGTH)
    if type(trained) is not int or trained < 3:
        raise ValueError(
            f"max_length_trained in the config of {source!r} is {trained!r}: expected a number of "
            "tokens, or no such entry"
        )
    return _pipeline(model, tokenizer, min(positions, trained, MAX_LENGTH))


def _labels(id2label: dict[int, str], source: str | os.PathLike) -> dict[int, str]:
    """Name the labels NEGATIVE and POSITIVE, or refuse them."""
    full = dict(zip(SHORT_LABELS, LABELS, strict=True))
    labels = {
        int(n): full.get(str(name).lower(), str(name).upper()) for n, name in id2label.items()
    }
    if set(labels) != {0, 1} or set(labels.values()) != set(LABELS):
        raise ValueError(
            f"the labels of {os.fspath(source)!r} are {', '.join(map(str, id2label.values()))}: "
            "expected NEGATIVE and POSITIVE; give the model id2label={0: 'NEGATIVE', 1: "
            "'POSITIVE'} before it is saved"
        )
    return labels


def _require_own_tokenizer(model, tokenizer: "PreTrainedTokenizerBase", source: str) -> None:
    rows = model.get_input_embeddings().num_embeddings
    recorded = getattr(model.config, "vocabulary_sha256", None)
    if recorded:
        fits = recorded == vocabulary_sha256(tokenizer)
    else:
        fits = 0 <= rows - len(tokenizer) < VOCABULARY_PADDING
    if not fits:
        raise ValueError(
            f"the tokenizer in {source!r} belongs to another model: it knows {len(tokenizer):,} "
            f"words, the model {rows:,}, or not the same ones; copy the files of the tokenizer "
            "that the model was trained with into the folder"
        )


def _pipeline(model, tokenizer, max_length: int) -> SentimentPipeline:
    with quiet_transformers():
        return SentimentPipeline(
            model=model.eval(),
            tokenizer=tokenizer,
            device=model.device,
            batch_size=BATCH_SIZE,
            truncation=True,
            max_length=max_length,
        )
