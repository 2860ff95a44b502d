"""Teacher and student: what learns, from what, chosen by what, and what a kill costs."""

import dataclasses
import json
import re
import shutil
from collections import Counter
from types import SimpleNamespace

import datasets
import numpy as np
import peft
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from experiments import (
    classifier,
    expected_time,
    further,
    learning,
    lower_layers,
    means,
    soft_labels,
    teaching,
)
from experiments.adapted import Adapted
from experiments.expected_time import Speeds, expected_seconds
from experiments.learning import Phase, learn, pieces_of, plan_epoch
from experiments.lora import LoraLinear, save_lora
from experiments.lower_layers import LowerLayers
from experiments.saved_classifier import save
from experiments.saved_seeds import save_seeds
from experiments.soft_labels import SoftLabels
from experiments.softening import soften_passages
from experiments.teaching import Held, Teaching
from experiments.teaching_settings import STUDENT, TEACHER, Settings, for_this_machine
from experiments.teaching_texts import (
    Texts,
    fragment_of,
    head_and_tail,
    passage_of,
    read,
    teaching_texts,
)
from imdb_tutorial import (
    calibration_error,
    fit_temperature,
    load_classifier,
    load_encoder,
    load_tokenizer,
    predict_proba,
    tokenize,
)
from imdb_tutorial.classifier.adapter import apply_adapter
from imdb_tutorial.encoder.tokens import pad
from imdb_tutorial.machine.checkpoint import CHECKPOINT_FILE
from imdb_tutorial.machine.parallel import one_thread
from tests.toys import save_tiny_mpnet

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Compute as every processor can."""
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")


@pytest.fixture(scope="module")
def tiny_mpnet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny_mpnet")
    save_tiny_mpnet(folder)
    return folder


@pytest.fixture(params=["bert", "mpnet"])
def encoder(request, tiny_bert, tiny_mpnet):
    return str(tiny_bert if request.param == "bert" else tiny_mpnet)


def small(encoder: str, **changes) -> Settings:
    values = {
        "encoder": encoder,
        "layers": 1,
        "rank": 2,
        "alpha": 4,
        "rates": (0.01,),
        "phases": ((16, 2),),
        "readings": (16,),
        "seeds": (0,),
        "true_label": 1.0,
        "trial_reviews": 20,
        "most_bytes": 50_000,
        "batch_size": 8,
    }
    return Settings(**values | changes)


def reviews(count: int, first: int = 0) -> datasets.Dataset:
    words = (("bad dull boring", "good great fine"), ("the film", "a plot"))
    texts = [
        f"{words[1][n % 3 == 0]} . {words[0][n % 2]} . {'a scene ' * (n % 7)}. number {n} ."
        for n in range(first, first + count)
    ]
    labels = [n % 2 if n % 5 else 1 - n % 2 for n in range(first, first + count)]
    ids = [f"toy/{n}" for n in range(first, first + count)]
    return datasets.Dataset.from_dict({"text": texts, "label": labels, "id": ids})


@pytest.fixture(scope="module")
def pools():
    return {"train": reviews(40), "validation": reviews(16, 100), "test": reviews(16, 200)}


def other_labels(split: datasets.Dataset) -> datasets.Dataset:
    return datasets.Dataset.from_dict(
        {**split.to_dict(), "label": [1 - label for label in split["label"]]}
    )


def weights_of(model: Adapted) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.learning().items()}


def assert_same(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> None:
    assert some.keys() == others.keys()
    for name, tensor in some.items():
        assert torch.equal(tensor, others[name]), name


def randomise(model: Adapted) -> Adapted:
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.learning().values():
            parameter.copy_(torch.randn_like(parameter).half() * 0.25)
    model.refresh()
    return model


def test_gradients_of_the_merged_layer_are_those_of_the_plain_one():
    torch.manual_seed(0)
    linear = torch.nn.Linear(5, 7)
    layer = LoraLinear(linear, 3, 0.5, torch.float32)
    torch.nn.init.normal_(layer.up)
    layer.refresh()
    inputs, weight = torch.randn(2, 4, 5), torch.randn(2, 4, 7)
    found, expected = [], []
    for grads, compute in (
        (found, layer),
        (
            expected,
            lambda x: linear(x) + 0.5 * F.linear(F.linear(x, layer.down), layer.up),
        ),
    ):
        x = inputs.clone().requires_grad_()
        output = compute(x)
        grads += [output, *torch.autograd.grad((output * weight).sum(), [x, layer.down, layer.up])]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert [name for name, _ in layer.named_parameters()] == ["down", "up"]


@pytest.mark.parametrize("layers", [1, 2])
def test_both_halves_together_are_the_encoder(encoder, layers):
    model = Adapted(small(encoder, layers=layers), 0)
    tokens = read(["a good film", "not a very good plot , but the ending"], encoder, 16)
    hidden, mask = model.below(tokens, np.array([1, 0]))
    found = model.upper(inputs_embeds=hidden, attention_mask=mask)[0]
    whole = load_encoder(encoder, device="cpu")
    with torch.no_grad():
        expected = whole(**pad(tokens, np.array([1, 0]), model.pad_id, CPU))[0]
    torch.testing.assert_close(found[mask == 1], expected[mask == 1], rtol=0, atol=2e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_saved_adapter_gives_what_was_taught(encoder, layers, tmp_path):
    settings = small(encoder, layers=layers)
    model = randomise(Adapted(settings, 0))
    save_lora(model.linears, encoder, model.first, settings.rank, settings.alpha, tmp_path / "a")
    adapted = apply_adapter(load_encoder(encoder, device="cpu"), tmp_path / "a")
    tokens = read(["a good film", "not very good"], encoder, 16)
    rows = np.array([0, 1])
    hidden, mask = model.below(tokens, rows)
    with torch.no_grad():
        found = model.upper(inputs_embeds=hidden, attention_mask=mask)[0]
        expected = adapted(**pad(tokens, rows, model.pad_id, CPU))[0]
        plain = load_encoder(encoder, device="cpu")(**pad(tokens, rows, model.pad_id, CPU))[0]
    torch.testing.assert_close(found[mask == 1], expected[mask == 1], rtol=0, atol=1e-4)
    assert (expected - plain).abs().max() > 1e-2
    kind = peft.PeftConfig.from_pretrained(str(tmp_path / "a"))
    assert kind.layers_to_transform == list(range(2 - layers, 2))


def taught(settings: Settings, folder, count: int = 24, seed: int = 0) -> Adapted:
    """Teach a new model on toy reviews, or go on with it."""
    split = reviews(count)
    tokens = read(split["text"][:], settings.encoder, 16)
    model = Adapted(settings, seed)
    targets = classifier.hard_labels(np.array(split["label"][:]))
    phases = [Phase(lambda: lambda rows: model.below(tokens, rows), tokens.lengths(), 2)]
    learn(model, phases, targets, settings, 0.01, seed, ["toys"], folder)
    return model


class Killed(BaseException):
    pass


def kill_after(monkeypatch, module, name: str, calls: int) -> None:
    """Let a function fail once it was called so often."""
    whole, counted = getattr(module, name), []

    def fragile(*arguments, **options):
        counted.append(1)
        if len(counted) > calls:
            raise Killed
        return whole(*arguments, **options)

    monkeypatch.setattr(module, name, fragile)


@pytest.mark.parametrize("seconds", [-1.0, 1e9], ids=["every step is kept", "none is kept"])
def test_killed_and_resumed_is_the_same_as_unbroken(encoder, tmp_path, monkeypatch, seconds):
    unbroken = weights_of(taught(small(encoder), tmp_path / "unbroken"))
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", seconds)
    for calls in (3, 5):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            kill_after(patch, learning, "gradients", calls)
            taught(small(encoder), tmp_path / "killed")
    assert (tmp_path / "killed" / CHECKPOINT_FILE).exists() == (seconds < 0)
    assert_same(weights_of(taught(small(encoder), tmp_path / "killed")), unbroken)


def test_what_is_finished_is_not_taught_again(tiny_bert, tmp_path, monkeypatch):
    first = weights_of(taught(small(str(tiny_bert)), tmp_path))
    kill_after(monkeypatch, learning, "gradients", 0)
    assert_same(weights_of(taught(small(str(tiny_bert)), tmp_path)), first)


def test_a_checkpoint_of_other_settings_or_texts_is_refused(tiny_bert, tmp_path):
    taught(small(str(tiny_bert)), tmp_path)
    for settings, count in ((small(str(tiny_bert), max_norm=2.0), 24), (small(str(tiny_bert)), 20)):
        with pytest.raises(ValueError, match="other settings or other texts: delete the folder"):
            taught(settings, tmp_path, count)


def test_only_adapter_and_probe_learn(encoder, tmp_path):
    settings = small(encoder)
    before = Adapted(settings, 0)
    after = taught(settings, tmp_path)
    for name, tensor in before.state_dict().items():
        learns = name.endswith((".down", ".up")) or name.startswith("probe.")
        assert torch.equal(after.state_dict()[name], tensor) != learns, name
    for name, linear in before.linears.items():
        assert torch.equal(linear.frozen, after.linears[name].frozen)
        assert torch.equal(linear.bias, after.linears[name].bias)


def test_what_is_learnt_does_not_depend_on_the_number_of_cores(tiny_bert, tmp_path):
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(weights_of(taught(small(str(tiny_bert)), tmp_path / str(count))))
    finally:
        torch.set_num_threads(threads)
    assert_same(*found)


def test_an_epoch_has_every_text_once_and_its_pieces_too():
    lengths = np.random.default_rng(0).integers(3, 400, 500)
    batches = plan_epoch(lengths, 32, (0, 1))
    assert sorted(np.concatenate(batches)) == list(range(500))
    assert max(map(len, batches)) == 32
    for rows in batches:
        pieces = pieces_of(rows, lengths)
        assert sorted(np.concatenate(pieces)) == sorted(rows)
        assert len(pieces) % 2 == 0 or len(pieces) == len(rows)
        tokens = [lengths[piece].sum() for piece in pieces]
        assert max(tokens) - min(tokens) <= lengths[rows].max()
    again = plan_epoch(lengths, 32, (0, 2))
    assert [rows.tolist() for rows in again] != [rows.tolist() for rows in batches]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_lower_layers_output_survives_a_kill(encoder, tmp_path, monkeypatch, dtype):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", dtype)
    monkeypatch.setattr(lower_layers, "BUDGET", 40)
    monkeypatch.setattr(lower_layers, "SECONDS", -1.0)
    model = Adapted(small(encoder), 0)
    tokens = read(reviews(12)["text"][:], encoder, 16)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, Adapted, "below", 2)
        LowerLayers(model, tokens, tmp_path, "toys")
    done = json.loads((tmp_path / lower_layers.PROGRESS).read_bytes())["batches"]
    batches = list(lower_layers.plan_batches(tokens.lengths(), 40))
    calls, below = [], Adapted.below
    with monkeypatch.context() as patch:
        patch.setattr(Adapted, "below", lambda *a: calls.append(a[2]) or below(*a))
        kept = LowerLayers(model, tokens, tmp_path, "toys")
    assert 0 < done < len(batches) and len(calls) == len(batches) - done
    for rows in batches:
        with one_thread():  # on two, a product may differ in its last digit
            hidden, mask = model.below(tokens, rows)
        for found, expected in zip(kept(rows), (hidden, mask), strict=True):
            assert torch.equal(found[mask == 1], expected[mask == 1])
    short = batches[-1][:1]
    assert kept(np.concatenate([batches[0][:1], short]))[0].dtype == kept(short)[0].dtype


def test_the_lower_layers_output_of_others_is_made_again(tiny_bert, tmp_path, monkeypatch):
    model = Adapted(small(str(tiny_bert)), 0)
    tokens = read(reviews(6)["text"][:], str(tiny_bert), 16)
    LowerLayers(model, tokens, tmp_path, "toys")
    calls, below = [], Adapted.below
    monkeypatch.setattr(Adapted, "below", lambda *a: calls.append(a[2]) or below(*a))
    LowerLayers(model, tokens, tmp_path, "toys")
    assert not calls
    LowerLayers(model, tokens, tmp_path, "other layers")
    other = read(reviews(6, 50)["text"][:], str(tiny_bert), 16)
    LowerLayers(model, other, tmp_path, "other layers")
    assert len(calls) == 2
    with (tmp_path / lower_layers.TOKENS).open("r+b") as file:
        file.truncate(100)
    LowerLayers(model, other, tmp_path, "other layers")
    assert len(calls) == 3
    monkeypatch.setattr(lower_layers.shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(OSError, match=r"needs 0\.0 GB in .* make room there"):
        LowerLayers(model, tokens, tmp_path / "full", "toys")


def test_head_and_tail():
    text = " ".join(f"a{n}" for n in range(30))
    tokenizer = load_tokenizer("packaged")
    ids = tokenizer(text)["input_ids"]
    tokens = tokenize([text, "short"], tokenizer, 10**6)
    cut = head_and_tail(tokens, 10)
    assert cut.ids[: cut.starts[1]].tolist() == ids[:5] + ids[-5:]
    assert cut.ids[cut.starts[1] :].tolist() == tokenizer("short")["input_ids"]
    assert cut.lengths().tolist() == [10, 3]


def test_passages_are_sentences_of_their_reviews():
    texts = [f"One {n}. Two!  Three? <br /><br />Four {n} is last. " for n in range(40)] + [
        "no end"
    ]
    labels = np.arange(41) % 2
    made = teaching_texts(texts, labels, 0.5)
    assert made.reviews == 41 and made.texts[:41] == texts and len(made.texts) == 41 + 20
    sizes = set()
    for passage, label in zip(made.texts[41:], made.labels[41:], strict=True):
        parts = re.findall(r"[^.!?]+[.!?]", passage) or [passage]
        sizes.add(len(parts))
        places = [
            n
            for n, text in enumerate(texts)
            if all(part.strip() in text for part in parts) and labels[n] == label
        ]
        assert places and "<br" not in passage
    assert sizes == {1, 2, 3}
    assert made.sources[:41].tolist() == list(range(41))
    assert made.labels.tolist() == labels[made.sources].tolist()
    counted = made.sentences()
    assert set(counted[:41]) == {0} and set(counted[41:]) == {1, 2, 3}
    assert teaching_texts(texts, labels, 0.5)[0] == made.texts
    assert passage_of("", np.random.default_rng(0)) == ""


def test_half_of_the_passages_come_from_where_a_review_begins_or_ends():
    text = " ".join(f"Sentence {n}." for n in range(100))
    random = np.random.default_rng(0)
    passages = [passage_of(text, random) for _ in range(400)]
    begins = sum(passage.startswith("Sentence 0.") for passage in passages)
    ends = sum(passage.endswith("Sentence 99.") for passage in passages)
    assert 80 <= begins <= 130 and 80 <= ends <= 130


def a_teacher_too_sure(temperatures: dict[int, float], per_kind: int = 3_000):
    """Passages of one to three sentences, and what a teacher says that overstates its logits."""
    random, texts, sources = np.random.default_rng(0), ["A review."] * per_kind, []
    labels, logits = random.integers(2, size=per_kind), []
    truth = np.concatenate([labels] * 4)
    for number, temperature in ({0: 1.0} | temperatures).items():
        margins = random.normal(size=per_kind) * 2
        wrong = random.random(per_kind) > 1 / (1 + np.exp(-np.abs(margins)))
        signs = np.where((labels == 1) != wrong, 1, -1)
        logits.append(np.abs(margins) * signs * temperature)
        sources.append(np.arange(per_kind))
        if number:
            texts += [" ".join(["A sentence."] * number)] * per_kind
    positive = 1 / (1 + np.exp(-np.concatenate(logits)))
    made = Texts(texts, truth, np.concatenate(sources), per_kind)
    return np.stack([1 - positive, positive], axis=1), made


def test_a_teacher_is_made_as_unsure_of_passages_as_it_is_wrong_about_them():
    soft, texts = a_teacher_too_sure({1: 2.0, 2: 1.5, 3: 0.5})
    softened, found = soften_passages(soft, texts, 1_000)
    assert found[1] == pytest.approx(2, rel=0.1) and found[2] == pytest.approx(1.5, rel=0.1)
    assert found[3] == 1  # never surer than the teacher is
    count = texts.reviews
    assert np.array_equal(softened[:count], soft[:count])
    assert np.allclose(softened[3 * count :], soft[3 * count :])
    assert np.array_equal(softened.argmax(axis=1), soft.argmax(axis=1))
    assert np.allclose(softened.sum(axis=1), 1)
    for number in (1, 2):
        these = slice(number * count, (number + 1) * count)
        error = calibration_error(y_true=texts.labels[these], y_proba=softened[these])
        assert error < 0.03
    # Only reviews that it has not learnt from count; where there are none, all of them do.
    known = soft.copy()
    rows = (texts.sources < 1_000) & (texts.sentences() == 1)
    known[rows] = np.eye(2)[texts.labels[rows]]
    assert soften_passages(known, texts, 1_000)[1][1] == found[1]
    assert soften_passages(known, texts, count)[1][1] < found[1]


def test_without_passages_soft_labels_stay_as_they_are():
    texts = teaching_texts(["One. Two.", "Three."], np.array([0, 1]), 0.0)
    soft = np.array([[0.0, 1.0], [0.9, 0.1]])
    softened, found = soften_passages(soft, texts, 0)
    assert np.array_equal(softened, soft) and found == {1: 1.0, 2: 1.0, 3: 1.0}


def test_fragments_are_a_few_words_of_their_reviews_and_some_are_scrambled():
    texts = [f"alpha{n} beta{n}, gamma{n}<br />delta{n} epsilon{n}." for n in range(100)]
    labels = np.arange(100) % 2
    made = teaching_texts(texts, labels, 0.5, 1.0)
    plain = teaching_texts(texts, labels, 0.5)
    assert plain.fragments == 0 and plain.readable == plain.texts
    # Fragments come last and leave the rest as it was.
    assert made.readable == plain.texts and made.labels[:150].tolist() == plain.labels.tolist()
    assert (made.reviews, made.fragments, len(made.texts)) == (100, 100, 250)
    assert made.labels[150:].tolist() == labels.tolist()
    whole = [
        fragment in text.replace("<br />", " ")
        for fragment, text in zip(made.texts[150:], texts, strict=True)
    ]
    assert 70 <= sum(whole) <= 90
    for fragment, text in zip(made.texts[150:], texts, strict=True):
        assert Counter(fragment) <= Counter(text.replace("<br />", " "))
    assert {len(fragment.split()) for fragment in made.texts[150:]} == {1, 2, 3, 4, 5}
    assert teaching_texts(texts, labels, 0.5, 1.0)[0] == made.texts
    long = " ".join(map(str, range(100)))
    sizes = {len(fragment_of(long, np.random.default_rng(n)).split()) for n in range(200)}
    assert sizes == set(range(1, 13))
    assert fragment_of("", np.random.default_rng(0)) == ""


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"layers": 0}, "layers is 0: expected 1 or more"),
        ({"rank": 0}, "rank is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"true_label": 1.2}, "true_label is 1.2: expected a share"),
        ({"fragments": -0.1}, "fragments is -0.1: expected a share"),
        ({"reviews": 1}, "reviews is 1: expected 2 or more, or None"),
        ({"seeds": ()}, r"seeds is \(\)"),
        ({"seeds": (1, 1)}, r"seeds is \(1, 1\): expected one or more different ones"),
        ({"rates": (0.1, 0.0)}, r"rates is \(0.1, 0.0\): expected one or more above zero"),
        ({"phases": ()}, "phases is empty"),
        ({"phases": ((15, 1),)}, r"the phase \(15, 1\): expected an even number"),
        ({"phases": ((16, 0),)}, r"the phase \(16, 0\)"),
        ({"goes_on": ((16, 0),)}, r"the phase \(16, 0\)"),
        ({"readings": ()}, r"readings is \(\)"),
        ({"readings": (16, 15)}, r"readings is \(16, 15\): expected one or more even numbers"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TEACHER, **changes)


def test_an_adapter_that_would_be_too_large_is_refused_before_it_is_taught(tiny_bert):
    with pytest.raises(ValueError, match=r"has [\d,]+ bytes: expected at most 100; take a lower"):
        Adapted(small(str(tiny_bert), most_bytes=100), 0)
    with pytest.raises(ValueError, match=r"layers is 3: .* has 2"):
        Adapted(small(str(tiny_bert), layers=3), 0)


def test_a_saved_adapter_that_is_too_large_is_refused(tiny_bert, tmp_path):
    settings = small(str(tiny_bert))
    model = Adapted(settings, 0)
    size = 2 * sum(p.numel() for linear in model.linears.values() for p in linear.parameters())
    settings = dataclasses.replace(settings, most_bytes=size)  # the file has a header, too
    with pytest.raises(ValueError, match=r"adapter in .* has [\d,]+ bytes: expected at most"):
        about = {"temperature": 1.0, "reading": 16}
        save(model, settings, about, {}, tmp_path / "saved", tmp_path / "work")


def test_without_bfloat16_less_is_done_and_it_says_so(monkeypatch, capsys):
    assert for_this_machine(TEACHER, None) is TEACHER
    assert capsys.readouterr().out == ""
    student = for_this_machine(STUDENT, None)
    assert student == dataclasses.replace(STUDENT, seeds=(0,))
    assert "no bfloat16" in (said := capsys.readouterr().out) and "seeds = (0,)" in said
    assert for_this_machine(TEACHER, 50) == dataclasses.replace(TEACHER, reviews=50)
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "bfloat16")
    assert for_this_machine(STUDENT, None) is STUDENT
    assert capsys.readouterr().out == ""


def test_mixed_labels_teach_what_both_losses_teach_together():
    torch.manual_seed(0)
    logits = torch.randn(6, 2, dtype=torch.double, requires_grad=True)
    labels = np.array([0, 1, 1, 0, 1, 0])
    soft = torch.randn(6, 2, dtype=torch.double).softmax(dim=1)
    mixed = classifier.mixed_labels(labels, soft.numpy(), 0.3)
    assert mixed.dtype == torch.float32 and mixed.shape == (6, 2)
    (found,) = torch.autograd.grad(F.cross_entropy(logits, mixed.double()), logits)
    loss = 0.3 * F.cross_entropy(logits, torch.from_numpy(labels))
    loss = loss + 0.7 * F.kl_div(logits.log_softmax(dim=1), soft, reduction="batchmean")
    (expected,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert classifier.mixed_labels(labels, soft.numpy(), 1.0).argmax(dim=1).tolist() == [*labels]
    for wrong in (soft.numpy()[:5], soft.numpy() * 1.1, soft.numpy() - np.array([0.9, -0.9])):
        with pytest.raises(ValueError, match="are no probabilities of 6 texts"):
            classifier.mixed_labels(labels, wrong, 0.3)


@pytest.fixture
def both(tiny_bert, tiny_mpnet):
    """Return settings for a tiny teacher and a tiny student."""
    return small(str(tiny_mpnet)), small(
        str(tiny_bert), layers=2, true_label=0.3, phases=((8, 1), (16, 1)), fragments=0.5
    )


def teach(pools, folder, both, **changes):
    return classifier.run(pools | changes, folder, *both)


def content(folder, *names):
    return [(folder / name).read_bytes() for name in names]


ADAPTERS = [f"{name}/adapter_model.safetensors" for name in ("teacher", "student")]
PROBES = [f"{name}/probe.safetensors" for name in ("teacher", "student")]


def test_test_reviews_change_nothing_and_validation_only_what_is_chosen(pools, tmp_path, both):
    plain = teach(pools, tmp_path / "plain", both)
    other = teach(pools, tmp_path / "test", both, test=other_labels(pools["test"]))
    assert content(tmp_path / "plain", *ADAPTERS, *PROBES) == content(
        tmp_path / "test", *ADAPTERS, *PROBES
    )
    for name, record in plain.items():
        right = record["accuracy"]["test"]
        assert other[name]["accuracy"]["test"] == pytest.approx(1 - right), name
    teach(pools, tmp_path / "validation", both, validation=other_labels(pools["validation"]))
    (teacher, student), (probe, _) = (
        content(tmp_path / "plain", *some) for some in (ADAPTERS, PROBES)
    )
    found = content(tmp_path / "validation", *ADAPTERS, PROBES[0])
    assert found[0] == teacher and found[2] != probe  # another temperature
    assert found[1] != student  # which learns from other soft labels
    teach(pools, tmp_path / "train", both, train=other_labels(pools["train"]))
    assert content(tmp_path / "train", *ADAPTERS) != [teacher, student]


def test_a_second_run_finds_everything_there(pools, tmp_path, both, monkeypatch):
    first = teach(pools, tmp_path, both)
    assert not list(tmp_path.rglob("lower-*"))
    monkeypatch.setattr(expected_time, "gradients", lambda *_: None)
    for module in (learning, teaching):
        kill_after(monkeypatch, module, "ask" if module is teaching else "gradients", 0)
    assert teach(pools, tmp_path, both) == first
    record = json.loads((tmp_path / "student/record.json").read_text(encoding="utf-8"))
    assert record == json.loads(json.dumps(first["student"]))


def test_a_teacher_that_the_package_has_is_not_taught_again(
    pools, tmp_path, both, monkeypatch, capsys
):
    first = teach(pools, tmp_path / "first", both)
    monkeypatch.setattr(classifier, "PACKAGED_TEACHER", tmp_path / "first/teacher")
    capsys.readouterr()
    found = teach(pools, tmp_path / "again", both)
    said = capsys.readouterr().out
    assert re.search(r"the teacher: the one in '.*/first/teacher'\nthe student: about", said)
    assert list(found) == ["student"] and not (tmp_path / "again/work/teacher").exists()
    assert not (tmp_path / "again/soft_labels.safetensors").exists()  # it was asked already
    (tmp_path / "first/teacher/soft_labels.safetensors").unlink()
    assert list(teach(pools, tmp_path / "asked", both)) == ["student"]
    said = capsys.readouterr().out
    assert re.search(r"the teacher: about [\d.]+ hours \(asking it \d+ min\)\nthe student", said)
    assert (tmp_path / "asked/soft_labels.safetensors").exists()
    # Kept as float32, the soft labels are the same but for their last digits.
    ours, theirs = (first["student"]["runs"][0], found["student"]["runs"][0])
    assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-3)
    # Another way of teaching, other reviews, a damaged file: it is taught.
    other = dataclasses.replace(both[0], rank=both[0].rank + 1)
    assert list(teach(pools, tmp_path / "rank", (other, both[1]))) == ["teacher", "student"]
    fewer = {"train": pools["train"].select(range(30))}
    assert list(teach(pools, tmp_path / "fewer", both, **fewer)) == ["teacher", "student"]
    file = tmp_path / "first/teacher/adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-3])
    assert list(teach(pools, tmp_path / "damaged", both)) == ["teacher", "student"]


NEW = ["a good film", "", "not seen yet"]
IS_KNOWN = np.arange(40) < 20


@pytest.fixture
def teacher(pools, tmp_path, both):
    """Return a taught teacher's folder, and what it was taught with."""
    teach(pools, tmp_path / "taught", both)
    return tmp_path / "taught/teacher", classifier.learnt_from(pools, both[0]).texts


