"""A classifier from what is at hand, behind the interface of a transformers pipeline."""

import os
from importlib.resources import as_file, files
from pathlib import Path

from imdb_tutorial.classifier.checks import require_safetensors
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.classifier.saved_model import open_saved_model
from imdb_tutorial.classifier.saved_probe import open_saved_probe
from imdb_tutorial.machine import packages, sources
from imdb_tutorial.machine.files import recover_folder
from imdb_tutorial.machine.manifest import damaged_file, verify_folder
from imdb_tutorial.machine.plain_error import plain_in_notebooks
from imdb_tutorial.probe import PROBE_FILE


@plain_in_notebooks
def load_classifier(source: str | os.PathLike = "packaged") -> SentimentPipeline:
    """Load a sentiment classifier as a transformers ``text-classification`` pipeline.

    Args:
        source: ``"packaged"``, the classifier that comes with this project; a folder with a model
            that was fine-tuned and saved, or with a probe that ``save_probe`` wrote; or a hub model
            with its revision, ``"name@revision"``.

    Returns:
        A pipeline: call it with a text or a list of texts, and it answers with a ``label``
        (NEGATIVE or POSITIVE) and a ``score`` (its probability). Long texts are cut.

    Raises:
        FileNotFoundError: The folder holds no classifier or no tokenizer, its weights are a pickle,
            or a packaged file is missing.
        ValueError: A damaged model or probe, a tokenizer that does not belong to it, labels other
            than negative and positive, a length that the model cannot read, or a hub model without
            its revision.
        ConnectionError: The hub is asked for and does not answer.
    """
    source = os.fspath(source)
    if source == "packaged":
        with as_file(files("imdb_tutorial").joinpath("data/packaged_classifier")) as folder:
            _verify_packaged(folder)
            return open_saved_probe(folder)
    folder = Path(source).expanduser()
    recover_folder(folder)
    verify_folder(folder)
    if (folder / PROBE_FILE).is_file():
        return open_saved_probe(folder)
    if folder.is_dir():
        require_safetensors(folder)
    elif folder.is_absolute() or source.count("/") != 1:
        raise FileNotFoundError(
            f"no classifier at {source!r}: expected 'packaged', a folder with a saved model or "
            "probe, or a hub model with its revision, 'name@revision'"
        )
    return open_saved_model(sources.model_source(source, pinned=True))


def _verify_packaged(folder: Path) -> None:
    if name := damaged_file(folder):
        raise packages.DamagedFileError(
            f"the packaged classifier's {name} is missing or damaged: reinstall imdb_tutorial"
        )
