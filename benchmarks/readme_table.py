"""Writes what ``probe_speed.py`` and ``probe_growth.py`` recorded into the README."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
README = FOLDER.parent / "README.md"
BLOCK = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)


def render() -> str:
    """Return the records as Markdown."""
    speed = json.loads((FOLDER / "probe_speed.json").read_text())
    growth = json.loads((FOLDER / "probe_growth.json").read_text())
    precision = "with" if speed["native_bfloat16"] else "without"
    lines = [
        f"{speed['reviews']} random reviews, {speed['rounds']} rounds in turn, medians; "
        f"{speed['threads']} threads, {precision} native bfloat16. A token counts only when it was "
        "text.",
        "",
        "| Way | tokens a second | thirty epochs, 2,000 + 500 reviews |",
        "| --- | --- | --- |",
    ]
    for name, tokens in speed["tokens_a_second"].items():
        lines.append(f"| {name} | {tokens:,} | {speed['run_seconds'][name]:,.0f} s |")
    lines += ["", "| Ratio | times faster |", "| --- | --- |"]
    lines += [f"| {name} | {value:.1f} |" for name, value in speed["ratios"].items()]
    lines += ["", "| Reviews | seconds for their features | peak memory |", "| --- | --- | --- |"]
    for row in growth:
        lines.append(
            f"| {row['reviews']:,} | {row['seconds']:.0f} | {row['peak_memory_mb']:,} MB |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replace the README's block of measurements."""
    text = README.read_text(encoding="utf8")
    README.write_text(BLOCK.sub(lambda block: block[1] + render() + block[2], text), "utf8")


if __name__ == "__main__":
    main()
