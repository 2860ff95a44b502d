"""The hub, healthy and ill: what is pinned comes from the cache, each fault has its reason."""

import io
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import datasets
import pytest
import torch

from imdb_tutorial import (
    LinearProbe,
    load_classifier,
    load_encoder,
    load_preset,
    load_raw_reviews,
    load_reviews,
    load_tokenizer,
    save_probe,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.finetuning.run import load_model_for_classification
from imdb_tutorial.machine import packages, sources
from imdb_tutorial.machine.diagnosis.doctor import examine
from imdb_tutorial.machine.hub import patience
from imdb_tutorial.presets import PRESETS
from tests import hub_server as ill
from tests.hub_server import COMMIT, HubServer

OTHER = "beef" * 10
NEG_POS = datasets.ClassLabel(names=["neg", "pos"])
IMDB, BERT = "stanfordnlp/imdb", "google-bert/bert-base-cased"


def reviews_of(split, labels=None, kind=NEG_POS, columns=("text", "label")):
    labels = [0, 1] * 20 if labels is None else labels
    texts = [f"{split} review {row}" for row in range(len(labels))]
    features = datasets.Features({columns[0]: datasets.Value("string"), columns[1]: kind})
    data = dict(zip(columns, (texts, labels), strict=True))
    with io.BytesIO() as file:
        datasets.Dataset.from_dict(data, features=features).to_parquet(file)
        return file.getvalue()


def data_set(**splits):
    files = {f"plain_text/{split}-00000-of-00001.parquet": data for split, data in splits.items()}
    return {"README.md": b"# reviews", **files}


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def repositories(tiny_bert, tiny_classifier):
    both = data_set(train=reviews_of("train"), test=reviews_of("test"))
    moved = data_set(train=reviews_of("newer"), test=reviews_of("newer"))
    bert, classifier = files_in(tiny_bert), files_in(tiny_classifier)
    no_weights = {name: data for name, data in bert.items() if name != "model.safetensors"}
    config = json.loads(bert["config.json"])
    pin, bert_pin = sources.HUB_REVISIONS[IMDB], sources.HUB_REVISIONS[BERT]
    other = {"model_type": "acme", "auto_map": {"AutoConfig": "m.C", "AutoModel": "m.M"}}
    own_code = {**bert, "config.json": json.dumps(config | other).encode(), "m.py": b"1 / 0"}
    return {
        ("datasets", IMDB): {
            pin: {**both, "plain_text/unsupervised-00000-of-00001.parquet": b"large"},
            OTHER: moved,
        },
        ("datasets", "acme/reviews"): {COMMIT: both, OTHER: moved},
        ("datasets", "acme/no-test"): {COMMIT: data_set(train=reviews_of("train"))},
        ("datasets", "acme/script"): {COMMIT: {"README.md": b"", "script.py": b"1 / 0"}},
        ("datasets", "acme/two"): {
            COMMIT: {f"{c}/{s}.parquet": b"" for c in "ab" for s in ("train", "test")}
        },
        ("datasets", "acme/shards"): {
            COMMIT: {
                **{f"train-0000{n}-of-00003.parquet": reviews_of(f"part {n}") for n in range(3)},
                "test.parquet": reviews_of("test"),
            }
        },
        ("models", BERT): {bert_pin: bert, OTHER: {**bert, "config.json": b"{}"}},
        ("models", "acme/tiny"): {COMMIT: bert},
        ("models", "acme/classifier"): {COMMIT: classifier},
        ("models", "acme/pickle"): {COMMIT: {**no_weights, "pytorch_model.bin": b"pickle"}},
        ("models", "acme/own-code"): {COMMIT: own_code},
        ("models", "acme/nothing"): {COMMIT: {"README.md": b""}},
        ("models", "acme/rubbish"): {COMMIT: {**bert, "model.safetensors": b"rubbish"}},
    }


def use_address(monkeypatch, address):
    from huggingface_hub import constants

    pattern = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", pattern)


@pytest.fixture
def hub(repositories, monkeypatch, tmp_path):
    """Serve the repositories to an empty cache; ``hub.stop()`` takes the network away."""
    from huggingface_hub import close_session, constants

    close_session()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 256)  # of files as small as these
    monkeypatch.setattr(patience, "ANSWER_S", 1.0)
    monkeypatch.setattr(patience, "STALL_S", 1.0)
    monkeypatch.setattr(patience, "WAITS_S", (0.05,))
    with HubServer(repositories) as server:
        use_address(monkeypatch, server.address)
        server.cache = tmp_path / "hub"
        yield server
    close_session()


