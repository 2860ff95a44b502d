"""A pretrained BERT that is only read, never trained, and its tokenizer."""

import contextlib
import hashlib
import json
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from imdb_tutorial.encoder.typed_text import split_typed_special_tokens
from imdb_tutorial.machine import sources
from imdb_tutorial.machine.device import choose_device
from imdb_tutorial.machine.hub.repository import model_folder
from imdb_tutorial.machine.plain_error import plain_in_notebooks
from imdb_tutorial.machine.text import one_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@plain_in_notebooks
def load_tokenizer(
    source: str | os.PathLike | sources.ModelSource = "packaged",
) -> "PreTrainedTokenizerBase":
    """Load the tokenizer that belongs to a model.

    Args:
        source: ``"packaged"``, ``"base"``, a folder saved by transformers, a hub name, or what
            ``model_source`` made of one of these.

    Returns:
        The tokenizer. To it, a text that contains "[SEP]" holds a bracket, letters and a bracket:
        typed text never becomes a special token.

    Raises:
        FileNotFoundError: A folder without a model or without a tokenizer.
        ValueError: Files that transformers cannot open, or a tokenizer that takes typed text for
            special tokens.
        ConnectionError: The hub is asked for and does not give it; the message says why.
        DamagedFileError: A file from the hub is not the hub's; the message says which to delete.
    """
    from transformers import AutoTokenizer

    found = sources.model_source(source)
    folder = Path(model_folder(found, weights=False))
    # Without its vocabulary transformers makes up a five-word one and says nothing.
    if found.revision is None and not any(
        (folder / f).is_file() for f in ("tokenizer.json", "vocab.txt")
    ):
        raise FileNotFoundError(
            f"the folder {str(folder)!r} has no tokenizer.json and no vocab.txt: save the "
            "tokenizer beside the model with tokenizer.save_pretrained(folder)"
        )
    with plain_errors(found):
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), split_special_tokens=True, trust_remote_code=False
        )
    tokenizer.name_or_path = found.name_or_path
    split_typed_special_tokens(tokenizer)
    return tokenizer


@plain_in_notebooks
def load_encoder(
    source: str | os.PathLike | sources.ModelSource = "packaged",
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> "PreTrainedModel":
    """Load a pretrained BERT, frozen: in eval mode and without gradients.

    Args:
        source: ``"packaged"``, ``"base"``, a folder saved by transformers, a hub name, or what
            ``model_source`` made of one of these.
        device: Where it runs; without it, where ``choose_device`` says.
        dtype: The precision of its weights and of its arithmetic.

    Returns:
        The model without a task head. Called with a batch's inputs it returns
        ``last_hidden_state``, ``[batch, tokens, hidden]``.

    Raises:
        FileNotFoundError: A folder without a model.
        ValueError: A folder whose files transformers cannot open as a model, or weights with gaps.
        ConnectionError: The hub is asked for and does not give it; the message says why.
        DamagedFileError: A file from the hub is not the hub's; the message says which to delete.
    """
    from transformers import AutoModel

    found = sources.model_source(source)
    folder = model_folder(found)
    with plain_errors(found), quiet_transformers():
        encoder, report = AutoModel.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    missing = set(report["missing_keys"])
    if missing and all(name.startswith("pooler.") for name in missing):
        encoder.pooler = None  # transformers would go on with a random one
    elif missing:
        raise ValueError(
            f"the weights of {found.name_or_path!r} lack {min(missing)!r}: expected a whole "
            "BERT-like model saved with save_pretrained"
        )
    if encoder.config.model_type == "mpnet":
        from imdb_tutorial.encoder.mpnet import use_fast_attention

        use_fast_attention(encoder)
    encoder.name_or_path = found.name_or_path
    encoder.requires_grad_(False)
    return encoder.eval().to(device or choose_device())


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
def plain_errors(source: sources.ModelSource) -> Iterator[None]:
    """Turn what transformers raises on a model that it cannot open into one line with a remedy.

    Args:
        source: What was asked for.

    Raises:
        ValueError: Files that transformers cannot open as a model.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _plain(error, source) from None
    except Exception as error:
        # A damaged config.json makes libraries stumble like this; our own mistakes stay visible.
        if not _is_raised_by_a_library(error):
            raise
        raise _plain(error, source) from None


def _plain(error: Exception, source: sources.ModelSource) -> Exception:
    reason = one_line(error)
    if "trust_remote_code" in str(error):
        reason = "it wants Python code of its own to be run, which is never done here"
    return ValueError(
        f"transformers cannot open {source.name_or_path!r} as a model ({reason}): expected a "
        "BERT-like model saved with save_pretrained"
    )


def _is_raised_by_a_library(error: Exception) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    rooms = [frame.f_globals["__name__"].partition(".")[0] for frame, _ in frames]
    return rooms[-1] != __package__.partition(".")[0] and "transformers" in rooms


def vocabulary_sha256(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the SHA-256 of a tokenizer's vocabulary, to tell whether it belongs to a model."""
    return hashlib.sha256(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode()).hexdigest()
