"""The interactive classifier, used as a reader uses it: text in the box, clicks on buttons."""

import contextlib
import csv
import dataclasses
import itertools
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from ipywidgets import Widget
from transformers import BertForSequenceClassification, TextClassificationPipeline

from imdb_tutorial import load_preset, load_reviews
from imdb_tutorial.classifier.certainty import in_words
from imdb_tutorial.classifier.load import load_classifier
from imdb_tutorial.encoder.load import load_encoder, load_tokenizer
from imdb_tutorial.explorer.attributions import attribute
from imdb_tutorial.explorer.cards import Answer, percent, reason_html, verdict_html
from imdb_tutorial.explorer.history import COLUMNS, MOST_ROWS, SHOWN_ROWS
from imdb_tutorial.explorer.reasons import check_reason
from imdb_tutorial.explorer.widget import SentimentExplorer, available_models
from imdb_tutorial.explorer.word_buttons import MOST_BUTTONS
from imdb_tutorial.explorer.words import summary_html, words_html
from imdb_tutorial.probe import PROBE_FILE, LinearProbe, save_probe
from tests.parsed_page import ParsedPage, assert_harmless

MAX_LENGTH = 24
TEXT = "a good movie, but the ending was awful!"
ATTACKS = [
    "<script>alert(1)</script>",
    "<br /><b>bold</b></p></div></section>",
    "'\"><svg/onload=alert(1)>",
    "&lt;script&gt; &amp; &#60;i&#62;",
    "{{7*7}} ${7*7} $x^2$ \\(y\\) `z`",
    "<!-- good --> <![CDATA[ bad ]]>",
]
NOTHING = ["", "\n\t ", "\u202e \u2066"]


def saved_probe(folder, tiny_bert, seed=4):
    torch.manual_seed(seed)
    probe = LinearProbe(load_encoder(tiny_bert, device="cpu").config.hidden_size, pooling="mean")
    with torch.no_grad():
        probe.linear.weight *= 100
    save_probe(probe, folder, tiny_bert, max_length=MAX_LENGTH)
    return folder


def saved_model(folder, tiny_bert):
    labels = {0: "POSITIVE", 1: "NEGATIVE"}
    torch.manual_seed(5)
    model = BertForSequenceClassification.from_pretrained(tiny_bert, id2label=labels)
    model.config.max_length_trained = MAX_LENGTH
    model.save_pretrained(folder)
    load_tokenizer(tiny_bert).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sources(tiny_bert, tmp_path_factory):
    return {
        "probe": saved_probe(tmp_path_factory.mktemp("probe"), tiny_bert),
        "fine-tuned": saved_model(tmp_path_factory.mktemp("fine_tuned"), tiny_bert),
    }


@pytest.fixture
def preset(write_csv, toy_rows):
    path = write_csv(["text", "label"], toy_rows)
    return load_preset("laptop").replace(
        reviews=str(path), train_size=None, validation_size=None, test_size=None
    )


@pytest.fixture
def make(preset, tmp_path, monkeypatch):
    """Return a function that makes explorers, and close them in the end."""
    monkeypatch.chdir(tmp_path)
    explorers = []

    def make(models):
        explorers.append(SentimentExplorer(models, preset))
        return explorers[-1]

    yield make
    for explorer in explorers:
        explorer.close()


@pytest.fixture
def explorer(make, sources):
    return make(sources)


@pytest.fixture
def seen(explorer):
    """Return a list that grows by one with every page that the explorer shows."""
    pages = []
    explorer.output.observe(lambda change: pages.append(ParsedPage(change["new"])), "value")
    return pages


def tried(explorer, text=TEXT):
    """Type a text, click, and return what the page shows in the end."""
    explorer.box.value = text
    explorer.box.submit()
    return settled(explorer)


def settled(explorer):
    """Wait until the thread has nothing more to do; return what the page shows."""
    deadline = time.monotonic() + 120
    while explorer.state == "busy" and time.monotonic() < deadline:
        time.sleep(0.005)
    return shown(explorer)


def shown(explorer):
    words = (explorer.words.caption, explorer.words.left)
    widgets = (explorer.status, explorer.output, *words, explorer.table, explorer.saved)
    return ParsedPage("".join(widget.value for widget in widgets))