def raw(source):
    return load_raw_reviews(load_preset().replace(reviews=source))


def refusal(load, *kinds):
    """Return the one line in which a load ends, with nothing of a library's behind it."""
    with pytest.raises(kinds or ConnectionError) as caught:
        load()
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


# Healthy


def test_reviews_come_from_the_pinned_parquet_files_alone(hub):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reviews = raw(IMDB)
    assert reviews["train"]["text"][:2] == ["train review 0", "train review 1"]
    assert reviews["test"]["label"][:2] == [0, 1]
    assert not [request for request, _ in hub.asked if "unsupervised" in request]
    pin = sources.HUB_REVISIONS[IMDB]
    assert all(pin in request for request, _ in hub.asked if IMDB in request)


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("acme/reviews", "newer review 0"),
        (f"acme/reviews@{COMMIT}", "train review 0"),
        (f"acme/reviews@{COMMIT[:7]}", "train review 0"),
    ],
)
def test_the_named_revision_is_read(hub, source, first):
    assert raw(source)["train"]["text"][0] == first


def test_shards_are_read_in_their_order(hub):
    texts = raw("acme/shards")["train"]["text"][:]
    assert len(texts) == 120
    assert [texts[row] for row in (0, 40, 80)] == [f"part {n} review 0" for n in range(3)]


LOADERS = [
    load_tokenizer,
    lambda source: load_encoder(source, device="cpu"),
    load_model_for_classification,
]
NAMES = ["tokenizer", "encoder", "model for classification"]


@pytest.mark.parametrize("load", LOADERS, ids=NAMES)
def test_a_model_keeps_the_hubs_name(hub, load):
    assert load("acme/tiny").name_or_path == "acme/tiny"
    pin = sources.HUB_REVISIONS[BERT]
    load(BERT)
    assert all(pin in request for request, _ in hub.asked if BERT in request)


def test_the_encoder_from_the_hub_is_the_one_in_the_folder(hub, tiny_bert):
    here, there = (load_encoder(s, device="cpu").state_dict() for s in (tiny_bert, "acme/tiny"))
    assert here.keys() == there.keys()
    assert all(here[name].equal(there[name]) for name in here)


