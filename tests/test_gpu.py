"""What a GPU needs, as far as it can be tried without one: little memory, order, copies."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from imdb_tutorial import (
    extract_features,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
)
from imdb_tutorial.machine.device import copied_to
from imdb_tutorial.machine.parallel import in_parallel, one_thread

ROOT = Path(__file__).resolve().parent.parent
TEXTS = [f"a {'very ' * (n % 9)}good film number {n}" for n in range(60)]


class LittleMemory:
    """Lets a module compute no more than so many tokens at once, as a GPU would."""

    def __init__(self, module: torch.nn.Module, tokens: int):
        self.tokens, self.failed, self.largest = tokens, 0, 0
        self.handle = module.register_forward_pre_hook(self.look, with_kwargs=True)

    def look(self, module, args, kwargs):
        cells = kwargs["input_ids"].numel()
        if cells > self.tokens:
            self.failed += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 TiB")
        self.largest = max(self.largest, cells)


@pytest.fixture
def tiny(tiny_bert):
    return load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")


def features_of(tiny, texts, pooling):
    """In float32: for another precision the encoder is copied, and its hook with it."""
    return extract_features(texts, *tiny, pooling, dtype=torch.float32, use_cache=False)


def test_too_little_memory_halves_the_token_budget(tiny):
    expected = features_of(tiny, TEXTS, ("cls", "mean"))
    little = LittleMemory(tiny[1], tokens=100)
    with one_thread():
        features = features_of(tiny, TEXTS, ("cls", "mean"))
    assert little.failed > 0
    assert little.largest > 25  # halved as often as needed, not row by row
    for pooling, vectors in expected.items():
        torch.testing.assert_close(features[pooling], vectors, atol=1e-5, rtol=1e-4)


def test_what_failed_once_is_not_tried_again(tiny):
    little = LittleMemory(tiny[1], tokens=400)
    with one_thread():
        features_of(tiny, 300 * ["a good film"], "mean")
    assert little.failed <= 3  # 1,024 tokens, and the half: every later batch is smaller at once


def test_one_text_that_does_not_fit_ends_in_one_line(tiny):
    LittleMemory(tiny[1], tokens=3)
    with pytest.raises(RuntimeError, match=r"no memory for one text of \d+ tokens: .* max_length"):
        features_of(tiny, ["a good film"], "mean")


def test_predicting_halves_it_too(tiny_classifier):
    classifier = load_classifier(tiny_classifier)
    expected = predict_proba(classifier, TEXTS)
    little = LittleMemory(classifier.model, tokens=80)
    torch.testing.assert_close(predict_proba(classifier, TEXTS), expected, atol=1e-5, rtol=1e-4)
    assert little.failed > 0


def test_another_error_stays_what_it_is(tiny):
    def fail(*_):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    tiny[1].register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        extract_features(TEXTS, *tiny, "mean", use_cache=False)


def test_a_gpu_gets_batches_ahead_and_gives_them_in_order():
    both = threading.Barrier(2, timeout=20)

    def work(number: int) -> int:
        if number < 2:  # passes only when a second batch is begun before the first is done
            both.wait()
        return number

    assert list(in_parallel(work, range(20), torch.device("cuda"))) == list(range(20))


def test_nothing_is_copied_where_the_processor_computes():
    tensor = torch.ones(2, 3)
    assert copied_to(tensor, torch.device("cpu")) is tensor


def test_one_thread_is_for_the_moment_only():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to be checked")
def test_the_check_says_where_there_is_no_gpu(tmp_path):
    record = tmp_path / "gpu_check.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu_check.py"), "--output", str(record)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "no NVIDIA GPU here: nothing was checked and nothing was changed"
    ]
    assert not record.exists()
