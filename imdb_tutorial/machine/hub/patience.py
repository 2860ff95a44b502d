"""Questions to the hub that end within seconds, with the true reason.

The library waits as long as the hub asks it to, and tries again for minutes. Here a request that
has no answer after ``ANSWER_S`` is given up, and so is a download that brings next to nothing for
``STALL_S``. That holds for the library's own client, so for proxies and certificates as well.
"""

import collections
import contextlib
import contextvars
import functools
import logging
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from imdb_tutorial.machine.hub import reasons

ANSWER_S = 5.0
STALL_S = 4.0
LEAST_BYTES = 32_768  # in STALL_S, which two modems of 1998 bring
MOST_BYTES = 50_000_000  # in an answer that is no file; the longest list of files is shorter
BREAKS = 3  # in a row; a download that breaks off goes on where it was
WAITS_S = (0.5, 1.5)  # before a hub in trouble is asked again

_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def patient_for_seconds() -> Iterator[None]:
    """Let ``huggingface_hub`` ask in this way, without warnings, until the block ends.

    Raises:
        HubError: A request that fails or takes too long.
        OSError: The disk has no room for a file.
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import logging as hub_logging

    with _one_at_a_time, warnings.catch_warnings():
        # The library looks before it downloads, but would go on.
        warnings.filterwarnings("error", message="Not enough free disk space")
        verbosity, xet = hub_logging.get_verbosity(), constants.HF_HUB_DISABLE_XET
        client = get_session()
        hub_logging.set_verbosity(logging.CRITICAL)
        constants.HF_HUB_DISABLE_XET = True  # has a client of its own, which waits for ever
        client.send = _Sender(client.send)  # type: ignore[method-assign]
        try:
            yield
        finally:
            del client.send
            constants.HF_HUB_DISABLE_XET = xet
            hub_logging.set_verbosity(verbosity)


class _Sender:
    """Takes the place of a client's ``send``."""

    def __init__(self, send: Callable):
        self.send, self.breaks = send, 0
        self.announced: int | None = None  # bytes of the file that was asked about last

    def __call__(self, request: Any, stream: bool = False, **options: Any) -> Any:
        seconds = dict.fromkeys(("connect", "read", "write", "pool"), ANSWER_S)
        request.extensions["timeout"] = seconds
        until = time.monotonic() + ANSWER_S

        def ask() -> Any:
            response = self.send(request, stream=True, **options)
            if not stream:
                _read(response, until)
            return response

        for wait in (*WAITS_S, None):
            response = _before(until, ask)
            if response.status_code < 500 or wait is None or time.monotonic() + wait > until:
                break
            response.close()
            time.sleep(wait)
        problem = reasons.of_answer(response.status_code, response.headers, request.url.path)
        if problem:
            response.close()
            raise reasons.HubError(problem)
        if request.method == "HEAD":
            headers = response.headers
            size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
            self.announced = int(size) if size.isdigit() else None
        if stream:
            response.iter_raw = functools.partial(self._watched, response.iter_raw)
        return response

    def _watched(self, iter_raw: Callable, chunk_size: int | None = None) -> Iterator[bytes]:
        """Pass a download on; end one that brings next to nothing, too much, or breaks off."""
        chunks, whole = iter_raw(chunk_size), 0
        # When a chunk came, and how many bytes there were by then; no older than STALL_S but one.
        came = collections.deque([(time.monotonic(), 0)])
        while True:
            try:
                chunk = next(chunks, None)
            except Exception as error:
                if "Timeout" in type(error).__name__:
                    raise reasons.HubError(STALLED) from None
                self.breaks = 1 if whole > 2**20 else self.breaks + 1
                if self.breaks >= BREAKS:
                    raise reasons.HubError(
                        f"the connection broke off {BREAKS} times in a row: try again later, or "
                        f"{reasons.ELSEWHERE}"
                    ) from None
                raise
            if chunk is None:
                return
            yield chunk
            whole, now = whole + len(chunk), time.monotonic()
            # Packed, a small file may be a little longer.
            if self.announced is not None and whole > self.announced + LEAST_BYTES:
                raise reasons.HubError(TOO_LONG)
            came.append((now, whole))
            while came[1][0] <= now - STALL_S:
                came.popleft()
            began, before = came[0]
            if now - began >= STALL_S and whole - before < LEAST_BYTES:
                raise reasons.HubError(STALLED)


def _read(response: Any, until: float) -> None:
    """Read a whole answer; end one that does not, so that nothing goes on behind a given up one."""
    iter_raw = response.iter_raw

    def bounded(chunk_size: int | None = None) -> Iterator[bytes]:
        size = 0
        for chunk in iter_raw(chunk_size):
            size += len(chunk)
            if size > MOST_BYTES or time.monotonic() > until:
                raise reasons.HubError(TOO_LONG)
            yield chunk

    response.iter_raw = bounded
    try:
        response.read()
    finally:
        response.close()


TOO_LONG = (
    "an answer that does not end, or is longer than announced: check HF_ENDPOINT and the proxy, "
    f"or {reasons.ELSEWHERE}"
)
STALLED = (
    f"a download that brings next to nothing for {STALL_S:.0f} s: try again later, or "
    f"{reasons.ELSEWHERE}"
)


def _before(until: float, ask: Callable[[], Any]) -> Any:
    """Ask in a thread of its own: no setting limits the search for an address, or a whole answer.

    A thread that is given up ends by itself, and does not keep the process.
    """
    answers: queue.SimpleQueue = queue.SimpleQueue()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            answers.put((context.run(ask), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        answer, error = answers.get(timeout=max(0.1, until - time.monotonic()))
    except queue.Empty:
        raise reasons.HubError(f"no answer within {ANSWER_S:.0f} s: {reasons.WAYS_OUT}") from None
    if error is None:
        return answer
    if isinstance(error, reasons.HubError):
        raise error
    if "Timeout" in type(error).__name__:
        raise reasons.HubError(f"no answer within {ANSWER_S:.0f} s: {reasons.WAYS_OUT}") from None
    raise reasons.HubError(reasons.of_failure(error)) from None