def test_a_tokenizer_does_not_bring_the_weights(hub):
    load_tokenizer("acme/tiny")
    assert not [request for request, _ in hub.asked if "safetensors" in request]


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_pinned_and_in_the_cache_needs_no_network(hub, monkeypatch, offline):
    from huggingface_hub import constants

    def all_of_it():
        raw(IMDB)
        load_tokenizer(BERT)
        load_encoder(BERT, device="cpu")
        load_classifier(f"acme/classifier@{COMMIT[:7]}")("good")

    all_of_it()
    asked = len(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        all_of_it()
    assert len(hub.asked) == asked


def test_what_may_have_moved_is_asked_for_again_but_not_offline(hub, monkeypatch):
    from huggingface_hub import constants

    raw("acme/reviews"), load_encoder("acme/tiny", device="cpu")
    hub.ills["GET /api"] = ill.HANGS_UP
    for load in (lambda: raw("acme/reviews"), lambda: load_encoder("acme/tiny", device="cpu")):
        assert "HF_HUB_OFFLINE=1" in refusal(load)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    raw("acme/reviews"), load_encoder("acme/tiny", device="cpu")


@pytest.mark.parametrize(
    "load", [lambda: raw(IMDB), lambda: load_encoder(BERT), lambda: load_tokenizer("acme/tiny")]
)
def test_offline_and_not_downloaded_says_so_and_not_to_go_offline(hub, monkeypatch, load):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = refusal(load)
    assert "not in the cache" in said
    assert "unset it" in said
    assert "HF_HUB_OFFLINE=1" not in said


def test_half_of_a_download_is_no_download(hub, monkeypatch):
    from huggingface_hub import constants

    raw("acme/shards")
    next(hub.cache.rglob("train-00001-of-00003.parquet")).unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "or not all of it" in refusal(lambda: raw("acme/shards"))


def test_a_revision_that_was_never_downloaded_is_not_replaced_by_another(hub, monkeypatch):
    from huggingface_hub import constants

    raw(f"acme/reviews@{COMMIT}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "not in the cache" in refusal(lambda: raw(f"acme/reviews@{OTHER}"))
    assert "not in the cache" in refusal(lambda: raw("acme/reviews@beefbee"))


def test_a_large_download_has_its_bar_and_a_small_one_none(hub, monkeypatch, capsys):
    from imdb_tutorial.machine.hub import repository

    load_encoder("acme/tiny", device="cpu")
    assert "safetensors" not in capsys.readouterr().err
    shutil.rmtree(hub.cache)
    monkeypatch.setattr(repository, "SHOWN_BYTES", 10_000)
    load_encoder("acme/tiny", device="cpu")
    shown = capsys.readouterr().err
    assert "\rmodel.safetensors: 100%" in shown
    assert "config.json" not in shown


def test_a_probe_on_a_hub_encoder_opens_at_its_revision(hub, tiny_bert, tmp_path):
    def answers(encoder):
        torch.manual_seed(0)
        save_probe(LinearProbe(16), tmp_path / "probe", encoder, max_length=32)
        return load_classifier(tmp_path / "probe")(["good film", "bad"])

    assert answers(f"acme/tiny@{COMMIT}") == answers(tiny_bert)
    assert all(COMMIT in request for request, _ in hub.asked if "acme/tiny" in request)


# Ill

WAYS_OUT = ("IMDB_TUTORIAL_PRESET=laptop", "HF_ENDPOINT", "HF_HUB_OFFLINE=1")
ILLS = {
    "gated": (ill.GATED, ["gated", "HF_TOKEN"]),
    "token": (ill.BAD_TOKEN, ["refuses your token", "HF_TOKEN"]),
    "rate limit": (ill.BUSY, ["429", "try again in 300 s", "HF_TOKEN"]),
    "forbidden": (ill.FORBIDDEN, ["403", "firewall"]),
    "proxy": (ill.PROXY, ["the proxy wants a user and a password", "HTTPS_PROXY"]),
    "trouble": (ill.BROKEN, ["in trouble (500)", "try again later"]),
    "portal": (ill.PAGE, ["web page", "log in to this network in a browser"]),
    "portal elsewhere": (ill.ELSEWHERE, ["web page", "log in to this network"]),
    "empty": (ill.EMPTY, ["makes no sense", "HF_ENDPOINT"]),
    "silent": (ill.SILENT, ["no answer within", *WAYS_OUT]),
    "hangs up": (ill.HANGS_UP, ["no answer", *WAYS_OUT]),
    "drips": (ill.DRIPS, ["no answer within"]),
    "half": (ill.HALF, ["no answer"]),
    "a circle": (ill.LOOP, ["round in a circle", "HF_ENDPOINT"]),
    "no gzip": (ill.NO_GZIP, ["cannot be unpacked", "try again"]),
    "another JSON": (ill.LIST, ["makes no sense", "HF_ENDPOINT"]),
    "endless": (ill.ENDLESS, ["does not end"]),
    "headers that crawl": (ill.CRAWLS, ["no answer within"]),
    "half, then nothing": (ill.WAITS, ["no answer within"]),
    "announced too short": (ill.SHORT, ["makes no sense"]),
}
LATER = {
    **{name: ILLS[name] for name in ("gated", "rate limit", "trouble", "portal", "silent")},
    "hangs up": (ill.HANGS_UP, ["no answer"]),
    "drips": (ill.DRIPS, ["next to nothing", "try again later"]),
    "half": (ill.HALF, ["broke off"]),
    "cut": (ill.CUT, ["broke off"]),
    "longer": (ill.LONGER, ["another size than announced"]),
    "a circle": (ill.LOOP, ["round in a circle"]),
    "no gzip": (ill.NO_GZIP, ["cannot be unpacked"]),
    "endless": (ill.ENDLESS, ["does not end, or is longer than announced"]),
    "headers that crawl": (ill.CRAWLS, ["no answer within"]),
    "half, then nothing": (ill.WAITS, ["next to nothing"]),
    "fades": (ill.FADES, ["next to nothing"]),
    "announced too short": (ill.SHORT, ["another size than announced"]),
    "the rest refused": (ill.NO_RANGE, ["broke off", "try again"]),
}
WANTED = {
    "reviews": (lambda: raw(IMDB), IMDB),
    "tokenizer": (lambda: load_tokenizer("acme/tiny"), "acme/tiny"),
    "encoder": (lambda: load_encoder("acme/tiny"), "acme/tiny"),
}


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("what", ILLS)
def test_an_ill_hub_ends_in_one_line_with_the_true_reason(hub, what, wanted):
    load, name = WANTED[wanted]
    hub.ills[""], words = ILLS[what]
    began = time.monotonic()
    said = refusal(load)
    assert time.monotonic() - began < 10  # a limit that users were promised
    for word in (name, hub.address, *words):
        assert word in said


@pytest.mark.parametrize("wanted", ["reviews", "encoder"])
@pytest.mark.parametrize("what", LATER)
def test_a_hub_that_falls_ill_later_ends_the_same_way(hub, what, wanted):
    load, name = WANTED[wanted]
    wrong, words = LATER[what]
    hub.ills["/round"] = wrong
    hub.ills["GET /datasets" if wanted == "reviews" else "GET /acme"] = wrong
    began = time.monotonic()
    said = refusal(load)
    assert time.monotonic() - began < 10
    for word in (name, *words):
        assert word in said
    assert not list(hub.cache.rglob("*.incomplete"))


def test_a_hub_that_hiccups_once_is_asked_again(hub, monkeypatch):
    monkeypatch.setattr(patience, "WAITS_S", (0.5,))
    hub.ills["GET /api"] = ill.BROKEN
    threading.Timer(0.2, hub.ills.clear).start()
    assert len(raw(IMDB)["train"]) == 40


def test_a_download_that_breaks_off_once_goes_on(hub):
    class Once(dict):
        def items(self):
            found = list(super().items())
            if any("GET /datasets" in request for request, _ in hub.asked[-1:]):
                self.clear()
            return found

    hub.ills = Once({"GET /datasets": ill.HALF})
    assert len(raw(IMDB)["train"]) == 40


def test_a_server_that_knows_no_parts_of_a_file_sends_all_of_it_again(hub):
    hub.ills["GET /datasets"] = ill.WHOLE_AGAIN
    assert len(raw(IMDB)["train"]) == 40


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (lambda: raw("acme/none"), ["none of that name", "check the spelling"]),
        (lambda: load_encoder("acme/none"), ["none of that name", "check the spelling"]),
        (lambda: raw("acme/reviews@v9"), ["'v9'", "no such revision"]),
        (lambda: load_encoder(f"acme/tiny@{OTHER}"), ["'beefbeefbeef'", "no such revision"]),
        (lambda: load_tokenizer("a b/c"), ["'a b/c' is no hub name"]),
        (lambda: raw("acme/script"), ["no split train and no split test", "never run"]),
        (lambda: raw("acme/no-test"), ["no split test", "train-00000-of-00001.parquet"]),
        (lambda: raw("acme/two"), ["several versions of its split train (a, b)"]),
        (lambda: load_encoder("acme/pickle"), ["pytorch_model.bin, a pickle"]),
        (lambda: load_encoder("acme/nothing"), ["no config.json"]),
        (lambda: load_encoder("acme/own-code"), ["Python code of its own", "never done here"]),
        (lambda: load_encoder("acme/rubbish"), ["cannot open 'acme/rubbish'"]),
    ],
)
def test_what_the_hub_cannot_give_is_named(hub, load, words):
    said = refusal(load, ConnectionError, ValueError)
    for word in words:
        assert word in said


