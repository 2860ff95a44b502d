"""What the teacher answers to all that it learnt from: enough to teach the small one again.

They lie in the teacher's folder. A teacher that comes with the package, taught with the same
settings on the same reviews, is not taught a second time.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from experiments.kept import keep, read_kept
from experiments.teaching import Held
from experiments.teaching_settings import Settings
from experiments.teaching_texts import Texts
from imdb_tutorial.machine.manifest import encoder_fingerprint

SOFT_LABELS_FILE = "soft_labels.safetensors"


def made_of(settings: Settings, texts: Texts, validation: Held) -> list[str]:
    """Digest what a teacher's soft labels depend on: its settings, encoder and reviews."""
    digest = hashlib.sha256(repr(settings).encode())
    digest.update(json.dumps([texts.texts, validation.texts]).encode())
    digest.update(texts.labels.tobytes() + validation.labels.tobytes())
    return [digest.hexdigest(), str(encoder_fingerprint(settings.encoder))]


def keep_soft_labels(folder: Path, key: list[str], soft: np.ndarray) -> None:
    """Keep soft labels ``[texts, 2]`` in their teacher's folder."""
    # Of two probabilities one says both.
    keep(folder / SOFT_LABELS_FILE, key, soft[:, 1].astype(np.float32))


def read_soft_labels(folder: Path, key: list[str]) -> np.ndarray | None:
    """Return the soft labels ``[texts, 2]`` of a folder; nothing where others or none are kept."""
    positive = read_kept(folder / SOFT_LABELS_FILE, key)  # [texts]
    return None if positive is None else np.stack([1 - positive, positive], axis=1)
