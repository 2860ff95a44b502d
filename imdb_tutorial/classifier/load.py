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

# Where the classifiers lie that come with this project.
PACKAGED = {"packaged": "data/packaged_classifier", "base": "data/base_classifier"}


@plain_in_notebooks
def load_classifier(source: str | os.PathLike = "packaged") -> SentimentPipeline:
    """Load a sentiment classifier as a transformers ``text-classification`` pipeline.

    Args:
        source: ``"packaged"``, the classifier that comes with this project; ``"base"``, one on the
            base-size encoder, for which the extra ``base`` must be installed; a folder with a model
            that was fine-tuned and saved, or with a probe that ``save_probe`` wrote; or a hub model
            with its revision, ``"name@revision"``.

    Returns:
        A pipeline: call it with a text or a list of texts, and it answers with a ``label``
        (NEGATIVE or POSITIVE) and a ``score`` (its probability). Long texts are cut.

    Raises:
        FileNotFoundError: The folder holds no classifier or no tokenizer, its weights are a pickle,
            or a packaged file is missing; this version has no classifier on the base-size encoder,
            or the encoder is not installed.
        ValueError: A damaged model or probe, a tokenizer that does not belong to it, labels other
            than negative and positive, a length that the model cannot read, a way of reading or a
            temperature that makes no sense, or a hub model without its revision.
        ConnectionError: The hub is asked for and does not answer.
    """
    source = os.fspath(source)
    if source in PACKAGED:
        with as_file(files("imdb_tutorial").joinpath(PACKAGED[source])) as folder:
            if source == "base" and not (folder / PROBE_FILE).is_file():
                raise FileNotFoundError(
                    "this version comes without a classifier on the base-size encoder: take "
                    "'packaged', or teach one with make classifier, which takes hours, and open it "
                    "with load_classifier('build/classifier/teacher')"
                )
            _verify_packaged(source, folder)
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
            f"no classifier at {source!r}: expected 'packaged', 'base', a folder with a saved "
            "model or probe, or a hub model with its revision, 'name@revision'"
        )
    return open_saved_model(sources.model_source(source, pinned=True))


def _verify_packaged(source: str, folder: Path) -> None:
    if name := damaged_file(folder):
        raise packages.DamagedFileError(
            f"the {source} classifier's {name} is missing or damaged: reinstall imdb_tutorial"
        )
