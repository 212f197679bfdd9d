"""A small number of inputs for each fuzzer, and an injected fault that it must find."""

import importlib.util
import os
import signal
import time
from contextlib import suppress

import pytest

from nncli.errors import ConfigError
from nncli.experiment.loading import load
from tests.fault_injection import coverage_guided_fuzzing, fuzz_configs, fuzzing
from tests.fault_injection.harnesses import run_module
from tests.fault_injection.in_process_commands import Outcome, output_problem
from tests.fault_injection.result_counter import HangError, ResultCounter, time_limit

QUICK = {"configs": 150, "checkpoints": 2000, "runs": 10}
FAULTS = {
    "configs": ("diagnostics lack the column", "50"),
    "checkpoints": ("last byte of the checksum is not compared", "10"),
    "runs": ("symbolic links are followed", "1"),
}

pytestmark = pytest.mark.fault_injection


@pytest.mark.parametrize("name", QUICK)
def test_fuzzer_finds_no_failure(name, tmp_path, capsys):
    """Every outcome is a documented one; a line has the counts."""
    code = fuzzing.main([name, "--count", str(QUICK[name]), "--seed", "7", "--keep", str(tmp_path / "failures")])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "rejected" in out
    assert out.endswith("; 0 failures\n")
    assert not (tmp_path / "failures").exists()


@pytest.mark.parametrize("name", FAULTS)
def test_fuzzer_finds_injected_fault(name, tmp_path):
    """With a fault the fuzzer fails, names the input and saves it."""
    fault, count = FAULTS[name]
    result = run_module("fuzzing", name, "--count", count, "--keep", str(tmp_path / "failures"), fault=fault)
    assert result.returncode == 1, result.stderr
    assert "its input is " in result.stderr
    assert list((tmp_path / "failures").iterdir())


def test_inputs_do_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    """One seed gives the same inputs on any number of processes; another seed gives others."""
    monkeypatch.setitem(fuzzing.SHARD_SIZES, "checkpoints", 100)
    one, two, other = (
        fuzzing.fuzz("checkpoints", 200, seed, tmp_path, processes) for seed, processes in ((1, 1), (1, 2), (2, 1))
    )
    assert one.outcomes == two.outcomes
    assert one.outcomes != other.outcomes


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (Outcome(0, "fine\n", ""), None),
        (Outcome(4, "", "run.json: damaged\n"), None),
        (Outcome(1, "", "a bug in nncli\n"), "exit code 1"),
        (Outcome(99, "", "x\n"), "exit code 99"),
        (Outcome(4, "", ""), "without a message"),
        (Outcome(4, "", "Traceback (most recent call last):\n"), "a traceback"),
        (Outcome(0, "", "RuntimeWarning: overflow\n"), "a warning"),
        (Outcome(4, "", "metrics.csv: zip() argument 2 is shorter than argument 1\n"), "a message of Python's own"),
        (Outcome(0, "'NoneType' object has no attribute 'x'\n", ""), "a message of Python's own"),
        (Outcome(4, "", "x\n" * 7), "7 lines"),
        (Outcome(0, "\x1b[2J", ""), "control characters"),
        (Outcome(4, "", "\x9b2J"), "control characters"),
    ],
)
def test_output_problems_are_found(outcome, problem):
    """Internal errors, tracebacks, warnings, long messages and control characters are problems."""
    found = output_problem(outcome)
    assert found is None if problem is None else problem in found


def test_diagnostic_without_location_is_found(workdir):
    """Each diagnostic has to begin with a location in the text."""
    path = workdir / "config.yaml"
    path.write_text("seed: -1\nlayers: [x, y]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(path)
    data, message = path.read_bytes(), str(raised.value)
    assert fuzz_configs.location_problem(message, path, data) is None
    for wrong in (
        message.replace(":1:7:", ":"),
        message.replace(":1:7:", ":9:7:"),
        message.replace(":1:7:", ":1:0:"),
        message.replace("seed: -1", "seed: \x1b"),
        f"{message}\nand so on",
        "",
    ):
        assert fuzz_configs.location_problem(wrong, path, data), wrong


def test_hanging_input_is_ended(tmp_path):
    """A blocking call ends after the time limit, and no handler of exceptions hides the error."""
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(HangError), time_limit(0.1), suppress(Exception):
        os.open(tmp_path / "pipe", os.O_RDONLY)
    assert time.monotonic() - started < 10


def test_time_limit_restores_the_timer_of_the_test():
    """The timer of pytest-timeout continues after the time limit of an input."""
    before = signal.getitimer(signal.ITIMER_REAL)[0]
    with time_limit(5.0):
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 5
    assert 0.9 * before <= signal.getitimer(signal.ITIMER_REAL)[0] <= before
    assert before > 0


def test_failures_are_reported_and_saved(tmp_path, capsys):
    """The line has their count, the input is in a file, and the exit code is 1."""
    results = ResultCounter()
    results.outcomes["rejected"] += 1500
    results.fail("accepted", b"input", tmp_path / "failures")
    assert results.report() == 1
    out, err = capsys.readouterr()
    assert out == "1,500 inputs: 1,500 rejected; memory grew by 0.0 MiB; 1 failures\n"
    assert [path.read_bytes() for path in (tmp_path / "failures").iterdir()] == [b"input"]
    assert err.startswith("accepted; its input is ")


def test_growth_of_memory_is_a_failure(tmp_path):
    """The peak of memory is compared with a limit."""
    results = ResultCounter()
    results.bound_memory(0, 2**50, tmp_path)
    assert results.failures == []
    results.bound_memory(0, 1, tmp_path)
    assert "memory grew by" in results.failures[0]


def test_missing_atheris_is_reported(monkeypatch, tmp_path, capsys):
    """The message says how to install the library."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert fuzzing.main(["coverage", "--keep", str(tmp_path / "failures")]) == 1
    assert "pip install 'nncli[fuzz]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "code", "line"),
    [
        ("#9 NEW cov: 5 ft: 6 corp: 7/9b\nDone 123456 runs in 61 second(s)\n", 0, "123,456 inputs covered 5 edges, 7"),
        ("#9 NEW cov: 5 ft: 6 corp: 7/9b\nDone 10 runs in 1 second(s)\n", 77, "1 failures"),
        ("cannot import\n", 1, "0 inputs covered 0 edges"),
    ],
)
def test_counts_of_atheris_are_reported(output, code, line, capsys):
    """The counts come from its output; a process that fails or prints none is a failure."""
    assert coverage_guided_fuzzing.report(output, code) == (1 if code else 0)
    assert line in capsys.readouterr().out
