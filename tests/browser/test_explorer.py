"""The explorer in a real page: typed into, clicked, attacked, and read as a reader sees it."""

import io
import itertools
import os
import re
import string
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from imdb_tutorial import attribute, load_classifier

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LESSON = "06_classify_widget.ipynb"
EXPLORER = ".imdb-explorer"
ATTACK = (
    "<script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>"
    "<svg onload='window.attacked = 3'></svg> &lt;b&gt; <br /> $x^2$ "
    "\u202e fine \u202c zero\u200bwidth"
)
# Few enough words that each of them has its button.
SHORT_ATTACK = (
    "<script>window.attacked = 1</script><svg onload='window.attacked = 3'> $x^2$ "
    "\u202e fine \u202c zero\u200bwidth"
)
FRIENDLY = "A wonderful, moving film with brilliant actors."
HOSTILE = "A dull, boring and pointless mess."
# For the pictures of README and lesson: a width, a theme, and a review of praise and blame.
PICTURES = [
    (800, "Light", "Slow at first and far too long, but funny, warm and beautifully played."),
    (800, "Dark", "Beautiful pictures cannot save this boring story."),
    (1280, "Light", "The story is slow and the end is silly, but the actors are wonderful."),
    (1280, "Dark", "The first half is dull, the second half is brilliant and moving."),
]

NOTES = itertools.product(string.ascii_uppercase, repeat=2)


def fresh(text: str) -> str:
    """Return the text with a mark before it, so that an older answer is never taken for its."""
    return f"Note {''.join(next(NOTES))}: {text}"


class Page:
    """Lesson 06, run, with its explorer in view."""

    def __init__(self, lab):
        self.page = lab.page
        self.explorer = lab.page.locator(EXPLORER).first
        self.box = self.explorer.locator("textarea")

    def wait_for(self, state: str, timeout_s: int = 120) -> None:
        self.page.wait_for_selector(f"{EXPLORER}-{state}", timeout=1_000 * timeout_s)

    def text(self, selector: str) -> str:
        return self.explorer.locator(selector).first.inner_text()

    def ask(self, text: str, by_key: bool = False) -> str:
        """Type a text, ask, wait for the words, and return the verdict's line."""
        self.box.fill(text)
        if by_key:
            self.box.press("Control+Enter")
        else:
            self.explorer.get_by_role("button", name="Classify").click()
        # Marks between the words aside, the shown text must begin as the asked one does.
        self.page.wait_for_function(
            """([root, beginning]) => {
                const explorer = document.querySelector(root);
                const shown = explorer.querySelector('.imdb-text');
                return explorer.className.includes('imdb-explorer-answer')
                    && explorer.querySelector('.imdb-summary')
                    && shown.innerText.replace(/[\\s+−]/g, '').startsWith(beginning);
            }""",
            arg=[EXPLORER, re.sub(r"[\s+−]", "", text)[:20]],
            timeout=120_000,
        )
        return self.text(".imdb-verdict")


