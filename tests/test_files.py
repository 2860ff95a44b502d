"""Files and folders that are written whole or not at all."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from imdb_tutorial.machine.files import whole_folder, write_whole

KNOWN_BY = "model.json"


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


def test_the_folder_can_be_read_by_those_who_may_read_others(tmp_path):
    (tmp_path / "other").mkdir()
    with whole_folder(tmp_path / "model", KNOWN_BY) as partial:
        fill(partial)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "other").stat().st_mode
    )


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
