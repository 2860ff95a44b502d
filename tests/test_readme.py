"""The README says what is there and what was measured."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf8")


def test_its_measurements_are_the_recorded_ones():
    table = runpy.run_path(str(ROOT / "benchmarks/readme_table.py"))
    for name, expected in table["render"]().items():
        block = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)[1]
        assert block == expected, name


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_it_names_every_notebook_and_every_target():
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(notebooks/{notebook.name})" in README
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    for target in phony.split():
        assert f"make {target}" in README