def all_widgets():
    return Widget.get_manager_state()["state"]


@contextlib.contextmanager
def held_up(pipeline):
    """Let a model wait; yields what is set once it waits and what lets it go on."""
    is_waiting, may_go_on = threading.Event(), threading.Event()

    def wait(*_):
        is_waiting.set()
        may_go_on.wait(60)

    with pipeline.model.register_forward_pre_hook(wait):
        try:
            yield is_waiting, may_go_on
        finally:
            may_go_on.set()


def test_a_click_shows_verdict_probability_and_coloured_words(explorer, sources):
    page = tried(explorer)
    assert explorer.state == "answer"
    pipeline = load_classifier(sources["probe"])
    (answer,) = pipeline(TEXT)
    said = in_words(answer["label"], answer["score"])
    assert f"{said}, probability {percent(answer['score'])}" in page.text
    assert ("role", "meter") in page.attributes
    assert ("aria-valuenow", f"{100 * answer['score']:.1f}") in page.attributes
    assert ("aria-label", f"probability of {answer['label']}") in page.attributes
    attribution = attribute(pipeline, TEXT)
    assert [word for word, _ in page.words] == list(attribution.words)
    for (_, score), expected in zip(page.words, attribution.pushes, strict=True):
        assert score == pytest.approx(expected, abs=0.005)
    assert f"{attribution.reading.tokens_read} tokens read, of at most {MAX_LENGTH}" in page.text
    assert "was cut" not in page.text
    assert answer["label"] in explorer.box.announcement


@pytest.mark.parametrize("bias", [0.2, -0.4, 1.38, 1.40, -3.0])
def test_not_sure_is_said_wherever_a_verdict_is_said(make, tiny_bert, tmp_path, bias):
    probe = LinearProbe(16)
    with torch.no_grad():
        probe.linear.weight.zero_()
        probe.linear.bias.copy_(torch.tensor([0.0, bias]))
    save_probe(probe, tmp_path, str(tiny_bert), max_length=MAX_LENGTH)
    explorer = make({"probe": tmp_path})
    page = tried(explorer)
    label = "POSITIVE" if bias > 0 else "NEGATIVE"
    said = f"not sure, leans {label}" if abs(bias) < 1.39 else label  # the logit of 0.8
    sure = percent(1 / (1 + math.exp(-abs(bias))))
    assert f"{said}, probability {sure}" in page.text
    assert f"probe: {said}, probability {sure}," in explorer.box.announcement
    assert explorer.tried.rows[0]["verdict"] == said
    assert said in ParsedPage(explorer.table.value).text
    pressed(explorer, 1)
    change = "stays" if said == label else "stays open"
    line = f"Without “good”: {said} {sure} (before: {said} {sure}). The verdict {change};"
    assert line in left(explorer) and line in explorer.box.announcement
    for place in (page.text, left(explorer), explorer.box.announcement):
        verdicts = re.findall(rf"(not sure, leans )?{label}(?:, probability|:)? [\d>]", place)
        assert set(verdicts) <= {said.removesuffix(label)}


def test_text_and_click_come_from_the_page_in_one_message(explorer):
    messages = [("a good", False, 1), (TEXT, True, 3), ("an older text", False, 2)]
    for value, is_submitted, sent_at in messages:
        message = {"value": value, "is_submitted": is_submitted, "sent_at": sent_at}
        explorer.box._handle_custom_msg(message, [])
    assert explorer.box.value == TEXT
    assert len(settled(explorer).words) == 10
    assert explorer.state == "answer"


def test_the_words_read_without_colours(explorer):
    explorer.classify(TEXT)
    page = shown(explorer)
    styles = " ".join(value for name, value in page.attributes if name == "style")
    assert "solid" in styles
    assert "dotted" in styles
    assert "pushed towards POSITIVE++" in page.text
    assert "pushed towards NEGATIVE−−" in page.text
    strongest = max(page.words, key=lambda word: abs(word[1]))
    sign = "+" if strongest[1] > 0 else "−"
    assert f"{strongest[0]}{sign}{sign}" in page.text


