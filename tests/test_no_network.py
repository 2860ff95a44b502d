"""Nobody is asked unless the user asks: what is on this disk opens without a single connection."""

import json
import os
import subprocess
import sys

import pytest

# Refuses whatever would leave this machine, and remembers it: libraries swallow such errors.
GUARD = """
import json, os, socket, sys, traceback
from pathlib import Path

asked = []

def refuse(event, arguments):
    if not event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethostby",
                             "socket.sendto", "socket.sendmsg")):
        return
    if isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX:
        return
    asked.append([event, str(arguments[1:]), "".join(traceback.format_stack(limit=12))])
    raise OSError(101, "Network is unreachable")

sys.addaudithook(refuse)
tiny_bert, tiny_classifier, folder = map(Path, sys.argv[1:])
"""

EVERYTHING = """
import torch
import imdb_tutorial as t
from imdb_tutorial.__main__ import main

preset = t.load_preset("laptop").replace(
    train_size=12, validation_size=4, test_size=4, max_length=24, num_epochs=1, batch_size=4
)
reviews = t.load_reviews(preset)
t.load_sentences(), t.load_study(), t.load_metrics()
tokenizer, encoder = t.load_tokenizer(), t.load_encoder()
loaders = [
    t.FeatureLoader(t.extract_features(reviews[pool], tokenizer, encoder, max_length=24),
                    reviews[pool]["label"][:])
    for pool in ("train", "validation")
]
probe = t.LinearProbe(encoder.config.hidden_size)
t.Trainer(probe, *loaders, verbose=False).train(1)
t.save_probe(probe, folder / "probe", max_length=24)
t.load_probe(folder / "probe")

small = preset.replace(encoder=str(tiny_bert))
trainer, _ = t.finetune(small, folder / "checkpoints", reviews)
t.save_finetuned(trainer, small, folder / "model")

for source in ("packaged", *t.available_models().values(), folder / "probe", folder / "model"):
    classifier = t.load_classifier(source)
    classifier(["good film", "bad film"])
t.attribute(t.load_classifier(), "a good film")
explorer = t.SentimentExplorer()
explorer.classify("a good film")
explorer.close()
t.doctor()
assert main(["classify", "a good film"]) == 0
sizes = ["--train-size", "8", "--validation-size", "4", "--test-size", "4", "--num-epochs", "1"]
assert main(["probe", *sizes, "--output", str(folder / "by_command")]) == 0
"""

MISLEADING = """
import imdb_tutorial as t

FAR_AWAY = "somebody/somewhere"

def say(kind, folder, **entries):
    file = folder / kind
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))

def misled(change):
    import shutil
    copy = folder / f"misled{len(list(folder.glob('misled*')))}"
    shutil.copytree(tiny_classifier, copy)
    change(copy)
    return copy

def plant_adapter(copy):
    (copy / "adapter_config.json").write_text(json.dumps(
        {"peft_type": "LORA", "base_model_name_or_path": FAR_AWAY, "r": 2}))

sources = [
    misled(lambda copy: say("config.json", copy, _name_or_path=FAR_AWAY)),
    misled(lambda copy: say("config.json", copy,
                            auto_map={"AutoModelForSequenceClassification": f"{FAR_AWAY}--m.M",
                                      "AutoConfig": f"{FAR_AWAY}--m.C"})),
    misled(lambda copy: say("config.json", copy, model_type="bert", base_model=FAR_AWAY)),
    misled(lambda copy: say("tokenizer_config.json", copy, name_or_path=FAR_AWAY,
                            auto_map={"AutoTokenizer": [f"{FAR_AWAY}--t.T", None]})),
    misled(plant_adapter),
    misled(lambda copy: (copy / "model.safetensors").unlink()),
    misled(lambda copy: (copy / "config.json").unlink()),
    misled(lambda copy: (copy / "tokenizer.json").unlink()),
    misled(lambda copy: (copy / "tokenizer_config.json").unlink()),
]
t.save_probe(t.LinearProbe(16), folder / "far", FAR_AWAY)
t.save_probe(t.LinearProbe(16), folder / "near", tiny_bert)
sources += [folder / "far", folder / "near"]
outcomes = []
for source in sources:
    for load in (t.load_classifier, t.load_encoder, t.load_tokenizer):
        try:
            load(source)
        except (OSError, ValueError, RuntimeError) as error:
            outcomes.append([source.name, load.__name__, type(error).__name__, str(error)])
"""

ADAPTER = """
import peft, shutil
import imdb_tutorial as t
from imdb_tutorial.classifier.adapter import save_adapter

adapter = folder / "adapter"
model = peft.get_peft_model(
    t.load_encoder(tiny_bert, device="cpu"), peft.LoraConfig(r=2, target_modules=["query"])
)
save_adapter(model, adapter)
t.save_probe(t.LinearProbe(16), adapter, tiny_bert)
t.load_classifier(adapter)("good film")
config = adapter / "adapter_config.json"
config.write_text(json.dumps({
    **json.loads(config.read_text()),
    "base_model_name_or_path": "somebody/somewhere",
    "revision": "main",
    "auto_mapping": {"base_model_class": "M", "parent_library": "somewhere"},
}))
(adapter / "manifest.json").unlink(missing_ok=True)  # or its hashes refuse it at once
try:
    t.load_classifier(adapter)("good film")
except ValueError as error:
    assert "\\n" not in str(error)
"""


@pytest.fixture
def run(tiny_bert, tiny_classifier, tmp_path):
    """Return a function that runs a script without a network; it returns what was asked of it."""

    def run_script(script):
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORM"))
        }
        environment |= {"TQDM_DISABLE": "1", "HF_HOME": str(tmp_path / "hub")}
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                f"{GUARD}\n{script}\n{LAST}",
                tiny_bert,
                tiny_classifier,
                tmp_path,
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr
        asked, outcomes = json.loads(done.stdout.splitlines()[-1])
        assert asked == [], "\n".join(map(str, asked[0]))
        return outcomes

    return run_script


LAST = 'print(json.dumps([asked, globals().get("outcomes")]))'


@pytest.mark.slow
def test_the_laptop_presets_whole_way_asks_nobody(run):
    run(EVERYTHING)


def test_folders_that_name_somebody_far_away_are_opened_or_refused_without_asking(run):
    outcomes = run(MISLEADING)
    refused = {(folder, by): message for folder, by, _, message in outcomes}
    assert "revision" in refused["far", "load_classifier"]
    assert all("\n" not in message for message in refused.values())
    assert ("near", "load_classifier") not in refused


def test_an_adapter_that_names_a_base_model_far_away_asks_nobody(run):
    run(ADAPTER)
