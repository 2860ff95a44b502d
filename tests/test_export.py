"""A fine-tuned model saved for others: plain transformers opens it, and its card says enough."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
import yaml
from safetensors.torch import load_file

from imdb_tutorial import load_classifier, load_reviews
from imdb_tutorial.dataset.reviews import ids_sha256
from imdb_tutorial.encoder.load import load_tokenizer, vocabulary_sha256
from imdb_tutorial.finetuning.run import finetune
from imdb_tutorial.finetuning.save import model_card, run_record, save_finetuned
from imdb_tutorial.machine.manifest import MANIFEST_FILE, encoder_fingerprint, read_manifest

TEXTS = ["good great best love fine", "bad worst dull awful boring hate", "", "film " * 600]
TEST_METRICS = {"accuracy": 0.71875, "f1": 0.6}

OPEN_ELSEWHERE = """
import json, sys
sys.modules["imdb_tutorial"] = None
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

folder, texts = sys.argv[1], json.loads(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
logits = []
for text in texts:
    tokens = tokenizer(text, truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        logits.append(model(**tokens).logits[0].tolist())
classify = pipeline("text-classification", model=folder, device="cpu")
labels = [answer["label"] for answer in classify(texts, truncation=True)]
vocabulary = len(tokenizer)
print(json.dumps({"logits": logits, "labels": labels, "vocabulary": vocabulary}))
"""


@pytest.fixture(scope="module")
def run(tuning_preset, tmp_path_factory):
    """Return a finished run: its trainer and its history."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IMDB_TUTORIAL_DTYPE", "float32")
        return finetune(tuning_preset, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def saved(run, tuning_preset, tmp_path_factory):
    """Return the folder of the saved model. No test may change it."""
    folder = tmp_path_factory.mktemp("saved") / "models" / "mine"
    assert save_finetuned(run[0], tuning_preset, folder, TEST_METRICS) == folder
    return folder


def logits_of(trainer, text):
    tokens = trainer.processing_class(text, truncation=True, max_length=16, return_tensors="pt")
    model = trainer.model.eval()
    with torch.no_grad():
        return model(**tokens.to(model.device)).logits[0].cpu()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Opened again


@pytest.fixture(scope="module")
def elsewhere(saved):
    """Return what plain transformers makes of the folder, in a process without this package."""
    command = [sys.executable, "-c", OPEN_ELSEWHERE, str(saved), json.dumps(TEXTS)]
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=saved.parent,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.slow
def test_plain_transformers_gives_the_same_logits_and_names_the_labels(
    elsewhere, run, tuning_preset
):
    expected = torch.stack([logits_of(run[0], text) for text in TEXTS])
    torch.testing.assert_close(torch.tensor(elsewhere["logits"]), expected, rtol=0, atol=1e-6)
    assert (expected[0] - expected[1]).abs().max() > 0.1
    assert elsewhere["labels"][:2] == ["POSITIVE", "NEGATIVE"]
    assert set(elsewhere["labels"]) == {"NEGATIVE", "POSITIVE"}
    assert elsewhere["vocabulary"] == len(load_tokenizer(tuning_preset.encoder))


def test_load_classifier_opens_it(saved, run, tuning_preset):
    classifier = load_classifier(saved)
    assert classifier.max_length == tuning_preset.max_length == 16
    for text, answer in zip(TEXTS, classifier(TEXTS), strict=True):
        probabilities = logits_of(run[0], text).softmax(dim=0)
        assert answer["label"] == ("NEGATIVE", "POSITIVE")[int(probabilities.argmax())]
        assert answer["score"] == pytest.approx(float(probabilities.max()), abs=1e-5)


def test_the_weights_are_those_of_the_best_epoch(saved, run):
    best = Path(run[0].state.best_model_checkpoint)
    assert best.name != f"checkpoint-{run[0].state.max_steps}"
    stored, expected = load_file(saved / "model.safetensors"), load_file(best / "model.safetensors")
    assert stored.keys() == expected.keys()
    assert all(torch.equal(stored[name], expected[name]) for name in stored)


# What is in the folder


def test_there_are_no_pickles_and_no_leftovers_in_it(saved):
    assert set(contents(saved)) == {
        "README.md",
        "config.json",
        "manifest.json",
        "model.safetensors",
        "record.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert os.listdir(saved.parent) == [saved.name]


def test_the_config_says_what_load_classifier_asks(saved, tuning_preset):
    config = json.loads((saved / "config.json").read_text())
    assert config["id2label"] == {"0": "NEGATIVE", "1": "POSITIVE"}
    assert config["label2id"] == {"NEGATIVE": 0, "POSITIVE": 1}
    assert config["max_length_trained"] == tuning_preset.max_length
    assert config["vocabulary_sha256"] == vocabulary_sha256(load_tokenizer(tuning_preset.encoder))
    assert config["architectures"] == ["BertForSequenceClassification"]


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10:] = bytes(byte ^ 0xFF for byte in content[-10:])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"), [("model.safetensors", flipped), ("record.json", Path.unlink)]
)
def test_a_file_that_is_not_what_was_saved_is_named(saved, tmp_path, name, damage):
    folder = shutil.copytree(saved, tmp_path / "copy")
    damage(folder / name)
    with pytest.raises(ValueError, match=rf"^{name} in '.*copy' is missing or damaged, .*again$"):
        load_classifier(folder)


@pytest.mark.parametrize("content", [b"\xff", b"null", b'{"files_sha256": []}'])
def test_a_damaged_manifest_is_named(saved, tmp_path, content):
    folder = shutil.copytree(saved, tmp_path / "copy")
    (folder / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=f"^{MANIFEST_FILE} in .* is missing or damaged"):
        load_classifier(folder)


def test_the_manifest_names_every_file_and_the_encoder_that_it_began_with(saved, tuning_preset):
    manifest = read_manifest(saved)
    assert set(manifest["files_sha256"]) == set(contents(saved)) - {MANIFEST_FILE}
    assert manifest["encoder_fingerprint"] == encoder_fingerprint(tuning_preset.encoder)


def test_a_model_whose_writer_was_killed_between_two_steps_is_opened(saved, tmp_path):
    shutil.copytree(saved, tmp_path / ".mine.old")
    assert load_classifier(tmp_path / "mine")(TEXTS) == load_classifier(saved)(TEXTS)
    assert os.listdir(tmp_path) == ["mine"]


def test_no_file_names_a_folder_of_this_machine(saved, tuning_preset, run):
    folders = {
        str(Path(tuning_preset.encoder).parent),
        str(Path(tuning_preset.reviews).parent),
        str(Path(run[0].args.output_dir).parent),
        str(saved.parent),
        str(Path.cwd()),
    }
    for name, content in contents(saved).items():
        for folder in folders:
            assert folder.encode() not in content, f"{name} names {folder}"


def test_no_folder_is_named_that_is_gone_by_now(run, tuning_preset, tmp_path):
    gone = tuning_preset.replace(encoder=str(tmp_path / "gone"), reviews=str(tmp_path / "r.csv"))
    record = run_record(run[0], gone)
    assert str(tmp_path) not in json.dumps(record)
    assert str(tmp_path) not in model_card(record)


def test_names_on_the_hub_stay_as_they_are(run, tuning_preset):
    hub = {"encoder": "google-bert/bert-base-cased", "reviews": "stanfordnlp/imdb"}
    for names in (hub, {"encoder": "packaged", "reviews": "packaged"}):
        record = run_record(run[0], tuning_preset.replace(**names))
        assert {name: record["preset"][name] for name in names} == names


# Record and model card


def test_the_record_holds_the_run(saved, run, tuning_preset):
    trainer, history = run
    record = json.loads((saved / "record.json").read_text())
    assert record["reviews"] == {"train": 80, "validation": 12}
    assert record["train_ids_sha256"] == ids_sha256(load_reviews(tuning_preset)["train"]["id"][:])
    assert [epoch["epoch"] for epoch in record["epochs"]] == [1, 2, 3]
    losses = [epoch["train_loss"] for epoch in record["epochs"]]
    assert losses == pytest.approx(history.train_losses, abs=1e-5)
    accuracies = [epoch["eval_accuracy"] for epoch in record["epochs"]]
    assert accuracies == pytest.approx(history.val_accuracy, abs=1e-5)
    assert record["best_accuracy"] == max(accuracies)
    assert record["test"] == TEST_METRICS
    assert record["seconds"] > 0
    assert record["preset"]["seed"] == tuning_preset.seed
    assert record["preset"]["learning_rate"] == tuning_preset.learning_rate
    assert record["versions"]["transformers"] == transformers.__version__
    assert set(record["versions"]) == {"python", "torch", "transformers", "datasets"}
    f1 = [entry["eval_f1"] for entry in trainer.state.log_history if "eval_f1" in entry]
    assert [epoch["eval_f1"] for epoch in record["epochs"]] == pytest.approx(f1, abs=1e-5)


def test_the_card_has_the_header_that_the_hub_reads(saved):
    text = (saved / "README.md").read_text(encoding="utf-8")
    empty, header, body = text.split("---\n", maxsplit=2)
    assert empty == ""
    assert yaml.safe_load(header) == {
        "language": "en",
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["sentiment", "imdb"],
    }
    assert body.strip().startswith("# ")


def test_the_card_says_data_seed_sizes_metrics_and_versions(saved, tuning_preset):
    card = (saved / "README.md").read_text(encoding="utf-8")
    record = json.loads((saved / "record.json").read_text())
    for said in (
        f"seed {tuning_preset.seed}",
        "train pool",
        record["train_ids_sha256"][:12],
        "fine-tuned on 80 ",
        "12 validation reviews",
        f"after {tuning_preset.max_length} tokens",
        f"{record['best_accuracy']:.1%}",
        "accuracy: 0.7188",
        "f1: 0.6",
        Path(tuning_preset.encoder).name,
        Path(tuning_preset.reviews).name,
        f"transformers {transformers.__version__}",
        f"torch {record['versions']['torch']}",
    ):
        assert said in card, said
    for epoch in record["epochs"]:
        row = f"| {epoch['epoch']:.0f} | {epoch['train_loss']:.3f} | {epoch['eval_loss']:.3f} |"
        assert row in card
    assert len(re.findall(r"^\| \d", card, flags=re.MULTILINE)) == 3


def test_a_card_without_test_metrics_speaks_of_none(run, tuning_preset):
    card = model_card(run_record(run[0], tuning_preset))
    assert "played no part" not in card
    assert "12 validation reviews" in card


def test_an_evaluation_after_the_training_is_no_epoch(run, tuning_preset):
    trainer, _ = run
    before = run_record(trainer, tuning_preset)
    log = list(trainer.state.log_history)
    try:
        for scores in ({"eval_accuracy": 0.99}, {"test_accuracy": 0.99}):
            scores |= {"eval_loss": 0.1, "eval_f1": 0.99, "epoch": 3.0, "step": 30}
            trainer.state.log_history.append(scores)
        assert run_record(trainer, tuning_preset) == before
    finally:
        trainer.state.log_history = log


def test_a_finished_run_that_is_opened_again_still_says_how_long_it_took(
    run, tuning_preset, tmp_path, monkeypatch
):
    monkeypatch.setenv("IMDB_TUTORIAL_DTYPE", "float32")
    again, _ = finetune(tuning_preset, run[0].args.output_dir)
    one, other = (run_record(trainer, tuning_preset) for trainer in (run[0], again))
    assert other["seconds"] > 0
    assert other | {"seconds": 0} == one | {"seconds": 0}


# Saved again, refused, interrupted


def test_saving_again_replaces_everything(saved, run, tuning_preset, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "models" / "mine")
    (folder / "only in the old one").write_text("old")
    save_finetuned(run[0], tuning_preset, folder, {"accuracy": 0.25})
    expected = contents(saved)
    found = contents(folder)
    assert found.keys() == expected.keys()
    assert json.loads(found["record.json"])["test"] == {"accuracy": 0.25}
    for name in expected.keys() - {"record.json", "README.md", MANIFEST_FILE}:
        assert found[name] == expected[name]
    assert os.listdir(folder.parent) == ["mine"]


def test_somebody_elses_folder_is_refused_and_kept(run, tuning_preset, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("precious")
    with pytest.raises(FileExistsError, match=r"mine.*choose another folder"):
        save_finetuned(run[0], tuning_preset, folder)
    assert contents(folder) == {"config.json": b"precious"}
    assert os.listdir(tmp_path) == ["mine"]


def test_a_disk_that_fails_in_the_middle_leaves_what_was_there(
    saved, run, tuning_preset, tmp_path, monkeypatch
):
    shutil.copytree(saved, tmp_path / "mine")

    def refuse(self, folder, **options):
        (Path(folder) / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transformers.PreTrainedTokenizerBase, "save_pretrained", refuse)
    with pytest.raises(OSError, match="No space left"):
        save_finetuned(run[0], tuning_preset, tmp_path / "mine")
    assert os.listdir(tmp_path) == ["mine"]
    assert contents(tmp_path / "mine") == contents(saved)
