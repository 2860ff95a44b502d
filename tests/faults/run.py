"""The fault suite: what is killed, refused, crowded or damaged must neither be lost nor lie.

    python tests/faults/run.py [--quick]

Every trial works in a folder of its own. After a kill the next start must go on or begin cleanly
and end with the same result as a run without a fault, bit for bit; what was saved before must still
open, the whole old or the whole new one. Damaged files must be refused in one line or made again.
The table says how many trials there were and how many survived; the exit status is 1 if any lost.
"""

import argparse
import functools
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Before torch and the others look: children are forked, so no threads may be started here.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "IMDB_TUTORIAL_DTYPE": "float32",
}
sys.path.insert(1, str(Path(__file__).parents[1]))

from crowds import crowds
from damages import damages
from kills import kills
from readings import QUICK_READINGS, READINGS
from refusals import refusals
from scenarios import QUICK_SCENARIOS, SCENARIOS, Toys
from trials import TooLateError, Trial, child, get_to_know, must

SEED = 11
PROCESSES = 2


def main() -> int:
    """Run all trials, print the table, and say whether anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a sample, in seconds")
    parser.add_argument("--only", default="", help="only at this, in part or in full")
    parsed = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults_") as folder:
        tempfile.tempdir = folder
        chosen = list(_trials(Path(folder), parsed.quick, parsed.only))
        print(f"{len(chosen)} trials in {PROCESSES} processes", flush=True)
        results = _run(chosen, Path(folder))
    lost = _print_table(chosen, results)
    print(f"{time.monotonic() - began:.0f} s")
    return int(lost > 0)


def _trials(folder: Path, quick: bool, only: str) -> Iterator[Trial]:
    chance = random.Random(SEED)
    (folder / "toys").mkdir()
    toys = Toys(folder / "toys")
    must(child(lambda: toys.make(fine_tuned=not quick), folder / "toys"))
    for scenario in QUICK_SCENARIOS if quick else SCENARIOS:
        if only in scenario.name:
            known = get_to_know(scenario(toys), folder / scenario.__name__)
            yield from kills(known, chance, *((4, 2) if quick else (scenario.gaps, 12)))
            yield from refusals(known, chance, 1 if quick else 3)
            yield from crowds(known, chance, (2,) if quick else (2, 4))
    for subject, make in (QUICK_READINGS if quick else READINGS).items():
        if only in subject:
            reading = make(toys, folder / "readings" / subject)
            expected = must(child(functools.partial(reading.look, reading.whole), reading.whole))
            found = list(damages(subject, reading, expected, chance, flips=3))
            yield from chance.sample(found, 4) if quick else found


def _run(trials: list[Trial], folder: Path) -> dict[int, str | None]:
    """Run the trials in several processes; return what was lost, by the trial's number."""
    workers, results = [], [folder / f"results{n}" for n in range(PROCESSES)]
    for worker in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            try:
                with results[worker].open("w", encoding="utf-8") as file:
                    for number in range(worker, len(trials), PROCESSES):
                        lost = _try(trials[number], folder / f"trial{worker}")
                        print(json.dumps([number, lost]), file=file, flush=True)
            finally:
                os._exit(0)
        workers.append(pid)
    for pid in workers:
        os.waitpid(pid, 0)
    lines = [line for file in results for line in file.read_text(encoding="utf-8").splitlines()]
    return dict(json.loads(line) for line in lines)


def _try(trial: Trial, place: Path) -> str | None:
    try:
        return trial.attempt(place)
    except TooLateError:
        return "too late"


def _print_table(trials: list[Trial], results: dict[int, str | None]) -> int:
    tried, lost = Counter(), Counter()
    for number, trial in enumerate(trials):
        result = results.get(number, "the suite itself failed")
        if result == "too late":
            continue
        line = (trial.fault, trial.subject)
        tried[line] += 1
        if result:
            lost[line] += 1
            print(f"LOST {trial.fault}, {trial.subject}: {result}")
    print(f"{'fault':<28}{'at':<32}{'tried':>6}{'survived':>10}{'lost':>6}")
    for line, count in sorted(tried.items()):
        print(f"{line[0]:<28}{line[1]:<32}{count:>6}{count - lost[line]:>10}{lost[line]:>6}")
    total, gone = sum(tried.values()), sum(lost.values())
    killed = sum(count for line, count in tried.items() if line[0].startswith("killed"))
    print(f"{f'all, {killed} kills among them':<60}{total:>6}{total - gone:>10}{gone:>6}")
    return gone


if __name__ == "__main__":
    sys.exit(main())
