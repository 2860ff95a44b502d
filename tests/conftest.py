"""What several tests share: a tiny BERT, a cache of their own, and files of toy reviews."""

import csv

import pytest

from tests.toys import save_tiny_bert, toy_preset

LONGEST = (
    "test_notebooks_in_jupyterlab.py",
    "05_fine_tuning.ipynb",
    "04_frozen_bert_probe.ipynb",
    "test_two_trainers.py",
    "test_explorer.py",
)


def pytest_collection_modifyitems(items):
    """Mark what needs a browser; start with what takes longest, so that two workers end as one."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch, tmp_path_factory):
    """Give every test an empty cache and no settings from outside."""
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("IMDB_TUTORIAL_PRESET", raising=False)
    monkeypatch.delenv("IMDB_TUTORIAL_DTYPE", raising=False)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """Return a folder with a random BERT of two narrow layers and its tokenizer."""
    folder = tmp_path_factory.mktemp("tiny_bert")
    save_tiny_bert(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tiny_bert, tmp_path_factory):
    """Return a folder with a classifier on the tiny BERT: random, but it tells texts apart."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path_factory.mktemp("tiny_classifier")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_pretrained(
            tiny_bert,
            id2label={0: "NEGATIVE", 1: "POSITIVE"},
            label2id={"NEGATIVE": 0, "POSITIVE": 1},
        )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter *= 15
        model.classifier.weight *= 2
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def packaged_bert():
    """Return the packaged tokenizer and its encoder in float32; leave both as they are."""
    from imdb_tutorial import load_encoder, load_tokenizer

    return load_tokenizer(), load_encoder(device="cpu")


@pytest.fixture(scope="session")
def packaged_classifier():
    """Return the packaged classifier; leave it as it is."""
    from imdb_tutorial import load_classifier

    return load_classifier("packaged")


@pytest.fixture(scope="session")
def whole_pools():
    """Return all packaged reviews, by pool."""
    from imdb_tutorial import load_preset, load_reviews

    preset = load_preset("laptop")
    return load_reviews(preset.replace(train_size=None, validation_size=None, test_size=None))


@pytest.fixture(scope="session")
def tuning_preset(tiny_bert, tmp_path_factory):
    """Return a preset that fine-tunes the tiny BERT within a second on 80 toy reviews."""
    return toy_preset(tiny_bert, tmp_path_factory.mktemp("toy_reviews") / "reviews.csv")


@pytest.fixture
def write_csv(tmp_path):
    """Return a function that writes a csv file and returns its path."""

    def write(columns, rows, name="reviews.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    return write


@pytest.fixture
def toy_rows():
    """Return 60 different toy reviews as ``(text, label)``, half of them negative."""
    return [
        (f"{'bad' if label == 0 else 'good'} film number {number}", label)
        for label in (0, 1)
        for number in range(30)
    ]
