"""Batches on every core: all of them, in their order, and an error is not lost."""

import threading
import time

import numpy as np
import pytest
import torch

from imdb_tutorial.machine.parallel import in_parallel

BATCHES = [np.arange(n, n + 3) for n in range(0, 30, 3)]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_answers_come_in_the_order_of_the_batches():
    overtaken = threading.Event()

    def work(rows):
        if rows[0] == 0:
            assert overtaken.wait(60)
        elif rows[0] == 3:
            overtaken.set()
        return rows * 2

    assert np.array_equal(np.concatenate(list(in_parallel(work, BATCHES, CPU))), np.arange(30) * 2)


def test_a_gpu_has_its_next_batch_made_ready_while_it_computes():
    began, threads = threading.Event(), set()

    def work(rows):
        threads.add(threading.get_ident())
        if rows[0] == 0:  # ends when the next one has begun
            assert began.wait(60)
        elif rows[0] == 3:
            began.set()
        return rows

    cuda = torch.device("cuda")  # a name: nothing runs there
    assert np.array_equal(np.concatenate(list(in_parallel(work, BATCHES, cuda))), np.arange(30))
    assert threading.get_ident() not in threads


def test_on_mps_one_batch_follows_the_other_in_the_callers_thread():
    seen = []

    def work(rows):
        seen.append((rows[0], threading.get_ident()))
        return rows

    list(in_parallel(work, BATCHES, torch.device("mps")))  # a name: nothing runs there
    assert seen == [(rows[0], threading.get_ident()) for rows in BATCHES]


def test_every_worker_computes_with_one_thread_and_the_caller_keeps_its_own():
    seen = set()

    def work(rows):
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return rows

    list(in_parallel(work, BATCHES, CPU))
    assert {threads for _, threads in seen} == {1}
    assert threading.get_ident() not in {ident for ident, _ in seen}
    assert torch.get_num_threads() == 2


def test_an_error_reaches_the_caller_and_stops_the_rest():
    done = []

    def work(rows):
        if rows[0] == 3:
            raise ValueError("row 3")
        time.sleep(0.02)  # or all would be done before the caller hears of the error
        done.append(rows[0])
        return rows

    with pytest.raises(ValueError, match="row 3"):
        list(in_parallel(work, BATCHES * 20, CPU))
    assert len(done) < 90  # of 180 without an error
