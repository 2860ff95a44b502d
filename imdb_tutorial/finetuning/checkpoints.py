"""A fine-tuning run's checkpoints: whose they are, and which of them are whole."""

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import datasets
import torch
from transformers import TrainerCallback

from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.machine.files import only_writer, write_whole
from imdb_tutorial.machine.manifest import damaged_file, encoder_fingerprint, write_manifest
from imdb_tutorial.machine.processes import processes
from imdb_tutorial.presets import Preset

RUN_FILE = "run.json"
PICKLES = ("optimizer.pt", "scheduler.pt", "rng_state*.pth")  # the last of each process
# What the state of NumPy's random numbers is made of; the Trainer lets it be unpickled.
NUMPY_STATE = {
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "numpy.dtypes.UInt32DType",
}


@contextlib.contextmanager
def claimed(folder: Path, preset: Preset, reviews: datasets.DatasetDict) -> Iterator[None]:
    """Have a folder for this run alone, after making sure that it can be written to.

    Args:
        folder: Where the checkpoints go.
        preset: The run's choices.
        reviews: Its train and validation reviews.

    Raises:
        ValueError: The folder's checkpoints belong to another run.
        PermissionError: It cannot be written to.
        BlockingIOError: Another process fine-tunes in it.
    """
    run = dataclasses.asdict(preset)
    for pool in ("train", "validation"):
        run[f"{pool}_ids_sha256"] = ids_sha256(reviews[pool]["id"][:])
    run["encoder_fingerprint"] = encoder_fingerprint(preset.encoder)
    with _must_be_writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder.resolve(), wait=False):
        _require_same_run(folder, run)
        with _must_be_writable(folder):
            write_whole(folder / RUN_FILE, json.dumps(run, indent=1).encode())
        yield


@contextlib.contextmanager
def _must_be_writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PermissionError(
            f"cannot write to {str(folder)!r} ({error.strerror}): choose an output_dir that you "
            "can write to"
        ) from error


def _require_same_run(folder: Path, run: dict) -> None:
    file = folder / RUN_FILE
    try:
        known = json.loads(file.read_bytes()) if file.is_file() else {}
    except ValueError:
        known = {}
    known = known if isinstance(known, dict) else {}
    if known != run and (file.is_file() or any(folder.glob("checkpoint-*"))):
        other = [name for name in run if known.get(name) != run[name]]
        raise ValueError(
            f"the checkpoints in {str(folder)!r} belong to another run, with another "
            f"{' and '.join(other)}: choose another output_dir, or delete it to start again"
        )


class ManifestWriter(TrainerCallback):
    """Records the hashes of a checkpoint's files once all of them are written."""

    def on_save(self, args, state, control, **kwargs):
        processes().gather(None)  # each writes one
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_manifest(folder, [path.name for path in folder.iterdir() if path.is_file()])


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Find the newest checkpoint of which every byte is as it was written.

    Args:
        folder: The Trainer's output folder.

    Returns:
        The checkpoint's folder, or nothing where there is none. What is passed over because it was
        written only in part, or damaged since, is named in a printed line.
    """
    found = [path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()]
    newest_first = sorted(found, key=lambda path: -int(path.name[11:]))
    for position, checkpoint in enumerate(newest_first):
        problem = _problem(checkpoint)
        if problem is None:
            return checkpoint
        older = newest_first[position + 1].name if newest_first[position + 1 :] else "the start"
        print(f"{checkpoint.name} is not whole ({problem}): trying {older}")
    return None


def remove_checkpoints(folder: Path) -> None:
    """Remove a finished run's folder; what a kill leaves of it, the same run can start from.

    Args:
        folder: The Trainer's output folder.

    Raises:
        OSError: The disk refuses.
    """
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    shutil.rmtree(folder)  # whose run it was goes last


def _problem(checkpoint: Path) -> str | None:
    """Say what is wrong with a checkpoint, if anything; nothing in it is unpickled."""
    if name := damaged_file(checkpoint):
        return f"{name} is missing or damaged"
    state = json.loads((checkpoint / "trainer_state.json").read_bytes())
    # At its end the run loads the best epoch's model.
    best = checkpoint.with_name(f"checkpoint-{state['best_global_step']}")
    if name := damaged_file(best, "model.safetensors"):
        return f"{name} in {best.name} is missing or damaged"
    for file in sorted(file for name in PICKLES for file in checkpoint.glob(name)):
        asked = torch.serialization.get_unsafe_globals_in_checkpoint(file)
        if foreign := sorted(set(asked) - NUMPY_STATE):
            return f"{file.name} asks for {foreign[0]}, which no checkpoint needs"
    return None
