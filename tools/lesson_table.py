"""Writes the table of the lessons into the README, from the notebooks themselves.

Title and running time are those that a lesson states in its first cell. Run after a lesson came,
went, or changed one of them.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- lessons -->\n).*?(?=<!-- /lessons -->)", re.DOTALL)
# The number of the first lesson of each part.
PARTS = {
    0: ("Build", "the whole classic tutorial, in its order"),
    7: ("Doubt", "which of its numbers can you trust?"),
    10: ("Go on", "with your own data, and at the real size"),
}


def render(folder: Path = ROOT / "notebooks") -> str:
    """Return the table as Markdown: a row a lesson, under its part.

    Args:
        folder: Holds the notebooks.
    """
    lines = ["| Lesson | What it claims | Time |", "| --- | --- | --- |"]
    part = None
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        part_before, part = part, max(first for first in PARTS if first <= int(path.stem[:2]))
        if part != part_before:
            name, about = PARTS[part]
            lines.append(f"| **{name}** | *{about}* | |")
        title, claim, time = _opening(path)
        lines.append(f"| [{title}](notebooks/{path.name}) | {claim} | {time} |")
    return "\n".join(lines) + "\n"


def _opening(path: Path) -> tuple[str, str, str]:
    """Return the title, the claim's first sentence and the running time of a lesson."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "".join(cells[0]["source"])
    found = [
        re.search(r"^# (\d+\. .+)$", text, re.MULTILINE),
        re.search(r"^\*\*Claim: (.+)\*\*", text, re.MULTILINE),
        re.search(r"^\*Running time[^:*]*: (?:about )?([^.,;*]+)", text, re.MULTILINE),
    ]
    for match, what in zip(found, ("# N. Title", "**Claim: …**", "*Running time: …*"), strict=True):
        if match is None:
            raise ValueError(f"{path.name}: no line {what!r} in its first cell")
    title, claim, time = (match[1].strip() for match in found)
    time = re.sub(r" (on|with) two .*", "", time)  # said below the table, for all of them
    sentence = re.match(r".*?[.?!](?=\s|$)", f"{claim}.")[0].replace("..", ".")
    return title, sentence[0].upper() + sentence[1:], time


if __name__ == "__main__":
    text = TARGET.read_text(encoding="utf-8")
    TARGET.write_text(BLOCK.sub(lambda _: render(), text), encoding="utf-8")
