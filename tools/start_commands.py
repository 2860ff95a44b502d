"""The ways to start without make, from docs/start.md, as commands that a script can run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/start.md"


def start_commands(way: str, page: Path = PAGE) -> list[str]:
    """Return the commands of one way to start, as they stand on the page.

    Args:
        way: ``"pip"``, ``"windows"`` or ``"uv"``.
        page: The file to read.
    """
    text = page.read_text(encoding="utf-8")
    block = re.search(rf"<!-- start-{way} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    if block is None:
        raise ValueError(f"no block start-{way} in {page}: expected one between comments")
    return block[1].splitlines()