def test_starts_idle_and_shows_each_state(make, sources):
    pipeline = load_classifier(sources["probe"])
    explorer = make({"probe": pipeline})
    assert explorer.state == "idle"
    assert "imdb-explorer-idle" in explorer._dom_classes
    explorer.box.value = TEXT
    with held_up(pipeline) as (is_waiting, may_go_on):
        explorer.box.submit()
        assert is_waiting.wait(60)
        assert explorer.state == "busy"
        assert "imdb-explorer-busy" in explorer._dom_classes
        may_go_on.set()
        settled(explorer)
    assert explorer.state == "answer"
    explorer = make({"probe": "nowhere"})
    tried(explorer)
    assert explorer.state == "error"


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_typed_is_text_while_the_words_are_still_looked_for(explorer, seen, attack):
    explorer.classify(f"good {attack}")
    texts = [page.text.replace(" [not read:] ", "") for page in seen]
    for page in seen:
        assert_harmless(page)
    assert any("Looking for the words" in text and attack in text for text in texts)


def test_the_words_named_in_the_summary_are_text(explorer):
    card = explorer.classify("good film").cards[0]
    words = ("<b>good</b>", "\u202eevil")
    attribution = dataclasses.replace(card.attribution, words=words, pushes=(2.0, -3.0))
    page = ParsedPage(summary_html(attribution))
    assert_harmless(page)
    assert page.tags == {"p", "bdi", "br", "span"}
    assert "Most towards POSITIVE: “<b>good</b>” +2.00" in page.text
    assert "Most towards NEGATIVE: “U+202Eevil” −3.00" in page.text


@pytest.mark.parametrize("label", [ATTACKS[0], '"\u202e><b>POSITIVE</b>', "' onload='alert(1)"])
def test_a_label_is_text(explorer, label):
    verdict = explorer.classify("good film").cards[0].verdict
    page = ParsedPage(verdict_html(dataclasses.replace(verdict, label=label)))
    assert_harmless(page)
    assert ("aria-label", f"probability of {label}") in page.attributes
    assert page.typed.startswith(f"{label}, probability")


def test_the_verdict_comes_first_and_the_words_follow(explorer, seen):
    explorer.classify(TEXT)
    has_verdict = ["probability" in page.text for page in seen]
    has_words = [bool(page.words) for page in seen]
    assert has_verdict.index(True) < has_words.index(True)
    assert TEXT in seen[has_verdict.index(True)].text


def test_the_latest_text_wins(make, sources):
    pipeline = load_classifier(sources["probe"])
    explorer = make({"probe": pipeline})
    with held_up(pipeline) as (is_waiting, may_go_on):
        explorer.box.value = "the first text"
        explorer.box.submit()
        assert is_waiting.wait(60)
        for text in ("the second text", "the last text"):
            explorer.box.value = text
            explorer.box.submit()
        may_go_on.set()
        page = settled(explorer)
    assert [word for word, _ in page.words] == ["the", "last", "text"]
    assert [row["text"] for row in explorer.tried.rows] == ["the last text"]


def test_switching_the_model_asks_the_other_one(explorer):
    explorer.box.value = TEXT
    explorer.chooser.value = "fine-tuned"
    assert explorer.state == "idle"
    explorer.box.submit()
    assert "fine-tuned" in settled(explorer).text
    explorer.chooser.value = "probe"
    settled(explorer)
    assert [row["model"] for row in explorer.tried.rows] == ["fine-tuned", "probe"]
    assert "fine-tuned" not in ParsedPage(explorer.output.value).text


def test_all_models_side_by_side(explorer):
    explorer.side_by_side.value = True
    page = tried(explorer)
    assert page.text.count("probability ") >= 2
    assert len(page.words) == 20
    assert [row["model"] for row in explorer.tried.rows] == ["probe", "fine-tuned"]


def test_a_long_text_is_cut_with_a_warning(explorer):
    page = tried(explorer, "a good movie and a bad one. " * 40)
    assert "The text was cut" in page.text
    assert f"{MAX_LENGTH} tokens read, of at most {MAX_LENGTH}" in page.text
    assert "[not read:]" in page.text
    assert explorer.tried.rows[0]["cut"] == "yes"


