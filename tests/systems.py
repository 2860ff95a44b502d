"""What some systems do not have; a test that needs it is skipped there, and says why."""

import importlib.util
import os
import signal

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: Linux or macOS")
needs_sigkill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="needs SIGKILL: Linux or macOS"
)
needs_flock = pytest.mark.skipif(
    importlib.util.find_spec("fcntl") is None, reason="needs flock: Linux or macOS"
)
needs_posix = pytest.mark.skipif(
    os.name != "posix", reason="needs a POSIX shell and permissions: Linux or macOS"
)
