"""The lessons' work headless: ``imdb-tutorial doctor | probe | finetune | classify``.

``python -m imdb_tutorial`` is the same command.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from imdb_tutorial.machine.launch import start_all
from imdb_tutorial.machine.processes import Processes, processes
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.machine.rank import is_main_process
from imdb_tutorial.presets import POOLINGS, Preset, load_preset

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset, DatasetDict

    from imdb_tutorial import Trainer


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line; without it, the process's own.

    Returns:
        The exit status: 0 where all went well.
    """
    parsed = _parser().parse_args(arguments)
    everyone = Processes()
    try:
        if parsed.run in ON_SEVERAL:
            if (status := start_all()) is not None:
                return status
            everyone = processes()
        with everyone.together(), everyone.only_main_speaks():
            status = parsed.run(parsed)
            everyone.leave()
        return status
    except (OSError, ValueError, RuntimeError) as error:
        if everyone.is_first_to_say():
            print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imdb-tutorial", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    doctor = commands.add_parser("doctor", help="say what this machine has")
    doctor.add_argument("--json", action="store_true", help="print it for a program to read")
    doctor.set_defaults(run=_doctor)

    # What is not given stays absent, so that the preset's own value holds.
    probe = commands.add_parser(
        "probe",
        help="train a linear probe on a frozen BERT",
        argument_default=argparse.SUPPRESS,
    )
    _add_preset_arguments(probe)
    probe.add_argument("--pooling", choices=POOLINGS)
    probe.add_argument(
        "--dry-run",
        action="store_true",
        default=False,
        help="say what it would cost (tokens, operations, bytes, hours here), and end",
    )
    probe.add_argument(
        "--output", type=Path, default=None, help="save the probe and its record in this folder"
    )
    probe.set_defaults(run=_probe)

    finetune = commands.add_parser(
        "finetune",
        help="fine-tune BERT with the Hugging Face Trainer",
        argument_default=argparse.SUPPRESS,
    )
    _add_preset_arguments(finetune)
    finetune.add_argument("--max-length", type=int, help="tokens")
    finetune.add_argument("--batch-size", type=int)
    finetune.add_argument("--learning-rate", type=float)
    finetune.add_argument(
        "--output",
        type=Path,
        default=Path("results/fine_tuned"),
        help="save the model in this folder (default: %(default)s); a run that was interrupted "
        "goes on when the command is given again",
    )
    finetune.set_defaults(run=_finetune)

    classify = commands.add_parser("classify", help="say whether texts are positive or negative")
    classify.add_argument("texts", nargs="+", metavar="text")
    classify.add_argument("--model", default="packaged", help="a folder, or a hub name@revision")
    classify.set_defaults(run=_classify)
    return parser


def _add_preset_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default=None, help="laptop, full or base")
    for pool in ("train", "validation", "test"):
        parser.add_argument(f"--{pool}-size", type=_size, help="so many reviews, or all")
    parser.add_argument("--num-epochs", type=int)
    parser.add_argument("--seed", type=int)


def _given(parsed: argparse.Namespace) -> dict:
    """Return what was given on the command line and is a preset's field."""
    fields = {field.name for field in dataclasses.fields(Preset)}
    return {name: value for name, value in vars(parsed).items() if name in fields}


def _size(text: str) -> int | None:
    return None if text == "all" else int(text)


def _doctor(parsed: argparse.Namespace) -> int:
    from imdb_tutorial.machine.diagnosis.doctor import doctor, examine

    if parsed.json:
        checks = examine()
        print(json.dumps([check._asdict() for check in checks], indent=1, ensure_ascii=False))
    else:
        checks = doctor()
    return int(any(check.state == "problem" for check in checks))


def _classify(parsed: argparse.Namespace) -> int:
    from imdb_tutorial.classifier.certainty import in_words
    from imdb_tutorial.classifier.load import load_classifier
    from imdb_tutorial.explorer.reading import read_text

    classifier = load_classifier(parsed.model)
    for number, (text, answer) in enumerate(
        zip(parsed.texts, classifier(parsed.texts), strict=True)
    ):
        said = in_words(answer["label"], answer["score"])
        print(f"{said:<8}  {answer['score']:.3f}  {text}")
        if cut := read_text(classifier, text).what_was_cut:
            print(f"text {number}: {cut}", file=sys.stderr)
    return 0