def test_while_i_type(explorer):
    explorer.box.value = "not yet"
    assert explorer.state == "idle"
    explorer.live.value = True
    explorer.box.value = "a good"
    explorer.box.value = TEXT
    assert len(settled(explorer).words) == 10
    assert explorer.tried.rows == []  # half-typed texts would fill the table


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_to_read_is_a_friendly_line(explorer, text):
    page = tried(explorer, text)
    assert "nothing to read" in page.text
    assert explorer.state == "idle"
    assert explorer.tried.rows == []
    assert "nothing to read" in explorer.classify(text).message
    assert explorer.classify(TEXT).cards[0].attribution


def test_a_text_of_unknown_words_is_answered_with_a_warning(explorer):
    explorer.classify("电影")
    assert "The model knows 0 of these 2 tokens" in shown(explorer).text


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_typed_is_shown_as_text(explorer, attack):
    explorer.side_by_side.value = True
    answer = explorer.classify(f"good {attack} bad")
    for markup in (explorer.output.value, explorer.table.value, answer._repr_html_()):
        assert_harmless(ParsedPage(markup))
    page = ParsedPage(words_html(answer.cards[0].attribution))
    read = page.text.replace(" [not read:] ", "").replace("+", "").replace("−", "")
    assert f"good {attack} bad".replace("+", "") == read
    assert f"good {attack} bad" in ParsedPage(explorer.table.value).text


@pytest.mark.parametrize("attack", ATTACKS[:3])
def test_names_and_errors_are_shown_as_text(make, sources, attack):
    explorer = make({attack: attack, f"{attack} too": sources["probe"]})
    explorer.side_by_side.value = True
    explorer.classify(TEXT)
    assert_harmless(shown(explorer))
    assert attack[:20] in ParsedPage(explorer.output.value).text


@pytest.mark.parametrize("character", "\u202e\u2066\u200b\ufeff\x00\xad")
def test_what_is_invisible_is_shown_by_its_number(explorer, character):
    text = f"good {character}film{character} {character}"
    answer = explorer.classify(text)
    for markup in (explorer.output.value, explorer.table.value, answer._repr_html_()):
        assert character not in markup
    assert f"U+{ord(character):04X}" in ParsedPage(explorer.output.value).text


def test_maths_is_shown_as_typed(explorer):
    """JupyterLab would typeset it in any output that does not forbid it."""
    answers = (explorer.classify("good $x^2$ film"), explorer.classify(" "), Answer("", (), "$x$"))
    for answer in answers:
        assert answer._repr_html_().startswith('<div class="imdb-answer tex2jax_ignore mathjax_ign')
    assert explorer.table.value.split(">")[0].count("mathjax_ignore") == 1


@pytest.mark.parametrize(
    ("probability", "written"),
    [(0.9312, "93.1 %"), (0.99949, "99.9 %"), (0.99999, "> 99.9 %"), (1, "> 99.9 %")],
)
def test_certainty_is_never_claimed(probability, written):
    assert percent(probability) == written


def test_an_error_is_a_line_and_the_next_text_works(make, sources, tmp_path):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / PROBE_FILE).write_bytes(b"nothing")
    explorer = make({"damaged": tmp_path / "damaged", "probe": sources["probe"]})
    page = tried(explorer)
    assert explorer.state == "error"
    assert "damaged or no saved probe" in page.text
    assert "Traceback" not in page.text
    assert explorer.tried.rows == []
    explorer.chooser.value = "probe"
    explorer.box.submit()
    assert len(settled(explorer).words) == 10
    explorer.side_by_side.value = True
    page = settled(explorer)
    assert explorer.state == "answer"
    assert "damaged or no saved probe" in page.text
    assert len(page.words) == 10


def test_whatever_goes_wrong_is_a_line(explorer, monkeypatch):
    def break_down(*_):
        raise RuntimeError("first line\nsecond line <b>")

    with monkeypatch.context() as patch:
        patch.setattr("imdb_tutorial.explorer.widget.answer_html", break_down)
        page = tried(explorer)
    assert explorer.state == "error"
    assert "first line second line <b>" in page.text
    assert_harmless(page)
    explorer.box.submit()
    assert len(settled(explorer).words) == 10


