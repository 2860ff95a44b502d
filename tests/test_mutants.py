"""The list of deliberate bugs fits the code; ``make mutants`` sees whether they are caught."""

import runpy
from pathlib import Path

TOOL = runpy.run_path(str(Path(__file__).parents[1] / "tools/mutants.py"))


def test_every_mutant_is_found_in_the_code_and_names_tests():
    mutants = TOOL["read_list"]()
    assert len(mutants) >= 40
    assert TOOL["misfits"](mutants) == []


def test_a_mutant_that_no_longer_fits_is_named():
    sound = TOOL["read_list"]()[0]
    changed = sound._replace(name="gone", old="what nobody wrote", tests=["tests/test_none.py"])
    twice = sound._replace(name="twice", old="def ")
    found = TOOL["misfits"]([sound, changed, twice])
    assert len(found) == 3
    assert found[0].startswith("gone: its old text stands 0 times in ")
    assert found[1] == "gone: there is no tests/test_none.py"
    assert found[2].startswith("twice: its old text stands ")
