"""Files and folders that are written whole or not at all, by one writer at a time."""

import multiprocessing
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from safetensors import SafetensorError

from imdb_tutorial.machine.files import disk_errors, recover_folder, whole_folder, write_whole
from tests.systems import needs_posix, needs_sigkill

KNOWN_BY = "model.json"
STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")


def fill(folder, content="new"):
    (folder / KNOWN_BY).write_text(content)
    (folder / "parts").mkdir()
    (folder / "parts" / "one").write_text(content)


def contents(folder):
    """Return every file below a folder, hidden ones too, with what is in it."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def older(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    fill(folder, "old")
    (folder / "only in the old one").write_text("old")
    return folder


def test_a_new_folder_is_made_with_all_above_it(tmp_path):
    target = tmp_path / "a" / "b" / "model"
    with whole_folder(target, KNOWN_BY) as partial:
        fill(partial)
        assert not target.exists()
        assert partial != target
    assert contents(tmp_path) == {
        f"a/b/model/{KNOWN_BY}": "new",
        "a/b/model/parts/one": "new",
    }


def test_an_older_folder_of_the_same_kind_is_replaced_as_a_whole(tmp_path, older):
    with whole_folder(older, KNOWN_BY) as partial:
        assert list(partial.iterdir()) == []
        fill(partial)
        assert (older / KNOWN_BY).read_text() == "old"
    assert contents(tmp_path) == {f"model/{KNOWN_BY}": "new", "model/parts/one": "new"}
    assert os.listdir(tmp_path) == ["model"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "model").mkdir()
    with whole_folder(tmp_path / "model", KNOWN_BY) as partial:
        fill(partial)
    assert contents(tmp_path / "model") == {KNOWN_BY: "new", "parts/one": "new"}
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("name", ["thesis.txt", f"deeper/{KNOWN_BY}"])
def test_somebody_elses_folder_is_refused_and_kept(tmp_path, name):
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(FileExistsError, match=rf"mine.*no {KNOWN_BY}.*choose another folder"):
        with whole_folder(tmp_path / "mine", KNOWN_BY):
            pytest.fail("the folder was refused too late")
    assert contents(tmp_path) == {f"mine/{name}": "precious"}


def test_a_file_in_the_way_is_refused_and_kept(tmp_path):
    (tmp_path / "model").write_text("precious")
    with pytest.raises(FileExistsError, match="holds something else"):
        with whole_folder(tmp_path / "model", KNOWN_BY):
            pytest.fail("the folder was refused too late")
    assert contents(tmp_path) == {"model": "precious"}


def test_a_file_where_the_folder_above_should_be(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError):
        with whole_folder(tmp_path / "file" / "model", KNOWN_BY):
            pytest.fail("the folder was refused too late")
    assert contents(tmp_path) == {"file": "precious"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("there_before", [True, False])
def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path, older, error, there_before):
    if not there_before:
        shutil.rmtree(older)
    before = contents(tmp_path)
    with pytest.raises(type(error)):
        with whole_folder(older, KNOWN_BY) as partial:
            fill(partial)
            raise error
    assert contents(tmp_path) == before
    assert os.listdir(tmp_path) == (["model"] if there_before else [])


def test_a_disk_that_refuses_the_last_step_leaves_what_was_there(tmp_path, older, monkeypatch):
    before = contents(tmp_path)
    rename = Path.rename

    def refuse(self, target):
        if self.name.endswith(".part"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="Input/output"):
        with whole_folder(older, KNOWN_BY) as partial:
            fill(partial)
    assert contents(tmp_path) == before


@needs_posix
def test_a_link_to_a_folder_stays_a_link(tmp_path, older):
    (tmp_path / "link").symlink_to(older, target_is_directory=True)
    with whole_folder(tmp_path / "link", KNOWN_BY) as partial:
        fill(partial)
    assert (tmp_path / "link").is_symlink()
    assert contents(older) == {KNOWN_BY: "new", "parts/one": "new"}
    assert sorted(os.listdir(tmp_path)) == ["link", "model"]


def test_a_name_with_dots_in_it(tmp_path):
    for _ in range(2):
        with whole_folder(tmp_path / "v1.2.model", KNOWN_BY) as partial:
            fill(partial)
    assert os.listdir(tmp_path) == ["v1.2.model"]


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "new" / "file"
    for content in (b"one", b"another"):
        write_whole(target, content)
        assert target.read_bytes() == content
        assert os.listdir(target.parent) == ["file"]


def test_a_files_bytes_are_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []

    def noted(step, work):
        def note(*arguments):
            steps.append(step)
            return work(*arguments)

        return note

    monkeypatch.setattr(os, "fsync", noted("disk", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("name", Path.replace))
    write_whole(tmp_path / "file", b"content")
    assert steps == ["disk", "name"]


@needs_posix
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_is_written_has_the_permissions_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        (tmp_path / "plain").write_text("")
        (tmp_path / "plain folder").mkdir()
        write_whole(tmp_path / "file", b"content")
        with whole_folder(tmp_path / "model", KNOWN_BY) as partial:
            fill(partial)
    finally:
        os.umask(before)
    for name, plain in (("file", "plain"), ("model", "plain folder")):
        assert (tmp_path / name).stat().st_mode == (tmp_path / plain).stat().st_mode


# Several writers


def test_a_writer_waits_for_the_one_before_and_does_not_touch_its_file(tmp_path):
    target = tmp_path / "model"
    second = threading.Thread(target=save, args=(target, "second"))
    with whole_folder(target, KNOWN_BY) as partial:
        second.start()
        second.join(0.2)
        fill(partial, "first")
        assert second.is_alive()
    second.join(60)
    assert contents(tmp_path) == {f"model/{KNOWN_BY}": "second", "model/parts/one": "second"}


def test_many_writers_of_one_file_do_not_break_one_another(tmp_path):
    target, failures = tmp_path / "file", []

    def write(number):
        try:
            for _ in range(20):
                write_whole(target, bytes([number]) * 1_000)
        except OSError as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert failures == []
    assert target.read_bytes() in [bytes([number]) * 1_000 for number in range(4)]
    assert os.listdir(tmp_path) == ["file"]


def test_what_belongs_to_a_file_with_a_longer_name_is_left_alone(tmp_path):
    (tmp_path / ".file.txt.0123abcd.part").write_text("being written")
    (tmp_path / ".file.0123abcd.part").write_text("abandoned")
    write_whole(tmp_path / "file", b"content")
    assert sorted(os.listdir(tmp_path)) == [".file.txt.0123abcd.part", "file"]


# Killed between any two steps


def save(target, content):
    with whole_folder(target, KNOWN_BY) as partial:
        fill(partial, content)


def write(target, content):
    write_whole(target, content.encode())


def die_before_step(number, work, target):
    """Do the work in this process, and kill it before the given step on the file system."""
    left = number

    def watch(event, _):
        nonlocal left
        if event in STEPS:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    work(target, "new")


def killed_before_every_step(work, target):
    """Yield after each kill; what is there then is what the next one starts from."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([whole_folder.__module__])
    for number in range(100):
        process = processes.Process(target=die_before_step, args=(number, work, target))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            assert number > 5
            return
        assert process.exitcode == -signal.SIGKILL
        yield
    pytest.fail("the work never ends")


