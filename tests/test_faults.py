"""A sample of the fault suite; ``make faults`` runs the whole of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systems import needs_flock, needs_fork

RUN = Path(__file__).with_name("faults") / "run.py"


@pytest.mark.slow
@needs_fork
@needs_flock
def test_a_sample_of_all_faults_loses_nothing():
    done = subprocess.run(
        [sys.executable, str(RUN), "--quick"],
        env=os.environ | {"PYTHONPATH": str(RUN.parents[2])},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    total = done.stdout.splitlines()[-2]
    assert total.startswith("all, ") and total.split()[-1] == "0"