@pytest.fixture(scope="module")
def page(new_lab):
    lab = new_lab()
    page = lab.page
    lab.dialogs, lab.requests = [], []
    page.on("dialog", lambda dialog: (lab.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: lab.requests.append(request.url))
    lab.open(LESSON)
    cells = lab.run_all(timeout_s=600)
    written = nbformat.read(NOTEBOOKS / LESSON, as_version=4).cells
    assert len(cells) == sum(cell.cell_type == "code" for cell in written)
    assert not [o for c in cells for o in c["outputs"] if o["output_type"] == "error"]
    page.evaluate("window.jupyterapp.shell.currentWidget.content.scrollToItem(3)")
    page.locator(EXPLORER).first.wait_for(timeout=60_000)
    page.locator(EXPLORER).first.scroll_into_view_if_needed()
    opened = Page(lab)
    opened.lab = lab
    yield opened
    lab.close()


def probability(verdict: str) -> float:
    return float(re.search(r"probability [^\d]*([\d.]+)", verdict)[1])


@pytest.mark.parametrize("by_key", [False, True], ids=["click", "ctrl-enter"])
@pytest.mark.parametrize(("text", "label"), [(FRIENDLY, "POSITIVE"), (HOSTILE, "NEGATIVE")])
def test_a_typed_review_is_classified(page, text, label, by_key):
    text = fresh(text)
    verdict = page.ask(text, by_key)
    assert verdict.startswith(label)
    assert 50 <= probability(verdict) <= 100
    meter = page.explorer.locator("[role=meter]").first
    assert float(meter.get_attribute("aria-valuenow")) == pytest.approx(probability(verdict), abs=1)
    words = page.explorer.locator(".imdb-word").all_inner_texts()
    assert "".join(words) == re.sub(r"\s", "", text)
    scores = page.explorer.locator(".imdb-word").evaluate_all(
        "words => words.map(w => Number(w.dataset.score))"
    )
    expected = attribute(load_classifier("packaged"), text).pushes
    assert scores == pytest.approx(expected, abs=0.006)  # two digits are shown
    assert max(map(abs, scores)) > 0.5
    assert "tokens read" in page.text(".imdb-read")


def test_models_are_switched_and_stand_side_by_side(page):
    page.ask(fresh(FRIENDLY))
    first = page.text(".imdb-model")
    chooser = page.explorer.locator("select")
    names = [name.replace("\xa0", " ") for name in chooser.locator("option").all_inner_texts()]
    assert len(names) >= 2
    chooser.select_option(index=1)
    page.page.wait_for_function(
        f"""() => document.querySelector('{EXPLORER} .imdb-model').innerText === '{names[1]}'
            && document.querySelector('{EXPLORER}').className.includes('answer')""",
        timeout=120_000,
    )
    assert first != names[1]
    page.explorer.get_by_label("side by side").check()
    page.page.wait_for_function(
        f"""n => document.querySelectorAll('{EXPLORER} .imdb-summary').length === n
            && document.querySelector('{EXPLORER}').className.includes('answer')""",
        arg=len(names),
        timeout=240_000,
    )
    assert page.explorer.locator(".imdb-model").all_inner_texts() == names
    page.explorer.get_by_label("side by side").uncheck()
    chooser.select_option(index=0)
    page.wait_for("answer")


def test_a_long_text_is_cut_with_a_warning(page):
    page.box.fill(fresh("The camera moves from the street to the house. " * 100))
    page.box.press("Control+Enter")
    # The verdict comes before the words, whose computation the next text breaks off.
    page.explorer.locator(".imdb-warning").wait_for(timeout=60_000)
    assert "was cut" in page.text(".imdb-warning")
    page.ask(fresh(FRIENDLY))
    assert page.explorer.locator(".imdb-warning").count() == 0


def test_hostile_text_is_shown_as_text_and_runs_nothing(page):
    page.lab.requests.clear()
    page.ask(fresh(ATTACK))
    shown = page.text(".imdb-text")
    for piece in ("<script>", "onerror=", "<svg onload=", "&lt;b&gt;", "<br />"):
        assert re.sub(r"\s", "", piece) in re.sub(r"[\s+−]", "", shown)
    assert "$x^2$" in re.sub("[+−]", "", shown)
    assert page.explorer.locator("mjx-container").count() == 0
    assert page.page.evaluate("window.attacked") is None
    assert page.explorer.locator(".imdb-answer script, .imdb-answer img, svg[onload]").count() == 0
    assert page.lab.dialogs == []
    base = page.lab.base
    assert [url for url in page.lab.requests if not url.startswith((base, "data:", "ws"))] == []
    assert not [url for url in page.lab.requests if url.endswith("/x")]


def test_below_the_words_stands_what_is_said_without_the_strongest(page):
    page.ask(fresh(HOSTILE))
    line = page.text(".imdb-reason")
    assert re.match(
        r"Without “.+”, “.+” and “.+”: (not sure, leans )?(POSITIVE|NEGATIVE) [\d.> ]+ % "
        r"\(before: N",
        line,
    )
    assert re.search(r"The verdict (turns|stays|is open now); the margin goes from −", line)


def wait_for_left(page, words: str) -> str:
    """Wait for the verdict without these words; return the text that is left."""
    page.page.wait_for_function(
        f"""words => {{
            const line = document.querySelector('{EXPLORER} .imdb-words .imdb-reason')?.innerText;
            return document.querySelector('{EXPLORER}').className.includes('answer')
                && (line ?? 'Without :').startsWith('Without ' + words + ':');
        }}""",
        arg=words,
        timeout=60_000,
    )
    left = page.explorer.locator(".imdb-left")
    return left.inner_text() if left.count() else ""


@pytest.mark.parametrize("press", ["click", "Space", "Enter"])
def test_a_word_is_taken_out_and_put_back(page, press):
    page.ask(fresh(FRIENDLY))
    word = page.explorer.get_by_role("button", name=re.compile(r"^wonderful"))
    before = page.explorer.locator(".imdb-text").first.inner_text()

    def push():
        word.click() if press == "click" else word.press(press)

    assert word.get_attribute("title") == "take this word out"
    push()
    assert wait_for_left(page, "“wonderful”").endswith(": A, moving film with brilliant actors.")
    assert "mod-active" in word.get_attribute("class")
    assert word.get_attribute("title") == "taken out: put it back"
    assert word.evaluate("e => getComputedStyle(e).textDecorationLine") == "line-through"
    assert word.evaluate("e => e === document.activeElement")
    assert "Without “wonderful”" in page.explorer.locator("[role=status]").inner_text()
    push()
    assert wait_for_left(page, "") == ""
    assert page.explorer.locator(".imdb-text").first.inner_text() == before
    word.press("Tab")
    assert page.page.evaluate("document.activeElement.textContent").startswith(",")


def test_hostile_words_are_text_on_their_buttons_and_below(page):
    page.lab.requests.clear()
    page.ask(fresh(SHORT_ATTACK))
    buttons = page.explorer.locator(".imdb-words .widget-toggle-button")
    shown = "".join(buttons.all_inner_texts())
    assert "<script>window.attacked=1</script>" in re.sub("[+−\\s]", "", shown)
    assert "\u202e" not in shown
    count = buttons.count()
    for number in range(count):
        buttons.nth(number).click()
    page.explorer.get_by_text("nothing is left to read").last.wait_for(timeout=120_000)
    buttons.nth(0).click()
    # Signs that turn the direction are no words: they stay, and are named. Before the first answer
    # to the last click, the text of the click before it still stands there.
    left = page.explorer.locator(".imdb-left")
    left.filter(has_text="Note").wait_for(timeout=60_000)
    assert left.inner_text() == "What is left: Note U+202E U+202C"
    assert buttons.locator("*").count() == 0
    assert page.explorer.locator(".imdb-words mjx-container").count() == 0
    assert page.page.evaluate("window.attacked") is None
    assert page.lab.dialogs == []
    base = page.lab.base
    assert [url for url in page.lab.requests if not url.startswith((base, "data:", "ws"))] == []
    page.explorer.get_by_role("button", name="Put all back").click()
    assert wait_for_left(page, "") == ""
    assert page.explorer.locator(".imdb-words .mod-active").count() == 0


def test_of_some_hundred_words_the_strongest_can_be_pressed(page):
    page.ask(fresh("A good story, and one dull scene after the other. " * 40))
    assert page.explorer.locator(".imdb-words .widget-toggle-button").count() == 60
    assert re.search(r"Of \d+ words here are the 60", page.text(".imdb-invitation"))


def test_nothing_to_read_is_a_friendly_line_and_the_next_text_works(page):
    page.box.fill("   \n ")
    page.explorer.get_by_role("button", name="Classify").click()
    page.wait_for("idle")
    assert "nothing to read" in page.text(".imdb-state")
    assert page.ask(fresh(HOSTILE)).startswith("NEGATIVE")


def test_an_error_is_a_message_and_not_a_traceback(page):
    page.box.fill("電影很好看 " * 3)
    page.explorer.get_by_role("button", name="Classify").click()
    page.page.wait_for_function(
        f"() => /answer|error|idle/.test(document.querySelector('{EXPLORER}').className)",
        timeout=60_000,
    )
    assert "Traceback" not in page.explorer.inner_text()
    assert page.ask(fresh(FRIENDLY)).startswith("POSITIVE")


def test_surprise_brings_a_review_and_keeps_its_label_for_after_the_guess(page):
    page.ask(fresh(FRIENDLY))
    review = page.box.input_value()
    while len(review) < 100 or len(review) > 800:  # a long one takes its time
        page.explorer.get_by_role("button", name="Surprise me").click()
        page.page.wait_for_function(
            f"old => document.querySelector('{EXPLORER} textarea').value !== old",
            arg=review,
            timeout=60_000,
        )
        review = page.box.input_value()
    assert "author meant" not in page.explorer.inner_text()
    page.ask(review)
    assert re.search(r"author meant: (POSITIVE|NEGATIVE)", page.explorer.inner_text())


@pytest.fixture
def dressed(page):
    """Return a function that sets the page's width and theme; both are put back in the end."""

    def change(width, theme, height=900):
        page.page.set_viewport_size({"width": width, "height": height})
        theme = f"JupyterLab {theme}"
        page.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        page.page.wait_for_function(
            "theme => document.body.dataset.jpThemeName === theme", arg=theme, timeout=60_000
        )

    yield change
    page.explorer.get_by_label("side by side").uncheck()
    change(1280, "Light")


@pytest.mark.parametrize(("width", "theme", "text"), PICTURES)
def test_it_fits_into_the_page(page, dressed, width, theme, text):
    """Whatever the page is like; with IMDB_TUTORIAL_SCREENSHOTS=docs it saves what it saw there."""
    dressed(width, theme, height=1600)
    page.ask(text)
    expected = 1
    if width > 1000:
        page.explorer.get_by_label("side by side").check()
        expected = page.explorer.locator("option").count()
    page.page.wait_for_function(
        f"""n => document.querySelectorAll('{EXPLORER} .imdb-summary').length === n
            && document.querySelector('{EXPLORER}').className.includes('answer')""",
        arg=expected,
        timeout=120_000,
    )
    assert page.explorer.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    folder = os.environ.get("IMDB_TUTORIAL_SCREENSHOTS")
    if folder:
        screenshot = page.explorer.screenshot()
        save_small(screenshot, Path(folder, f"explorer-{width}-{theme.lower()}.png"))
        if (width, theme) == (1280, "Light"):
            save_small(screenshot, NOTEBOOKS / "images/explorer.png")


def save_small(screenshot: bytes, path: Path) -> None:
    """Save a screenshot with 256 colours, in a third of its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture.quantize(256).save(path, optimize=True)