def test_no_conversion_service_is_asked(hub):
    refusal(lambda: load_encoder("acme/pickle"), ValueError)
    about_it = {request for request, _ in hub.asked if "pickle" in request}
    assert about_it == {"GET /api/models/acme/pickle/revision/main"}


def test_a_plain_file_server_is_no_hub(hub):
    hub.ills["/"] = ill.NO_HUB
    assert "X-Repo-Commit" in refusal(lambda: raw(IMDB))


@pytest.mark.parametrize(
    ("load", "file"),
    [
        (lambda: raw(IMDB), "train-00000-of-00001.parquet"),
        (lambda: load_encoder(BERT, device="cpu"), "model.safetensors"),
        (lambda: load_encoder(BERT, device="cpu"), "config.json"),
        (lambda: load_tokenizer(BERT), "tokenizer.json"),
    ],
)
def test_a_damaged_file_is_named_and_once_deleted_comes_again(hub, load, file):
    load()
    (path,) = hub.cache.rglob(file)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.resolve().write_bytes(content)
    said = refusal(load, packages.DamagedFileError)
    assert file in said
    (named,) = re.findall(r"delete '([^']+)'", said)
    Path(named).unlink()
    load()


def test_a_damaged_transfer_is_seen(hub):
    hub.ills["GET /datasets"] = ill.ZEROS
    assert "is damaged" in refusal(lambda: raw(IMDB), packages.DamagedFileError)