@needs_sigkill
def test_a_folders_writer_killed_before_any_step_leaves_the_old_or_the_new_one(tmp_path):
    target = tmp_path / "model"
    save(target, "old")
    seen = set()
    for _ in killed_before_every_step(save, target):
        recover_folder(target)
        found = contents(target)
        assert set(found) == {KNOWN_BY, "parts/one"}
        assert len(set(found.values())) == 1
        seen |= set(found.values())
        save(target, "old")
        assert contents(tmp_path) == {f"model/{KNOWN_BY}": "old", "model/parts/one": "old"}
        assert os.listdir(tmp_path) == ["model"]
    assert seen == {"old", "new"}


@needs_sigkill
def test_a_files_writer_killed_before_any_step_leaves_the_old_or_the_new_one(tmp_path):
    target = tmp_path / "file"
    write(target, "old")
    seen = set()
    for _ in killed_before_every_step(write, target):
        seen.add(target.read_text())
        write(target, "old")
        assert os.listdir(tmp_path) == ["file"]
    assert seen == {"old", "new"}


def test_a_folder_that_was_being_replaced_is_put_back_once(tmp_path, older):
    older.rename(tmp_path / ".model.old")
    recover_folder(older)
    assert (older / KNOWN_BY).read_text() == "old"
    shutil.rmtree(older)
    recover_folder(older)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_being_replaced_is_waited_for(tmp_path, older, monkeypatch):
    read = []

    def reader():
        recover_folder(older)
        read.append((older / KNOWN_BY).read_text())

    thread = threading.Thread(target=reader)
    rename = Path.rename

    def rename_with_a_reader_in_between(self, target):
        if self.name.endswith(".part") and target == older:
            thread.start()
            thread.join(0.2)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_with_a_reader_in_between)
    save(older, "new")
    thread.join(60)
    assert read == ["new"]


@pytest.mark.parametrize(
    "raised",
    [
        SafetensorError("Error while serializing: I/O error: No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos\nframe #0"),
        shutil.Error([("old", "new", "[Errno 28] No space left on device")]),
    ],
    ids=["safetensors", "torch", "copytree"],
)
def test_what_a_library_says_of_a_full_disk_becomes_one_line(tmp_path, raised):
    with pytest.raises(OSError, match=r"cannot write to .*model.*make room") as found:
        with disk_errors(tmp_path / "model"):
            raise raised
    assert "\n" not in str(found.value)


def test_other_errors_of_the_same_kinds_stay_what_they_are(tmp_path):
    for raised in (SafetensorError("header too large"), RuntimeError("another shape")):
        with pytest.raises(type(raised)), disk_errors(tmp_path):
            raise raised
