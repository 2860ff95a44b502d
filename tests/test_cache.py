import os
import shutil
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from transformers import BertTokenizerFast

from imdb_tutorial import extract_features, load_encoder, load_tokenizer
from imdb_tutorial.machine import cache
from imdb_tutorial.machine.files import only_writer
from tests.systems import needs_flock, needs_posix

TEXTS = ["good film", "a very bad ending of the movie", "dull", "i love the plot"]


@pytest.fixture(scope="module")
def tiny(tiny_bert):
    return load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")


@pytest.fixture
def passes(tiny):
    """Count the encoder's passes."""
    counted = []
    handle = tiny[1].register_forward_hook(lambda *_: counted.append(1))
    yield counted
    handle.remove()


@pytest.fixture(scope="module")
def expected(tiny):
    return extract_features(TEXTS, *tiny, dtype=torch.float32, use_cache=False)


def features_of(tiny, texts=TEXTS, **options):
    options = {"dtype": torch.float32, **options}
    return extract_features(texts, *tiny, **options)


def only_file():
    (file,) = cache.cache_info().folder.glob("*.safetensors")
    return file


def test_the_second_call_computes_nothing_and_returns_the_same_bits(tiny, passes):
    first = features_of(tiny)
    assert len(passes) == 1
    second = features_of(tiny)
    assert len(passes) == 1
    assert torch.equal(first, second)
    assert second.dtype == torch.float32


def test_what_the_tokenizer_did_in_between_does_not_matter(tiny, passes):
    features_of(tiny)
    tiny[0](["good", "very bad"], padding="max_length", max_length=9, truncation=True)
    features_of(tiny)
    tiny[0](["good"])
    features_of(tiny)
    assert len(passes) == 1


def test_only_the_poolings_that_are_missing_are_computed(tiny, passes):
    cls = features_of(tiny, pooling="cls")
    both = features_of(tiny, pooling=("mean", "cls"))
    assert len(passes) == 2
    assert list(both) == ["mean", "cls"]
    assert torch.equal(both["cls"], cls)
    mean = features_of(tiny, pooling="mean")
    assert len(passes) == 2
    assert torch.equal(mean, both["mean"])
    assert cache.cache_info().files == 2


def with_one_weight_changed(tiny_bert):
    encoder = load_encoder(tiny_bert, device="cpu")
    with torch.no_grad():
        encoder.encoder.layer[1].output.dense.bias[3] += 1e-3
    return load_tokenizer(tiny_bert), encoder


def with_another_tokenizer(tiny_bert):
    vocabulary = load_tokenizer(tiny_bert).get_vocab()
    tokenizer = BertTokenizerFast(vocab=vocabulary, do_lower_case=False, model_max_length=512)
    return tokenizer, load_encoder(tiny_bert, device="cpu")


@pytest.mark.parametrize("model", [with_one_weight_changed, with_another_tokenizer])
def test_another_model_is_another_key(tiny, tiny_bert, model):
    texts = ["Good FILM", "bad"]
    first = features_of(tiny, texts)
    changed = model(tiny_bert)
    found = features_of(changed, texts)
    assert cache.cache_info().files == 2
    assert torch.equal(found, features_of(changed, texts, use_cache=False))
    assert not torch.equal(found, first)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (TEXTS[::-1], {}),
        (["good fil", "ma very bad ending of the movie", *TEXTS[2:]], {}),
        (TEXTS, {"max_length": 5}),
        (TEXTS, {"dtype": torch.bfloat16}),
        (TEXTS, {"pooling": "mean"}),
    ],
    ids=["order", "border", "max_length", "dtype", "pooling"],
)
def test_whatever_changes_the_answer_is_another_key(tiny, texts, options):
    features_of(tiny)
    found = features_of(tiny, texts, **options)
    assert cache.cache_info().files == 2
    assert torch.equal(found, features_of(tiny, texts, use_cache=False, **options))


def header_of(whole: bytes) -> int:
    return 8 + int.from_bytes(whole[:8], "little")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: header_of(whole)],
        lambda whole: whole[:-1],
        lambda whole: whole + b"\0",
        lambda whole: bytes(len(whole)),
    ],
    ids=["empty", "header alone", "cut", "longer", "zeros"],
)
def test_a_damaged_file_is_computed_again_once(tiny, passes, expected, damage):
    features_of(tiny)
    file = only_file()
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match=f"{file.name} is damaged") as caught:
        assert torch.equal(features_of(tiny), expected)
    assert len(caught) == 1
    assert torch.equal(features_of(tiny), expected)
    assert len(passes) == 2
    assert list(file.parent.glob("*.part")) == []


