"""The book: built without a warning, whole, and readable where there is nothing but a browser."""

import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from nbformat import v4, write

import imdb_tutorial

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PARTS = {"Build": range(7), "Doubt": range(7, 10), "Go on": range(10, 100)}
# Notes down who would be asked; libraries may swallow the refusal.
GUARD = """
import socket, sys
from pathlib import Path

def refuse(event, arguments):
    if event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        return
    if event == "socket.connect" and arguments[0].family == socket.AF_UNIX:
        return
    with open(Path(__file__).with_name("asked"), "a") as file:
        print(event, arguments[1:], file=file)
    raise OSError(101, "Network is unreachable")

sys.addaudithook(refuse)
"""
EXERCISE = (
    "<p>Your answer is still open.</p>\n"
    "<details><summary>Hint 1</summary><p>Which logit is larger?</p></details>\n"
    "<details><summary>Solution</summary>"
    "<pre>def share_right(logits, labels):\n    return 1.0</pre></details>"
)
WIDE = (
    "<table border='1' class='dataframe'><tr>"
    + "".join(f"<td>column {number}</td>" for number in range(30))
    + "</tr></table>"
)
WIDTHS = pytest.mark.parametrize("width", [390, 1280])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
# Each test of this file may be the first one to wait for the book.
pytestmark = pytest.mark.slow


def build(source: Path, folder: Path) -> subprocess.CompletedProcess:
    """Build a book as `make book` does, but with the pages of ``source`` and into ``folder``."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^\t\$\(BIN\)/python (-m sphinx .*)$", makefile, re.MULTILINE)[1]
    options, here, _ = recipe.replace("build/book", shlex.quote(folder.as_posix())).rsplit(" ", 2)
    assert here == "."
    guard = folder / "guard"
    guard.mkdir(parents=True)
    (guard / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    command = [sys.executable, *shlex.split(options), str(source), str(folder / "html")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(guard))
        result = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=600
        )
    assert not (guard / "asked").exists(), (guard / "asked").read_text(encoding="utf-8")
    return result


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder with the book's pages."""
    folder = tmp_path_factory.mktemp("book")
    result = build(ROOT, folder)
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    return folder / "html"


def save_toy_series(folder: Path, text: str = "") -> None:
    """Save a series of one lesson, with everything in it that needs a look."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "README.md").write_text(
        "# Toy\n\n[Lesson](notebooks/00_toy.ipynb)\n", encoding="utf-8"
    )
    folded = v4.new_code_cell("secret = 1", metadata={"tags": ["hide-input"]})
    outputs = [
        v4.new_output("display_data", {"text/html": html, "text/plain": "plain"})
        for html in (EXERCISE, WIDE)
    ]
    cells = [
        v4.new_markdown_cell("# 0. Toy\n\nRoot: $\\frac{1}{2}$.\n\n$$\\sqrt{\\frac{p}{n}}$$"),
        v4.new_markdown_cell(f"## A wide line\n\n{text}\n\n`{'x' * 300}`"),
        v4.new_code_cell("...", outputs=outputs),
        folded,
    ]
    metadata = {"language_info": {"name": "python"}}
    write(v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks/00_toy.ipynb")


@pytest.fixture(scope="module")
def toy_page(tmp_path_factory):
    """The page of the toy series' lesson."""
    folder = tmp_path_factory.mktemp("toy")
    save_toy_series(folder / "source")
    result = build(folder / "source", folder / "book")
    assert result.returncode == 0, result.stderr
    return folder / "book/html/notebooks/00_toy.html"


class Page(HTMLParser):
    """What a page of the book asks for, leads to, and can be led to."""

    def __init__(self, path: Path):
        super().__init__()
        self.loads, self.links, self.ids, self.scripts = [], [], set(), ""
        self.in_script = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.in_script = tag in ("script", "style")
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            elif tag == "a" and name == "href":
                self.links.append(value)
            elif name in ("src", "srcset", "href", "data", "poster", "action", "content", "style"):
                self.loads.append(value or "")

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script:
            self.scripts += data


@pytest.fixture(scope="module")
def pages(book):
    """The book's pages, read, by their path."""
    return {path: Page(path) for path in sorted(book.rglob("*.html"))}


def test_every_lesson_stands_in_its_part_once(book):
    page = (book / "README.html").read_text(encoding="utf-8")
    parts = re.findall(r'caption-text">([^<]+)</span></p>\s*<ul.*?>(.*?)</ul>', page, re.DOTALL)
    lessons = {
        name: re.findall(r'href="notebooks/(\d\d_\w+)\.html"', list_) for name, list_ in parts
    }
    for name, numbers in PARTS.items():
        expected = [lesson for lesson in LESSONS if int(lesson[:2]) in numbers]
        assert lessons.pop(name, []) == expected
    assert not any(lessons.values())


