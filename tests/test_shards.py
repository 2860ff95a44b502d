"""What an extraction keeps while it runs: a kill costs little, and the result is the same."""

import errno
import os
import signal
import warnings

import pytest
import torch

from imdb_tutorial import extract_features, load_encoder, load_tokenizer
from imdb_tutorial.encoder import extraction, tokens
from imdb_tutorial.machine import cache, files, shards
from tests.systems import needs_flock, needs_fork, needs_sigkill

TEXTS = [
    " ".join(["good film", "dull", "i love the plot", "a very bad ending"][: 1 + n % 4])
    + f" , {n} scenes" * (1 + n % 7)
    for n in range(60)
]


@pytest.fixture(scope="module")
def tiny(tiny_bert):
    return load_tokenizer(tiny_bert), load_encoder(tiny_bert, device="cpu")


@pytest.fixture(scope="module")
def expected(tiny):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(extraction.TOKEN_BUDGET, "cpu", 64)
        return extract_features(TEXTS, *tiny, ("cls", "mean"), dtype=torch.float32, use_cache=False)


@pytest.fixture(autouse=True)
def many_shards(monkeypatch):
    """Make many small batches, and a shard of each."""
    monkeypatch.setitem(extraction.TOKEN_BUDGET, "cpu", 64)
    monkeypatch.setattr(shards, "SECONDS", 0.0)


@pytest.fixture
def passes(tiny):
    counted = []
    handle = tiny[1].register_forward_hook(lambda *_: counted.append(1))
    yield counted
    handle.remove()


def extract(tiny, pooling=("cls", "mean"), texts=TEXTS, **options):
    return extract_features(texts, *tiny, pooling, dtype=torch.float32, **options)


def is_expected(found, expected):
    return all(torch.equal(found[name], expected[name]) for name in found)


def interrupt(tiny, batches, monkeypatch, error=KeyboardInterrupt, **options):
    """Extract, but stop after so many batches."""
    came = []

    def some(work, items, device):
        for item in items:
            if len(came) == batches:
                raise error
            came.append(item)
            yield work(item)

    with monkeypatch.context() as patch, pytest.raises(error):
        patch.setattr(extraction, "in_parallel", some)
        extract(tiny, **options)


def kept(pattern="*"):
    return sorted(cache.cache_folder().glob(f"{pattern}{cache.SHARD_SUFFIX}"))


def is_clean():
    names = [path.name for path in cache.cache_folder().iterdir()]
    return sorted(name.rpartition("-")[2] for name in names) == [
        "cls.safetensors",
        "mean.safetensors",
    ]


# Interrupted


@pytest.mark.parametrize("batches", [1, 7, 20])
def test_an_interrupted_run_goes_on_and_says_what_was_there(
    tiny, expected, passes, monkeypatch, capsys, batches
):
    extract(tiny, use_cache=False)
    whole = len(passes)
    interrupt(tiny, batches, monkeypatch)
    passes.clear()
    capsys.readouterr()
    found = extract(tiny)
    assert len(passes) == whole - batches
    said = capsys.readouterr()
    there, _, rest = (said.out + said.err).partition(" of 60 reviews were there already")
    assert rest.startswith(": going on")
    assert 0 < int(there.split()[-1]) < 60
    assert is_expected(found, expected)
    assert is_clean()


def test_a_first_run_says_nothing_of_what_was_there(tiny, capsys):
    extract(tiny)
    said = capsys.readouterr()
    assert "already" not in said.out + said.err


def test_an_interruption_keeps_what_is_in_memory_alone(tiny, passes, monkeypatch):
    monkeypatch.setattr(shards, "SECONDS", 1e9)
    interrupt(tiny, 7, monkeypatch)
    passes.clear()
    extract(tiny)
    rest = len(passes)
    extract(tiny, use_cache=False)
    assert len(passes) - rest == rest + 7


@needs_fork
@needs_sigkill
@pytest.mark.parametrize("moment", [0, 1, 2, 3, 5, 8, 13, 40, 100, 116, 117, 118, 119, 120])
def test_killed_at_any_moment_the_next_start_is_right_and_leaves_nothing(tiny, expected, moment):
    """Every shard, and each table, is opened, flushed and renamed."""
    child = os.fork()
    if not child:
        try:
            os.close(1), os.close(2)
            die_at(moment)
            extract(tiny)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what is whole is believed, what is half is not seen
        assert is_expected(extract(tiny), expected)
        assert is_expected(extract(tiny), expected)
    assert is_clean()


