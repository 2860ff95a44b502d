"""The lesson that computes most holds on a processor without bfloat16 and with an empty cache."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_frozen_bert_lesson_holds_in_float32_from_an_empty_cache(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "notebooks/04_frozen_bert_probe.ipynb"],
        cwd=ROOT,
        env={
            **os.environ,
            "IMDB_TUTORIAL_DTYPE": "float32",
            "IMDB_TUTORIAL_CACHE": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert result.returncode == 0, result.stdout[-5000:]
    assert list((tmp_path / "cache").glob("*.safetensors"))
