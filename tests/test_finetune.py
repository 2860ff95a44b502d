"""Fine-tuning: the best epoch is kept, and a run that is killed ends like one that never was."""

import functools
import hashlib
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

import imdb_tutorial
from imdb_tutorial import (
    classifier_of,
    load_classifier,
    load_preset,
    load_reviews,
    predict_proba,
    save_finetuned,
)
from imdb_tutorial.finetuning.checkpoints import ManifestWriter, last_whole_checkpoint
from imdb_tutorial.finetuning.log import epoch_table, history_of
from imdb_tutorial.finetuning.run import (
    ID2LABEL,
    finetune,
    load_model_for_classification,
    tokenize_reviews,
)
from imdb_tutorial.machine.files import only_writer
from imdb_tutorial.machine.manifest import MANIFEST_FILE, read_manifest, write_manifest
from tests.systems import needs_sigkill

MODULE = sys.modules[finetune.__module__]
EPOCH_STEPS = 10
FIRST, SECOND, THIRD = (f"checkpoint-{epoch * EPOCH_STEPS}" for epoch in (1, 2, 3))

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([MODULE.__name__, "pytest"])


@pytest.fixture(autouse=True)
def one_thread():
    """Let this process add up in the same order as the ones that it starts."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights_of(model) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def outcome(trainer, history) -> dict:
    return {
        "weights": weights_of(trainer.model),
        "losses": [loss.hex() for loss in history.train_losses],
        "accuracies": [accuracy.hex() for accuracy in history.val_accuracy],
        "validation losses": [loss.hex() for loss in history.val_losses],
        "evaluations": [
            (entry["step"], entry["eval_loss"].hex(), entry["eval_f1"].hex())
            for entry in trainer.state.log_history
            if "eval_loss" in entry
        ],
        "best": Path(trainer.state.best_model_checkpoint).name,
    }


def steps_of(monkeypatch) -> list:
    """Return a list that grows by one with every training step."""
    steps = []
    original = transformers.Trainer.training_step

    def counted(self, *args, **kwargs):
        steps.append(self.state.global_step)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(transformers.Trainer, "training_step", counted)
    return steps


def checkpoints_in(folder) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


@pytest.fixture(scope="module")
def finished(tuning_preset, tmp_path_factory):
    """Return a finished run: its folder, its trainer, its history and a copy of the folder."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("IMDB_TUTORIAL_DTYPE", raising=False)
        trainer, history = finetune(tuning_preset, folder)
    torch.set_num_threads(threads)
    shutil.copytree(folder, folder.with_name("copy"))
    return folder, trainer, history


@pytest.fixture
def run_folder(finished):
    """Return the finished run's folder, which a test may damage, at the place where it ran."""
    folder, _, _ = finished
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("copy"), folder)
    return folder


# The run


def test_the_loss_falls_and_every_epoch_is_in_the_history(finished, tuning_preset):
    _, trainer, history = finished
    assert len(history.train_losses) == len(history.val_accuracy) == tuning_preset.num_epochs
    assert history.train_losses[-1] < 0.95 * history.train_losses[0]
    assert all(0 < accuracy < 1 for accuracy in history.val_accuracy)
    assert trainer.args.report_to == []
    log = trainer.state.log_history
    assert history.train_losses == [entry["loss"] for entry in log if "loss" in entry]
    assert history.val_accuracy == [e["eval_accuracy"] for e in log if "eval_accuracy" in e]
    assert history.val_losses == [e["eval_loss"] for e in log if "eval_loss" in e]
    assert len(set(history.val_losses)) == tuning_preset.num_epochs
    assert history == history_of(log)


def test_one_line_an_epoch_is_printed(tuning_preset, tmp_path, capfd):
    _, history = finetune(tuning_preset.replace(num_epochs=2), tmp_path)
    printed = capfd.readouterr()
    lines = [line for line in printed.out.splitlines() if line.startswith("epoch")]
    for epoch, line in enumerate(lines, start=1):
        loss, accuracy = history.train_losses[epoch - 1], history.val_accuracy[epoch - 1]
        assert line == f"epoch {epoch:2}  loss {loss:.4f}  accuracy {accuracy:.1%}"
    assert len(lines) == 2
    assert "MISSING" not in printed.out + printed.err