def test_damaged_numbers_never_pass(tiny, passes):
    features_of(tiny)
    file = only_file()
    whole = file.read_bytes()
    for place in range(header_of(whole), len(whole), 17):
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(changed)
        passes.clear()
        with pytest.warns(UserWarning, match="checksum"):
            features_of(tiny)
        assert len(passes) == 1


def test_another_models_file_under_the_same_name_is_not_believed(tiny, expected):
    features_of(tiny)
    wanted = only_file()
    features_of(tiny, TEXTS[::-1])
    (other,) = set(wanted.parent.glob("*.safetensors")) - {wanted}
    shutil.copy(other, wanted)
    with pytest.warns(UserWarning, match="damaged"):
        assert torch.equal(features_of(tiny), expected)


def test_a_folder_in_the_files_place_does_not_stop_the_work(tiny, expected):
    features_of(tiny)
    file = only_file()
    file.unlink()
    file.mkdir()
    with pytest.warns(UserWarning):
        assert torch.equal(features_of(tiny), expected)


def test_cache_info_counts_and_clear_cache_empties(tiny, passes, monkeypatch):
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(cache.cache_info().folder / "not made yet"))
    before = cache.clear_cache()
    assert (before.files, before.bytes) == (0, 0)
    assert not before.folder.exists()
    features_of(tiny, pooling=("cls", "mean"))
    stored = cache.cache_info()
    files = list(stored.folder.glob("*.safetensors"))
    assert str(stored.folder) == os.environ["IMDB_TUTORIAL_CACHE"]
    assert stored.files == len(files) == 2
    assert stored.bytes == sum(file.stat().st_size for file in files)
    features_of(tiny, TEXTS[:2], use_cache=False)
    assert cache.cache_info() == stored
    foreign = stored.folder / "notes.txt"
    foreign.write_text("mine")
    for left in (".left.safetensors.0123abcd.part", ".killed.lock"):
        (stored.folder / left).write_bytes(b"half")

    assert cache.clear_cache() == stored._replace(bytes=stored.bytes + len(b"half"))
    assert list(stored.folder.iterdir()) == [foreign]
    assert (cache.cache_info().files, cache.cache_info().bytes) == (0, 0)
    passes.clear()
    features_of(tiny)
    assert len(passes) == 1


@needs_posix
def test_a_file_that_another_process_removes_just_now_is_not_counted(tiny):
    features_of(tiny)
    stored = cache.cache_info()
    (stored.folder / "gone.safetensors").symlink_to("nowhere")  # as between listing and looking
    assert cache.cache_info() == stored
    assert cache.clear_cache() == stored
    assert list(stored.folder.iterdir()) == []


@needs_flock
def test_clearing_leaves_what_another_process_is_writing(tiny):
    features_of(tiny)
    folder = cache.cache_info().folder
    with only_writer(folder / "other.safetensors"):
        half = folder / ".other.safetensors.0123abcd.part"
        half.write_bytes(b"half")
        cache.clear_cache()
        assert half.exists()
    assert list(folder.iterdir()) == []


@needs_flock
def test_a_cache_that_is_cleared_all_the_time_gives_right_answers(tiny, expected):
    working = True

    def clear() -> int:
        times = 0
        while working:
            cache.clear_cache()
            times += 1
        return times

    with ThreadPoolExecutor() as threads, warnings.catch_warnings():
        warnings.simplefilter("error")
        clearing = [threads.submit(clear) for _ in range(2)]
        try:
            found = [features_of(tiny) for _ in range(20)]
        finally:
            working = False
        assert all(future.result() > 0 for future in clearing)
    assert all(torch.equal(features, expected) for features in found)


def test_without_the_variable_the_cache_is_in_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("IMDB_TUTORIAL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_info().folder.name == "imdb_tutorial"


def test_a_folder_that_cannot_be_made_costs_a_warning_and_nothing_else(
    tiny, monkeypatch, tmp_path, expected
):
    (tmp_path / "file").write_bytes(b"in the way")
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="IMDB_TUTORIAL_CACHE"):
        assert torch.equal(features_of(tiny), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"in the way"


@needs_flock
def test_two_at_the_same_work_agree_and_one_of_them_computes(tiny, passes, expected):
    may_go_on = threading.Event()

    def hold_up(*_):
        may_go_on.wait(60)

    with tiny[1].register_forward_pre_hook(hold_up):
        with ThreadPoolExecutor(2) as threads:
            together = [threads.submit(features_of, tiny) for _ in range(2)]
            time.sleep(0.2)  # so that both are at it
            may_go_on.set()
    assert all(torch.equal(one.result(), expected) for one in together)
    assert len(passes) == 1
    assert cache.cache_info().files == 1
