"""Typed text stays text, though it may look like one of a tokenizer's special tokens."""

import re
from typing import TYPE_CHECKING

from tokenizers import Regex, pre_tokenizers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def split_typed_special_tokens(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Make sure that a tokenizer reads a typed ``</s>`` as four letters.

    ``split_special_tokens`` is enough for WordPiece and for BPE. A Unigram or a WordLevel model
    finds ``</s>`` in its list of words all the same, so its first letter is cut off from the rest.

    Args:
        tokenizer: Loaded with ``split_special_tokens=True``; it is changed where it must be.

    Raises:
        ValueError: It cannot be changed; the message names the special token.
    """
    if (read := _read_as_special(tokenizer)) and tokenizer.is_fast:
        backend = tokenizer.backend_tokenizer
        starts = "|".join(f"{re.escape(token[0])}(?={re.escape(token[1:])})" for token in read)
        cut = pre_tokenizers.Split(Regex(starts), behavior="isolated")
        before = [backend.pre_tokenizer] if backend.pre_tokenizer else []
        backend.pre_tokenizer = pre_tokenizers.Sequence([*before, cut])
    if read := _read_as_special(tokenizer):
        raise ValueError(
            f"the tokenizer {type(tokenizer).__name__} takes the typed text {read[0]!r} for its "
            "special token: load a model that has a fast tokenizer (tokenizer.json)"
        )


def _read_as_special(tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return [
        token
        for token in sorted(special - {tokenizer.unk_token})
        if len(token) > 1
        and tokenizer.convert_tokens_to_ids(token)
        in tokenizer.encode(token, add_special_tokens=False)
    ]