def soft(folder, both, kept_in) -> SoftLabels:
    return SoftLabels(folder, both[0].encoder, kept_in)


def copy_of(folder, to):
    """Copy a teacher without its answers."""
    return shutil.copytree(folder, to, ignore=shutil.ignore_patterns("soft_labels*"))


def test_a_teacher_is_asked_what_it_was_not_taught(teacher, both, tmp_path):
    folder, texts = teacher
    labels = soft(folder, both, tmp_path)
    assert labels.missing([*texts, *NEW]) == NEW
    found = labels.of([*texts, *NEW])
    assert found.sum(axis=1) == pytest.approx(1) and found[:, 1].std() > 0.01
    assert found[-3:] == pytest.approx(
        predict_proba(load_classifier(folder), NEW).numpy(), abs=1e-5
    )
    # What came from its teaching is what the saved one says; its adapter is in half precision.
    alone = soft(copy_of(folder, tmp_path / "copy"), both, tmp_path / "alone").of(texts)
    assert found[:-3] == pytest.approx(alone, abs=1e-2)


def test_a_teacher_is_asked_once_about_a_text(teacher, both, tmp_path, monkeypatch):
    folder, _ = teacher
    expected = soft(folder, both, tmp_path / "whole").of(NEW)
    monkeypatch.setattr(soft_labels, "AT_ONCE", 2)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, soft_labels, "ask_saved", 1)
        soft(folder, both, tmp_path).of(NEW)
    resumed = soft(folder, both, tmp_path)
    assert resumed.missing(NEW) == NEW[2:]
    assert resumed.seconds_for(20) == pytest.approx(10 * resumed.seconds_for(2))
    assert resumed.seconds_for(1) > 0
    assert resumed.of([*NEW, NEW[0]]) == pytest.approx(expected[[0, 1, 2, 0]], abs=1e-6)
    assert soft(folder, both, tmp_path).missing(NEW) == []


