"""The lessons' work without a notebook: ``python -m imdb_tutorial doctor | probe | classify``."""

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from imdb_tutorial.presets import POOLINGS, Preset, load_preset


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line; without it, the process's own.

    Returns:
        The exit status: 0 where all went well.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m imdb_tutorial", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    doctor = commands.add_parser("doctor", help="say what this machine has")
    doctor.set_defaults(run=_doctor)

    # What is not given stays absent, so that the preset's own value holds.
    probe = commands.add_parser(
        "probe",
        help="train a linear probe on a frozen BERT",
        argument_default=argparse.SUPPRESS,
    )
    probe.add_argument("--preset", default=None, help="laptop or full")
    probe.add_argument("--pooling", choices=POOLINGS)
    for pool in ("train", "validation", "test"):
        probe.add_argument(f"--{pool}-size", type=_size, help="so many reviews, or all")
    probe.add_argument("--num-epochs", type=int)
    probe.add_argument("--seed", type=int)
    probe.add_argument(
        "--output", type=Path, default=None, help="save the probe and its record in this folder"
    )
    probe.set_defaults(run=_probe)

    classify = commands.add_parser("classify", help="say whether texts are positive or negative")
    classify.add_argument("texts", nargs="+", metavar="text")
    classify.add_argument("--model", default="packaged", help="a folder with a saved probe")
    classify.set_defaults(run=_classify)
    return parser


def _size(text: str) -> int | None:
    return None if text == "all" else int(text)


def _doctor(parsed: argparse.Namespace) -> int:
    from imdb_tutorial.diagnosis import doctor

    return int(any(check.remedy for check in doctor()))


def _classify(parsed: argparse.Namespace) -> int:
    from imdb_tutorial.classifier import load_classifier

    for text, answer in zip(parsed.texts, load_classifier(parsed.model)(parsed.texts), strict=True):
        print(f"{answer['label']:<8}  {answer['score']:.3f}  {text}")
    return 0


def _probe(parsed: argparse.Namespace) -> int:
    import torch

    from imdb_tutorial.dataset import load_reviews
    from imdb_tutorial.encoder import load_encoder, load_tokenizer
    from imdb_tutorial.features import extract_features
    from imdb_tutorial.files import write_whole
    from imdb_tutorial.loaders import FeatureLoader
    from imdb_tutorial.probe import LinearProbe, save_probe
    from imdb_tutorial.trainer import Trainer

    fields = {field.name for field in dataclasses.fields(Preset)}
    given = {name: value for name, value in vars(parsed).items() if name in fields}
    preset = load_preset(parsed.preset).replace(**given)
    began = time.perf_counter()
    reviews = load_reviews(preset)
    tokenizer, encoder = load_tokenizer(preset.encoder), load_encoder(preset.encoder)
    loaders = {}
    for pool, split in reviews.items():
        print(f"{pool}: {len(split):,} reviews")
        features = extract_features(split, tokenizer, encoder, preset.pooling, preset.max_length)
        loaders[pool] = FeatureLoader(
            features,
            split["label"][:],
            batch_size=preset.batch_size if pool == "train" else 4_096,
            shuffle=pool == "train",
            seed=preset.seed,
        )
    torch.manual_seed(preset.seed)
    probe = LinearProbe(encoder.config.hidden_size, pooling=preset.pooling)
    trainer = Trainer(
        probe, loaders["train"], loaders["validation"], preset.learning_rate, preset.gamma
    )
    trainer.train(preset.num_epochs)
    test_accuracy = Trainer(probe, [], loaders["test"]).validate()
    print(f"accuracy on {len(reviews['test']):,} test reviews: {test_accuracy:.1%}")
    if parsed.output:
        file = save_probe(probe, parsed.output, preset.encoder, max_length=preset.max_length)
        record = _record(preset, reviews, trainer, test_accuracy, time.perf_counter() - began)
        write_whole(file.with_name("record.json"), (json.dumps(record, indent=1) + "\n").encode())
        print(f"saved in {parsed.output}")
    return 0


def _record(preset: Preset, reviews, trainer, test_accuracy: float, seconds: float) -> dict:
    return {
        "preset": dataclasses.asdict(preset),
        "reviews": {pool: len(split) for pool, split in reviews.items()},
        "train_ids_sha256": hashlib.sha256(
            "\n".join(reviews["train"]["id"][:]).encode()
        ).hexdigest(),
        "train_losses": [round(loss, 5) for loss in trainer.train_losses],
        "val_accuracy": [round(accuracy, 5) for accuracy in trainer.val_accuracy],
        "test_accuracy": round(test_accuracy, 5),
        "seconds": round(seconds, 1),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name).split("+")[0] for name in ("torch", "transformers", "datasets")},
        },
    }


if __name__ == "__main__":
    sys.exit(main())
