"""What a saved model must be, before it may answer."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from torch import nn

from imdb_tutorial.dataset.labels import LABELS, SHORT_LABELS
from imdb_tutorial.encoder.load import vocabulary_sha256
from imdb_tutorial.probe import PROBE_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Vocabularies are often filled up to a multiple of 64 or 128 rows, never by more.
VOCABULARY_PADDING = 128


def require_safetensors(folder: Path) -> None:
    """Refuse a folder whose weights are missing or a pickle.

    Args:
        folder: Where a model was saved.

    Raises:
        FileNotFoundError: There are no safetensors; the message says what there is instead.
    """
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


def require_sentiment_labels(id2label: dict[int, str], source: str) -> dict[int, str]:
    """Name a model's labels NEGATIVE and POSITIVE, or refuse them.

    Args:
        id2label: The labels' names by number, in any spelling.
        source: Where they come from, for the message.

    Returns:
        The names as everything here writes them, by number.

    Raises:
        ValueError: Other labels, or fewer or more of them.
    """
    full = dict(zip(SHORT_LABELS, LABELS, strict=True))
    labels = {
        int(n): full.get(str(name).lower(), str(name).upper()) for n, name in id2label.items()
    }
    if set(labels) != {0, 1} or set(labels.values()) != set(LABELS):
        raise ValueError(
            f"the labels of {source!r} are {', '.join(map(str, id2label.values()))}: "
            "expected NEGATIVE and POSITIVE; give the model id2label={0: 'NEGATIVE', 1: "
            "'POSITIVE'} before it is saved"
        )
    return labels


def require_own_tokenizer(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", source: str
) -> None:
    """Refuse a tokenizer that numbers its words otherwise than the model's own.

    Args:
        model: With the vocabulary's hash in its config, where it was saved by this project.
        tokenizer: What was found beside it.
        source: Where both come from, for the message.

    Raises:
        ValueError: They do not belong together.
    """
    rows = cast(nn.Embedding, model.get_input_embeddings()).num_embeddings
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


def require_finite_weights(model: "PreTrainedModel", source: str) -> None:
    """Refuse a model with a weight that is no number: all its answers would be none.

    Args:
        model: With its weights in place.
        source: Where it comes from, for the message.

    Raises:
        ValueError: A weight is NaN or infinite; the message names its tensor.
    """
    for name, weights in model.state_dict().items():
        if not weights.isfinite().all():
            raise ValueError(
                f"the weights of {source!r} are damaged: {name} holds NaN or infinite numbers; "
                "copy or save the model again"
            )
