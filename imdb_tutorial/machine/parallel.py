"""Batches through a model: one on every processor core, or the next while a GPU computes."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many batches wait for each core: none stands still, and no more are in memory than that.
AHEAD = 4
# One thread waits for its results, and others get batches ready: a GPU never waits for them.
THREADS_OF_A_GPU = 3


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], device: torch.device
) -> Iterator[Result]:
    """Give every processor core a batch of its own, which is faster than sharing each product.

    It also makes the result independent of the number of cores. A GPU takes one after the other,
    and while it computes, the next ones are made ready and copied to it.

    Args:
        work: What to do with one batch; it is called from several threads.
        items: What makes a batch each; taken when it is needed.
        device: Where the model is.

    Returns:
        What ``work`` returned, batch by batch, in their order.
    """
    if device.type == "mps":
        yield from map(work, items)
        return
    threads = THREADS_OF_A_GPU if device.type == "cuda" else torch.get_num_threads()
    workers = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(workers.submit(work, item))
            if len(begun) > AHEAD * threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, as is best for a layer so small that threads only wait for it.

    On a machine of sixteen cores thirty epochs of a probe took twenty times as long without.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