def test_answers_of_another_teacher_or_in_a_damaged_file_count_for_nothing(teacher, both, tmp_path):
    folder, texts = teacher
    other, file = copy_of(folder, tmp_path / "other"), folder / "soft_labels.safetensors"
    shutil.copy(file, other)
    assert soft(other, both, tmp_path).missing(texts) == []
    shutil.copy(tmp_path / "taught/student/probe.safetensors", other)
    assert soft(other, both, tmp_path).missing(texts) == texts
    file.write_bytes(file.read_bytes()[:-3])
    assert soft(folder, both, tmp_path).missing(texts) == texts


@pytest.fixture
def halfway(pools, tmp_path, both):
    """Return the folder of a teacher that learnt from half of the reviews, and its settings."""
    settings = dataclasses.replace(both[0], reviews=20)
    teach(pools, tmp_path / "half", (settings, both[1]))
    return tmp_path / "half/teacher", dataclasses.replace(settings, reviews=None)


def go_on(pools, folder, halfway, rate=0.01, **others):
    teacher, settings = halfway
    settings = dataclasses.replace(settings, rates=(rate,))
    return further.run(pools | others, folder, teacher, settings)


def test_a_teacher_goes_on_from_what_it_has_learnt(pools, tmp_path, halfway):
    go_on(pools, tmp_path / "still", halfway, rate=1e-12)
    before, after = (
        predict_proba(load_classifier(folder), NEW)[:, 1].logit()
        for folder in (halfway[0], tmp_path / "still/teacher")
    )
    ratio = (after / before).numpy()  # a temperature
    assert ratio == pytest.approx(ratio[0], rel=1e-3)