def test_the_best_epoch_is_chosen_by_validation_accuracy_alone(
    tuning_preset, tmp_path, monkeypatch
):
    accuracies = iter([0.25, 0.75, 0.5])
    monkeypatch.setattr(
        MODULE,
        "compute_metrics",
        lambda prediction: {"accuracy": next(accuracies), "f1": 0.0},
    )
    trainer, history = finetune(tuning_preset, tmp_path)
    assert history.val_accuracy == [0.25, 0.75, 0.5]
    assert trainer.state.best_model_checkpoint == str(tmp_path / SECOND)
    assert {path.name for path in tmp_path.iterdir()} == {SECOND, THIRD, "run.json"}
    best, last = (load_file(tmp_path / name / "model.safetensors") for name in (SECOND, THIRD))
    held = trainer.model.state_dict()
    assert all(torch.equal(best[name], held[name].cpu()) for name in held)
    assert not all(torch.equal(best[name], last[name]) for name in held)


def test_every_epochs_accuracy_comes_out_again_by_hand(tuning_preset, tmp_path, monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    split = load_reviews(tuning_preset)["validation"]
    by_hand = []

    def keep(self, args, state, control, **kwargs):
        classifier = load_classifier(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        right = predict_proba(classifier, split["text"][:]).argmax(dim=1)
        by_hand.append((right == torch.tensor(split["label"][:])).double().mean().item())

    monkeypatch.setattr(MODULE.ProgressPrinter, "on_save", keep)
    _, history = finetune(tuning_preset, tmp_path)
    assert len(set(by_hand)) > 1
    assert history.val_accuracy == pytest.approx(by_hand, abs=1e-9)


def test_the_same_seed_gives_the_same_numbers_bit_for_bit(finished, tuning_preset, tmp_path):
    _, trainer, history = finished
    torch.manual_seed(12345)
    again = finetune(tuning_preset, tmp_path)
    assert outcome(*again) == outcome(trainer, history)


def test_another_seed_gives_other_numbers(finished, tuning_preset, tmp_path):
    _, _, history = finished
    _, other = finetune(tuning_preset.replace(seed=2, num_epochs=3), tmp_path)
    assert all(a != b for a, b in zip(other.train_losses, history.train_losses, strict=True))


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_the_precision_is_the_one_that_was_asked_for(tuning_preset, tmp_path, monkeypatch, name):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", name)
    seen = set()
    forward = transformers.BertForSequenceClassification.forward

    @functools.wraps(forward)
    def watched(self, *args, **kwargs):
        device = self.device.type
        lower = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        seen.add((self.training, lower))
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(transformers.BertForSequenceClassification, "forward", watched)
    trainer, _ = finetune(tuning_preset.replace(num_epochs=1), tmp_path)
    lower = None if name == "float32" else torch.bfloat16
    assert seen == {(True, lower), (False, lower)}
    assert {parameter.dtype for parameter in trainer.model.parameters()} == {torch.float32}


def test_reviews_can_be_given_instead_of_the_presets_own(tuning_preset, tmp_path):
    reviews = load_reviews(tuning_preset)
    del reviews["test"]
    reviews["train"] = reviews["train"].select(range(16))
    trainer, history = finetune(tuning_preset.replace(num_epochs=1), tmp_path, reviews)
    assert trainer.state.global_step == 2
    assert len(history.train_losses) == 1


# Model, data and settings


class PowerCut(transformers.TrainerCallback):
    """Interrupts a run after so many steps, as a keyboard or a battery does."""

    def __init__(self, after_step):
        self.after_step = after_step

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.after_step:
            raise KeyboardInterrupt


def test_a_run_interrupted_by_a_callback_goes_on_and_ends_the_same(
    finished, tuning_preset, tmp_path, monkeypatch, capfd
):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        finetune(tuning_preset, folder, callbacks=[PowerCut(EPOCH_STEPS + 3)])
    assert checkpoints_in(folder) == [FIRST]
    capfd.readouterr()
    steps = steps_of(monkeypatch)
    assert outcome(*finetune(tuning_preset, folder)) == outcome(*finished[1:])
    assert steps[0] == EPOCH_STEPS
    assert "epoch  1" not in capfd.readouterr().out


def test_a_run_stops_early_with_the_librarys_own_callback(tuning_preset, tmp_path):
    patient = transformers.EarlyStoppingCallback(1, early_stopping_threshold=2.0)
    _, history = finetune(tuning_preset, tmp_path / "run", callbacks=[patient])
    assert len(history.val_accuracy) == 2 < tuning_preset.num_epochs


def test_the_model_has_named_labels_and_a_new_head(tuning_preset):
    torch.manual_seed(0)
    one, other = (
        load_model_for_classification(tuning_preset.encoder),
        load_model_for_classification(tuning_preset.encoder),
    )
    assert one.config.id2label == ID2LABEL == {0: "NEGATIVE", 1: "POSITIVE"}
    assert one.config.label2id == {"NEGATIVE": 0, "POSITIVE": 1}
    assert {parameter.dtype for parameter in one.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in one.parameters())
    weights = other.state_dict()
    new = {name for name, tensor in one.state_dict().items() if not tensor.equal(weights[name])}
    assert new == {"classifier.weight"}


def test_tokenized_reviews_are_cut_and_not_padded(tuning_preset):
    from imdb_tutorial.encoder.load import load_tokenizer

    split = load_reviews(tuning_preset)["validation"]
    tokenizer = load_tokenizer(tuning_preset.encoder)
    rows = tokenize_reviews(split, tokenizer, 7)
    assert set(rows.column_names) == {"input_ids", "labels", "length", "id"}
    assert rows["labels"][:] == split["label"][:]
    assert rows["id"][:] == split["id"][:]
    for text, ids, length in zip(split["text"], rows["input_ids"], rows["length"], strict=True):
        assert ids == tokenizer(text, truncation=True, max_length=7)["input_ids"]
        assert len(ids) == length <= 7


def test_a_batch_is_padded_to_its_own_longest_review(finished, tuning_preset):
    _, trainer, _ = finished
    for batch in trainer.get_train_dataloader():
        assert batch["attention_mask"].sum(dim=1).max() == batch["input_ids"].shape[1]
        assert batch["input_ids"].shape[0] == tuning_preset.batch_size


@pytest.mark.parametrize("name", ["laptop", "full"])
def test_presets_for_fine_tuning(name):
    preset = load_preset(name).replace(name="own", seed=5)
    tuning = preset.for_fine_tuning()
    assert (tuning.name, tuning.seed, tuning.encoder) == ("own", 5, preset.encoder)
    assert tuning.train_size != preset.train_size
    assert tuning.batch_size == 8
    assert tuning.for_fine_tuning() == tuning


def test_no_public_name_is_also_the_name_of_a_module():
    # Importing imdb_tutorial.x would put the module in the place of imdb_tutorial's function x.
    modules = {path.stem for path in Path(imdb_tutorial.__file__).parent.iterdir()}
    assert modules & set(imdb_tutorial.__all__) == set()


# Interrupted and started again


# By name: what dies the given time that it is called.
PLACES = {
    "step": (transformers.Trainer, "training_step"),
    "no state yet": (transformers.TrainerState, "save_to_json"),
    "no manifest yet": (ManifestWriter, "on_save"),
}


def work(folder: Path, preset, place: str, number: int) -> None:
    torch.set_num_threads(1)
    owner, name = PLACES[place]
    original, calls = getattr(owner, name), itertools.count(1)

    def go_on_or_die(*args, **kwargs):
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, name, go_on_or_die)
    finetune(preset, folder)


@pytest.mark.slow
@needs_sigkill
@pytest.mark.parametrize(
    ("where", "number", "kept", "first_step"),
    [
        ("step", EPOCH_STEPS + 4, [FIRST], EPOCH_STEPS),
        ("no state yet", 1, [FIRST], 0),
        ("no manifest yet", 3, [SECOND, THIRD], 2 * EPOCH_STEPS),
    ],
)
def test_killed_and_started_again(
    finished, tuning_preset, tmp_path, monkeypatch, capsys, where, number, kept, first_step
):
    _, trainer, history = finished
    process = PROCESSES.Process(target=work, args=(tmp_path, tuning_preset, where, number))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert checkpoints_in(tmp_path) == kept
    steps = steps_of(monkeypatch)
    assert outcome(*finetune(tuning_preset, tmp_path)) == outcome(trainer, history)
    assert steps == list(range(first_step, 3 * EPOCH_STEPS))
    assert ("is not whole" in capsys.readouterr().out) == (where != "step")


def test_a_finished_run_trains_nothing_and_gives_the_same_history(
    finished, run_folder, tuning_preset, monkeypatch
):
    _, trainer, history = finished
    steps = steps_of(monkeypatch)
    again = finetune(tuning_preset, run_folder)
    assert steps == []
    assert again[1] == history
    assert outcome(*again) == outcome(trainer, history)


def test_a_finished_run_in_a_folder_that_was_moved_still_gives_its_best_epoch(
    finished, run_folder, tuning_preset, tmp_path, monkeypatch
):
    _, trainer, history = finished
    assert Path(trainer.state.best_model_checkpoint).name != THIRD
    shutil.move(run_folder, tmp_path / "moved")
    try:
        steps = steps_of(monkeypatch)
        again = finetune(tuning_preset, tmp_path / "moved")
        assert steps == []
        assert weights_of(again[0].model) == weights_of(trainer.model)
        assert again[1] == history
    finally:
        shutil.copytree(run_folder.with_name("copy"), run_folder)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def turned_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8] = bytes(byte ^ 0xFF for byte in content[middle : middle + 8])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.safetensors", turned_bytes),
        ("trainer_state.json", half),
        ("rng_state.pth", Path.unlink),
        (MANIFEST_FILE, half),
    ],
)
def test_a_damaged_file_makes_its_checkpoint_be_passed_over(run_folder, capsys, name, damage):
    assert last_whole_checkpoint(run_folder) == run_folder / THIRD
    damage(run_folder / THIRD / name)
    assert last_whole_checkpoint(run_folder) == run_folder / SECOND
    said = f"{THIRD} is not whole ({name} is missing or damaged): trying {SECOND}\n"
    assert capsys.readouterr().out == said


