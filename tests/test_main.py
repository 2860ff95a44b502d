"""The command line."""

import json
import subprocess
import sys

import pytest
import torch

from imdb_tutorial import (
    accuracy_interval,
    grouped_interval,
    load_reviews,
    predict_proba,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.load import load_encoder
from imdb_tutorial.presets import PRESETS
from imdb_tutorial.probe import LinearProbe, load_probe, save_probe
from tests.toys import toy_preset

SMALL = ["--train-size", "40", "--validation-size", "20", "--test-size", "20", "--num-epochs", "2"]


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "imdb_tutorial", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_doctor_in_a_process_of_its_own():
    answer = run("doctor")
    assert answer.returncode == 0, answer.stderr
    assert "packaged encoder" in answer.stdout
    assert "problem" not in answer.stdout


def test_doctor_fails_where_there_is_a_problem(monkeypatch, capsys):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "lpatop")
    assert main(["doctor"]) == 1
    assert "problem" in capsys.readouterr().out


def test_doctor_for_a_program_to_read(monkeypatch, capsys):
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "lpatop")
    assert main(["doctor", "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)
    assert all(set(check) == {"what", "state", "found", "remedy"} for check in checks)
    (problem,) = [check for check in checks if check["state"] == "problem"]
    assert problem["what"] == "preset"
    assert "'lpatop'" in problem["remedy"]


def test_an_error_is_one_line_and_no_traceback():
    answer = run("classify", "--model", "no/such/folder", "a text")
    assert answer.returncode == 1
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("error: no classifier at 'no/such/folder'")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["probe", "--train-size", "99999999"], "train_size=99,999,999"),
        (["probe", "--preset", "tiny"], "unknown preset 'tiny'"),
        (["probe", "--test-size", "0"], "test_size is 0"),
        (["probe", "--num-epochs", "0"], "num_epochs is 0"),
    ],
)
def test_errors_name_what_to_change(capsys, arguments, said):
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["probe", "--pooling", "max"], ["probe", "--train-size", "x"], ["classify"]],
)
def test_a_wrong_command_line_is_explained(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_classify_with_the_packaged_classifier(capsys):
    good, bad = "This is a great movie. I enjoyed it a lot!", "This movie is so bad, I fell asleep."
    assert main(["classify", good, bad]) == 0
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("POSITIVE") and first.endswith(good)
    assert second.startswith("NEGATIVE") and second.endswith(bad)


def test_classify_with_a_saved_probe(tmp_path, tiny_bert, capsys):
    probe = LinearProbe(load_encoder(tiny_bert, device="cpu").config.hidden_size)
    with torch.no_grad():
        probe.linear.weight.zero_()
        probe.linear.bias.copy_(torch.tensor([0.0, 1.0]))
    save_probe(probe, tmp_path, tiny_bert, max_length=16)
    assert main(["classify", "--model", str(tmp_path), "a text"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1].endswith("not sure, leans POSITIVE  0.731  a text")
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        patched.delenv("IMDB_TUTORIAL_PRESET", raising=False)
        patched.delenv("IMDB_TUTORIAL_DTYPE", raising=False)
        assert main(["probe", *SMALL, "--seed", "7", "--output", str(folder)]) == 0
    return folder


def test_probe_saves_what_load_probe_and_load_classifier_read(trained):
    probe, settings = load_probe(trained)
    assert probe.linear.weight.shape == (2, 384)
    assert (settings["encoder"], settings["max_length"]) == ("packaged", 500)
    (answer,) = load_classifier(trained)("a fine film")
    assert answer["label"] in ("NEGATIVE", "POSITIVE")


def test_probe_records_what_was_done(trained):
    record = json.loads((trained / "record.json").read_text())
    assert record["reviews"] == {"train": 40, "validation": 20, "test": 20}
    assert record["preset"]["seed"] == 7
    assert record["preset"]["batch_size"] == 32
    assert len(record["train_losses"]) == len(record["val_accuracy"]) == 2
    assert len(record["val_losses"]) == 2
    assert 0 <= record["test_accuracy"] <= 1
    assert {file.name for file in trained.iterdir()} == {"probe.safetensors", "record.json"}


@pytest.mark.slow
def test_the_same_command_gives_the_same_probe(trained, tmp_path, capsys):
    assert main(["probe", *SMALL, "--seed", "7", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "train: 40 reviews" in out
    assert "accuracy on 20 test reviews" in out
    name = "probe.safetensors"
    assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("counts", ["films", "reviews"])
def test_finetune_says_what_its_interval_counts(tiny_bert, tmp_path, monkeypatch, capsys, counts):
    preset = toy_preset(tiny_bert, tmp_path / "toys.csv")  # a file without films
    if counts == "films":
        preset = preset.replace(reviews="packaged")
    monkeypatch.setitem(PRESETS, "laptop", preset)
    output = tmp_path / "model"
    sizes = ["--train-size=24", "--validation-size=8", "--test-size=16", "--num-epochs=1"]
    assert main(["finetune", *sizes, "--max-length=16", f"--output={output}"]) == 0
    said = next(line for line in capsys.readouterr().out.splitlines() if "accuracy on" in line)
    sizes = {"train_size": 24, "validation_size": 8, "test_size": 16}
    asked = load_reviews(preset.replace(**sizes))["test"]
    answers = predict_proba(load_classifier(output), asked["text"][:]).argmax(dim=1).numpy()
    right = answers == asked["label"][:]
    if counts == "films":
        expected = grouped_interval(right, asked["film"][:])
    else:
        expected = accuracy_interval(right)
    assert said == f"accuracy on 16 test reviews: {expected}, an interval over {counts}"


@pytest.mark.slow
def test_probe_without_output_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "cache"))
    small = ["--train-size", "4", "--validation-size", "2", "--test-size", "2"]
    assert main(["probe", *small, "--num-epochs", "1", "--pooling", "mean"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_an_output_that_is_a_file(tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    small = ["--train-size", "4", "--validation-size", "2", "--test-size", "2"]
    assert main(["probe", *small, "--num-epochs", "1", "--output", str(taken)]) == 1
    assert "error: " in capsys.readouterr().err
    assert taken.read_text() == "mine"
