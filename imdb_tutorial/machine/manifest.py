"""What a saved model is made of: recorded beside it, and checked when it is opened."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from imdb_tutorial.machine import base_encoder, sources
from imdb_tutorial.machine.files import write_whole

MANIFEST_FILE = "manifest.json"
ENCODER_FILES = ("config.json", "model*.safetensors", "tokenizer_config.json")


def write_manifest(
    folder: Path, names: Iterable[str], encoder_fingerprint: str | None = None
) -> None:
    """Record the SHA-256 of a folder's files, once all of them are written.

    Args:
        folder: Where they are.
        names: Their names; an older manifest among them is passed over.
        encoder_fingerprint: Of the encoder that the saved model was made from.

    Raises:
        OSError: The disk refuses.
    """
    names = set(names) - {MANIFEST_FILE}
    manifest = {
        "files_sha256": {name: _sha256(folder / name) for name in sorted(names)},
        "encoder_fingerprint": encoder_fingerprint,
    }
    write_whole(folder / MANIFEST_FILE, (json.dumps(manifest, indent=1) + "\n").encode())


def read_manifest(folder: Path) -> dict | None:
    """Read what ``write_manifest`` recorded.

    Args:
        folder: Where it wrote.

    Returns:
        ``files_sha256`` and ``encoder_fingerprint``, or nothing where there is no sound manifest.
    """
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
        return {
            "files_sha256": dict(manifest["files_sha256"]),
            "encoder_fingerprint": manifest["encoder_fingerprint"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def damaged_file(folder: Path, *names: str) -> str | None:
    """Find a file that is missing or not as it was written.

    Args:
        folder: A folder with a manifest.
        names: Which of its files to check; without them, all that the manifest names.

    Returns:
        The first one's name, the manifest's own among them, or nothing where all is well.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return MANIFEST_FILE
    recorded = manifest["files_sha256"]
    for name in names or recorded:
        if not (folder / name).is_file():
            return name
        if _sha256(folder / name) != recorded.get(name):
            return name
    return None


def verify_folder(folder: Path) -> None:
    """Refuse a folder in which a file is not as it was written; one without a manifest is taken.

    Args:
        folder: A saved model, of this project or of others.

    Raises:
        ValueError: A file is missing or damaged; the message names it.
    """
    if (folder / MANIFEST_FILE).exists() and (name := damaged_file(folder)):
        raise ValueError(
            f"{name} in {str(folder)!r} is missing or damaged, it is not what was saved there: "
            "save the model again, or copy its whole folder again"
        )


def encoder_fingerprint(source: str | os.PathLike) -> str | None:
    """Tell an encoder from any other, without opening it and without asking the hub.

    Args:
        source: ``"packaged"``, ``"base"``, a folder saved by transformers, or a hub name.

    Returns:
        A hash of the files of weights, settings and tokenizer, a hub model's revision, or nothing
        where neither is known.
    """
    source = os.fspath(source)
    if source == "packaged":
        return _fingerprint({Path(f.path).name: f.sha256 for f in sources.PACKAGED_ENCODER})
    if source == "base":
        return _fingerprint({file.name: file.sha256 for file in base_encoder.FILES})
    folder = Path(source).expanduser()
    if source and folder.is_dir():  # a model that was made in memory has no name
        words = "tokenizer.json" if (folder / "tokenizer.json").is_file() else "vocab.txt"
        files = [path for pattern in (*ENCODER_FILES, words) for path in folder.glob(pattern)]
        return _fingerprint({path.name: _sha256(path) for path in files})
    revision = source.partition("@")[2] or sources.HUB_REVISIONS.get(source)
    return f"revision {revision}" if revision else None


def _sha256(path: Path) -> str:
    """Read the file anew: two versions of it can have the same size and time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint(files_sha256: dict[str, str]) -> str:
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(files_sha256.items())]
    return f"sha256 {hashlib.sha256(''.join(lines).encode()).hexdigest()}"