def test_every_file_of_a_checkpoint_is_in_its_manifest(run_folder):
    names = {path.name for path in (run_folder / THIRD).iterdir()} - {MANIFEST_FILE}
    assert set(read_manifest(run_folder / THIRD)["files_sha256"]) == names


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(
    finished, run_folder, tuning_preset, capsys, monkeypatch
):
    _, trainer, history = finished
    turned_bytes(run_folder / THIRD / "optimizer.pt")
    steps = steps_of(monkeypatch)
    assert outcome(*finetune(tuning_preset, run_folder)) == outcome(trainer, history)
    assert f"trying {SECOND}" in capsys.readouterr().out
    assert steps == list(range(2 * EPOCH_STEPS, 3 * EPOCH_STEPS))
    assert last_whole_checkpoint(run_folder) == run_folder / THIRD


def test_damaged_checkpoints_do_not_push_out_whole_ones(
    finished, run_folder, tuning_preset, monkeypatch, capsys
):
    _, trainer, history = finished
    for checkpoint in (SECOND, THIRD):
        half(run_folder / checkpoint / "optimizer.pt")
    step = transformers.Trainer.training_step

    def stop(self, *args, **kwargs):
        if self.state.global_step == EPOCH_STEPS + 3:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(transformers.Trainer, "training_step", stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(tuning_preset, run_folder)
    assert "trying the start" in capsys.readouterr().out
    assert last_whole_checkpoint(run_folder) == run_folder / FIRST
    assert outcome(*finetune(tuning_preset, run_folder)) == outcome(trainer, history)


def test_a_checkpoint_needs_the_best_epochs_model_and_no_more_of_it(finished, run_folder, capsys):
    best = Path(finished[1].state.best_model_checkpoint).name
    assert best == SECOND
    half(run_folder / best / "optimizer.pt")
    assert last_whole_checkpoint(run_folder) == run_folder / THIRD
    half(run_folder / best / "model.safetensors")
    assert last_whole_checkpoint(run_folder) is None
    said = f"{THIRD} is not whole (model.safetensors in {best} is missing or damaged)"
    assert said in capsys.readouterr().out


def test_a_folder_where_another_run_is_at_work_is_refused(run_folder, tuning_preset, monkeypatch):
    steps = steps_of(monkeypatch)
    with only_writer(run_folder):
        with pytest.raises(BlockingIOError, match=r"another process is writing to .*run'"):
            finetune(tuning_preset, run_folder)
    assert steps == []
    finetune(tuning_preset, run_folder)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"train_size": 40}, "train_size and train_ids_sha256"),
        ({"num_epochs": 4, "max_length": 8}, "max_length and num_epochs"),
    ],
    ids=str,
)
def test_another_runs_folder_is_refused_with_what_differs(
    run_folder, tuning_preset, monkeypatch, changes, named
):
    steps = steps_of(monkeypatch)
    with pytest.raises(ValueError, match=rf"another run, with another {named}: choose another"):
        finetune(tuning_preset.replace(**changes), run_folder)
    assert steps == []
    assert last_whole_checkpoint(run_folder) == run_folder / THIRD
    assert json.loads((run_folder / "run.json").read_text())["seed"] == tuning_preset.seed


