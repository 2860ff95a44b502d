"""The classifiers that come with the package: their rungs of the ladder."""

import json
from pathlib import Path

import torch

import imdb_tutorial
from experiments.ladder import ask_everything, rung
from imdb_tutorial import choose_dtype, load_classifier, model_source
from imdb_tutorial.classifier.pipeline import SentimentPipeline

DATA = Path(imdb_tutorial.__file__).with_name("data")
FOLDERS = {name: DATA / f"{name}_classifier" for name in ("packaged", "base")}
WEIGHTS = ("adapter_model.safetensors", "probe.safetensors")


def files_of(model: str) -> tuple[Path, ...]:
    """Return what makes a classifier what it is: all but what it said about texts it taught."""
    files = (file for file in FOLDERS[model].iterdir() if file.name != "soft_labels.safetensors")
    return tuple(sorted(files))


def climb_saved(unit: dict) -> tuple[list[dict], dict]:
    """Ask one of the two; its training is recorded beside it."""
    model = unit["model"]
    record = json.loads((FOLDERS[model] / "record.json").read_text(encoding="utf-8"))
    # One that went on learning has a record of that, too.
    taught = [part for part in (record, record.get("further")) if part]
    runs = [run for part in taught for run in part["runs"] if run["seed"] in seeds_of(part)]
    runs += [record["gone_on"]] if record.get("gone_on", {}).get("is_kept") else []
    weights = [FOLDERS[model] / name for name in WEIGHTS]
    weights += [Path(model_source(model).name_or_path) / "model.safetensors"]
    row = {
        "train_size": sum(part["texts"]["reviews"] for part in taught),
        "seconds": sum(run["seconds"] for run in runs),
        "megabytes": sum(file.stat().st_size for file in weights) / 1e6,
    }
    classifier = load_classifier(model)
    if model == "base":  # 45 minutes on two cores otherwise; its margins move by 0.02
        _halve_precision(classifier)
    return rung(unit, ask_everything(classifier), row)


def _halve_precision(classifier: SentimentPipeline) -> None:
    """Let a classifier compute in bfloat16, as fine-tuned models do, where the processor can."""
    precision = choose_dtype("cpu")
    # Around the model's own call: what stands around the pipeline does not reach its threads.
    halved = torch.autocast("cpu", precision, enabled=precision == torch.bfloat16)
    classifier.model.forward = halved(classifier.model.forward)


def seeds_of(record: dict) -> list[int]:
    """Return the seeds of the runs that are in a classifier: one, or those whose mean it is."""
    return record.get("mean_of", [record["chosen_seed"]])