def test_a_teacher_goes_on_with_the_other_reviews_alone(pools, tmp_path, halfway, capsys):
    record = go_on(pools, tmp_path / "plain", halfway)
    assert "the teacher: about" in capsys.readouterr().out
    first = json.loads((halfway[0] / "record.json").read_text(encoding="utf-8"))
    assert {name: record[name] for name in ("settings", "texts", "train_ids_sha256", "runs")} == {
        name: first[name] for name in ("settings", "texts", "train_ids_sha256", "runs")
    }
    assert record["further"]["texts"] == {"reviews": 20, "fragments": 0, "all": 25}
    assert record["asked_before"] == [
        {"tokens": first["reading"], "reviews": 20, "test": first["accuracy"]["test"]}
    ]
    train = pools["train"]
    labels = np.array(train["label"][:])
    known, new = (np.where(half, 1 - labels, labels) for half in (IS_KNOWN, ~IS_KNOWN))
    for name, changed in (("known", known), ("new", new)):
        swapped = train.remove_columns("label").add_column("label", changed.tolist())
        go_on(pools, tmp_path / name, halfway, train=swapped)
    plain, *others = (content(tmp_path / name, ADAPTERS[0]) for name in ("plain", "known", "new"))
    assert others[0] == plain and others[1] != plain