@pytest.mark.parametrize("pool", ["train", "validation"])
def test_the_folder_of_a_run_on_other_reviews_is_refused(run_folder, tuning_preset, pool):
    reviews = load_reviews(tuning_preset)
    rows = range(len(reviews[pool]) - 1, -1, -1)
    reviews[pool] = reviews[pool].map(lambda row: {"id": f"other/{row['id']}"}).select(rows)
    with pytest.raises(ValueError, match=f"another {pool}_ids_sha256"):
        finetune(tuning_preset, run_folder, reviews)


def test_the_folder_of_a_run_on_another_encoder_of_the_same_name_is_refused(
    tuning_preset, tmp_path
):
    encoder = shutil.copytree(tuning_preset.encoder, tmp_path / "encoder")
    preset = tuning_preset.replace(encoder=str(encoder), num_epochs=1)
    finetune(preset, tmp_path / "run")
    settings = json.loads((encoder / "config.json").read_text()) | {"layer_norm_eps": 0.1}
    (encoder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="another run, with another encoder_fingerprint"):
        finetune(preset, tmp_path / "run")


def test_checkpoints_of_nobody_knows_which_run_are_refused(run_folder, tuning_preset, monkeypatch):
    (run_folder / "run.json").unlink()
    steps = steps_of(monkeypatch)
    with pytest.raises(ValueError, match=r"belong to|another run"):
        finetune(tuning_preset.replace(seed=2), run_folder)
    assert steps == []


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_run_file_is_a_clear_error(run_folder, tuning_preset, content):
    (run_folder / "run.json").write_text(content)
    with pytest.raises(ValueError, match=r"choose another output_dir, or delete it"):
        finetune(tuning_preset, run_folder)