@pytest.mark.parametrize(
    ("error", "shown_line"),
    [
        (ValueError("<b>first</b>\n\nsecond"), "<b>first</b> second"),
        (MemoryError(), "MemoryError"),
        (SystemExit(3), "3"),
        (RuntimeError("much " * 100_000), "much much"),
    ],
)
def test_a_model_that_raises_anything_is_one_line(make, sources, error, shown_line):
    def raise_it(*_):
        raise error

    broken = load_classifier(sources["probe"])
    broken.model.register_forward_pre_hook(raise_it)
    explorer = make({"broken": broken, "probe": sources["probe"]})
    explorer.side_by_side.value = True
    first, second = explorer.classify(TEXT).cards
    assert first.verdict is None
    assert shown_line in first.problem
    assert len(first.problem.splitlines()) == 1
    assert len(first.problem) < 400
    assert second.attribution
    page = shown(explorer)
    assert_harmless(page)
    assert shown_line in page.text
    assert [row["model"] for row in explorer.tried.rows] == ["probe"]


def test_a_model_that_answers_no_number_gives_no_verdict(make, sources):
    damaged = load_classifier(sources["fine-tuned"])
    with torch.no_grad():
        damaged.model.classifier.weight[0, 0] = float("nan")
    explorer = make({"damaged": damaged})
    (card,) = explorer.classify(TEXT).cards
    assert card.verdict is None
    assert "its weights are damaged" in card.problem
    assert explorer.state == "error"
    assert explorer.tried.rows == []
    page = shown(explorer)
    assert "probability" not in page.text
    assert "TIVE" not in page.text


def test_scores_that_are_no_numbers_are_a_line_below_the_verdict(make, sources):
    """The verdict stands; a gradient can overflow where the answer does not."""
    pipeline = load_classifier(sources["fine-tuned"])

    def spoil(_, __, vectors):
        if vectors.requires_grad:
            vectors.register_hook(lambda gradient: gradient * float("nan"))

    pipeline.model.bert.embeddings.register_forward_hook(spoil)
    (card,) = make({"strange": pipeline}).classify(TEXT).cards
    assert card.verdict
    assert card.attribution is None
    assert "comes out as nan" in card.problem


def test_labels_of_another_task_are_a_line(make, sources):
    pipeline = load_classifier(sources["fine-tuned"])
    pipeline.model.config.id2label = {0: "<b>toxic</b>", 1: "POSITIVE"}
    explorer = make({"other": pipeline})
    (card,) = explorer.classify(TEXT).cards
    assert "<b>toxic</b>, POSITIVE: expected NEGATIVE and POSITIVE" in card.problem
    assert_harmless(shown(explorer))


def test_a_pipeline_from_elsewhere_is_a_line(make, sources):
    ours = load_classifier(sources["fine-tuned"])
    plain = TextClassificationPipeline(model=ours.model, tokenizer=ours.tokenizer)
    (card,) = make({"plain": plain}).classify(TEXT).cards
    assert "expected what load_classifier returns" in card.problem


def test_a_surprise_tells_its_label_after_the_guess(explorer, preset):
    explorer.surprise_button.click()
    page = settled(explorer)
    review = explorer.box.value
    test_pool = load_reviews(preset)["test"]
    assert review in test_pool["text"]
    assert explorer.state == "idle"
    assert "author" not in page.text
    assert "TIVE" not in page.text
    explorer.box.submit()
    page = settled(explorer)
    label = ("NEGATIVE", "POSITIVE")[test_pool["label"][test_pool["text"].index(review)]]
    assert f"Its author meant: {label}" in page.text
    assert explorer.tried.rows[0]["true label"] == label
    explorer.classify(review + " and more")
    assert "author" not in ParsedPage(explorer.output.value).text
    assert explorer.tried.rows[1]["true label"] == ""


def test_surprises_differ_and_come_again_in_the_same_order(make, sources):
    first, second = make(sources), make(sources)
    reviews = [first.surprise() for _ in range(5)]
    assert len(set(reviews)) == 5
    assert [second.surprise() for _ in range(5)] == reviews


