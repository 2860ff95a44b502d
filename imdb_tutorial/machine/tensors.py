"""Tensors and a few texts in one safetensors file that carries its own checksum."""

import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

_UNSEALED = b'"sha256":"' + b"0" * 64 + b'"'
_SEAL = re.compile(rb'"sha256":"[0-9a-f]{64}"')


def pack(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    """Return the content of a safetensors file that any reader of the format opens.

    Args:
        tensors: Tensors by name.
        metadata: Texts by name; ``sha256`` is added, the checksum of the content in which that
            checksum's own digits are zeros.

    Returns:
        The file's bytes.
    """
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(packed, metadata={**metadata, "sha256": "0" * 64})
    return content.replace(_UNSEALED, _seal(content), 1)


def unpack(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read a file that ``pack`` made.

    Args:
        file: The file.

    Returns:
        Tensors and metadata.

    Raises:
        ValueError: A single byte is not as it was written, or the file is of another kind.
    """
    content = file.read_bytes()
    found = _SEAL.search(content)
    if found is None:
        raise ValueError("it carries no checksum")
    unsealed = content[: found.start()] + _UNSEALED + content[found.end() :]
    if found.group() != _seal(unsealed):
        raise ValueError("its checksum is wrong")
    header_size = int.from_bytes(content[:8], "little")
    try:
        metadata = json.loads(content[8 : 8 + header_size])["__metadata__"]
        return load(content), metadata
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"it is no safetensors file: {error}") from error


def _seal(unsealed: bytes) -> bytes:
    return b'"sha256":"' + hashlib.sha256(unsealed).hexdigest().encode() + b'"'
