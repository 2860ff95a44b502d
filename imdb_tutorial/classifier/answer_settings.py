"""How a saved classifier reads long texts, and what its logits are divided by."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from imdb_tutorial.classifier.long_texts import HEAD, READINGS
from imdb_tutorial.machine.files import disk_errors, whole_folder
from imdb_tutorial.machine.manifest import MANIFEST_FILE, read_manifest, write_manifest
from imdb_tutorial.machine.tensors import pack, unpack
from imdb_tutorial.probe import PROBE_FILE

CONFIG_FILE = "config.json"
# One entry of the file for both: the settings of others' models have a temperature of another kind.
ENTRY = "answer_settings"
# What ``fit_temperature`` can find.
LOWEST, HIGHEST = 0.01, 100


class AnswerSettings(NamedTuple):
    """How a classifier comes to its answer, beside its weights.

    Args:
        reading: What it reads of a text that is too long: ``"head"`` or ``"head and tail"``.
        temperature: What its logits are divided by, so that it is right as often as it thinks (Guo
            et al., 2017).
    """

    reading: str = HEAD
    temperature: float = 1.0


OLDER_THAN_SETTINGS = AnswerSettings()


def require_settings(stored: Mapping[str, object], file: Path) -> AnswerSettings:
    """Return the settings that stand in a saved classifier's file, or refuse them.

    Args:
        stored: All that the file says.
        file: The file, for the message.

    Returns:
        The settings. A file without them is older than they are: its classifier reads the head, and
        its logits are divided by 1.

    Raises:
        ValueError: One of the two is missing, or its value makes no sense.
    """
    if ENTRY not in stored:
        return OLDER_THAN_SETTINGS
    given = stored[ENTRY]
    if not isinstance(given, dict) or set(given) != set(AnswerSettings._fields):
        raise ValueError(
            f"{ENTRY} in {str(file)!r} is {given!r:.60}: expected a reading and a temperature; "
            "write both again with save_answer_settings, or copy the folder again"
        )
    reading, temperature = given["reading"], given["temperature"]
    if reading not in READINGS:
        raise ValueError(
            f"reading in {str(file)!r} is {reading!r:.60}: expected "
            f"{' or '.join(map(repr, READINGS))}; write it again with save_answer_settings, or "
            "copy the folder again"
        )
    if not _is_temperature(temperature):
        raise ValueError(
            f"temperature in {str(file)!r} is {temperature!r:.60}: expected a number from {LOWEST} "
            f"to {HIGHEST}; fit it with fit_temperature and write it again with "
            "save_answer_settings, or copy the folder again"
        )
    return AnswerSettings(str(reading), float(temperature))


def read_probe_settings(folder: Path) -> AnswerSettings:
    """Read the settings that stand in a saved probe's file.

    Args:
        folder: With a sound ``probe.safetensors``.

    Returns:
        The settings.

    Raises:
        ValueError: As ``require_settings``.
    """
    file = folder / PROBE_FILE
    _, stored = unpack(file, "probe")
    return require_settings(stored, file)


def save_answer_settings(
    folder: str | os.PathLike, reading: str = HEAD, temperature: float = 1.0
) -> Path:
    """Write into a saved classifier's folder how it reads and what its logits are divided by.

    Args:
        folder: With a probe that ``save_probe`` wrote, or with a fine-tuned model.
        reading: What it reads of a text that is too long: ``"head"`` or ``"head and tail"``.
        temperature: From ``fit_temperature``, for validation reviews that were read that way.

    Returns:
        The file that says so now: ``probe.safetensors`` or ``config.json``. The folder's manifest
        follows it. The folder is replaced as a whole or not at all.

    Raises:
        FileNotFoundError: The folder holds no classifier.
        ValueError: A setting that makes no sense, or a damaged file.
        OSError: The disk refuses; the folder is kept as it was.
    """
    folder = Path(folder)
    name = PROBE_FILE if (folder / PROBE_FILE).is_file() else CONFIG_FILE
    file = folder / name
    if not file.is_file():
        raise FileNotFoundError(
            f"no classifier in {str(folder)!r}: expected {PROBE_FILE} from save_probe, or "
            f"{CONFIG_FILE} from save_pretrained"
        )
    stored: dict[str, object] = {ENTRY: {"reading": reading, "temperature": temperature}}
    require_settings(stored, file)
    content = _with_entry(file, stored)
    manifest = read_manifest(folder)
    with disk_errors(folder), whole_folder(folder, name) as partial:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        (partial / name).write_bytes(content)
        if manifest is not None:
            (partial / MANIFEST_FILE).unlink()
            write_manifest(partial, manifest["files_sha256"], manifest["encoder_fingerprint"])
    return file


def _with_entry(file: Path, entry: dict[str, object]) -> bytes:
    """Return a file's content with one more entry, or with a new value of it."""
    if file.name == PROBE_FILE:
        tensors, stored = unpack(file, "probe")
        return pack(tensors, "probe", stored | entry)
    try:
        config = dict(json.loads(file.read_bytes()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(file)!r} is damaged ({error}): save the model again") from error
    return (json.dumps(config | entry, indent=2, sort_keys=True) + "\n").encode()


def _is_temperature(value: object) -> bool:
    # True is a number to Python; a comparison with NaN is false.
    return type(value) in (int, float) and LOWEST <= value <= HIGHEST  # type: ignore[operator]
