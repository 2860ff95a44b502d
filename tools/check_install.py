"""Starts as docs/start.md says, in a fresh clone whose path has a space and letters beyond ASCII.

The committed state is cloned, and each command of the page is run as it stands there. Two
of them would run for long: JupyterLab is asked for the first lesson and then stopped, and pytest
gets one lesson and one file of tests. It installs everything, which takes minutes and 3 GB.

    .venv/bin/python tools/check_install.py          # the way without make for this system
    .venv/bin/python tools/check_install.py uv
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from start_commands import PAGE, ROOT, start_commands

FOLDER_NAME = "Übung zur Stimmung 感情"
ENOUGH_TESTS = "notebooks/00_start_here.ipynb tests/test_diagnosis.py"
LAB_STARTS_WITHIN_S = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    system = "windows" if os.name == "nt" else "pip"
    parser.add_argument("way", nargs="?", default=system, choices=("pip", "windows", "uv"))
    way = parser.parse_args().way
    parent = Path(tempfile.mkdtemp(prefix="check_install_"))
    clone = parent / FOLDER_NAME
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for command in start_commands(way, clone / PAGE.relative_to(ROOT)):
            print(f"$ {command}", flush=True)
            if " lab " in command:
                open_lab(command, clone)
            else:
                run(f"{command} {ENOUGH_TESTS}" if "pytest --nbval" in command else command, clone)
    except (subprocess.CalledProcessError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    print("every command of the page works")
    return 0


def run(command: str, folder: Path) -> None:
    """Run one command as a reader would, outside of any environment."""
    subprocess.run(_in_shell(command), cwd=folder, env=_bare_environment(), check=True)


def open_lab(command: str, folder: Path) -> None:
    """Start JupyterLab, ask its page of the first lesson, and stop it."""
    root = " --allow-root" if getattr(os, "geteuid", lambda: 1)() == 0 else ""
    command += f" --no-browser --ServerApp.port=0{root}"
    log = folder / "lab.log"
    with log.open("wb") as file:
        lab = subprocess.Popen(
            _in_shell(command),
            cwd=folder,
            env=_bare_environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with urllib.request.urlopen(_address(log, lab), timeout=60) as page:
            if b"jupyter-config-data" not in page.read():
                raise RuntimeError(f"JupyterLab answered {page.url} with another page")
    finally:
        _stop(lab)


def _address(log: Path, lab: subprocess.Popen) -> str:
    until = time.monotonic() + LAB_STARTS_WITHIN_S
    while time.monotonic() < until and lab.poll() is None:
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"http://(?:127\.0\.0\.1|localhost):[1-9]\d*/lab\S*", text):
            return found[0]
        time.sleep(0.5)
    raise RuntimeError(
        "JupyterLab did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-2_000:]
    )


def _stop(lab: subprocess.Popen) -> None:
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(lab.pid)], check=False)
    else:
        os.killpg(lab.pid, 15)
    lab.wait(timeout=60)


def _in_shell(command: str) -> list[str]:
    if os.name == "nt":
        return ["powershell", "-NoProfile", "-Command", command]
    return ["sh", "-c", f"exec {command}"]


def _bare_environment() -> dict[str, str]:
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in hidden}


if __name__ == "__main__":
    sys.exit(main())