def test_a_file_that_is_not_what_the_hub_announced_is_seen(hub):
    hub.ills["HEAD /"] = ill.OTHER_HASH
    assert "is damaged, it is not the hub's" in refusal(
        lambda: raw(IMDB), packages.DamagedFileError
    )


def test_weights_are_hashed_once_a_process(hub, monkeypatch):
    from imdb_tutorial.machine.hub import repository

    load_encoder(BERT, device="cpu")
    packages._sha256.cache_clear()
    for _ in range(3):
        load_encoder(BERT, device="cpu")
    assert packages._sha256.cache_info().misses == 1
    assert repository.file_sha256 is packages.file_sha256


def test_a_cache_that_cannot_be_written_is_named(hub, monkeypatch, tmp_path):
    from huggingface_hub import constants

    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    said = refusal(lambda: raw(IMDB), OSError)
    assert str(tmp_path / "file") in said
    assert "HF_HOME" in said


def test_a_full_disk_is_named_before_the_download(hub, monkeypatch):
    free = shutil.disk_usage("/")._replace(free=10)
    monkeypatch.setattr("huggingface_hub.file_download.shutil.disk_usage", lambda path: free)
    said = refusal(lambda: load_encoder("acme/tiny"), OSError)
    assert "Not enough free disk space" in said
    assert "make room" in said
    assert not [request for request, _ in hub.asked if "GET" in request and "/large/" in request]


