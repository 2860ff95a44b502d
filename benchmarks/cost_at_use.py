"""What a rung of the ladder costs when it answers: time, disk, memory, and its training.

Every rung answers in a fresh process on one core, in turn with the others. Run it from the
project's folder with ``PYTHONPATH=.``, as ``make bench`` does: it fits bags as the study does.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rungs import ROOT, RUNGS, fit_bags, megabytes_on_disk

RESULT = ROOT / "imdb_tutorial" / "data" / "cost_at_use.json"
WORDS, TEXTS, BATCH = 200, 32, 32
QUIET, ASK_AGAIN = 1.3, 15  # load average of a minute; seconds
ONE = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TQDM_DISABLE")


def training_seconds(fitted: dict[str, float]) -> dict[str, float]:
    """Return each rung's seconds to train, from the study, and from ``fitted`` what it lacks."""
    from imdb_tutorial import load_study
    from imdb_tutorial.evaluation.recorded_study import seconds_before

    ladder = load_study().table("ladder")
    recorded = ladder.groupby("model").seconds.median().to_dict()
    return fitted | {name: own + seconds_before(name) for name, own in recorded.items()}


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def answer_alone(name: str, folder: Path) -> dict:
    """Open one rung in this process, on one core, and time its answers."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    ask = RUNGS[name](folder)
    ask(texts[:1])
    ask(texts[:BATCH])  # both shapes are warm
    singles = []
    for text in texts:
        began = time.perf_counter()
        ask([text])
        singles.append(time.perf_counter() - began)
    began = time.perf_counter()
    ask(texts[:BATCH])
    batch = time.perf_counter() - began
    return {
        "ms_alone": 1e3 * statistics.median(singles),
        "ms_in_batches": 1e3 * batch / BATCH,
        "peak_mb": peak_mb(),
    }


def start(*arguments: str) -> dict:
    """Run this file in a fresh process on one thread; return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | dict.fromkeys(ONE, "1") | {"PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


EMPTY = (
    "s = open('/proc/self/status').read(); print(int(s.split('VmHWM:')[1].split()[0]) * 1024 / 1e6)"
)


def measure(names: Sequence[str], rounds: int, wait: bool, folder: Path) -> dict:
    """Let every rung answer in turn, several times; return the record."""
    from experiments.data import reviews

    long = [text.split() for text in reviews()["test"]["text"][:]]
    texts = [" ".join(words[:WORDS]) for words in long if len(words) >= WORDS][:TEXTS]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    fitted = fit_bags(folder)
    disk = {name: megabytes_on_disk(name, folder) for name in names}  # says what is not installed
    trained, runs = training_seconds(fitted), {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            while wait and os.getloadavg()[0] > QUIET:
                time.sleep(ASK_AGAIN)
            load, empty = os.getloadavg()[0], start("-c", EMPTY)
            run = start(__file__, "--rung", name, "--folder", str(folder))
            run["memory_mb"] = run.pop("peak_mb") - empty
            runs[name].append({k: round(v, 3) for k, v in run.items()} | {"load": round(load, 2)})
    return {
        "words": WORDS,
        "batch": BATCH,
        "rounds": rounds,
        "quiet_below_load": QUIET,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "rungs": {
            name: {
                "disk_mb": round(disk[name], 3),
                "seconds_to_train": round(trained[name], 1),
                "runs": runs[name],
            }
            for name in names
        },
    }


def main() -> None:
    """Measure, or be the fresh process that answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", action="store_true", help="wait until the machine is quiet")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--rung", choices=RUNGS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rung:
        print(json.dumps(answer_alone(asked.rung, asked.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        record = measure(list(RUNGS), asked.rounds, asked.wait, Path(folder))
    asked.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if asked.output == RESULT:
        from imdb_tutorial.evaluation.records import seal_records

        seal_records()


if __name__ == "__main__":
    main()