def die_at(moment):
    """Let this process kill itself at the n-th step of writing."""
    steps = iter(range(moment))

    def dying(function):
        def step(*arguments, **options):
            if next(steps, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return step

    files._partial = dying(files._partial)
    os.fsync = dying(os.fsync)
    os.unlink = dying(os.unlink)


def test_no_more_than_half_a_minute_is_in_memory_alone(tiny, monkeypatch):
    now = iter(range(0, 10**6, 7))  # a batch takes seven seconds
    monkeypatch.setattr(shards, "SECONDS", 30.0)
    monkeypatch.setattr(shards.time, "monotonic", lambda: next(now))
    written = []
    write = shards.Shards._write
    monkeypatch.setattr(shards.Shards, "_write", lambda *a: (written.append(len(a[2])), write(*a)))
    extract(tiny, "cls")
    assert written and max(written) <= 5


def test_no_more_bytes_than_a_few_are_in_memory_alone(tiny, monkeypatch):
    monkeypatch.setattr(shards, "SECONDS", 1e9)
    monkeypatch.setattr(shards, "MOST_BYTES", 500)  # four batches or so
    most = []
    write = shards.Shards._write
    monkeypatch.setattr(shards.Shards, "_write", lambda *a: (most.append(len(a[2])), write(*a)))
    assert extract(tiny, "cls").shape == (60, 16)
    assert len(most) > 5


def test_what_is_kept_in_memory_holds_its_own_vectors_alone(tiny, monkeypatch):
    """[CLS] is a view of all tokens' vectors, 500 times as much."""
    held = []
    add = shards.Shards.add

    def seen(self, number, vectors):
        for table in vectors.values():
            owner = table.base  # the tensor that the array was made of
            held.append((owner.untyped_storage().nbytes(), table.nbytes))
        add(self, number, vectors)

    monkeypatch.setattr(shards.Shards, "add", seen)
    extract(tiny, ("cls", "mean", "pooler"))
    assert held and all(all_of_it == own for all_of_it, own in held)


# The same whatever the shards and the cores


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("seconds", [0.0, 0.02, 1e9])
def test_neither_shards_nor_cores_change_a_bit(tiny, expected, monkeypatch, threads, seconds):
    monkeypatch.setattr(shards, "SECONDS", seconds)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert is_expected(extract(tiny), expected)
    finally:
        torch.set_num_threads(before)


def test_tokens_that_do_not_fit_are_made_again_and_change_nothing(
    tiny, expected, monkeypatch, tmp_path
):
    import datasets

    monkeypatch.setattr(tokens, "TOKENS_IN_MEMORY", 200)
    monkeypatch.setattr(tokens, "TOKENIZER_CHUNK", 7)
    assert is_expected(extract(tiny), expected)
    cache.clear_cache()
    datasets.Dataset.from_dict({"text": TEXTS}).save_to_disk(tmp_path / "set")
    on_disk = datasets.load_from_disk(tmp_path / "set")
    interrupt(tiny, 9, monkeypatch, texts=on_disk)
    assert is_expected(extract(tiny, texts=on_disk), expected)


def test_a_pooling_that_was_kept_alone_is_not_computed_again(tiny, expected, passes, monkeypatch):
    interrupt(tiny, 9, monkeypatch, pooling=("cls",))
    passes.clear()
    assert is_expected(extract(tiny), expected)
    both = len(passes)
    cache.clear_cache()
    extract(tiny)
    assert len(passes) == 2 * both  # [CLS] alone is not enough where both are wanted
    assert is_clean()


# Damaged, or of another run

DAMAGES = {
    "cut": lambda b: b[:-1],
    "empty": lambda b: b"",
    "longer": lambda b: b + b"\0",
    "one bit": lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:],
    "rubbish": lambda b: b"rubbish" * 20,
    "a header of a gigabyte": lambda b: (2**30).to_bytes(8, "little") + b[8:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_told_and_computed_again(tiny, expected, passes, monkeypatch, damage):
    interrupt(tiny, 9, monkeypatch)
    passes.clear()
    file = kept("*-cls-*")[4]
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.warns(UserWarning, match=f"the shard {file.name} is damaged"):
        found = extract(tiny)
    assert is_expected(found, expected)
    assert is_clean()


def test_a_shard_damaged_after_the_start_is_computed_again(tiny, expected, monkeypatch):
    interrupt(tiny, 9, monkeypatch)
    in_parallel = extraction.in_parallel

    def damaging(*arguments):
        for file in kept("*-mean-*")[:2]:
            file.write_bytes(b"damaged meanwhile")
        return in_parallel(*arguments)

    monkeypatch.setattr(extraction, "in_parallel", once(damaging, in_parallel))
    with pytest.warns(UserWarning, match="is damaged"):
        found = extract(tiny)
    assert is_expected(found, expected)
    assert is_clean()


def test_a_disk_that_damages_all_it_takes_costs_the_cache_and_not_the_run(
    tiny, expected, monkeypatch
):
    def damaged(file, content):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content[:-1])

    monkeypatch.setattr(shards, "write_whole", damaged)
    with pytest.warns(UserWarning, match="again and again: going on without"):
        found = extract(tiny)
    assert is_expected(found, expected)


def once(first, then):
    called = []

    def function(*arguments):
        called.append(1)
        return (first if len(called) == 1 else then)(*arguments)

    return function


def test_shards_of_another_plan_are_told_and_not_believed(tiny, expected, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(extraction.TOKEN_BUDGET, "cpu", 48)
        interrupt(tiny, 9, monkeypatch)
    with pytest.warns(UserWarning, match="is of another run"):
        found = extract(tiny)
    assert is_expected(found, expected)
    assert is_clean()


def test_a_shard_under_another_ones_name_is_not_believed(tiny, expected, monkeypatch):
    interrupt(tiny, 9, monkeypatch)
    first, second, *_ = kept("*-cls-*")
    second.write_bytes(first.read_bytes())
    with pytest.warns(UserWarning, match=f"the shard {second.name} is of another run"):
        assert is_expected(extract(tiny), expected)


@pytest.mark.parametrize("name", ["x", "-1-3", "3-2", "a-b", "0-1000", "1-2-3"])
def test_a_file_that_only_looks_like_a_shard_does_no_harm(tiny, expected, monkeypatch, name):
    interrupt(tiny, 9, monkeypatch)
    shard = kept("*-cls-*")[0]
    key = shard.name.partition("-")[0]
    odd = shard.with_name(f"{key}-cls-{name}{cache.SHARD_SUFFIX}")
    odd.write_bytes(shard.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert is_expected(extract(tiny), expected)


def test_other_reviews_take_up_nothing(tiny, passes, monkeypatch, capsys):
    interrupt(tiny, 9, monkeypatch)
    capsys.readouterr()
    extract(tiny, texts=[*TEXTS[:-1], "another one"])
    assert "already" not in capsys.readouterr().out
    assert kept()  # of the other run, which can still go on


# The disk, and the cache


def test_a_disk_that_fills_up_meanwhile_costs_a_warning_and_nothing_else(
    tiny, expected, monkeypatch
):
    room = iter(range(6))

    def write_whole(file, content):
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        files.write_whole(file, content)

    monkeypatch.setattr(shards, "write_whole", write_whole)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert is_expected(extract(tiny), expected)


def test_the_cache_knows_shards_and_clears_them(tiny, expected, passes, monkeypatch):
    interrupt(tiny, 9, monkeypatch)
    found = cache.cache_info()
    assert (found.files, found.shards) == (0, 18)
    assert found.bytes == sum(file.stat().st_size for file in kept()) > 0
    assert cache.clear_cache() == found
    assert list(found.folder.iterdir()) == []
    assert is_expected(extract(tiny), expected)


@needs_flock
def test_clearing_leaves_the_shards_of_what_is_being_computed(tiny, expected, monkeypatch):
    left, in_parallel = [], extraction.in_parallel

    def clearing(work, items, device):
        for number, done in enumerate(in_parallel(work, items, device)):
            yield done
            if number == 9:
                cache.clear_cache()
                left.append(len(kept()))

    interrupt(tiny, 5, monkeypatch, texts=TEXTS[:40])  # of another key: nobody computes it
    other = len(kept())
    monkeypatch.setattr(extraction, "in_parallel", clearing)
    assert is_expected(extract(tiny), expected)
    assert other == 10
    assert left[0] >= 18


def test_shards_left_by_a_kill_after_the_table_was_written_go_away(tiny, expected, monkeypatch):
    interrupt(tiny, 9, monkeypatch)
    left = [(file, file.read_bytes()) for file in kept()]
    extract(tiny)
    for file, content in left:
        file.write_bytes(content)
    half = left[0][0].with_name(f".{left[0][0].name}.0123abcd.part")
    half.write_bytes(bytes(10**6))
    assert cache.cache_info().shards == 18
    assert cache.cache_info().bytes > 10**6
    assert is_expected(extract(tiny), expected)
    assert is_clean()


@pytest.mark.slow
def test_ten_times_as_many_reviews_take_hardly_more_memory():
    """Kept with their [CLS], all tokens' vectors made it 1.4 times as much."""
    pytest.importorskip("resource", reason="needs what Linux and macOS say of a process")
    from benchmarks.memory_growth import measure_apart

    few, many = (measure_apart(size, 128, 128)["peak_memory_mb"] for size in (400, 4_000))
    assert many < 1.2 * few
