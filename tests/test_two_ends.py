"""A classifier that reads the head and the tail of a long text: alike, however it is asked."""

import json
import shutil

import numpy as np
import peft
import pytest
import torch
from hypothesis import assume, given, settings
from safetensors.torch import safe_open
from test_attributions import margin_of
from test_long_texts import ENDLESS, MEGABYTES, TEXTS_AND_LENGTHS, Counting
from test_typed_text import ROBERTA_LIKE, byte_pairs, unigram
from toys import save_tiny_bert
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from experiments.teaching_texts import head_and_tail
from imdb_tutorial import (
    LinearProbe,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
    save_answer_settings,
    save_probe,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.classifier.adapter import save_adapter
from imdb_tutorial.classifier.answer_settings import ENTRY
from imdb_tutorial.classifier.long_texts import read_texts
from imdb_tutorial.classifier.pipeline import SentimentPipeline
from imdb_tutorial.encoder.beginning import MOST_CHARACTERS_PER_TOKEN
from imdb_tutorial.encoder.tokens import tokenize
from imdb_tutorial.explorer.attributions import attribute
from imdb_tutorial.explorer.cards import Card
from imdb_tutorial.explorer.cutting import cut_out
from imdb_tutorial.explorer.reading import read_text
from imdb_tutorial.explorer.reasons import check_without
from imdb_tutorial.explorer.verdict import judge
from imdb_tutorial.explorer.words import plain_html, words_html
from imdb_tutorial.machine.manifest import write_manifest
from imdb_tutorial.machine.tensors import pack, unpack
from tests.parsed_page import ParsedPage

MAX_LENGTH, TEMPERATURE = 21, 1.7
BOTH = "head and tail"
HEAD = "the film was a good one and we love the plot . "
TAIL = "it was a bad ending , very dull and boring , i hate it !"
TEXTS = {
    "short": "a good film",
    "just fits": " ".join(["good"] * (MAX_LENGTH - 2)),
    "one too long": " ".join([*["good"] * (MAX_LENGTH - 2), "bad"]),
    "a review": HEAD + 12 * "then there was this actor in that scene . " + TAIL,
    "cut in words": "resting " * 9 + "bestest " * 40 + "lovely " * 9,
    "lines": HEAD + "\n\n<br /><br />" * 30 + TAIL,
    "a book": HEAD + "and the story was so very not boring " * 2_000 + TAIL,
    "half pairs": "\ud800 good " * 20 + "bad \udfff" * 20,
    "scripts": "很好 的 电影 " * 10 + "cafe\u0301 " * 20 + "فيلم رائع " * 10,
}
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@pytest.fixture(scope="module")
def tokenizers():
    """Return one tokenizer of each kind: WordPiece, byte pairs and Unigram."""
    return (
        load_tokenizer(),
        PreTrainedTokenizerFast(tokenizer_object=byte_pairs(), **ROBERTA_LIKE),
        PreTrainedTokenizerFast(tokenizer_object=unigram(), **ROBERTA_LIKE),
    )


@pytest.fixture(scope="module")
def lively_probe(tiny_bert, tmp_path_factory):
    """Return a folder with a random probe that tells texts apart, read by head and tail."""
    folder = tmp_path_factory.mktemp("two_ends")
    torch.manual_seed(3)
    probe = LinearProbe(16, pooling="mean")
    with torch.no_grad():
        probe.linear.weight *= 12
    save_probe(probe, folder, str(tiny_bert), max_length=MAX_LENGTH)
    save_answer_settings(folder, BOTH, TEMPERATURE)
    return folder


@pytest.fixture(scope="module")
def classifier(lively_probe):
    return load_classifier(lively_probe)


def ids_by_hand(tokenizer, text, size=MAX_LENGTH):
    """Tokenize the whole text, and keep half of the tokens at each end."""
    ids = tokenizer(text.encode("utf-8", "replace").decode(), verbose=False)["input_ids"]
    return ids if len(ids) <= size else ids[: size // 2] + ids[size // 2 - size :]


def logits_by_hand(classifier, text):
    """Tokenize, cut, ask the model, divide by the temperature."""
    ids = torch.tensor([ids_by_hand(classifier.tokenizer, text)])
    with torch.no_grad():
        logits = classifier.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return logits[0] / TEMPERATURE


@every_text
def test_however_it_is_asked_the_logits_are_those_by_hand(classifier, text):
    expected = logits_by_hand(classifier, text)
    margin = float(expected[1] - expected[0])
    scores = classifier([text], top_k=None, function_to_apply="none")[0]
    found = torch.tensor([next(s["score"] for s in scores if s["label"] == name) for name in
                          ("NEGATIVE", "POSITIVE")])  # fmt: skip
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        predict_proba(classifier, [text])[0], expected.softmax(0), rtol=0, atol=1e-6
    )
    assert judge(classifier, text).margin == pytest.approx(margin, abs=1e-5)
    assert attribute(classifier, text).margin == pytest.approx(margin, abs=1e-4)
    verdict = judge(classifier, text)
    assert check_without(classifier, verdict, []).before.margin == verdict.margin


def test_many_texts_at_once_are_read_as_one_by_one(classifier):
    found = predict_proba(classifier, list(TEXTS.values()))
    expected = [logits_by_hand(classifier, text).softmax(0) for text in TEXTS.values()]
    torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=1e-6)
    assert found.std() > 0.1  # or all would be alike, and nothing shown