@pytest.mark.parametrize("below", ["", "deeper/out"])
def test_an_output_that_cannot_be_written_to_is_found_out_before_the_training(
    tuning_preset, tmp_path, monkeypatch, below
):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    steps = steps_of(monkeypatch)
    with pytest.raises(PermissionError, match=r"cannot write to .*taken.*choose an output_dir"):
        finetune(tuning_preset, taken / below)
    assert steps == []
    assert taken.read_text() == "mine"


def test_a_full_disk_is_found_out_before_the_training(tuning_preset, tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(28, "No space left on device")

    steps = steps_of(monkeypatch)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        finetune(tuning_preset, tmp_path)
    assert steps == []
    assert list(tmp_path.iterdir()) == []


# last_whole_checkpoint


def test_no_checkpoint_is_no_checkpoint(tmp_path, capsys):
    assert last_whole_checkpoint(tmp_path) is None
    assert last_whole_checkpoint(tmp_path / "nowhere") is None
    assert capsys.readouterr().out == ""


def test_the_newest_checkpoint_is_the_one_with_the_most_steps(finished, tmp_path, capsys):
    whole = finished[0].with_name("copy") / THIRD
    for steps in (20, 30, 9, 100):  # 20 is the best one, whose model the others need
        shutil.copytree(whole, tmp_path / f"checkpoint-{steps}")
    for name in ("checkpoint-best", "checkpoint-", "checkpoint-500.tmp", "other-900"):
        shutil.copytree(whole, tmp_path / name)
    assert last_whole_checkpoint(tmp_path) == tmp_path / "checkpoint-100"
    assert capsys.readouterr().out == ""


def test_a_file_with_a_checkpoints_name_is_passed_over(finished, tmp_path, capsys):
    (tmp_path / "checkpoint-40").write_text("no folder")
    (tmp_path / "checkpoint-50").mkdir()
    assert last_whole_checkpoint(tmp_path) is None
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": trying ")[2] for line in lines] == ["checkpoint-40", "the start"]