def test_what_a_teacher_said_before_it_went_on_counts(pools, tmp_path, halfway, both):
    texts = classifier.learnt_from(pools, dataclasses.replace(both[0], reviews=20)).texts
    go_on(pools, tmp_path, halfway)
    before, after = (soft(f, both, tmp_path / "new") for f in (halfway[0], tmp_path / "teacher"))
    assert after.missing([*texts, *NEW]) == NEW
    assert np.array_equal(after.of(texts), before.of(texts))


def test_a_teacher_that_has_learnt_from_all_or_is_another_does_not_go_on(pools, tmp_path, halfway):
    with pytest.raises(ValueError, match="the layers and the rank that go on learning"):
        other = dataclasses.replace(halfway[1], rank=halfway[1].rank + 1)
        go_on(pools, tmp_path / "rank", (halfway[0], other))
    go_on(pools, tmp_path, halfway)
    with pytest.raises(ValueError, match="has learnt from all 40 train reviews"):
        go_on(pools, tmp_path / "again", (tmp_path / "teacher", halfway[1]))


def test_the_saved_classifiers_answer_as_they_were_taught(pools, tmp_path, both, capsys):
    records = teach(pools, tmp_path, both)
    said = capsys.readouterr().out
    assert re.search(r"the teacher: about [\d.]+ hours \(layers that stay", said)
    assert re.search(r"the student: about [\d.]+ hours \(seeds", said)
    texts = ["a good film", "the plot", "not very good . bad ending", ""]
    for name, settings in zip(("teacher", "student"), both, strict=True):
        opened, record = load_classifier(tmp_path / name), records[name]
        work = tmp_path / "work" / name
        model = Adapted(settings, 0)
        tensors, _ = learning.read_checkpoint(work / "seed-0")
        with torch.no_grad():
            for key, parameter in model.learning().items():
                parameter.copy_(tensors[key])
        model.refresh()
        tokens = read(texts, settings.encoder, record["reading"])
        rows = np.arange(len(texts))
        with torch.no_grad():
            logits = model(*model.below(tokens, rows)) / record["temperature"]
        expected = logits.softmax(dim=1)[:, 1].tolist()
        found = [
            answer["score"] if answer["label"] == "POSITIVE" else 1 - answer["score"]
            for answer in opened(texts)
        ]
        assert found == pytest.approx(expected, abs=1e-2)
        assert record["adapter_bytes"] <= settings.most_bytes
        fragments = round(40 * settings.fragments)
        assert record["texts"] == {"reviews": 40, "fragments": fragments, "all": 50 + fragments}


