"""One piece of work on several processes: the same result, told once, and never a hang."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from imdb_tutorial import (
    extract_features,
    load_classifier,
    load_encoder,
    load_probe,
    load_tokenizer,
    run_on_processes,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.machine.processes import Processes, processes
from imdb_tutorial.machine.rank import are_several, is_main_process
from tests import on_several
from tests.systems import needs_posix, needs_sigkill

ROOT = Path(__file__).parents[1]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
ACCELERATE = ["-m", "accelerate.commands.launch", "--cpu", "--quiet", "--num_processes"]
LATEST = 200  # seconds: far more than it takes, and less than one who waits for ever
GONE = "is gone (killed, or no memory left?), so all end: start the same command again"


def start(arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def end(started: subprocess.Popen) -> tuple[int, list[str], list[str]]:
    """Return the exit status, the lines printed, and the errors told."""
    try:
        printed, errors = started.communicate(timeout=LATEST)
    finally:
        started.kill()
    told = [line for line in errors.splitlines() if line.startswith("error: ")]
    return started.returncode, printed.splitlines(), told


def on(count: int, folder: Path, *tasks: str, cache: str) -> subprocess.Popen:
    script = str(ROOT / "tests/on_several.py")
    return start(
        [*TORCHRUN, str(count), script, str(folder), *tasks],
        IMDB_TUTORIAL_CACHE=str(folder / cache),
    )


def by_hand(count: int, folder: Path, task: str, sizes=None, **environment):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    every = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **environment}
    return [
        start(
            [str(ROOT / "tests/on_several.py"), str(folder), task],
            WORLD_SIZE=str((sizes or {}).get(number, count)),
            RANK=str(number),
            LOCAL_RANK=str(number),
            **every,
        )
        for number in range(count)
    ]


def wait_for(*files: Path) -> None:
    until = time.monotonic() + LATEST
    while not all(file.is_file() and file.read_text() for file in files):
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)  # for some shards


@pytest.fixture
def folder(tmp_path, tiny_bert):
    (tmp_path / "bert").symlink_to(tiny_bert)
    return tmp_path


class Story(NamedTuple):
    """A folder, and how three launches ended in it: status, lines printed, errors told."""

    folder: Path
    three: tuple[int, list[str], list[str]]
    two: tuple[int, list[str], list[str]]
    two_again: tuple[int, list[str], list[str]]
    shards: int


@pytest.fixture(scope="module")
def story(tmp_path_factory, tiny_bert):
    """Features on three processes and on two; then one is killed at each of two kinds of work.

    A start costs many seconds, so that each does several things.
    """
    folder = tmp_path_factory.mktemp("story")
    (folder / "bert").symlink_to(tiny_bert)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IMDB_TUTORIAL_CACHE", str(folder / "cache of one"))
        with pytest.warns(UserWarning, match="cannot keep features"):
            on_several.features(folder, Processes())
    begun = on(3, folder, "features", "slowly", cache="cache of three")
    wait_for(*(folder / f"pid-{number}" for number in range(3)))
    os.kill(int((folder / "pid-1").read_text()), signal.SIGKILL)
    three = end(begun)
    shards = len([*(folder / "cache of three").glob("*.shard")])
    (folder / "kill").touch()
    two = end(on(2, folder, "features", "tune", cache="cache of two"))
    two_again = end(on(2, folder, "slowly", "tune", cache="cache of three"))
    return Story(folder, three, two, two_again, shards)


@pytest.mark.slow
@needs_posix
@needs_sigkill
@pytest.mark.parametrize("count", [2, 3])
def test_features_are_the_same_to_the_bit_and_the_probe_is_the_same(story, count):
    alone = torch.load(story.folder / "features-1-0.pt")
    for number in range(count):
        found = torch.load(story.folder / f"features-{count}-{number}.pt")
        assert found.keys() == alone.keys()
        for name in alone.keys() - {"probe", "refused", "files"}:
            assert torch.equal(found[name], alone[name]), (number, name)
        assert (found["probe"] - alone["probe"]).abs().max() <= 1e-6
        assert found["files"] == 2  # each machine keeps what it needs
        different, odd = found["refused"]
        assert different.startswith(f"{count} processes were asked for the features of different")
        assert odd.startswith(f"batch_size is 7: {count} processes cannot share that equally")


@pytest.mark.slow
@needs_posix
@needs_sigkill
def test_a_killed_process_ends_all_and_the_next_start_goes_on_also_with_another_count(story):
    status, printed, (told,) = story.three
    assert status != 0
    assert printed == ["3 processes have the features"]
    assert told.startswith(f"error: process 2 of 3 {GONE}")
    assert story.shards > 0

    status, printed, told = story.two_again
    assert (status, told) == (0, [])
    assert printed[0].endswith(" of 300 reviews were there already: going on")
    assert not [*(story.folder / "cache of three").glob("*.shard")]
    tokenizer, encoder = (load(story.folder / "bert") for load in (load_tokenizer, load_encoder))
    right = extract_features(on_several.MANY, tokenizer, encoder, use_cache=False)
    for number in range(2):
        assert torch.equal(torch.load(story.folder / f"slowly-{number}.pt"), right)


@pytest.mark.slow
@needs_posix
@needs_sigkill
def test_fine_tuning_is_killed_goes_on_and_saves_one_model(story):
    status, printed, (told,) = story.two
    assert status != 0
    assert [line[:8] for line in printed] == ["2 proces", "epoch  1"]
    assert told.startswith(f"error: process 2 of 2 {GONE}")

    status, printed, told = story.two_again
    assert (status, told) == (0, [])
    assert [line[:8] for line in printed[1:]] == ["epoch  2", "epoch  3", "saved by"]
    # Of two labels: a loss that is summed over the processes begins at twice the logarithm of 2.
    losses = json.loads((story.folder / "history.json").read_text())
    assert len(losses) == 3
    assert losses[0] < 1
    (answer,) = load_classifier(story.folder / "model")("a good film")
    assert answer["label"] in ("NEGATIVE", "POSITIVE")


@pytest.mark.slow
@needs_posix
@needs_sigkill
def test_without_a_launcher_the_others_notice_as_well(folder):
    first, second = by_hand(2, folder, "slowly")
    wait_for(*(folder / f"pid-{number}" for number in range(2)))
    first.kill()
    status, printed, (told,) = end(second)
    assert (status, printed) == (1, [])
    assert told.startswith(f"error: process 1 of 2 {GONE}")
    assert end(first)[0] == -signal.SIGKILL


@pytest.mark.slow
@needs_posix
def test_processes_that_do_not_come_and_sizes_that_differ_are_an_error_of_one_line(folder):
    (alone, other) = by_hand(2, folder, "slowly", {1: 3}, SECONDS_TO_MEET="5")
    told = [line for started in (alone, other) for line in end(started)[2]]
    assert len(told) == 2
    assert any("WORLD_SIZE is" in line and "in another process" in line for line in told)
    assert any("did not meet at 127.0.0.1:" in line for line in told)


@pytest.mark.slow
@needs_posix
def test_accelerate_launch_starts_as_many_as_asked_for_and_prints_once(tmp_path, capsys):
    small = ["--train-size", "2", "--validation-size", "2", "--test-size", "2", "--num-epochs", "1"]
    assert main(["probe", *small, "--output", str(tmp_path / "alone")]) == 0
    alone = capsys.readouterr().out.splitlines()
    options = ["2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command = ["-m", "imdb_tutorial", "probe", *small, "--output", str(tmp_path / "shared")]
    started = start(
        [*ACCELERATE, *options, *command], IMDB_TUTORIAL_CACHE=str(tmp_path / "other cache")
    )
    status, printed, told = end(started)
    assert (status, told) == (0, [])
    assert printed[-4:-1] == alone[-4:-1]
    assert len([line for line in printed if line.startswith("train:")]) == 1
    one, two = (load_probe(tmp_path / name)[0].linear.weight for name in ("alone", "shared"))
    assert (one - two).abs().max() <= 1e-6


@pytest.mark.slow
@needs_posix
def test_from_a_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(RuntimeError, match="argument --train-size: invalid"):
        run_on_processes(2, "probe", "--train-size", "many")
    small = ["--train-size", "2", "--validation-size", "2", "--test-size", "2", "--num-epochs", "1"]
    printed = run_on_processes(2, "probe", *small).splitlines()
    assert [line.partition(" ")[0] for line in printed] == [
        "BERT", "train:", "validation:", "test:", "epoch", "accuracy"
    ]  # fmt: skip
    with pytest.raises(ValueError, match="0 processes: expected"):
        run_on_processes(0, "probe")


ALL = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RANK": "1"}, "RANK is '1' but nothing is said of WORLD_SIZE"),
        ({"LOCAL_RANK": "1"}, "LOCAL_RANK is '1' but nothing is said of RANK"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is '2' but nothing is said of RANK"),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "nothing is said of LOCAL_RANK, MASTER_ADDR"),
        (ALL | {"RANK": "2"}, "RANK is '2' but WORLD_SIZE is '2'"),
        (ALL | {"RANK": "one"}, "RANK is 'one': expected a whole number"),
        (ALL | {"RANK": "-1"}, "RANK is '-1': expected a whole number"),
        (ALL | {"WORLD_SIZE": "0"}, "WORLD_SIZE is '0': expected"),
        (ALL | {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "1"}, "LOCAL_RANK is '1' but LOCAL_WORLD"),
        ({"PMI_SIZE": "2", "PMI_RANK": "1"}, "nothing is said of MASTER_ADDR, MASTER_PORT"),
    ],
)
def test_variables_that_contradict_each_other(monkeypatch, capsys, environment, said):
    set_environment(monkeypatch, environment)
    assert main(["probe", "--train-size", "2"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize(
    "environment",
    [{}, {"WORLD_SIZE": "1"}, ALL | {"WORLD_SIZE": "1"}, {"RANK": ""}, {"PMI_SIZE": "1"}],
)
def test_one_process_is_alone_and_asks_nobody(monkeypatch, environment):
    set_environment(monkeypatch, environment)
    assert not are_several()
    assert is_main_process()
    alone = processes()
    assert (alone.count, alone.gather("x"), alone.share([1, 2])) == (1, ["x"], [1, 2])


def set_environment(monkeypatch, environment):
    for name in (*ALL, "LOCAL_WORLD_SIZE", "PMI_SIZE", "PMI_RANK"):
        # Set first: what the code sets in between is taken back as well.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
