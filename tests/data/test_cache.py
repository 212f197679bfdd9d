"""The cache of large files: the same bytes as without it, complete entries only, whatever happens."""

import csv
import errno
import fcntl
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nncli.data import cache
from nncli.data.stored_array import StoredArray, stored_array
from nncli.errors import StorageError
from tests.conftest import ROOT

ROWS = 400
CONFIG = """\
seed: 0
data: {{type: table, path: data.csv, target: {target}}}
validation: {{fraction: 0.2}}
layers: [{{type: dense, units: 4}}, relu, {{type: dense, units: {units}}}{softmax}]
loss: {loss}
optimizer: adam
training: {{epochs: 3, batch_size: {batch_size}}}
"""
TASKS = {
    "kind": {"units": 3, "softmax": ", softmax", "loss": "categorical_crossentropy"},
    "price": {"units": 1, "softmax": "", "loss": "mean_squared_error"},
}
PROGRAM = """\
import sys
from pathlib import Path
from nncli.data import cache
from nncli.data.delimited import rows, text_file
cache.LARGE, text_file.PIECE, rows.MIN_LINES = 0, 2000, 1
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
loaded = load(Path(sys.argv[1]))
print(assemble(loaded.config, loaded.plan).data["training"].fingerprint())
"""


def write_table(path, rows=ROWS, seed=0):
    """A table with columns of all types, also with a field of two lines."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "size", "color", "active", "joined", "kind", "price"])
        for index in range(rows):
            day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            color = rng.choice(["red", "green", "a\nb" if rows == ROWS else "blue"])
            values = [f"{rng.gauss(40, 9):.2f}", rng.randint(0, 99), color, rng.choice(["yes", "no"]), day]
            writer.writerow([*values, "abc"[index % 3], f"{rng.gauss(1000, 300):.1f}"])


def write_config(path, target="kind", batch_size=16):
    """A config for the table."""
    text = CONFIG.format(target=target, batch_size=batch_size, **TASKS[target])
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def forced(tmp_path, monkeypatch):
    """Put every file into a cache in ``tmp_path``, whose path is returned."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "LARGE", 0)
    return tmp_path / "cache"


def entries(directory):
    """The bytes of each entry by name."""
    return {path.name: path.read_bytes() for path in directory.glob("*.rows")}


@pytest.mark.parametrize("batch_size", [16, "null"], ids=["mini-batches", "full batch"])
@pytest.mark.parametrize("target", TASKS)
@pytest.mark.parametrize("is_limited", [False, True], ids=["mapped", "read"])
def test_runs_do_not_depend_on_the_cache(forced, monkeypatch, run_cli, target, batch_size, is_limited):
    """Their bytes are the same without it, when it is written, and when it is read."""
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"), target, batch_size)
    if is_limited:
        monkeypatch.setattr("nncli.data.stored_array.stored_array", StoredArray)
        monkeypatch.setattr("nncli.data.cache.stored_array", StoredArray)
    for name in ("written", "found"):
        assert run_cli("train", "config.yaml", "-q", "--name", name).code == 0
    assert len(entries(forced)) >= 4
    monkeypatch.setattr(cache, "LARGE", 2**60)
    assert run_cli("train", "config.yaml", "-q", "--name", "without").code == 0
    for name in ("weights.npz", "metrics.csv", "preprocessing.json"):
        contents = {Path("runs", run, name).read_bytes() for run in ("written", "found", "without")}
        assert len(contents) == 1, name


def test_file_is_parsed_once(forced, monkeypatch, run_cli):
    """The second training reads no row of it; another content, or another reading, does."""
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"))
    assert run_cli("train", "config.yaml", "-q").code == 0
    before = entries(forced)
    monkeypatch.setattr("nncli.data.table_file.read_table", lambda *arguments: pytest.fail("is parsed"))
    assert run_cli("train", "config.yaml", "-q", "training.epochs=4").code == 0
    assert entries(forced) == before
    monkeypatch.undo()


@pytest.mark.parametrize("change", ["content", "missing_values", "columns", "seed"])
def test_what_determines_the_bytes_is_in_the_key(forced, run_cli, change):
    """A file of the same size and time, another reading, and another split have other encoded rows."""
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"))
    assert run_cli("train", "config.yaml", "-q").code == 0
    before, overrides = entries(forced), []
    if change == "content":
        state = Path("data.csv").stat()
        write_table(Path("data.csv"), seed=1)
        os.utime("data.csv", ns=(state.st_atime_ns, state.st_mtime_ns))
    elif change == "seed":
        overrides = ["seed=1"]
    else:
        overrides = [
            {"missing_values": "data.missing_values=['99999']", "columns": "data.columns.age=category"}[change]
        ]
    result = run_cli("train", "config.yaml", "-q", *overrides)
    assert result.code == 0, result.err
    assert len(entries(forced)) > len(before)