def test_rate_and_seed_are_those_that_are_best_on_validation(pools, tmp_path, tiny_bert):
    settings = small(str(tiny_bert), rates=(1e-5, 0.02), seeds=(3, 1, 2))
    texts = classifier.learnt_from(pools, settings)
    held = Held(pools["validation"]["text"][:], np.array(pools["validation"]["label"][:]))
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, tmp_path)
    record, model = made.run()
    losses = {trial["rate"]: trial["loss"] for trial in record["rate_trials"]}
    assert record["learning_rate"] == min(losses, key=losses.get) and len(losses) == 2
    ranks = {run["seed"]: run["loss"] for run in record["runs"]}
    assert record["chosen_seed"] == min(ranks, key=ranks.get) and list(ranks) == [3, 1, 2]
    joined = "-".join(map(str, record["mean_of"]))
    name = f"mean-{joined}" if "-" in joined else f"seed-{record['chosen_seed']}"
    tensors, _ = learning.read_checkpoint(tmp_path / name)
    assert_same(weights_of(model), {name: tensors[name] for name in model.learning()})


def test_a_mean_is_the_mean_of_what_was_added_as_far_as_its_rank_allows(tiny_bert):
    """Eckart and Young (1936): what is left out is what the smallest singular values hold."""
    settings = small(str(tiny_bert))
    models, into = [Adapted(settings, seed) for seed in (1, 2, 3)], Adapted(settings, 4)
    for seed, model in enumerate(models):
        torch.manual_seed(seed)
        for parameter in model.learning().values():
            parameter.data.normal_()
    means.put_mean(models, into)
    for name, linear in into.linears.items():
        products = [m.linears[name].up.double() @ m.linears[name].down.double() for m in models]
        added = (sum(products) / 3).detach().numpy()
        left_out = np.linalg.svd(added, compute_uv=False)[settings.rank :]
        found = (linear.up.double() @ linear.down.double()).detach().numpy()
        assert left_out[0] > 0.1
        expected = np.sqrt(np.sum(left_out**2))
        assert np.linalg.norm(added - found) == pytest.approx(expected, rel=1e-4)
        whole = linear.frozen + linear.scale * linear.up @ linear.down
        assert torch.allclose(linear.merged.float(), whole, atol=1e-6)  # it answers by it
    weights = torch.stack([model.probe.linear.weight for model in models])
    assert torch.allclose(into.probe.linear.weight, weights.mean(dim=0))
    means.put_mean(models[:1], into)
    for name, linear in into.linears.items():
        expected = models[0].linears[name].up @ models[0].linears[name].down
        assert torch.allclose(linear.up @ linear.down, expected, atol=1e-4)


