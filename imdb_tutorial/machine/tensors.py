"""Tensors and a record in one safetensors file that carries its own checksum."""

import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

_SEAL = re.compile(rb'(?<=\\"sha256\\": \\")[0-9a-f]{64}(?=\\")')
_UNSEALED = "0" * 64


def pack(tensors: dict[str, torch.Tensor], name: str, record: dict) -> bytes:
    """Return the content of a safetensors file that any reader of the format opens.

    Args:
        tensors: Tensors by name.
        name: The metadata's entry that holds the record.
        record: In what JSON can hold; its floats come back bit for bit. ``sha256`` is added to it:
            the checksum of the content in which that checksum's own digits are zeros.

    Returns:
        The file's bytes, the same ones for the same tensors and record.
    """
    packed = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    content = save(packed, metadata={name: json.dumps({"sha256": _UNSEALED, **record})})
    return content.replace(_UNSEALED.encode(), _sha256(content), 1)


def unpack(file: Path, name: str) -> tuple[dict[str, torch.Tensor], dict]:
    """Read a file whose content ``pack`` made.

    Args:
        file: The file.
        name: The metadata's entry that holds the record.

    Returns:
        Tensors and record.

    Raises:
        ValueError: A byte is not as it was written, or the file is of another kind.
    """
    content = file.read_bytes()
    seal = _SEAL.search(content)
    if seal is None:
        raise ValueError("it carries no checksum")
    unsealed = content[: seal.start()] + _UNSEALED.encode() + content[seal.end() :]
    if seal.group() != _sha256(unsealed):
        raise ValueError("its checksum is wrong")
    header_size = int.from_bytes(content[:8], "little")
    try:
        record = json.loads(json.loads(content[8 : 8 + header_size])["__metadata__"][name])
        del record["sha256"]
        return load(content), record
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"it is of another kind: {error!r}") from error


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
