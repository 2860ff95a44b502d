"""What of the full preset lies in the hub's cache already; nobody is asked."""

import os

from imdb_tutorial.machine.diagnosis.check import Check
from imdb_tutorial.machine.hub.chosen_files import cached_splits, model_files
from imdb_tutorial.machine.hub.repository import Repository, cached_folder
from imdb_tutorial.machine.sources import HUB_REVISIONS
from imdb_tutorial.presets import PRESETS


def full_preset() -> Check:
    """Say which of the full preset's reviews and weights need no download any more."""
    from huggingface_hub import constants

    preset = PRESETS["full"]
    is_there = {
        preset.reviews: _has_reviews(preset.reviews),
        preset.encoder: _has_model(preset.encoder),
    }
    missing = [name for name, there in is_there.items() if not there]
    present = [name for name, there in is_there.items() if there]
    if not missing:
        return Check("full preset", "ok", f"all of it is in the cache: {', '.join(present)}")
    found = f"in the cache: {', '.join(present) or 'nothing'}; not yet: {', '.join(missing)}"
    if os.environ.get("IMDB_TUTORIAL_PRESET") != "full":
        return Check("full preset", "ok", found)
    if constants.is_offline_mode():
        remedy = "unset HF_HUB_OFFLINE once and start again with a network, to download it"
        return Check("full preset", "problem", found, remedy)
    return Check("full preset", "note", found, "it is downloaded when it is first used")


def _has_reviews(name: str) -> bool:
    folder = cached_folder(Repository(name, HUB_REVISIONS[name], "dataset"))
    return folder is not None and bool(cached_splits(folder))


def _has_model(name: str) -> bool:
    folder = cached_folder(Repository(name, HUB_REVISIONS[name], "model"))
    return folder is not None and bool(model_files(folder, weights=True))
