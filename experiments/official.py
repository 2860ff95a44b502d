"""What can only be measured with the official test split, which the pip-installed file lacks.

The archive or the hub has it: ``python -m experiments official --reviews folder/aclImdb``, or
``--reviews stanfordnlp/imdb``. The record has the form of ``official_split.json``, whose figures
were measured before there was this script; they are replaced when the output folder says so.
"""

import json
import time
from pathlib import Path

import datasets
import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from experiments.data import PRESET, Cut, hold_back, tfidf
from experiments.probes import STRENGTHS, margins, new_trainer, standardise
from experiments.words import PROBE_STRENGTH, STRENGTH, fit_words as fit_linear
from imdb_tutorial import extract_features, load_encoder, load_raw_reviews, load_tokenizer
from imdb_tutorial.dataset.packaged import films_of
from imdb_tutorial.dataset.pools import order_pool
from imdb_tutorial.evaluation.records import seal_records
from imdb_tutorial.machine.files import write_whole
from imdb_tutorial.machine.progress import progress_bar
from imdb_tutorial.machine.provenance import provenance
from imdb_tutorial.presets import POOLINGS

RECORD = "official_split.json"
COMMAND = "python -m experiments official"
ASKED = 6_000
HELD_BACK_PER_LABEL = 2_000
CUTS = 3
BLOCK = 100
NAIVE_BAYES_STRENGTH = 1
PACKAGES = ("torch", "transformers", "datasets", "scikit-learn", "scipy", "numpy")


class Official:
    """The official splits, with what the experiments make of them.

    Args:
        raw: ``train`` and ``test`` as their source has them.
        films: Which film each training review is about.
        asked: So many test reviews answer where nothing else is said.
        held_back: So many training reviews of each label are held back in a cut.
        seed: Seed of the cuts and of the probes.
    """

    def __init__(
        self,
        raw: datasets.DatasetDict,
        films: list[str],
        asked: int = ASKED,
        held_back: int = HELD_BACK_PER_LABEL,
        seed: int = 0,
    ):
        self.films, self.held_back, self.seed = np.array(films), held_back, seed
        self.texts = {split: raw[split]["text"][:] for split in raw}
        self.labels = {split: np.array(raw[split]["label"][:]) for split in raw}
        order = order_pool(raw["test"]["id"][:], raw["test"]["label"][:])
        self.asked = np.array(order[:asked])
        vectorizer = CountVectorizer(ngram_range=(1, 2), dtype=np.float32)
        counts = vectorizer.fit_transform(self.texts["train"] + self.texts["test"]).tocsr()
        rows = len(self.texts["train"])
        self.counts = {"train": counts[:rows], "test": counts[rows:]}
        tokenizer, encoder = load_tokenizer(), load_encoder(device="cpu")
        asked_texts = [self.texts["test"][row] for row in self.asked]
        parts = (("train", self.texts["train"]), ("test", asked_texts))
        self.features = {
            part: extract_features(texts, tokenizer, encoder, POOLINGS) for part, texts in parts
        }

    def cut(self, number: int, by: str) -> Cut:
        """Hold back training reviews: single rows, blocks of neighbours, or whole films."""
        random = np.random.default_rng([self.seed, number])
        block = {"rows": 1, f"blocks of {BLOCK}": BLOCK, "films": None}[by]
        return hold_back(random, self.labels["train"], self.films, block, self.held_back)


def compare_cuts(official: Official) -> list[dict]:
    """Hold back rows, and blocks: what each promises, beside what the official test says."""
    truth, asked = official.labels["train"], official.asked
    found = []
    for by in ("rows", f"blocks of {BLOCK}"):
        bags, probes = [], []
        for number in range(2):
            train, held = official.cut(number, by)
            weights, *others = tfidf(
                official.counts["train"][train],
                official.counts["train"][held],
                official.counts["test"][asked],
            )
            wanted = truth[held], official.labels["test"][asked]
            bags.append(_scores(fit_linear(weights, truth[train]), others, wanted))
            mean, mean_asked = (official.features[part]["mean"] for part in ("train", "test"))
            scaled = standardise(mean[train], mean[held], mean_asked)
            learnt, *others = (part.numpy() for part in scaled)
            probe = fit_linear(learnt, truth[train], PROBE_STRENGTH)
            probes.append(_scores(probe, others, wanted))
        for model, scores in (("TF-IDF", bags), ("MiniLM mean", probes)):
            held_back, test = np.mean(scores, axis=0)
            name = f"{model} + logistic regression"
            found.append(_row(name, by, held_back, test))
    return found


def hold_back_films(official: Official) -> list[dict]:
    """Hold back whole films: two bags of words, beside the whole official test."""
    truth = official.labels["train"]
    rows: dict[str, list[dict]] = {}
    for number in range(CUTS):
        train, held = official.cut(number, "films")
        wanted = truth[held], official.labels["test"]
        counts = (
            official.counts["train"][train],
            official.counts["train"][held],
            official.counts["test"],
        )
        for model, weigh, strength in (
            ("TF-IDF", lambda *parts: tfidf(*parts), STRENGTH),
            (
                "naive Bayes weights",
                lambda *parts, truth=truth[train]: naive_bayes(truth, *parts),
                NAIVE_BAYES_STRENGTH,
            ),
        ):
            weights, *others = weigh(*counts)
            scores = _scores(fit_linear(weights, truth[train], strength), others, wanted)
            name = f"{model} + logistic regression"
            rows.setdefault(model, []).append(_row(name, number + 1, *scores))
    return [row for model in rows.values() for row in model]


