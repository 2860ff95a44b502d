"""What a rung of the ladder costs when it answers: time, disk, memory, and its training.

Every rung answers in a fresh process on one core, in turn with the others. The weights of a probe's
or classifier's head do not change what an answer costs, so the probes and the fine-tuned model get
fresh ones; the bags of words are fitted on all training reviews, for their vocabulary counts.
"""

import argparse
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGED_PROBE = ROOT / "imdb_tutorial" / "data" / "packaged_probe"
RESULT = ROOT / "imdb_tutorial" / "data" / "cost_at_use.json"
WORDS, TEXTS, BATCH = 200, 32, 32
QUIET, ASK_AGAIN = 1.3, 15  # load average of a minute; seconds
ONE = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TQDM_DISABLE")
Answer = Callable[[Sequence[str]], object]


def open_bag(folder: Path, name: str) -> Answer:
    """Open a fitted bag of words."""
    with (folder / f"{name}.pickle").open("rb") as file:
        vectorizer, weights, bias = pickle.load(file)  # our own file, of this very run
    return lambda texts: vectorizer.transform(texts) @ weights + bias


def open_probe(pooling: str) -> Answer:
    """Open frozen MiniLM with a linear layer on top."""
    import torch

    from imdb_tutorial import extract_features, load_encoder, load_tokenizer

    tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
    head = torch.nn.Linear(encoder.config.hidden_size, 2)

    def answer(texts: Sequence[str]) -> object:
        features = extract_features(texts, tokenizer, encoder, pooling, use_cache=False)
        with torch.inference_mode():
            return head(features.float())

    return answer


def open_classifier(packaged: bool) -> Answer:
    """Open the packaged classifier, or MiniLM as it is fine-tuned for the ladder."""
    from experiments.models import FINE_TUNING
    from imdb_tutorial import load_classifier, load_preset, load_tokenizer, predict_proba
    from imdb_tutorial.classifier.pipeline import SentimentPipeline
    from imdb_tutorial.finetuning.run import load_model_for_classification

    if packaged:
        classifier = load_classifier("packaged")
    else:
        classifier = SentimentPipeline(
            model=load_model_for_classification(load_preset("laptop").encoder).eval(),
            tokenizer=load_tokenizer(),
            device="cpu",
            truncation=True,
            max_length=FINE_TUNING["max_length"],
        )
    return lambda texts: predict_proba(classifier, texts)


RUNGS: dict[str, Callable[[Path], Answer]] = {
    "majority": lambda folder: lambda texts: [1] * len(texts),
    "TF-IDF": lambda folder: open_bag(folder, "TF-IDF"),
    "naive Bayes words": lambda folder: open_bag(folder, "naive Bayes words"),
    "classic probe": lambda folder: open_probe("cls"),
    "mended probe": lambda folder: open_probe("mean"),
    "packaged": lambda folder: open_classifier(packaged=True),
    "fine-tuned": lambda folder: open_classifier(packaged=False),
}


def fit_bags(folder: Path) -> dict[str, float]:
    """Fit both bags of words on all training reviews; return the seconds of each."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from experiments.data import labels, reviews

    texts, truth, seconds = reviews()["train"]["text"][:], labels("train"), {}
    bags = {
        "TF-IDF": TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        "naive Bayes words": CountVectorizer(ngram_range=(1, 2), min_df=2, binary=True),
    }
    for name, vectorizer in bags.items():
        began, ratio = time.perf_counter(), np.ones(1)
        counts = vectorizer.fit_transform(texts)
        if name != "TF-IDF":  # log-count ratios: Wang and Manning (2012)
            positive, negative = (counts[truth == label].sum(0).A1 + 1 for label in (1, 0))
            ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        weighted = counts.multiply(ratio).tocsr() if len(ratio) > 1 else counts
        fit = LogisticRegression(C=10 if name == "TF-IDF" else 1, max_iter=1_000)
        fit.fit(weighted, truth)
        seconds[name] = time.perf_counter() - began
        with (folder / f"{name}.pickle").open("wb") as file:
            pickle.dump((vectorizer, fit.coef_[0] * ratio, fit.intercept_[0]), file)
    return seconds


def megabytes_on_disk(name: str, folder: Path) -> float:
    """Return the size of all files that a rung reads to answer, vocabulary included."""
    from imdb_tutorial.machine.sources import packaged_encoder_folder

    bag = folder / f"{name}.pickle"
    if name == "majority":
        return 0.0
    files = [bag] if bag.is_file() else [*packaged_encoder_folder().rglob("*")]
    if name == "packaged":
        files += (ROOT / "imdb_tutorial" / "data" / "packaged_classifier").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def training_seconds(fitted: dict[str, float]) -> dict[str, float]:
    """Return each rung's seconds to train, from the study, and from ``fitted`` what it lacks."""
    from imdb_tutorial import load_study

    ladder = load_study().table("ladder").groupby("model")
    seconds = fitted | ladder.seconds.median().to_dict()
    # The packaged classifier starts from a probe, and that from BERT's reading of the reviews. The
    # probe's own record found the features in the cache; the mended probe's did not.
    probe = json.loads((PACKAGED_PROBE / "record.json").read_text(encoding="utf-8"))["seconds"]
    reading = ladder.seconds_of_it_to_read.median()["mended probe"]
    return seconds | {"packaged": seconds["packaged"] + probe + reading}


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
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TQDM_DISABLE"), "1"
    )
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | one | {"PYTHONPATH": str(ROOT)},
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
                "disk_mb": round(megabytes_on_disk(name, folder), 3),
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