def test_glossary_map_api_and_changelog_are_in_the_book(book):
    page = (book / "README.html").read_text(encoding="utf-8")
    for name in ("notebooks/glossary", "book/map", "book/api", "docs/presets", "CHANGELOG"):
        assert f'href="{name}.html"' in page
    glossary = (book / "notebooks/glossary.html").read_text(encoding="utf-8")
    assert "<strong>padding</strong>" in glossary


def test_every_public_name_is_explained(book):
    page = (book / "book/api.html").read_text(encoding="utf-8")
    missing = [name for name in imdb_tutorial.__all__ if f'id="imdb_tutorial.{name}"' not in page]
    assert not missing
    assert "Load a sentiment classifier as a transformers" in page


def test_no_page_loads_anything_from_outside(pages):
    for path, page in pages.items():
        outside = [load for load in page.loads if re.search(r"(^|[\s,(:=])(https?:)?//", load)]
        assert not outside, path
        assert not re.search(r"https?://(?!www\.w3\.org/)", page.scripts), path


def test_no_style_or_script_of_the_book_loads_anything_from_outside(book):
    for path in book.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import)\s*[\"']?\s*(https?:)?//", style), path
    for path in book.rglob("*.js"):
        script = path.read_text(encoding="utf-8")
        assert not re.search(r"cdnjs|unpkg|jsdelivr|googleapis|mathjax", script), path


def test_links_between_pages_lead_somewhere(pages):
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link in ("#", ""):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path}: {link}"
            assert target.suffix != ".ipynb", f"{path}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids, f"{path}: {link}"


@pytest.mark.parametrize("link", ["99_nowhere.ipynb", "00_toy.ipynb#nowhere"])
def test_a_link_that_leads_nowhere_fails(tmp_path, link):
    save_toy_series(tmp_path / "source", f"See [there]({link}).")
    result = build(tmp_path / "source", tmp_path / "book")
    assert result.returncode != 0
    assert "nowhere" in result.stderr


def test_a_formula_is_mathml(toy_page):
    page = toy_page.read_text(encoding="utf-8")
    assert page.count("<math") == 2
    assert "<msqrt>" in page


@pytest.fixture
def look(browser):
    """Return a function that opens a page and fails where that page asks anybody."""
    contexts = []

    def open_page(path: Path, width: int = 1280, theme: str = "light", query: str = ""):
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=theme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri() + query)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert not [url for url in page.asked if not url.startswith(("file:", "data:"))]
        context.close()


@WIDTHS
def test_every_page_fits_a_phone_and_a_desktop(book, look, width):
    page = look(book / "README.html", width)
    for path in sorted(set(book.rglob("*.html")) - {book / "index.html"}):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name


@WIDTHS
@THEMES
def test_solutions_and_code_are_folded_and_tables_scroll(toy_page, look, width, theme):
    page = look(toy_page, width, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    solution, secret = page.get_by_text("return 1.0"), page.get_by_text("secret = 1")
    for folded, handle in ((solution, "Solution"), (secret, "Show the code")):
        assert not folded.is_visible()
        page.get_by_text(handle).click()
        assert folded.is_visible()
    scrolls = page.locator("table.dataframe").evaluate(
        """table => {
            for (let box = table; box; box = box.parentElement)
                if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX))
                    return box.scrollWidth > box.clientWidth;
        }"""
    )
    assert scrolls


@THEMES
def test_light_and_dark_follow_the_system(toy_page, look, theme):
    page = look(toy_page, theme=theme)
    assert page.locator("html").get_attribute("data-theme") == theme
    text, paper = page.evaluate(
        """['color', 'backgroundColor'].map(name => {
            const parts = getComputedStyle(document.body)[name].match(/[0-9.]+/g).slice(0, 3);
            return parts.reduce((sum, part) => sum + Number(part), 0) / 3;
        })"""
    )
    assert (text < paper) == (theme == "light")
    assert abs(text - paper) > 125


def test_search_works_from_a_file(book, look):
    page = look(book / "search.html", query="?q=padding")
    # The results come one by one: waiting for any would read a list that is still growing.
    link = page.wait_for_selector("#search-results a[href*='glossary.html']", timeout=20_000)
    assert "notebooks/glossary.html" in link.evaluate("a => a.href")


def test_the_folder_opens_at_the_first_page(book, look):
    page = look(book / "index.html")
    page.wait_for_selector("article h1", timeout=20_000)
    assert page.url.endswith("/README.html")


def test_the_book_does_not_depend_on_where_it_lies(book, tmp_path, look):
    moved = tmp_path / "ein Buch 書"
    shutil.copytree(book, moved)
    page = look(moved / "notebooks/glossary.html")
    assert page.locator("article h1").inner_text().startswith("Glossary")