def naive_bayes(
    truth: np.ndarray, train: scipy.sparse.csr_matrix, *others: scipy.sparse.csr_matrix
) -> list[scipy.sparse.csr_matrix]:
    """Weigh whether a word is there by how much it speaks for positive (Wang and Manning, 2012)."""
    known = np.flatnonzero(train.getnnz(axis=0) >= 2)
    seen = [(counts[:, known] > 0).astype(np.float32) for counts in (train, *others)]
    positive, negative = (
        1 + np.asarray(seen[0][np.flatnonzero(truth == label)].sum(axis=0)) for label in (1, 0)
    )
    ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
    return [scipy.sparse.csr_matrix(part.multiply(ratio), dtype=np.float32) for part in seen]


def train_on_features(official: Official) -> list[dict]:
    """Train each pooling on all training reviews: the classic loss, logits, and the optimum."""
    truth, wanted = official.labels["train"], official.labels["test"][official.asked]
    train, held = official.cut(0, "films")
    found = []
    for pooling in ("cls", "pooler", "mean"):
        parts = [official.features[part][pooling] for part in ("train", "test")]
        row: dict = {"pooling": pooling}
        for name, softmax in (("softmax", True), ("logits", False)):
            trainer = new_trainer(
                parts,
                (truth, wanted),
                *(pooling, softmax, official.seed, PRESET.learning_rate),
            )
            trainer.train(PRESET.num_epochs)
            row[name] = round(float(np.mean((margins(trainer, parts[1]) > 0) == wanted)), 4)
        # Its strength is chosen on held-back films; the test reviews are asked once.
        learnt, checked = (x.numpy() for x in standardise(parts[0][train], parts[0][held]))
        fits = [
            LogisticRegression(C=c, max_iter=1_000).fit(learnt, truth[train]) for c in STRENGTHS
        ]
        best = max(fits, key=lambda fit: fit.score(checked, truth[held]))
        learnt, asked = (x.numpy() for x in standardise(*parts))
        fit = fit_linear(learnt, truth, best.C)
        row["optimum"] = round(float(fit.score(asked, wanted)), 4)
        found.append(row)
    return found


def fit_bag_of_words(official: Official) -> list[dict]:
    """Fit TF-IDF with logistic regression on all of train, and test it on all of test."""
    began = time.perf_counter()
    options = {"ngram_range": (1, 2), "max_features": 200_000, "sublinear_tf": True}
    vectorizer = TfidfVectorizer(**options)
    weights = vectorizer.fit_transform(official.texts["train"])
    fit = fit_linear(weights, official.labels["train"], 20)
    score = fit.score(vectorizer.transform(official.texts["test"]), official.labels["test"])
    seconds = round(time.perf_counter() - began)
    return [{"official_test": round(float(score), 4), "seconds": seconds}]


EXPERIMENTS = {
    "cut": compare_cuts,
    "films": hold_back_films,
    "features": train_on_features,
    "bag_of_words": fit_bag_of_words,
}


def measure(official: Official) -> dict:
    """Run every experiment and describe what was run.

    Args:
        official: The splits.

    Returns:
        What ``official_split.json`` holds.
    """
    each = 2 * official.held_back
    rest = len(official.texts["train"]) - each
    record = {
        "what": "Measured on the official IMDb test split, which the pip-installed file does not "
        "contain; accuracies. Where nothing else is said, on the number of its reviews that "
        "counts has under asked.",
        "script": COMMAND,
        "counts": {
            "train": len(official.texts["train"]),
            "test": len(official.texts["test"]),
            "asked": len(official.asked),
            "held_back": each,
            "seed": official.seed,
        },
        **provenance(*PACKAGES),
        "cut_note": f"About {rest:,} reviews to train on, two cuts each.",
        "films_note": f"Whole films held back, both labels together: {CUTS} cuts of about "
        f"{each:,} reviews, the films that are left to train on; official_test is the same fit on "
        "the whole official test split.",
        "features_note": "All official training reviews, the classic recipe's head and schedule; "
        "the optimum's strength is chosen on held-back films.",
        "bag_of_words_note": "TF-IDF (1-2-grams, 200,000 features, sublinear) with logistic "
        "regression (C=20), all official training and test reviews.",
    }
    with progress_bar(EXPERIMENTS.items(), desc="official split", unit="part") as bar:
        return record | {name: run(official) for name, run in bar}


def run(source: str, output: Path, seed: int) -> None:
    """Measure on a source with an official test split, and write the record.

    Args:
        source: An unpacked ``aclImdb`` folder, or a data set of the hub.
        output: The record's folder; where it has sealed records, they are sealed anew.
        seed: Seed of the cuts and of the probes.

    Raises:
        ValueError: A source without a test split, or whose films are not known.
    """
    raw = load_raw_reviews(PRESET.replace(reviews=source))
    if "test" not in raw:
        raise ValueError(
            f"{source!r} has no test split of its own: give an unpacked aclImdb folder, or "
            "'stanfordnlp/imdb'"
        )
    train = raw["train"]
    has_films = "group" in train.column_names
    films = train["group"][:] if has_films else films_of(train["text"][:])
    record = measure(Official(raw, films, seed=seed))
    write_whole(output / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    if (output / "manifest.json").is_file():
        seal_records(output)
    print(f"wrote {RECORD} into {output}")


def _scores(fit: LogisticRegression, parts, wanted) -> list[float]:
    return [float(fit.score(part, truth)) for part, truth in zip(parts, wanted, strict=True)]


def _row(model: str, cut: object, held_back: float, official_test: float) -> dict:
    scores = {"held_back": held_back, "official_test": official_test}
    return {"model": model, "cut": cut} | {k: round(float(v), 4) for k, v in scores.items()}