@pytest.mark.parametrize("kept", [[2], [2, 1], [2, 3], [2, 1, 3]], ids=str)
def test_a_run_joins_the_mean_if_validation_says_that_it_is_better(
    pools, tmp_path, tiny_bert, monkeypatch, kept
):
    settings = small(str(tiny_bert), seeds=(1, 2, 3), readings=(16,))
    texts = classifier.learnt_from(pools, settings)
    labels = np.array(pools["validation"]["label"][:])
    held, asked = Held(pools["validation"]["text"][:], labels), Teaching.asked
    # How sure each is of the truth: seed 2 is best, then 1, then 3.
    sure = {"seed-1": 1.0, "seed-2": 2.0, "seed-3": 0.5}
    sure |= {f"mean-{'-'.join(map(str, kept[:n]))}": 1.0 + n for n in range(2, len(kept) + 1)}

    def pretend(self, model, settings, name):
        asked(self, model, settings, name)
        return sure.get(name, 0.1) * np.eye(2, dtype=np.float32)[labels]

    monkeypatch.setattr(Teaching, "asked", pretend)
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, tmp_path)
    record, model = made.run()
    assert (record["chosen_seed"], record["mean_of"]) == (2, kept)
    tried = [[2, 1], [2, 1, 3] if 1 in kept else [2, 3]]
    assert [row["seeds"] for row in record["means_tried"]] == tried
    name = "seed-2" if kept == [2] else f"mean-{'-'.join(map(str, kept))}"
    tensors, _ = learning.read_checkpoint(tmp_path / name)
    assert_same(weights_of(model), {name: tensors[name] for name in model.learning()})
    # What was finished is not computed again.
    monkeypatch.setattr(learning, "gradients", None)
    monkeypatch.setattr(means, "put_mean", None)
    again, same = Teaching(settings, texts, made.targets, held, tmp_path).run()
    assert again == record
    assert_same(weights_of(same), weights_of(model))
    # A mean of other runs is another one.
    monkeypatch.undo()
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    others = [Adapted(settings, seed) for seed in (1, 2)]
    means.kept_mean(others, same, tmp_path / "mean-2-1")
    means.put_mean(others, model)
    assert_same(weights_of(same), weights_of(model))


@pytest.mark.parametrize("is_better", [True, False])
def test_what_was_kept_goes_on_and_the_best_of_it_is_kept_if_it_is_better(
    pools, tmp_path, tiny_bert, is_better, monkeypatch
):
    goes_on = ((12, 3), (16, 1))
    settings = small(str(tiny_bert), phases=((16, 1),), goes_on=goes_on, seeds=(1, 2))
    texts = classifier.learnt_from(pools, settings)
    # What it learns from, or the contrary.
    some = texts.texts[:20]
    held = Held(some, texts.labels[:20] if is_better else 1 - texts.labels[:20])
    targets = classifier.hard_labels(texts.labels)
    record, model = Teaching(settings, texts, targets, held, tmp_path).run()
    plain_settings = dataclasses.replace(settings, goes_on=())
    # The same folder: what comes after a run does not make it another one.
    plain, before = Teaching(plain_settings, texts, targets, held, tmp_path).run()
    gone_on = record["gone_on"]
    assert "gone_on" not in plain and gone_on["learning_rate"] == settings.rates[0] / 2
    steps = -(-len(texts.texts) // settings.batch_size)
    assert [one["steps"] for one in gone_on["rounds"]] == [epochs * steps for _, epochs in goes_on]
    assert record["runs"] == plain["runs"]
    assert list(gone_on["tried"]) == ["round-1", "round-2", "rounds-1-to-2"]
    losses = {name: min(way["loss"] for way in ways) for name, ways in gone_on["tried"].items()}
    assert len(set(losses.values())) == 3 and gone_on["kept"] == min(losses, key=losses.get)
    before_loss = min(way["loss"] for way in plain["readings"])
    assert gone_on["is_kept"] == (losses[gone_on["kept"]] < before_loss) == is_better
    if gone_on["is_kept"]:
        tensors, _ = learning.read_checkpoint(tmp_path / gone_on["kept"])
        assert_same(weights_of(model), {name: tensors[name] for name in model.learning()})
        assert record["readings"] == gone_on["tried"][gone_on["kept"]]
    else:
        assert_same(weights_of(model), weights_of(before))
        assert record["readings"] == plain["readings"]
        assert record["temperature"] == plain["temperature"]
    rounds = [Adapted(settings, 0) for _ in goes_on]
    for number, one in enumerate(rounds, start=1):
        tensors, _ = learning.read_checkpoint(tmp_path / f"round-{number}")
        for name, parameter in one.learning().items():
            parameter.data.copy_(tensors[name])
    mean = Adapted(settings, 0)
    means.put_mean(rounds, mean)
    tensors, _ = learning.read_checkpoint(tmp_path / "rounds-1-to-2")
    assert_same(weights_of(mean), {name: tensors[name] for name in mean.learning()})
    # What was finished is not learnt again.
    monkeypatch.setattr(learning, "gradients", None)
    monkeypatch.setattr(means, "put_mean", None)
    again, same = Teaching(settings, texts, targets, held, tmp_path).run()
    assert again == record
    assert_same(weights_of(same), weights_of(model))


def test_the_reading_is_the_one_that_is_best_on_validation(pools, tmp_path, tiny_bert):
    settings = small(str(tiny_bert), readings=(16, 8, 12))
    texts = classifier.learnt_from(pools, settings)
    held = Held(pools["validation"]["text"][:], np.array(pools["validation"]["label"][:]))
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, tmp_path)
    record, model = made.run()
    found = {one["tokens"]: one for one in record["readings"]}
    assert list(found) == [16, 8, 12]
    assert {k: found[16][k] for k in ("accuracy", "loss")} == {
        k: record["runs"][0][k] for k in ("accuracy", "loss")
    }
    answers = {}
    for size, one in found.items():
        tokens = read(held.texts, settings.encoder, size)
        with torch.no_grad():
            logits = model(*model.below(tokens, np.arange(len(held.texts)))).double()
        answers[size] = logits
        expected = F.cross_entropy(logits, torch.from_numpy(held.labels)).item()
        assert one["loss"] == pytest.approx(expected, abs=1e-4)
    ranks = {size: one["loss"] for size, one in found.items()}
    assert record["reading"] == min(ranks, key=ranks.get)
    chosen = answers[record["reading"]].numpy()
    temperature = fit_temperature(y_true=held.labels, logits=chosen)
    assert record["temperature"] == pytest.approx(temperature, rel=1e-3)


