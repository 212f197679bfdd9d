"""A small sample of every harness, and for each an injected fault that it must find."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.fault_injection import strace
from tests.fault_injection.harnesses import FOUND, run_module

pytestmark = [
    pytest.mark.fault_injection,
    pytest.mark.skipif(sys.platform != "linux", reason="commands run in forks, as on Linux"),
]
needs_strace = pytest.mark.skipif(not strace.is_available(), reason="strace is missing or not permitted")


@pytest.mark.parametrize(
    ("harness", "arguments", "text"),
    [
        pytest.param("random_kills", ("--runs", "14"), "; 0 wrong", id="random kills"),
        pytest.param("group_kills", ("--kills", "8", "--epochs", "3000"), "; 0 wrong", id="kills of a group"),
        pytest.param("cross_run_isolation", ("--pairs", "12"), "; 0 wrong", id="cross-run isolation"),
        pytest.param("concurrent_trainers", ("--rounds", "1"), "rounds: 1", id="concurrent trainers"),
        pytest.param("moved_runs", ("--rounds", "5"), "5 moves, 0 wrong", id="moved runs"),
        pytest.param("environments", ("streams", "--few"), "streams: 50 commands, 0 wrong", id="standard streams"),
        pytest.param("full_disks", ("--sizes", "4"), "small files: 0 wrong", id="full disks"),
        pytest.param("filesystems", (), "no locks: 0 wrong", id="file systems", marks=needs_strace),
        *(
            pytest.param(harness, ("--sample", count, "--seed", "3"), f"{count} of ", id=harness, marks=needs_strace)
            for harness, count in {
                "signals_at_system_calls": "3",
                "errors_at_system_calls": "5",
                "read_errors": "5",
            }.items()
        ),
        *(
            pytest.param("power_loss", ("--states", "16", "--only", *only), "16 states", id=name, marks=needs_strace)
            for name, only in {
                "power loss during a resume": ("plain-resumed",),
                "power loss within an epoch": ("batches",),
                "power loss of a disk that ignores fsync": ("plain", "--lying"),
                "power loss during an extension": ("plain-extended",),
            }.items()
        ),
    ],
)
def test_sample_has_no_failure(harness, arguments, text):
    """After each fault the run can be read, and ends in the bytes of the reference run."""
    result = run_module(harness, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert text in result.stdout


@pytest.mark.parametrize(
    ("harness", "fault"),
    [
        ("random_kills", "metrics are measured again"),
        ("cross_run_isolation", "checkpoints of any run are accepted"),
        ("concurrent_trainers", "runs are not locked"),
        ("moved_runs", "failed writes are not examined"),
        pytest.param("power_loss", "no fsync of files", marks=needs_strace),
        pytest.param("signals_at_system_calls", "sigterm is not caught", marks=needs_strace),
        pytest.param("errors_at_system_calls", "storage errors are swallowed", marks=needs_strace),
        pytest.param("read_errors", "unreadable files count as damaged", marks=needs_strace),
        pytest.param("filesystems", "staging directories are left behind", marks=needs_strace),
    ],
)
def test_injected_fault_is_found(harness, fault):
    """With the fault the harness fails."""
    result = run_module(harness, "--fault", fault)
    assert result.returncode == 1, result.stdout + result.stderr
    assert FOUND.search(result.stdout)


EVERY_RUN_FAILS = """
import argparse, os, pathlib, sys
from tests.fault_injection import random_kills, run_checks

random_kills._interrupted, run_checks.different_files = lambda *_: [], lambda *_: ["weights.npz"]
arguments = argparse.Namespace(runs=3, first=2, processes=1, seed=1, max_failures=1)
read_end, write_end = os.pipe()  # every forked process holds the write end too
assert random_kills.run_all(arguments, pathlib.Path(sys.argv[1])) >= 1
os.close(write_end)
os.set_blocking(read_end, False)
assert os.read(read_end, 1) == b""  # raises BlockingIOError while a process holds the write end
assert os.listdir(sys.argv[1]) == []
"""


def test_harness_that_stops_early_leaves_no_process_and_no_file(tmp_path):
    """After enough failures no command is left that writes to a directory which is about to be removed."""
    result = subprocess.run(
        [sys.executable, "-c", EVERY_RUN_FAILS, tmp_path],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