def test_a_surprise_that_cannot_be_had_is_a_line(sources, preset, tmp_path):
    explorer = SentimentExplorer(sources, preset.replace(reviews=str(tmp_path / "none.csv")))
    explorer.surprise_button.click()
    assert "none.csv" in settled(explorer).text
    assert explorer.state == "error"
    explorer.classify(TEXT)
    assert explorer.state == "answer"
    explorer.close()


def test_the_table_is_saved_as_csv_and_nothing_is_overwritten(explorer, tmp_path):
    assert explorer.save_button.disabled
    texts = [TEXT, 'quotes " and, commas\nand lines', "这部电影"]
    for text in texts:
        explorer.classify(text)
    assert not explorer.save_button.disabled
    explorer.save_button.click()
    assert "tried_reviews.csv" in shown(explorer).text
    first = (tmp_path / "tried_reviews.csv").read_bytes()
    explorer.classify("one more")
    explorer.save_button.click()
    assert "tried_reviews_2.csv" in shown(explorer).text
    assert (tmp_path / "tried_reviews.csv").read_bytes() == first
    with (tmp_path / "tried_reviews_2.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["text"] for row in rows] == [*texts, "one more"]
    assert 0.5 <= float(rows[0]["probability"]) <= 1


def test_an_empty_table_is_not_saved(explorer, tmp_path):
    with pytest.raises(ValueError, match="nothing was tried yet"):
        explorer.save_csv()
    assert not list(tmp_path.glob("tried*"))


def test_a_disk_that_refuses_is_a_line(explorer, monkeypatch):
    explorer.classify(TEXT)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imdb_tutorial.explorer.history.write_whole", refuse)
    explorer.save_button.click()
    assert "No space left on device" in shown(explorer).text


def test_the_table_is_bounded(explorer):
    answer = explorer.classify("x" * 20_000)
    for _ in range(MOST_ROWS + 10):
        explorer.tried.add(answer)
    explorer.classify(TEXT)
    rows = explorer.tried.rows
    assert len(rows) == MOST_ROWS
    assert rows[-1]["text"] == TEXT
    assert all(len(row["text"]) < 6_000 for row in rows)
    assert explorer.table.value.count("<tr>") == 1 + SHOWN_ROWS
    assert f"the newest 20 of {MOST_ROWS:,}" in ParsedPage(explorer.table.value).text


def test_classify_waits_and_answers(explorer):
    answer = explorer.classify(TEXT)
    assert explorer.box.value == TEXT
    assert explorer.classify() == answer
    assert repr(answer).startswith("probe: ")
    assert "12 tokens read" in repr(answer)
    assert answer._repr_html_() == explorer.output.value
    with pytest.raises(TypeError, match="expected a text"):
        explorer.classify(3)


def test_two_explorers_work_at_the_same_time(make, sources):
    pipeline = load_classifier(sources["probe"])
    first, second = make({"probe": pipeline}), make({"probe": pipeline})
    texts = [f"a good movie number {number}" for number in range(20)]
    expected = {text: attribute(pipeline, text).pushes for text in texts}
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(
            lambda explorer, own: [explorer.classify(text) for text in own],
            [first, second],
            [texts[:10], texts[10:]],
        )
    for answer in itertools.chain(*answers):
        # Side by side, a product may differ in its last digit.
        pushes = answer.cards[0].attribution.pushes
        assert pushes == pytest.approx(expected[answer.text], abs=1e-4)
    assert [len(explorer.tried.rows) for explorer in (first, second)] == [10, 10]


def test_a_closed_explorer_leaves_no_thread_and_no_widget(sources, preset):
    before, widgets = set(threading.enumerate()), set(all_widgets())
    explorer = SentimentExplorer(sources, preset)
    explorer.classify(TEXT)
    explorer.surprise()
    threads = set(threading.enumerate()) - before
    assert [thread.name.split("_")[0] for thread in threads] == ["explorer"]
    explorer.close()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert set(all_widgets()) == widgets
    explorer.close()
    with pytest.raises(RuntimeError, match="this explorer was closed: make a new one"):
        explorer.classify(TEXT)


def test_closing_gives_up_what_is_under_way(make, sources):
    pipeline = load_classifier(sources["probe"])
    explorer = make({"probe": pipeline})
    explorer.box.value = TEXT
    with held_up(pipeline) as (is_waiting, may_go_on):
        explorer.box.submit()
        assert is_waiting.wait(60)
        (thread,) = (x for x in threading.enumerate() if x.name.startswith("explorer"))
        explorer.close()
        may_go_on.set()
        thread.join(60)
    assert not thread.is_alive()
    assert explorer.tried.rows == []


def test_comes_with_models_that_work(make):
    explorer = make(None)
    names = list(available_models())
    assert list(explorer.chooser.options) == names
    assert "packaged probe" in names
    explorer.side_by_side.value = True
    for text, label in (("A wonderful film. I loved it.", "POSITIVE"), ("Awful.", "NEGATIVE")):
        answer = explorer.classify(text)
        assert [card.verdict.label for card in answer.cards] == [label] * len(names)


def test_one_model_needs_no_side_by_side(make, sources):
    assert make({"probe": sources["probe"]}).side_by_side.disabled
    with pytest.raises(ValueError, match="at least one"):
        make({})


def test_shows_itself_as_a_widget_and_as_nothing_else(explorer, monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.display.display", lambda *data, **_: outputs.extend(data))
    explorer._ipython_display_()
    assert [list(data) for data in outputs] == [["application/vnd.jupyter.widget-view+json"]]
    assert repr(explorer) == "SentimentExplorer(models=['probe', 'fine-tuned'], state='idle')"


def pressed(explorer, *numbers):
    """Press words, as a reader does one after the other; return what the page shows then."""
    for number in numbers:
        button = explorer.words.buttons[number]
        button.value = not button.value
    return settled(explorer)


def left(explorer):
    return ParsedPage(explorer.words.left.value).text


def test_below_the_words_stands_their_test(explorer, sources):
    page = tried(explorer)
    expected = reason_html(check_reason(load_classifier(sources["probe"]), TEXT))
    assert ParsedPage(expected).text in page.text
    assert "Without “" in expected
    explorer.side_by_side.value = True
    assert settled(explorer).text.count("Without “") == 2


def test_a_pressed_word_is_taken_out_and_pressed_again_it_is_back(explorer, sources):
    tried(explorer)
    shown_words = [button.description.rstrip("+−") for button in explorer.words.buttons]
    assert shown_words == ["a", "good", "movie", ",", "but", "the", "ending", "was", "awful", "!"]
    pressed(explorer, 1)
    (now,) = load_classifier(sources["probe"])("a movie, but the ending was awful!")
    said = f"{in_words(now['label'], now['score'])} {percent(now['score'])}"
    assert f"Without “good”: {said} (before:" in left(explorer)
    assert "What is left: a movie, but the ending was awful!" in left(explorer)
    assert "Without “good”" in explorer.box.announcement
    pressed(explorer, 8)
    (now,) = load_classifier(sources["probe"])("a movie, but the ending was!")
    said = f"{in_words(now['label'], now['score'])} {percent(now['score'])}"
    assert f"Without “good” and “awful”: {said}" in left(explorer)
    pressed(explorer, 8, 1)
    assert left(explorer) == ""
    assert explorer.box.announcement == "All words are back."
    assert explorer.state == "answer"
    assert len(explorer.tried.rows) == 1


def test_all_words_are_put_back_by_one_button(explorer):
    tried(explorer)
    assert explorer.words.back_button.disabled
    pressed(explorer, 0, 3, 5)
    assert not explorer.words.back_button.disabled
    explorer.words.back_button.click()
    settled(explorer)
    assert explorer.words.taken_out == []
    assert left(explorer) == ""
    assert explorer.words.back_button.disabled


def test_without_any_word_it_says_what_to_do(explorer):
    tried(explorer, "good film")
    pressed(explorer, 0, 1)
    assert "nothing is left to read" in left(explorer)
    assert "Put a word back" in left(explorer)
    pressed(explorer, 0)
    assert "What is left: good" in left(explorer)


def test_a_new_text_has_its_own_words_none_of_them_pressed(explorer):
    tried(explorer)
    pressed(explorer, 1, 2)
    tried(explorer, "one more text")
    assert [button.description.rstrip("+−") for button in explorer.words.buttons] == [
        "one", "more", "text",
    ]  # fmt: skip
    assert explorer.words.taken_out == []
    assert left(explorer) == ""


@pytest.mark.parametrize("text", NOTHING)
def test_without_an_answer_there_is_nothing_to_press(explorer, text):
    assert explorer.words.layout.display == "none"
    tried(explorer)
    assert explorer.words.layout.display is None
    tried(explorer, text)
    assert explorer.words.buttons == ()
    assert explorer.words.layout.display == "none"


def test_a_word_pressed_too_late_asks_nothing(make, sources):
    pipeline = load_classifier(sources["probe"])
    explorer = make({"probe": pipeline})
    tried(explorer)
    late = explorer.words.buttons[0]
    with held_up(pipeline) as (is_waiting, may_go_on):
        explorer.box.value = "the last text"
        explorer.box.submit()
        assert is_waiting.wait(60)
        late.value = True
        may_go_on.set()
        page = settled(explorer)
    assert [word for word, _ in page.words] == ["the", "last", "text"]
    assert explorer.words.taken_out == []


def test_of_many_words_the_strongest_can_be_pressed_and_it_says_so(make, lively_words, sources):
    explorer = make({"many": lively_words})
    answer = explorer.classify("a good movie and one bad scene, " * 20)
    (card,) = answer.cards
    pushes = sorted(map(abs, card.attribution.pushes), reverse=True)
    assert len(pushes) > 2 * MOST_BUTTONS
    assert len(explorer.words.buttons) == MOST_BUTTONS
    assert f"Of {len(pushes):,} words here are the {MOST_BUTTONS}" in shown(explorer).text
    offered = dict(zip(card.attribution.reading.spans, card.attribution.pushes, strict=True))
    for button in explorer.words.buttons:
        button.value = True
    settled(explorer)
    taken_out = explorer.words.taken_out
    assert taken_out == sorted(taken_out)
    assert sorted((abs(offered[span]) for span in taken_out), reverse=True) == pushes[:MOST_BUTTONS]
    assert f"and {MOST_BUTTONS - 8} more:" in left(explorer)


@pytest.fixture
def lively_words(sources):
    """Return a classifier that reads more words than there are buttons."""
    pipeline = load_classifier(sources["probe"])
    pipeline.max_length = 200
    return pipeline


@pytest.mark.parametrize("attack", [*ATTACKS, "\u202eevil \u200b \x00", "g" + "\u0301" * 400])
def test_what_is_typed_is_text_on_buttons_and_below_them(explorer, attack):
    explorer.side_by_side.value = True
    tried(explorer, f"good {attack} bad")
    for number in range(len(explorer.words.buttons)):
        assert_harmless(pressed(explorer, number))
    for button in explorer.words.buttons:
        assert not set(button.description) & set("\u202e\u200b\x00")
        assert len(button.description) < 400
        assert button.tooltip == "taken out: put it back"
    assert "\u202e" not in explorer.words.left.value
    assert "mathjax_ignore" in explorer.words.left.value
    assert "mathjax_ignore" in explorer.words._dom_classes


def test_a_model_that_fails_without_the_words_is_one_line(make, sources):
    broken = load_classifier(sources["probe"])
    explorer = make({"<b>broken</b>": broken, "probe": sources["probe"]})
    explorer.side_by_side.value = True
    tried(explorer)

    def fail(*_):
        raise RuntimeError("first\nsecond <b>")

    with broken.model.register_forward_pre_hook(fail):
        page = pressed(explorer, 1)
    assert_harmless(page)
    assert "first second <b>" in left(explorer)
    assert "Without “good”" in left(explorer)
    assert explorer.state == "answer"


def test_buttons_are_marked_as_the_words_are(explorer):
    tried(explorer)
    marked = [button.layout.border_bottom for button in explorer.words.buttons]
    page = ParsedPage(explorer.output.value)
    styles = [
        dict(page.attributes[place : place + 4]).get("style", "")
        for place, attribute in enumerate(page.attributes)
        if attribute == ("class", "imdb-word")
    ]
    assert len(styles) == len(marked)
    for style, line in zip(styles, marked, strict=True):
        assert line in style if line else "border" not in style
    assert any(marked)