def _finetune(parsed: argparse.Namespace) -> int:
    from imdb_tutorial.classifier.load import load_classifier
    from imdb_tutorial.classifier.predict import predict_proba
    from imdb_tutorial.dataset.reviews import load_reviews
    from imdb_tutorial.finetuning.checkpoints import remove_checkpoints
    from imdb_tutorial.finetuning.run import finetune
    from imdb_tutorial.finetuning.save import save_finetuned

    preset = load_preset(parsed.preset).for_fine_tuning().replace(**_given(parsed))
    reviews = load_reviews(preset)
    for pool, split in reviews.items():
        print(f"{pool}: {len(split):,} reviews")
    checkpoints = parsed.output.with_name(f"{parsed.output.name}.checkpoints")
    trainer, _ = finetune(preset, checkpoints, reviews)
    if not is_main_process():
        return 0
    save_finetuned(trainer, preset, parsed.output)
    answers = predict_proba(load_classifier(parsed.output), reviews["test"]["text"][:]).argmax(
        dim=1
    )
    right = answers.numpy() == reviews["test"]["label"][:]  # [reviews]
    print(f"accuracy on {len(right):,} test reviews: {_interval(right, reviews['test'])}")
    save_finetuned(trainer, preset, parsed.output, {"accuracy": float(right.mean())})
    remove_checkpoints(checkpoints)
    print(f"saved in {parsed.output}")
    return 0


def _interval(right: "np.ndarray", asked: "Dataset") -> str:
    """Say an accuracy with its interval: over films where they are known, else over reviews."""
    from imdb_tutorial.evaluation.clusters import grouped_interval
    from imdb_tutorial.evaluation.intervals import accuracy_interval

    films = asked["film"][:] if "film" in asked.column_names else []
    if len(set(films)) > 1:
        return f"{grouped_interval(right, films)}, an interval over films"
    return f"{accuracy_interval(right)}, an interval over reviews"


def _bill(preset: Preset) -> int:
    from imdb_tutorial.cost.estimate import estimate_cost

    print(estimate_cost(preset))
    return 0


def _probe(parsed: argparse.Namespace) -> int:
    preset = load_preset(parsed.preset).replace(**_given(parsed))
    if parsed.dry_run:
        return _bill(preset)

    import torch

    from imdb_tutorial.dataset.reviews import load_reviews
    from imdb_tutorial.encoder.features import extract_features
    from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
    from imdb_tutorial.encoder.loaders import FeatureLoader
    from imdb_tutorial.machine.files import write_whole
    from imdb_tutorial.machine.parallel import one_thread
    from imdb_tutorial.probe import LinearProbe, save_probe
    from imdb_tutorial.trainer.loop import Trainer

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
    # The probe learns in seconds: to share that would take longer.
    if not is_main_process():
        return 0
    torch.manual_seed(preset.seed)
    probe = LinearProbe(encoder.config.hidden_size, pooling=preset.pooling)
    trainer = Trainer(
        probe, loaders["train"], loaders["validation"], preset.learning_rate, preset.gamma
    )
    with one_thread():
        trainer.train(preset.num_epochs)
    _, test_accuracy = Trainer(probe, [], loaders["test"]).validate()
    print(f"accuracy on {len(reviews['test']):,} test reviews: {test_accuracy:.1%}")
    if parsed.output:
        file = save_probe(probe, parsed.output, preset.encoder, max_length=preset.max_length)
        record = _record(preset, reviews, trainer, test_accuracy, time.perf_counter() - began)
        write_whole(file.with_name("record.json"), (json.dumps(record, indent=1) + "\n").encode())
        print(f"saved in {parsed.output}")
    return 0


def _record(
    preset: Preset,
    reviews: "DatasetDict",
    trainer: "Trainer",
    test_accuracy: float,
    seconds: float,
) -> dict:
    from imdb_tutorial.dataset.reviews import ids_sha256

    return {
        "preset": dataclasses.asdict(preset),
        "reviews": {pool: len(split) for pool, split in reviews.items()},
        "train_ids_sha256": ids_sha256(reviews["train"]["id"][:]),
        "train_losses": [round(loss, 5) for loss in trainer.train_losses],
        "val_losses": [round(loss, 5) for loss in trainer.val_losses],
        "val_accuracy": [round(accuracy, 5) for accuracy in trainer.val_accuracy],
        "test_accuracy": round(test_accuracy, 5),
        "seconds": round(seconds, 1),
        **provenance("torch", "transformers", "datasets"),
    }


# Several processes share the work of these, where accelerate or torchrun starts them.
ON_SEVERAL = (_probe, _finetune)


if __name__ == "__main__":
    sys.exit(main())