def test_head_alone_gives_another_answer(classifier, lively_probe, tmp_path):
    shutil.copytree(lively_probe, tmp_path / "head")
    save_answer_settings(tmp_path / "head", "head", TEMPERATURE)
    head = load_classifier(tmp_path / "head")
    text = TEXTS["a review"]
    assert judge(head, text).reading.unread.endswith(TAIL)
    assert judge(head, text).margin != pytest.approx(judge(classifier, text).margin, abs=1e-3)
    short = TEXTS["short"]
    assert judge(head, short).margin == judge(classifier, short).margin


def test_without_settings_a_pipeline_reads_the_head_and_divides_by_one(classifier):
    plain = SentimentPipeline(
        model=classifier.model,
        tokenizer=classifier.tokenizer,
        device="cpu",
        truncation=True,
        max_length=MAX_LENGTH,
    )
    ids = classifier.tokenizer(TEXTS["a review"], truncation=True, max_length=MAX_LENGTH)
    with torch.no_grad():
        expected = classifier.model(**{n: torch.tensor([x]) for n, x in ids.items()}).logits
    found = predict_proba(plain, [TEXTS["a review"]])
    torch.testing.assert_close(found, expected.softmax(1), rtol=0, atol=1e-6)
    assert plain(TEXTS["a review"])[0]["score"] == pytest.approx(float(found.max()), abs=1e-6)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(**TEXTS_AND_LENGTHS)
def test_the_tokens_are_the_first_and_the_last_of_the_whole(tokenizers, words, repeats, max_length):
    text = "".join(words * repeats).encode("utf-8", "replace").decode()
    assume(len(text) <= MOST_CHARACTERS_PER_TOKEN * max_length)  # of more, not all is looked at
    for tokenizer in tokenizers:
        (read,) = read_texts([text], tokenizer, max_length, BOTH)
        assert read.field("input_ids") == ids_by_hand(tokenizer, text, max_length)
        whole = len(tokenizer(text, verbose=False)["input_ids"])
        assert read.counted in (None, whole - tokenizer.num_special_tokens_to_add())


def test_the_experiments_read_alike(classifier):
    texts = [text for text in TEXTS.values() if len(text) < 2_000]
    tokens = head_and_tail(tokenize(texts, classifier.tokenizer, 10**6), MAX_LENGTH)
    read = read_texts(texts, classifier.tokenizer, MAX_LENGTH, BOTH)
    for row, one in enumerate(read):
        assert tokens.ids[tokens.starts[row] : tokens.starts[row + 1]].tolist() == one.field(
            "input_ids"
        )


@every_text
def test_words_stand_where_they_stand_in_the_text(classifier, text):
    reading = read_text(classifier, text)
    assert reading.head + reading.unread + reading.tail == reading.text
    assert reading.has_tail == (len(classifier.tokenizer.tokenize(reading.text)) > MAX_LENGTH - 2)
    places = [place for span in reading.spans for place in span]
    assert places == sorted(places)
    for start, end in reading.spans:
        assert end <= reading.gap[0] or start >= reading.gap[1]
    ids = reading.inputs["input_ids"][0].tolist()
    for number, (start, end) in enumerate(reading.spans):
        tokens = [i for i, word in zip(ids, reading.word_of_token, strict=True) if word == number]
        pieces = classifier.tokenizer.convert_ids_to_tokens(tokens)
        if "[UNK]" not in pieces:
            word = "".join(piece.removeprefix("##") for piece in pieces)
            assert word == reading.text[start:end].lower().replace("\u0301", "")
    attribution = attribute(classifier, text)
    assert "".join(piece for piece, _ in attribution.pieces) == reading.head + reading.tail
    assert len(attribution.pushes) == len(reading.spans)