def test_a_disk_that_fills_up_is_named(hub, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download._chmod_and_move", full)
    said = refusal(lambda: raw(IMDB), OSError)
    assert "No space left on device" in said
    assert "HF_HOME" in said
    assert not list(hub.cache.rglob("*.incomplete"))


def test_a_token_that_cannot_be_sent_is_not_shown(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_sécret")
    said = refusal(lambda: raw(IMDB))
    assert "cret" not in said
    assert "HF_TOKEN" in said


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTP_PROXY"])
def test_the_proxy_of_the_environment_is_asked(hub, monkeypatch, name):
    from huggingface_hub import close_session

    for variable in ("no_proxy", "NO_PROXY", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    use_address(monkeypatch, "http://hub.invalid")
    monkeypatch.setenv(name, hub.address.replace("//", "//user:secret@"))
    close_session()
    said = refusal(lambda: raw(IMDB))  # our server answers, but is no proxy
    assert hub.asked
    assert hub.asked[0][0].startswith("GET http://hub.invalid/api")
    assert "secret" not in said


def test_https_to_a_hub_that_speaks_http_is_no_secure_connection(hub, monkeypatch):
    use_address(monkeypatch, hub.address.replace("http:", "https:"))
    said = refusal(lambda: raw(IMDB))
    assert "no secure connection" in said
    assert "HF_ENDPOINT" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_certificate_that_nobody_knows_is_named_with_the_way_out(hub, monkeypatch, tmp_path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    subprocess.run([*make.split(), "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    hub.server.socket = context.wrap_socket(hub.server.socket, server_side=True)
    use_address(monkeypatch, hub.address.replace("http:", "https:"))
    said = refusal(lambda: raw(IMDB))
    assert "its certificate is not trusted here" in said
    assert "SSL_CERT_FILE" in said


@pytest.mark.parametrize("address", ["hub.example.org", "http://127.0.0.1:1", "http://[broken"])
def test_an_address_that_is_none_is_an_unreachable_hub(hub, monkeypatch, address):
    use_address(monkeypatch, address)
    said = refusal(lambda: raw(IMDB))
    assert "HF_ENDPOINT" in said


def test_the_libraries_are_left_as_they_were(hub):
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import logging

    before = (constants.HF_HUB_DISABLE_XET, logging.get_verbosity())
    raw(IMDB)
    hub.ills[""] = ill.BROKEN
    refusal(lambda: raw("acme/reviews"))
    assert (constants.HF_HUB_DISABLE_XET, logging.get_verbosity()) == before
    assert "send" not in vars(get_session())


# Other data sets


@pytest.mark.parametrize("names", [["pos", "neg"], ["Positive", "Negative"]])
def test_labels_in_the_other_order_are_turned_aloud(hub, names):
    label = datasets.ClassLabel(names=names)
    whole = data_set(
        train=reviews_of("train", [0, 1, 1], label), test=reviews_of("test", [0, 1], label)
    )
    hub.repositories["datasets", "acme/turned"] = {COMMIT: whole}
    with pytest.warns(UserWarning, match="calls its positive reviews 0"):
        assert raw("acme/turned")["train"]["label"][:] == [1, 0, 0]


@pytest.mark.parametrize(
    ("labels", "kind", "words"),
    [
        ([0, 1], datasets.ClassLabel(names=["bad", "good"]), ["2 classes ('bad', 'good')"]),
        ([0, 4], datasets.ClassLabel(names=[*"12345"]), ["5 classes ('1', '2', '3', '4', '5')"]),
        ([0, -1, -1], NEG_POS, ["no label in 2 of its 3 rows", "the first is row 1 (-1)"]),
        ([0, None], datasets.Value("int64"), ["no label in 1 of its 2 rows", "row 1 (None)"]),
        ([0, 3], datasets.Value("int64"), ["row 1", "label 3", "expected 0 or neg"]),
        ([], NEG_POS, ["holds no reviews"]),
    ],
)
def test_labels_that_are_no_sentiment_are_told_with_a_way_out(hub, labels, kind, words):
    whole = data_set(train=reviews_of("train", labels, kind), test=reviews_of("test"))
    hub.repositories["datasets", "acme/odd"] = {COMMIT: whole}
    said = refusal(lambda: raw("acme/odd"), ValueError)
    for word in ("acme/odd (train)", *words):
        assert word in said


def write_parquet(**columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    with io.BytesIO() as file:
        pq.write_table(pa.table(columns), file)
        return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["no whole parquet file on the hub itself", "another revision"]),
        (reviews_of("train")[:-40], ["no whole parquet file on the hub itself"]),
        (b"<html>404</html>", ["no whole parquet file on the hub itself"]),
        (write_parquet(text=["a"], label=[[0]]), ["row 0", "the label [0]"]),
        (write_parquet(text=[["a"]], label=[0]), ["row 0", "the text ['a']", "expected a string"]),
        (write_parquet(text=["a", None], label=[0, 1]), ["row 1", "the text None"]),
        (write_parquet(text=["a"]), ["no column label"]),
        (write_parquet(), ["no column text and no column label", "found none"]),
    ],
)
def test_a_parquet_file_that_is_none_on_the_hub_is_told(hub, content, words):
    whole = data_set(train=content, test=reviews_of("test"))
    hub.repositories["datasets", "acme/odd"] = {COMMIT: whole}
    said = refusal(lambda: raw("acme/odd"), ValueError)
    for word in ("acme/odd (train)", *words):
        assert word in said


@pytest.mark.parametrize("described", [b"{", b'{"info": {"features": {"label": 3}}}'])
def test_columns_that_are_described_in_a_strange_way_are_told(hub, described):
    import pyarrow as pa
    import pyarrow.parquet as pq

    with io.BytesIO() as file:
        table = pa.table({"text": ["a", "b"], "label": [0, 1]})
        pq.write_table(table.replace_schema_metadata({b"huggingface": described}), file)
        odd = file.getvalue()
    hub.repositories["datasets", "acme/odd"] = {COMMIT: data_set(train=odd, test=odd)}
    said = refusal(lambda: raw("acme/odd"), ValueError)
    assert "acme/odd (train) describes its columns" in said


def test_other_columns_are_told_with_a_way_out(hub):
    odd = reviews_of("train", [0, 1], columns=("body", "stars"))
    hub.repositories["datasets", "acme/odd"] = {COMMIT: data_set(train=odd, test=odd)}
    said = refusal(lambda: raw("acme/odd"), ValueError)
    for word in ("no column text and no column label", "'body', 'stars'", "reviews='my.parquet'"):
        assert word in said


# The doctor and the command line


def downloaded():
    (check,) = [check for check in examine() if check.what == "full preset"]
    return check


def test_the_doctor_says_what_of_the_full_preset_is_there(hub, monkeypatch):
    from huggingface_hub import constants

    assert downloaded().found == f"in the cache: nothing; not yet: {IMDB}, {BERT}"
    raw(IMDB)
    assert downloaded().found == f"in the cache: {IMDB}; not yet: {BERT}"
    load_tokenizer(BERT)  # brings no weights
    assert downloaded().state == "ok"
    monkeypatch.setenv("IMDB_TUTORIAL_PRESET", "full")
    assert downloaded().state == "note"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert (downloaded().state, "HF_HUB_OFFLINE" in downloaded().remedy) == ("problem", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    load_encoder(BERT, device="cpu")
    asked = len(hub.asked)
    assert (downloaded().state, downloaded().remedy) == ("ok", "")
    assert "all of it" in downloaded().found
    assert len(hub.asked) == asked


@pytest.mark.parametrize("what", ILLS)
def test_the_command_line_says_the_same_line(hub, monkeypatch, capsys, what):
    hub.ills[""] = ILLS[what][0]
    preset = load_preset().replace(reviews="acme/reviews")
    monkeypatch.setitem(PRESETS, "mine", preset)
    assert main(["probe", "--preset", "mine"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: {refusal(lambda: load_reviews(preset))}"


NOTEBOOK = {
    "load_reviews(load_preset('full'))": ["HubError", "no answer within 5 s"],
    "load_encoder('acme/tiny')": ["HubError", "it is gated"],
    "load_tokenizer('acme/classifier')": ["HubError", "next to nothing"],
    f"load_classifier('acme/classifier@{COMMIT}')": ["HubError", "next to nothing"],
    "load_classifier('acme/classifier@v9')": ["HubError", "no such revision"],
    "load_encoder('acme/pickle')": ["ValueError", "a pickle"],
    "load_encoder('acme/rubbish')": ["ValueError", "cannot open 'acme/rubbish' as a model"],
    "load_raw_reviews(load_preset().replace(reviews='acme/no-test'))": ["ValueError", "no split"],
    "load_raw_reviews(load_preset().replace(reviews='mine.csv'))": [
        "FileNotFoundError",
        "no file mine.csv",
    ],
}


@pytest.mark.slow
def test_a_notebook_shows_one_line(repositories, monkeypatch, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    # In one cell, what the libraries say when they are loaded is no part of the others.
    first = "from imdb_tutorial import *; load_tokenizer()"
    own = "def mine():\n    raise ValueError('mine')\nmine()"
    cells = [nbformat.v4.new_code_cell(code) for code in (first, *NOTEBOOK, own)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with HubServer(repositories) as server:
        server.ills |= {
            f"GET /api/datasets/{IMDB}": ill.SILENT,
            "GET /api/models/acme/tiny": ill.GATED,
            "GET /acme/classifier": ill.FADES,
        }
        for name, value in {
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(tmp_path),
            "no_proxy": "127.0.0.1",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        options = {"timeout": 300, "allow_errors": True, "resources": {"metadata": {}}}
        options["resources"]["metadata"]["path"] = str(tmp_path)
        NotebookClient(notebook, kernel_name="python3", **options).execute()
    for cell, (kind, words) in zip(notebook.cells[1:], NOTEBOOK.values(), strict=False):
        (shown,) = cell.outputs
        assert (shown.output_type, shown.ename) == ("error", kind)
        (line,) = shown.traceback
        assert line == f"{kind}: {shown.evalue}"
        assert words in line
        assert "\n" not in line
    (shown,) = notebook.cells[-1].outputs
    assert len(shown.traceback) > 1  # a learner's own error is shown where it is


def test_a_new_process_without_a_network_ends_in_one_line(tmp_path):
    code = "import sys; from imdb_tutorial.__main__ import main; sys.exit(main(sys.argv[1:]))"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": "http://127.0.0.1:1",
        "HF_HOME": str(tmp_path),
        "no_proxy": "127.0.0.1",
    }
    arguments = ["classify", "--model", f"acme/classifier@{COMMIT}", "a text"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert all(way in line for way in WAYS_OUT)