def test_small_file_is_not_cached(forced, monkeypatch, run_cli):
    """Nothing is written for it."""
    monkeypatch.undo()
    monkeypatch.chdir(forced.parent)
    monkeypatch.setenv(cache.VARIABLE, str(forced))
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"))
    assert run_cli("train", "config.yaml", "-q").code == 0
    assert not forced.exists()


def test_damaged_entries_are_written_again(forced, run_cli):
    """A byte that differs anywhere, a byte less or more, or an empty file."""
    write_table(Path("data.csv"), 60)
    write_config(Path("config.yaml"))
    assert run_cli("check", "config.yaml").code == 0
    expected, rng = entries(forced), random.Random(0)
    for name, content in expected.items():
        position = rng.randrange(len(content))
        flipped = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        for damaged in (flipped, content[:-1], content + b"x", b"", b"\0" * len(content), content[: len(content) // 2]):
            (forced / name).write_bytes(damaged)
            assert run_cli("check", "config.yaml").code == 0
            assert entries(forced) == expected


def test_storage_errors_have_exit_code_5(forced, monkeypatch, run_cli):
    """A full disk, and a cache directory that cannot be made, with what to do; nothing half-written stays."""
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"))
    write = os.pwrite
    for budget in (0, 100, 3000):
        left = [budget]

        def full(descriptor, data, position, left=left):
            left[0] -= len(data)
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(descriptor, data, position)

        monkeypatch.setattr(os, "pwrite", full)
        result = run_cli("train", "config.yaml", "-q")
        assert (result.code, "No space left on device; name another directory with --cache-dir" in result.err) == (
            5,
            True,
        )
        assert not [each for each in cache.files() if each.path.stem.count(".")]
    monkeypatch.setattr(os, "pwrite", write)
    Path("file").touch()
    result = run_cli("train", "config.yaml", "-q", "--cache-dir", "file/cache")
    monkeypatch.setenv(cache.VARIABLE, str(forced))
    assert (result.code, "Not a directory" in result.err) == (5, True)


def test_text_column_is_rejected_as_without_cache(forced, monkeypatch, run_cli):
    """With the same message, and no entry of the table."""
    lines = [f"{index},text {index},{index % 2}\n" for index in range(50)]
    Path("data.csv").write_text("a,note,kind\n" + "".join(lines), encoding="utf-8")
    write_config(Path("config.yaml"))
    cached = run_cli("check", "config.yaml")
    monkeypatch.setattr(cache, "LARGE", 2**60)
    assert run_cli("check", "config.yaml") == cached
    assert cached.code == 3
    assert "note" in cached.err + cached.out


def test_cache_is_listed_and_cleared(forced, run_cli):
    """With the sizes, and without those that another process writes."""
    write_table(Path("data.csv"))
    write_config(Path("config.yaml"))
    assert run_cli("train", "config.yaml", "-q").code == 0
    count = len(entries(forced))
    assert f"{count} entries" in run_cli("cache").out
    assert f"deleted {count} entries" in run_cli("cache", "--clear").out
    assert not entries(forced)
    assert "0 entries, 0.0 MiB" in run_cli("cache").out


@pytest.mark.parametrize("shape", [(1000,), (1000, 7), (1, 1), (50_000, 13)])
def test_stored_array_is_that_of_numpy(tmp_path, monkeypatch, shape):
    """Any slice, index, mask and column, also where windows are smaller than the array."""
    monkeypatch.setattr("nncli.data.stored_array.WINDOW", 1000)
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    (tmp_path / "file").write_bytes(b"start" + values.tobytes())
    rng = np.random.default_rng(1)
    with (tmp_path / "file").open("rb") as file:
        stored = StoredArray(file, 5, values.dtype, shape)
        assert (len(stored), stored.shape, stored.ndim) == (len(values), shape, len(shape))
        assert np.array_equal(np.asarray(stored), values)
        keys = [
            slice(None),
            slice(3, 9),
            slice(9, 3),
            slice(None, None, 3),
            slice(None, None, -1),
            0,
            -1,
            len(values) - 1,
        ]
        keys += [rng.integers(0, len(values), 20), rng.random(len(values)) < 0.5, np.zeros(0, np.int64)]
        keys += [(slice(2, 5), 0), (0, 0)] if len(shape) > 1 else []
        for key in keys:
            assert np.array_equal(stored[key], values[key]), key
        rows, out = rng.integers(0, len(values), 32), np.empty((32, *shape[1:]), np.float32)
        assert np.array_equal(stored.take(rows, axis=0, out=out, mode="clip"), values[rows])
        assert isinstance(stored_array(file, 5, values.dtype, shape), np.memmap)
        monkeypatch.setattr(resource, "getrlimit", lambda limit: (2**30, 2**30))
        assert isinstance(stored_array(file, 5, values.dtype, shape), StoredArray)


def test_key_of_another_process_is_waited_for_by_nobody(forced):
    """What a process is writing is not deleted by another one; what a killed one has left is."""
    cache.entry("other", lambda writer: 0)
    abandoned = forced / f"dead.0123{cache.UNFINISHED}"
    abandoned.touch()
    cache.entry("next", lambda writer: cache.entry("within", lambda writer: 1).facts)
    assert not abandoned.exists()
    assert sorted(each.path.stem for each in cache.files()) == ["next", "other", "within"]


def test_failure_of_a_writer_leaves_nothing(forced):
    """Neither an entry nor a part of one."""
    with pytest.raises(ZeroDivisionError):
        cache.entry("key", lambda writer: 1 // 0)
    assert cache.files() == []
    with pytest.raises(StorageError):
        cache.content_digest(forced / "missing")


def start(directory):
    """A process that reads, caches and fits, and prints the fingerprint of the training set."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), cache.VARIABLE: str(directory)}
    command = [sys.executable, "-c", PROGRAM, "config.yaml"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def large_table(tmp_path, monkeypatch):
    """A config with a table of several blocks, whose digest is remembered."""
    monkeypatch.chdir(tmp_path)
    write_table(Path("data.csv"), 20_000)
    write_config(Path("config.yaml"))
    time.sleep(cache.SETTLED)  # from then on the digest of the file is remembered


@pytest.mark.slow
def test_killed_processes_leave_nothing_half_written(large_table, tmp_path, monkeypatch):
    """Twenty processes are killed at any moment; the next one has the same rows, and every entry is whole."""
    began = time.monotonic()
    expected, _ = start(tmp_path / "intact").communicate()
    seconds, whole = time.monotonic() - began, entries(tmp_path / "intact")
    assert expected
    assert len(whole) >= 3
    rng, killed = random.Random(0), 0
    for _ in range(20):
        process = start(tmp_path / "killed")
        time.sleep(rng.uniform(0.4, 0.9) * seconds)
        killed += process.poll() is None
        process.kill()
        process.communicate()
        assert entries(tmp_path / "killed").items() <= whole.items()
        if rng.random() < 0.7:
            for path in (tmp_path / "killed").glob("*.rows"):
                path.unlink()
    assert killed > 8
    assert start(tmp_path / "killed").communicate()[0] == expected
    assert entries(tmp_path / "killed") == whole


def test_files_that_vanish_are_not_listed(tmp_path, monkeypatch):
    """Another process may rename or delete a file between the listing and the look at its size."""
    monkeypatch.setenv("NNCLI_CACHE_DIR", str(tmp_path))
    (tmp_path / "gone.writing").symlink_to("missing")
    (tmp_path / "there.rows").write_bytes(b"abc")
    assert [(each.path.name, each.size) for each in cache.files()] == [("there.rows", 3)]


def test_file_that_is_deleted_before_it_is_locked_is_written_again(tmp_path, monkeypatch):
    """Another process takes it for abandoned."""
    monkeypatch.setenv("NNCLI_CACHE_DIR", str(tmp_path))
    lock, deleted = fcntl.flock, []

    def late(file, operation):
        if not deleted:
            deleted.extend(tmp_path.glob("*.writing"))
            deleted[0].unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    assert cache.entry("a" * 64, lambda writer: {"x": 1}).facts == {"x": 1}
    assert len(deleted) == 1
    assert [each.is_complete for each in cache.files()] == [True]


@pytest.mark.slow
def test_processes_share_a_cache(large_table, tmp_path):
    """Four at the same time have the same rows, and leave whole entries."""
    processes = [start(tmp_path / "shared") for _ in range(4)]
    assert len({process.communicate()[0] for process in processes}) == 1
    assert start(tmp_path / "alone").communicate()[0]
    assert entries(tmp_path / "shared") == entries(tmp_path / "alone")
