"""The README's ways to start without make, as commands that a script can run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def start_commands(way: str, readme: Path = ROOT / "README.md") -> list[str]:
    """Return the commands of one way to start, as they stand in the README.

    Args:
        way: ``"pip"``, ``"windows"`` or ``"uv"``.
        readme: The file to read.
    """
    text = readme.read_text(encoding="utf-8")
    block = re.search(rf"<!-- start-{way} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    if block is None:
        raise ValueError(f"no block start-{way} in {readme}: expected it in the section Start")
    return block[1].splitlines()