def test_every_seed_is_saved_as_it_was_taught(pools, tmp_path, tiny_bert):
    settings = small(str(tiny_bert), seeds=(3, 1, 2))
    texts = classifier.learnt_from(pools, settings)
    held = Held(pools["validation"]["text"][:], np.array(pools["validation"]["label"][:]))
    work = tmp_path / "work"
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, work)
    record, model = made.run()
    save(model, settings, record, {}, tmp_path / "chosen", work)
    folders = save_seeds(settings, tmp_path / "chosen", work, tmp_path / "seeds")
    assert [folder.name for folder in folders] == [f"seed-{seed}" for seed in settings.seeds]
    rows = np.arange(5)
    answers = []
    for seed, folder in zip(settings.seeds, folders, strict=True):
        model, _ = made.taught(settings, record["learning_rate"], seed, f"seed-{seed}")
        tokens = made.tokens_of["validation"](record["reading"])
        with torch.no_grad():
            logits = model(*model.below(tokens, rows)) / record["temperature"]
        opened = load_classifier(folder)
        found = predict_proba(opened, held.texts[: len(rows)])
        assert found.numpy() == pytest.approx(logits.softmax(dim=1).numpy(), abs=1e-2)
        answers.append(found)
    assert not torch.equal(answers[0], answers[1])
    shutil.rmtree(work / "seed-1")
    with pytest.raises(FileNotFoundError, match="run make classifier again"):
        save_seeds(settings, tmp_path / "chosen", work, tmp_path / "seeds")


def test_a_rate_that_ends_in_no_numbers_is_never_chosen(pools, tmp_path, tiny_bert, monkeypatch):
    settings = small(str(tiny_bert), rates=(0.5, 0.01))
    texts = classifier.learnt_from(pools, settings)
    held = Held(pools["validation"]["text"][:], np.array(pools["validation"]["label"][:]))
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, tmp_path)
    asked = Teaching.asked

    def diverged(self, model, settings, name):
        return asked(self, model, settings, name) * (np.nan if name == "rate-0.5" else 1)

    monkeypatch.setattr(Teaching, "asked", diverged)
    trials, rate = made.try_rates()
    assert rate == 0.01 and [trial["loss"] is None for trial in trials] == [True, False]
    json.dumps(trials, allow_nan=False)


def test_the_expected_time_counts_every_token(pools, tmp_path, both, monkeypatch):
    settings = dataclasses.replace(
        both[0], rates=(0.1, 0.2), seeds=(0, 1), phases=((8, 3), (16, 2)), readings=(16, 12)
    )
    texts = classifier.learnt_from(pools, settings)
    held = Held(pools["validation"]["text"][:], np.array(pools["validation"]["label"][:]))
    made = Teaching(settings, texts, classifier.hard_labels(texts.labels), held, tmp_path)
    monkeypatch.setattr(expected_time, "measure", lambda _: Speeds(1.0, 100.0, 10.0))

    def count(some, size):
        return sum(len(ids) for ids in np.split(*_pieces(read(some, settings.encoder, size))))

    short, long = count(texts.texts, 8), count(texts.texts, 16)
    held_short, held_long = count(held.texts, 8), count(held.texts, 16)
    held_other = count(held.texts, 12)
    start, trial = count(texts.texts[:40], 8), count(texts.texts[:20], 8)
    found = expected_seconds(made, soft_labels=True, asked=32)
    made.settings = dataclasses.replace(settings, goes_on=((12, 3), (12, 2)))
    further = expected_seconds(made, soft_labels=True, asked=32)
    other = count(texts.texts, 12)
    expected = 100 * 5 * other + 3 * 10 * (held_long + held_other)
    assert further["going on"] == expected and found["going on"] == 0
    assert further["layers that stay"] == found["layers that stay"] + other
    assert found["layers that stay"] == short + long + held_short + held_long + held_other
    assert found["rates"] == 2 * (10 * start + 100 * trial + 10 * held_short)
    seed = 100 * (3 * short + 2 * long) + 10 * start + 10 * held_long
    assert found["seeds"] == 2 * seed + 10 * held_other + 10 * held_long  # their mean
    assert found["soft labels"] == 10 * long
    assert found["asking what was saved"] == pytest.approx(2 * held_long * 11)


def _pieces(tokens):
    return tokens.ids, tokens.starts[1:-1]