def test_what_is_read_is_said_and_shown(classifier):
    text = TEXTS["a review"]
    verdict = judge(classifier, text)
    tokens = len(classifier.tokenizer.tokenize(text))
    line = (
        f"The text was cut: of its {tokens} tokens the model read the first 9 and the last 10; the "
        f"{len(verdict.reading.unread)} characters between them had no part in this."
    )
    assert verdict.reading.what_was_cut == line
    assert str(Card("m", verdict)).endswith("21 tokens read, the middle was cut")
    for page in (plain_html(verdict.reading), words_html(attribute(classifier, text))):
        shown = ParsedPage(page).text
        head, rest = shown.split(" [not read:] ")
        unread, tail = rest.split(" [read from here:] ")
        for found, expected in ((head, verdict.reading.head), (tail, verdict.reading.tail)):
            letters = [letter for letter in found if letter not in "+− "]
            assert letters == [letter for letter in expected if letter != " "]
        assert verdict.reading.unread.strip().startswith(unread[:200].strip())
    book = judge(classifier, TEXTS["a book"]).reading
    assert "the model read the first 9 and the last 10 tokens; the" in book.what_was_cut
    assert judge(classifier, "a good film").reading.what_was_cut == ""


def test_words_of_the_middle_do_not_move_in_when_others_are_taken_out(classifier):
    text = TEXTS["a review"]
    before = judge(classifier, text)
    spans = before.reading.spans
    hidden = (len(text) // 2, len(text) // 2 + 4)
    check = check_without(classifier, before, [spans[3], hidden, spans[-2]])
    assert check.words == (text[slice(*spans[3])], text[slice(*spans[-2])])
    assert check.text == cut_out(text, [spans[3], before.reading.gap, spans[-2]])
    assert len(check.after.reading.spans) == len(spans) - 2
    assert not check.after.reading.is_cut
    assert check.after.margin == pytest.approx(
        float(logits_by_hand(classifier, check.text).diff()), abs=1e-5
    )


def test_the_command_line_reads_alike_and_says_what_was_cut(classifier, lively_probe, capsys):
    text = TEXTS["a review"]
    assert main(["classify", "--model", str(lively_probe), text, "a good film"]) == 0
    out, err = capsys.readouterr()
    verdict = judge(classifier, text)
    said, score = out.splitlines()[0].removesuffix(text).split("  ")[:2]
    assert said.strip() == verdict.in_words
    assert float(score) == pytest.approx(verdict.probability, abs=6e-4)
    assert err.splitlines() == [f"text 0: {verdict.reading.what_was_cut}"]


def test_with_a_slow_tokenizer_the_command_line_answers_too(
    classifier, lively_probe, monkeypatch, capsys
):
    expected = judge(classifier, TEXTS["a review"])
    monkeypatch.setattr(BertTokenizerFast, "is_fast", property(lambda self: False))
    assert main(["classify", "--model", str(lively_probe), TEXTS["a review"]]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(expected.in_words) and err == ""


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_five_megabytes_are_looked_at_no_further_than_needed(classifier, text):
    tokenizer = Counting(load_tokenizer())
    read_texts([text], tokenizer, 500, BOTH)
    assert 0 < tokenizer.characters < 3 * MOST_CHARACTERS_PER_TOKEN * 500


def test_the_end_of_five_megabytes_is_read(classifier):
    many = " \t\r\n" * (MEGABYTES // 4)
    for middle in (many, "x" * MEGABYTES, many + "x" * MEGABYTES + many, " film" * 300_000):
        reading = read_text(classifier, f"a good film{middle} and a bad ending{many}")
        words = [reading.text[a:b] for a, b in reading.spans]
        assert words[:3] == ["a", "good", "film"] or middle[0] == "x"
        assert words[-3:] == ["a", "bad", "ending"]
        places = [place for span in reading.spans for place in span]
        assert places == sorted(places) and reading.tokens_read <= MAX_LENGTH


def saved_settings(folder):
    """Return what stands in the file, read without the code that is tested."""
    if (folder / "config.json").is_file():
        return json.loads((folder / "config.json").read_text()).get(ENTRY)
    with safe_open(folder / "probe.safetensors", framework="pt") as file:
        return json.loads(file.metadata()["probe"]).get(ENTRY)


@pytest.fixture(params=["probe", "fine-tuned"])
def folder(request, tiny_bert, tiny_classifier, tmp_path):
    """Return a saved classifier of each kind, without settings of its own."""
    target = tmp_path / "saved"
    if request.param == "fine-tuned":
        return shutil.copytree(tiny_classifier, target)
    save_probe(LinearProbe(16), target, str(tiny_bert), max_length=MAX_LENGTH)
    return target


def test_the_settings_are_kept_in_the_folder(folder):
    opened = load_classifier(folder)
    assert (opened.reading, opened.temperature, saved_settings(folder)) == ("head", 1.0, None)
    write_manifest(folder, [path.name for path in folder.iterdir()], "whose")
    save_answer_settings(folder, BOTH, 1.27)
    assert saved_settings(folder) == {"reading": BOTH, "temperature": 1.27}
    opened = load_classifier(folder)  # its manifest holds
    assert (opened.reading, opened.temperature) == (BOTH, 1.27)
    assert json.loads((folder / "manifest.json").read_text())["encoder_fingerprint"] == "whose"
    save_answer_settings(folder)
    assert load_classifier(folder).reading == "head"


STRANGE = [
    {"reading": BOTH, "temperature": value}
    for value in (float("nan"), float("inf"), -1.0, 0, 1e-9, 1e9, "1.2", None, True, [1.2])
] + [
    {"reading": "tail", "temperature": 1.0},
    {"reading": None, "temperature": 1.0},
    {"reading": ["head"], "temperature": 1.0},
    {"reading": BOTH},
    {"temperature": 1.3},
    {"reading": BOTH, "temperature": 1.3, "windows": 3},
    {},
    None,
    [BOTH, 1.3],
    1.3,
]


@pytest.mark.parametrize("stored", STRANGE, ids=str)
def test_settings_that_make_no_sense_are_refused_by_file_and_value(folder, stored):
    if (config := folder / "config.json").is_file():
        config.write_text(json.dumps(json.loads(config.read_text()) | {ENTRY: stored}))
        name = "config.json"
    else:
        name = "probe.safetensors"
        tensors, record = unpack(folder / name, "probe")
        (folder / name).write_bytes(pack(tensors, "probe", record | {ENTRY: stored}))
    with pytest.raises(ValueError, match=r"(?s)expected.*copy the folder again") as error:
        load_classifier(folder)
    assert name in str(error.value) and "\n" not in str(error.value)
    values = stored.values() if isinstance(stored, dict) and len(stored) == 2 else [stored]
    assert any(repr(value)[:60] in str(error.value) for value in values)


@pytest.mark.parametrize("given", [("tail", 1.0), (BOTH, 0.0), (BOTH, float("nan"))], ids=str)
def test_settings_that_make_no_sense_are_not_written(folder, given):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match="expected"):
        save_answer_settings(folder, *given)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_without_a_classifier_gets_no_settings(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no classifier in .* probe\.safetensors"):
        save_answer_settings(tmp_path, BOTH, 1.2)
    (tmp_path / "config.json").write_bytes(b"[1, 2")
    with pytest.raises(ValueError, match=r"config\.json' is damaged"):
        save_answer_settings(tmp_path, BOTH, 1.2)


def with_adapter(folder, encoder, hidden_size):
    adapted = peft.get_peft_model(
        load_encoder(encoder, device="cpu"),
        peft.LoraConfig(r=2, target_modules=["query", "value"]),
    )
    save_adapter(adapted, folder)
    save_probe(LinearProbe(hidden_size), folder, encoder)
    return folder


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("other_size", [16, 24], ids=["as wide", "wider"])
def test_an_adapter_for_another_encoder_is_refused(tiny_bert, tmp_path, other_size):
    save_tiny_bert(tmp_path / "other", other_size)
    if other_size == 16:  # otherwise both would be the same, file by file
        model = load_encoder(tmp_path / "other", device="cpu")
        with torch.no_grad():
            next(model.parameters()).add_(0.1)
        model.save_pretrained(tmp_path / "other")
    encoders = {"small": (str(tiny_bert), 16), "large": (str(tmp_path / "other"), other_size)}
    for name, (encoder, size) in encoders.items():
        load_classifier(with_adapter(tmp_path / name, encoder, size))
    for name, other in (("small", "large"), ("large", "small")):
        mixed = shutil.copytree(tmp_path / name, tmp_path / f"mixed {name}")
        (mixed / "manifest.json").unlink()
        for file in ("adapter_config.json", "adapter_model.safetensors", "manifest.json"):
            shutil.copy(tmp_path / other / file, mixed / file)
        manifest = json.loads((mixed / "manifest.json").read_text())
        kept = {n: x for n, x in manifest["files_sha256"].items() if n.startswith("adapter")}
        (mixed / "manifest.json").write_text(json.dumps(manifest | {"files_sha256": kept}))
        with pytest.raises(ValueError, match=r"another encoder.*use the encoder that it was"):
            load_classifier(mixed)


def test_margins_of_attributions_are_divided_too(classifier):
    found = attribute(classifier, "a good film")
    encoded = classifier.tokenizer("a good film", return_tensors="pt")
    margin = float(margin_of(classifier.model, **encoded)[0].detach())
    assert found.margin == pytest.approx(margin / TEMPERATURE, abs=1e-5)
    assert np.sum(found.pushes) + found.other == pytest.approx(
        found.margin - found.blank_margin, abs=0.05
    )
