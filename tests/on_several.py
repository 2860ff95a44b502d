"""What every process of a test's launch does: ``python tests/on_several.py folder task ...``."""

import contextlib
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
import transformers

from imdb_tutorial import (
    FeatureLoader,
    LinearProbe,
    Trainer,
    extract_features,
    finetune,
    load_encoder,
    load_reviews,
    load_tokenizer,
    save_finetuned,
)
from imdb_tutorial.encoder import extraction
from imdb_tutorial.finetuning.run import share_of_batch
from imdb_tutorial.machine import processes as meeting, shards
from imdb_tutorial.machine.processes import Processes, processes
from tests.toys import toy_preset

# In batches of 1,024 tokens: some of one review, some of many.
TEXTS = [f"a {'very ' * (700 // (n + 1))}good film number {n}" for n in range(150)]
MANY = [f"a {'very ' * 300}good film number {n}" for n in range(300)]
FEW = ["a good film", "a bad film"]


def main(folder: Path, *tasks: str) -> int:
    """Do as the command line does."""
    everyone = Processes()
    meeting.TO_MEET = timedelta(seconds=float(os.environ.get("SECONDS_TO_MEET", "180")))
    try:
        everyone = processes()
        with everyone.together(), everyone.only_main_speaks():
            for task in tasks:
                TASKS[task](folder, everyone)
            everyone.leave()
    except (OSError, ValueError, RuntimeError) as error:
        if everyone.is_first_to_say():
            print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def features(folder: Path, everyone: Processes) -> None:
    """Features in every way in which they can be kept or not; a probe; saved by each process."""
    tokenizer, encoder = load_tokenizer(folder / "bert"), load_encoder(folder / "bert", "cpu")
    found = {}

    def extract(name, texts, **options):
        tables = extract_features(texts, tokenizer, encoder, ["cls", "mean"], **options)
        for pooling, table in tables.items():
            found[f"{name}-{pooling}"] = table.clone()

    extract("kept", TEXTS)
    extract("read", TEXTS)
    extract("not kept", TEXTS, use_cache=False)
    extract("few", FEW)
    own = folder / f"own-{everyone.count}-{everyone.number}"
    with other_cache(own):  # as on machines that share no folder
        local, everyone.is_local_main = everyone.is_local_main, True
        extract("on machines", TEXTS)
        everyone.is_local_main = local
        found["files"] = torch.tensor(len(list(own.glob("*.safetensors"))))
    taken = folder / "taken"
    taken.write_text("no folder")
    with other_cache(taken if everyone.number == everyone.count - 1 else own / "last"):
        extract("no place for one", TEXTS)
    with other_cache(taken):
        extract("no place", TEXTS)

    found["refused"] = [
        what_is_said(extract_features, [f"film {everyone.number}"], tokenizer, encoder),
        what_is_said(share_of_batch, 7),
    ]
    labels = [n % 2 for n in range(len(TEXTS))]
    torch.manual_seed(1)
    probe = LinearProbe(encoder.config.hidden_size)
    loader = FeatureLoader(found["kept-mean"], labels, shuffle=True)
    Trainer(probe, loader, loader, verbose=False).train(5)
    found["probe"] = probe.linear.weight.detach()
    torch.save(found, folder / f"features-{everyone.count}-{everyone.number}.pt")
    print(f"{everyone.count} processes have the features")


def what_is_said(function, *arguments) -> str:
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def other_cache(place: Path):
    before, os.environ["IMDB_TUTORIAL_CACHE"] = os.environ["IMDB_TUTORIAL_CACHE"], str(place)
    yield
    os.environ["IMDB_TUTORIAL_CACHE"] = before


def slowly(folder: Path, everyone: Processes) -> None:
    """Features, one batch in a tenth of a second; each process writes down which one it is."""
    compute = extraction.encode_and_pool

    def slow(*arguments):
        time.sleep(0.1)
        (folder / f"pid-{everyone.number}").write_text(str(os.getpid()))
        return compute(*arguments)

    extraction.encode_and_pool, shards.SECONDS = slow, 0.2
    tokenizer, encoder = load_tokenizer(folder / "bert"), load_encoder(folder / "bert", "cpu")
    table = extract_features(MANY, tokenizer, encoder)
    torch.save(table.clone(), folder / f"slowly-{everyone.number}.pt")


def tune(folder: Path, everyone: Processes) -> None:
    """Fine-tune and save; where the folder says so, a process kills itself in the second epoch."""

    class Killed(transformers.TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if (folder / "kill").exists() and state.epoch > 1.4 and everyone.number == 1:
                (folder / "kill").unlink()
                os.kill(os.getpid(), signal.SIGKILL)

    preset = toy_preset(folder / "bert", folder / f"reviews-{everyone.number}.csv")
    reviews = load_reviews(preset)
    preset = preset.replace(reviews="toys")
    trainer, history = finetune(preset, folder / "run", reviews, [Killed()])
    if everyone.is_main:
        save_finetuned(trainer, preset, folder / "model")
        (folder / "history.json").write_text(json.dumps(history.train_losses))
        print(f"saved by process 1 of {everyone.count}")


TASKS = {task.__name__: task for task in (features, slowly, tune)}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
