"""Batches on every core: all of them, in their order, and an error is not lost."""

import threading
import time

import numpy as np
import pytest
import torch

from imdb_tutorial.machine.parallel import in_parallel

BATCHES = [np.arange(n, n + 3) for n in range(0, 30, 3)]


@pytest.mark.parametrize("device", ["cpu", "cuda"])  # only the name counts, nothing runs there
def test_answers_come_in_the_order_of_the_batches(device):
    def work(rows):
        time.sleep(0.01 if rows[0] % 2 else 0)  # the later ones overtake
        return rows * 2

    found = list(in_parallel(work, BATCHES, torch.device(device)))
    assert np.array_equal(np.concatenate(found), np.arange(30) * 2)


def test_every_worker_computes_with_one_thread_and_the_caller_keeps_its_own():
    before = torch.get_num_threads()
    seen = set()

    def work(rows):
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return rows

    list(in_parallel(work, BATCHES, torch.device("cpu")))
    assert {threads for _, threads in seen} == {1}
    assert threading.get_ident() not in {ident for ident, _ in seen}
    assert torch.get_num_threads() == before


def test_an_error_reaches_the_caller_and_stops_the_rest():
    done = []

    def work(rows):
        if rows[0] == 3:
            raise ValueError("row 3")
        time.sleep(0.02)
        done.append(rows[0])
        return rows

    with pytest.raises(ValueError, match="row 3"):
        list(in_parallel(work, BATCHES * 20, torch.device("cpu")))
    assert len(done) < len(BATCHES * 20)