def test_a_planted_pickle_is_neither_run_nor_recommended(finished, tmp_path, capsys):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    checkpoint = shutil.copytree(finished[0].with_name("copy") / SECOND, tmp_path / SECOND)
    assert last_whole_checkpoint(tmp_path) == checkpoint
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        torch.save(Trap(), checkpoint / name)
    assert last_whole_checkpoint(tmp_path) is None
    write_manifest(checkpoint, [path.name for path in checkpoint.iterdir()])
    assert last_whole_checkpoint(tmp_path) is None
    assert not (tmp_path / "sprung").exists()
    damaged, planted = capsys.readouterr().out.splitlines()
    assert "optimizer.pt is missing or damaged" in damaged
    assert "optimizer.pt asks for" in planted and "open, which no checkpoint needs" in planted
    assert "weights_only" not in damaged + planted


def test_what_is_in_memory_answers_as_what_is_saved(finished, tuning_preset, tmp_path):
    _, trainer, _ = finished
    texts = ["A wonderful film.", "A dull film.", ""]
    in_memory = predict_proba(classifier_of(trainer, tuning_preset.max_length), texts)
    saved = load_classifier(save_finetuned(trainer, tuning_preset, tmp_path / "saved"))
    assert torch.equal(in_memory, predict_proba(saved, texts))


def test_the_epochs_stand_side_by_side():
    log = [
        {"loss": 0.6, "epoch": 1.0, "learning_rate": 1e-4},
        {"eval_loss": 0.5, "eval_accuracy": 0.7, "eval_f1": 0.6, "epoch": 1.0},
        {"loss": 0.3, "epoch": 2.0},
        {"eval_loss": 0.4, "eval_accuracy": 0.8, "eval_f1": 0.9, "epoch": 2.0},
        {"train_runtime": 9.0, "epoch": 2.0},
        {"eval_loss": 9.0, "eval_accuracy": 0.1, "eval_f1": 0.1, "epoch": 2.0},  # asked afterwards
    ]
    table = epoch_table(log)
    assert list(table.columns) == ["training loss", "validation loss", "accuracy", "F1"]
    assert table.to_numpy().tolist() == [[0.6, 0.5, 0.7, 0.6], [0.3, 0.4, 0.8, 0.9]]
    assert list(table.index) == [1, 2]
    assert epoch_table([]).empty
