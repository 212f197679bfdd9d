"""The attacks at small counts, and that each of them finds a fault that is planted for it."""

import importlib.util
import os
import signal
import time
from contextlib import suppress

import pytest

from nncli.errors import ConfigError
from nncli.experiment.loading import load
from tests.reliability import fuzz_coverage, fuzz_runs, fuzz_specs, fuzzing
from tests.reliability.commands import Outcome, blemish
from tests.reliability.sabotage import planted, run_in
from tests.reliability.tally import HangError, Tally, bounded_time

QUICK = {"specs": 150, "checkpoints": 2000, "runs": 10}
PLANTED = {
    "specs": ("a problem is told without its column", 50),
    "checkpoints": ("only a part of the digest is asked", 10),
    "runs": ("links are followed", 1),
}


@pytest.mark.parametrize("name", QUICK)
def test_an_attack_finds_nothing(name, tmp_path, capsys):
    """Every outcome is one that a user can make something of; a line tells the counts."""
    code = fuzzing.main([name, "--count", str(QUICK[name]), "--seed", "7", "--keep", str(tmp_path / "kept")])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "refused" in out
    assert out.endswith("; 0 failures\n")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", PLANTED)
def test_an_attack_finds_a_planted_fault(name, tmp_path):
    """With one fault planted into a copy of the package it fails, says of what input, and keeps that."""
    fault, count = PLANTED[name]
    copy = planted(tmp_path, fuzzing.ATTACKS[name].FAULTS[fault])
    outcome = run_in(copy, "tests.reliability.fuzzing", name, "--count", str(count), "--keep", "kept")
    assert outcome.returncode == 1, outcome.stderr
    assert "its input is " in outcome.stderr
    assert list((copy / "kept").iterdir())


@pytest.mark.parametrize("name", [*fuzzing.ATTACKS, "coverage"])
def test_every_fault_has_its_place(name, tmp_path):
    """What the faults of an attack replace is still in the package."""
    for number, faults in enumerate((fuzzing.ATTACKS | {"coverage": fuzz_coverage})[name].FAULTS.values()):
        planted(tmp_path / str(number), faults)


def test_an_attack_does_not_depend_on_who_does_it(tmp_path, monkeypatch):
    """The portions of one seed are the same inputs, whichever process tries them; another seed has others."""
    monkeypatch.setitem(fuzzing.SHARD_SIZES, "checkpoints", 100)
    one, two, other = (
        fuzzing.attack("checkpoints", 200, seed, tmp_path, processes) for seed, processes in ((1, 1), (1, 2), (2, 1))
    )
    assert one.outcomes == two.outcomes
    assert one.outcomes != other.outcomes


def test_every_reader_of_a_run_is_attacked(nncli):
    """Each command that takes a run directory is among the readers."""
    from nncli.cli.main import nncli as group

    takers = {
        name for name, each in group.commands.items() if {p.name for p in each.params} & {"run", "runs", "folder"}
    }
    assert {words[0] for words in fuzz_runs.READERS} == takers - {"train"}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Outcome(0, "fine\n", ""), None),
        (Outcome(4, "", "run.json: damaged\n"), None),
        (Outcome(1, "", "a bug in nncli\n"), "exit code 1"),
        (Outcome(99, "", "x\n"), "exit code 99"),
        (Outcome(4, "", ""), "without a word"),
        (Outcome(4, "", "Traceback (most recent call last):\n"), "a traceback"),
        (Outcome(0, "", "RuntimeWarning: overflow\n"), "a warning"),
        (Outcome(4, "", "metrics.csv: zip() argument 2 is shorter than argument 1\n"), "a message of Python's own"),
        (Outcome(0, "'NoneType' object has no attribute 'x'\n", ""), "a message of Python's own"),
        (Outcome(4, "", "x\n" * 7), "7 lines"),
        (Outcome(0, "\x1b[2J", ""), "control characters"),
        (Outcome(4, "", "\x9b2J"), "control characters"),
    ],
)
def test_what_a_user_must_not_see(outcome, word):
    """Bugs, tracebacks, warnings, endless errors, and what steers a terminal."""
    found = blemish(outcome)
    assert found is None if word is None else word in found


def test_a_message_without_places_is_found(workdir):
    """Each problem of a message has to begin with a place in the text."""
    path = workdir / "config.yaml"
    path.write_text("seed: -1\nlayers: [x, y]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(path)
    data, message = path.read_bytes(), str(told.value)
    assert fuzz_specs.misplaced(message, path, data) is None
    for wrong in (
        message.replace(":1:7:", ":"),
        message.replace(":1:7:", ":9:7:"),
        message.replace(":1:7:", ":1:0:"),
        message.replace("seed: -1", "seed: \x1b"),
        f"{message}\nand so on",
        "",
    ):
        assert fuzz_specs.misplaced(wrong, path, data), wrong


def test_what_hangs_is_ended(tmp_path):
    """A pipe that nobody writes to is not waited for longer than allowed, and no handler of exceptions hides it."""
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(HangError), bounded_time(0.1), suppress(Exception):
        os.open(tmp_path / "pipe", os.O_RDONLY)
    assert time.monotonic() - started < 10


def test_the_time_limit_of_a_test_goes_on_after_a_shorter_one():
    """What bounds one input hands the timer back to what bounds the test."""
    before = signal.getitimer(signal.ITIMER_REAL)[0]
    with bounded_time(5.0):
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 5
    assert 0.9 * before <= signal.getitimer(signal.ITIMER_REAL)[0] <= before
    assert before > 0


def test_failures_are_told_and_kept(tmp_path, capsys):
    """The line counts them, the input is in a file, and the exit code is 1."""
    tally = Tally()
    tally.outcomes["refused"] += 1500
    tally.fail("accepted", b"input", tmp_path / "kept")
    assert tally.report() == 1
    out, err = capsys.readouterr()
    assert out == "1,500 inputs: 1,500 refused; memory grew by 0.0 MiB; 1 failures\n"
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [b"input"]
    assert err.startswith("accepted; its input is ")


def test_memory_that_grows_is_a_failure(tmp_path):
    """The peak of the process is held against what it was before."""
    tally = Tally()
    tally.bound_memory(0, 2**50, tmp_path)
    assert tally.failures == []
    tally.bound_memory(0, 1, tmp_path)
    assert "memory grew by" in tally.failures[0]


def test_guided_fuzzing_says_what_it_needs(monkeypatch, tmp_path, capsys):
    """Where the library is missing, the word to type; nothing is begun."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert fuzzing.main(["coverage", "--keep", str(tmp_path / "kept")]) == 1
    assert "pip install 'nncli[fuzz]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "code", "line"),
    [
        ("#9 NEW cov: 5 ft: 6 corp: 7/9b\nDone 123456 runs in 61 second(s)\n", 0, "123,456 inputs reached 5 places, 7"),
        ("#9 NEW cov: 5 ft: 6 corp: 7/9b\nDone 10 runs in 1 second(s)\n", 77, "1 failures"),
        ("cannot import\n", 1, "0 inputs reached 0 places"),
    ],
)
def test_what_guided_fuzzing_has_done_is_told(output, code, line, capsys):
    """Counts out of the library's own lines; a process that failed, or has told none, is a failure."""
    assert fuzz_coverage.told(output, code) == (1 if code else 0)
    assert line in capsys.readouterr().out
