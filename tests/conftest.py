"""What several tests share: a tiny BERT, a cache of their own, and files of toy reviews."""

import csv

import pytest

WORDS = (
    "the a an and or of to is was it this that i we film movie story actor plot ending scene "
    "good great best love fine bad worst dull awful hate boring not very so but with for in on "
    "rent ##ed ##ing ##s ##ly ##er ##est . , ! ? ' - < > / br"
).split()
LONGEST = (
    "test_notebooks_in_jupyterlab.py",
    "07_fine_tuning.ipynb",
    "04_frozen_bert_probe.ipynb",
    "test_two_trainers.py",
    "test_explorer.py",
)
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


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
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_bert")
    single = [token for token in LETTERS if token not in WORDS]
    tokens = dict.fromkeys([*SPECIAL, *WORDS, *single, *(f"##{letter}" for letter in LETTERS)])
    vocabulary = {token: number for number, token in enumerate(tokens)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=512).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertModel(
            BertConfig(
                vocab_size=len(vocabulary),
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=512,
            )
        )
    model.save_pretrained(folder)
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
    """Return a preset that fine-tunes the tiny BERT within a second on 80 toy reviews.

    One toy review in five has the wrong label, so that no accuracy is perfect.
    """
    from imdb_tutorial import load_preset

    words = ("bad worst dull awful boring hate", "good great best love fine")
    path = tmp_path_factory.mktemp("toy_reviews") / "reviews.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(("text", "label"))
        for label in (0, 1):
            for number in range(60):
                shown = label if number % 5 else 1 - label
                csv.writer(file).writerow((f"{words[label]} film {number}", shown))
    return load_preset("laptop").replace(
        reviews=str(path),
        encoder=str(tiny_bert),
        train_size=80,
        validation_size=12,
        test_size=16,
        max_length=16,
        batch_size=8,
        learning_rate=1.5e-2,
        num_epochs=3,
        seed=1,
    )


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
