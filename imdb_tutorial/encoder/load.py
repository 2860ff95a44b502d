"""A pretrained BERT that is only read, never trained, and its tokenizer."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import choose_device

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(source: str | os.PathLike = "packaged") -> "PreTrainedTokenizerBase":
    """Load the tokenizer that belongs to a model.

    Args:
        source: ``"packaged"``, a folder saved by transformers, or a hub name.

    Returns:
        The tokenizer. To it, a text that contains "[SEP]" holds a bracket, letters and a bracket:
        typed text never becomes a special token.

    Raises:
        FileNotFoundError: A folder without a model or without a tokenizer.
        ConnectionError: The hub is asked for and does not answer.
    """
    from transformers import AutoTokenizer

    name_or_path, revision = sources.model_source(source)
    folder = Path(name_or_path)
    # Without its vocabulary transformers makes up a five-word one and says nothing.
    if folder.is_dir() and not any((folder / f).is_file() for f in ("tokenizer.json", "vocab.txt")):
        raise FileNotFoundError(
            f"the folder {name_or_path!r} has no tokenizer.json and no vocab.txt: save the "
            "tokenizer beside the model with tokenizer.save_pretrained(folder)"
        )
    with plain_errors(source):
        tokenizer = AutoTokenizer.from_pretrained(
            name_or_path,
            revision=revision or "main",
            split_special_tokens=True,
            trust_remote_code=False,
        )
    if tokenizer.is_fast:
        _split_typed_special_tokens(tokenizer)
    return tokenizer


def load_encoder(
    source: str | os.PathLike = "packaged",
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> "PreTrainedModel":
    """Load a pretrained BERT, frozen: in eval mode and without gradients.

    Args:
        source: ``"packaged"``, a folder saved by transformers, or a hub name.
        device: Where it runs; without it, where ``choose_device`` says.
        dtype: The precision of its weights and of its arithmetic.

    Returns:
        The model without a task head. Called with a batch's inputs it returns
        ``last_hidden_state``, ``[batch, tokens, hidden]``.

    Raises:
        FileNotFoundError: A folder without a model.
        ValueError: A folder whose files transformers cannot open as a model, or weights with gaps.
        ConnectionError: The hub is asked for and does not answer.
    """
    from transformers import AutoModel

    name_or_path, revision = sources.model_source(source)
    with plain_errors(source), quiet_transformers():
        encoder, report = AutoModel.from_pretrained(
            name_or_path,
            revision=revision or "main",
            dtype=dtype,
            attn_implementation="sdpa",
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    missing = set(report["missing_keys"])
    if missing and all(name.startswith("pooler.") for name in missing):
        encoder.pooler = None  # transformers would go on with a random one
    elif missing:
        raise ValueError(
            f"the weights of {os.fspath(source)!r} lack {min(missing)!r}: expected a whole "
            "BERT-like model saved with save_pretrained"
        )
    encoder.requires_grad_(False)
    return encoder.eval().to(device or choose_device())


def _split_typed_special_tokens(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Keep typed special tokens apart where the vocabulary itself holds them as words.

    ``split_special_tokens`` is enough for WordPiece and for BPE. A Unigram or a WordLevel model
    finds ``</s>`` in its list of words all the same, so the first letter is cut off from the rest.
    """
    from tokenizers import Regex, pre_tokenizers

    def is_read(token: str) -> bool:
        return tokenizer.convert_tokens_to_ids(token) in tokenizer.encode(
            token, add_special_tokens=False
        )

    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    read = [t for t in special if t != tokenizer.unk_token and len(t) > 1 and is_read(t)]
    if read:
        starts = "|".join(f"{re.escape(token[0])}(?={re.escape(token[1:])})" for token in read)
        backend = tokenizer.backend_tokenizer
        cut = pre_tokenizers.Split(Regex(starts), behavior="isolated")
        before = [backend.pre_tokenizer] if backend.pre_tokenizer else []
        backend.pre_tokenizer = pre_tokenizers.Sequence([*before, cut])


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hold back transformers' loading bar and its load report, whose rows come in random order."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def plain_errors(source: str | os.PathLike) -> Iterator[None]:
    """Turn what transformers raises on a model that it cannot open into one line with a remedy.

    Args:
        source: What was asked for.

    Raises:
        ValueError: A folder that transformers cannot open as a model.
        ConnectionError: A hub model that cannot be had.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except (
        *(OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, ImportError),
        *(SafetensorError, StrictDataclassError),
    ) as error:
        if not Path(os.fspath(source)).expanduser().is_dir() and os.fspath(source) != "packaged":
            raise ConnectionError(
                f"could not load {os.fspath(source)!r} from the hub: {sources.HUB_WAYS_OUT}"
            ) from error
        raise ValueError(
            f"transformers cannot open {os.fspath(source)!r} as a model ({error}): expected a "
            "BERT-like model saved with save_pretrained"
        ) from error


def vocabulary_sha256(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the SHA-256 of a tokenizer's vocabulary, to tell whether it belongs to a model."""
    return hashlib.sha256(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode()).hexdigest()
