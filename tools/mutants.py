"""Plants deliberate bugs, one at a time, and sees whether the tests notice.

``mutants.toml`` lists the bugs: a name, a file, the text that stands there, the text that takes its
place, and the tests that must fail. Each bug is planted in a copy of the project, never in the
project itself. The exit status is 1 where a bug survives, and where the list no longer fits the
code: a text that is not found exactly once, a test that is not there.

Why a list and no tool that makes its own bugs: mutmut and cosmic-ray change every operator and
constant they find, thousands here, and ask the whole suite about each. With models to load this
takes days, and most of what they change is worded differently, not wrong. This list holds the
mistakes that people make with BERT, each with the few tests that know about it; it takes minutes.

Usage: python tools/mutants.py [name ...]    without names, all of them
"""

import argparse
import concurrent.futures
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")
PROCESSES = 2
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "notebooks", "*.egg-info")
MOST_SECONDS = 600
PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no")
# pytest's exit status. Anything else than these two says nothing about the bug.
PASSED, FAILED = 0, 1


class Mutant(NamedTuple):
    """A deliberate bug.

    Args:
        name: What is wrong, in a few words.
        file: Where, from the project's folder.
        old: What stands there, exactly once.
        new: What takes its place.
        tests: What must fail, as pytest is told.
    """

    name: str
    file: str
    old: str
    new: str
    tests: list[str]


def read_list() -> list[Mutant]:
    """Read the deliberate bugs.

    Raises:
        TypeError: An entry lacks something or has something more.
    """
    with LIST.open("rb") as file:
        return [Mutant(**entry) for entry in tomllib.load(file)["mutant"]]


def misfits(mutants: Sequence[Mutant], root: Path = ROOT) -> list[str]:
    """Say where the list does not fit the code any more, one line each."""
    found = []
    for mutant in mutants:
        file = root / mutant.file
        count = file.read_text(encoding="utf-8").count(mutant.old) if file.is_file() else 0
        if count != 1:
            found.append(f"{mutant.name}: its old text stands {count} times in {mutant.file}")
        if mutant.old == mutant.new:
            found.append(f"{mutant.name}: it changes nothing")
        missing = {test.partition("::")[0] for test in mutant.tests}
        missing = {name for name in missing if not (root / name).exists()}
        found += [f"{mutant.name}: there is no {name}" for name in sorted(missing)]
        if not mutant.tests:
            found.append(f"{mutant.name}: no tests are named")
    names = [mutant.name for mutant in mutants]
    found += [f"{name}: two have this name" for name in set(names) if names.count(name) > 1]
    return found


def run_tests(copy: Path, tests: Sequence[str], options: Sequence[str] = ()) -> int | None:
    """Run tests in a copy; return pytest's exit status, or None where they come to no end."""
    surroundings = {
        **os.environ,
        "PYTHONPATH": str(copy),  # before the installed package
        "PYTHONDONTWRITEBYTECODE": "1",  # a bug within the same second would not be compiled
        "OMP_NUM_THREADS": "1",
    }
    run = subprocess.Popen(
        [*PYTEST, *options, *tests],
        cwd=copy,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return run.wait(MOST_SECONDS)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        return None


def plant(mutant: Mutant, copy: Path) -> tuple[bool, str, float]:
    """Plant a bug in a copy, ask its tests, and take it out again.

    Returns:
        Whether it was caught, the verdict in a word or two, and how many seconds it took.
    """
    file, began = copy / mutant.file, time.monotonic()
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        status = run_tests(copy, mutant.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
    verdicts = {PASSED: "SURVIVED", FAILED: "caught", None: "NO END"}
    verdict = verdicts.get(status, f"NO ANSWER (pytest ended with {status})")
    return status == FAILED, verdict, time.monotonic() - began


def check(mutants: Sequence[Mutant]) -> bool:
    """Try all mutants in copies and print a table; return whether every one was caught."""
    with tempfile.TemporaryDirectory(prefix="mutants_") as folder:
        copies = queue.SimpleQueue()
        for number in range(PROCESSES):
            copies.put(shutil.copytree(ROOT, Path(folder, str(number)), ignore=LEFT_OUT))

        print(f"asking the tests of {len(mutants)} mutants without a bug", flush=True)
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        copy = copies.get()
        if run_tests(copy, tests, ["--numprocesses", str(PROCESSES)]) != PASSED:
            print("a test fails without a bug: nothing can be said about the mutants")
            return False
        copies.put(copy)

        def work(mutant: Mutant) -> tuple[bool, str, float]:
            copy = copies.get()
            try:
                return plant(mutant, copy)
            finally:
                copies.put(copy)

        caught = 0
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as workers:
            waiting = {workers.submit(work, mutant): mutant for mutant in mutants}
            for done in concurrent.futures.as_completed(waiting):
                is_caught, verdict, seconds = done.result()
                caught += is_caught
                print(f"{verdict:10} {seconds:5.0f} s  {waiting[done].name}", flush=True)
    print(f"{caught} of {len(mutants)} caught")
    return caught == len(mutants)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the list, then the mutants; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="without names, all of them")
    names = parser.parse_args(arguments).names
    mutants = read_list()
    unknown = set(names) - {mutant.name for mutant in mutants}
    wrong = [f"{name}: no mutant has this name" for name in sorted(unknown)] + misfits(mutants)
    if wrong:
        print(*wrong, sep="\n")
        return 1
    chosen = [mutant for mutant in mutants if mutant.name in names or not names]
    began = time.monotonic()
    all_caught = check(chosen)
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if all_caught else 1


if __name__ == "__main__":
    sys.exit(main())
