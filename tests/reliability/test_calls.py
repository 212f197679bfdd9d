"""A sample of signals and errors at system calls, and planted faults that they must find."""

import pytest

from tests.conftest import ROOT
from tests.reliability import tracing
from tests.reliability.sabotage import run_in

pytestmark = pytest.mark.skipif(not tracing.is_available(), reason="strace is missing, or may not trace")


@pytest.mark.parametrize(
    ("harness", "sample"), [("signals_at_calls", 3), ("errors_at_calls", 5), ("errors_at_reads", 5)]
)
def test_a_sample_of_trials_is_right(harness, sample):
    """What is left after a signal or an error can be read, and training goes on to the bytes that it would have had."""
    done = run_in(ROOT, f"tests.reliability.{harness}", "--sample", str(sample), "--seed", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sample} of " in done.stdout


@pytest.mark.parametrize(
    ("harness", "fault"),
    [
        ("signals_at_calls", "SIGTERM not caught"),
        ("errors_at_calls", "failures swallowed"),
        ("errors_at_reads", "unreadable is damaged"),
        ("filesystems", "hidden directories stay"),
    ],
)
def test_a_planted_fault_is_found(harness, fault):
    """With the fault the harness is red."""
    done = run_in(ROOT, f"tests.reliability.{harness}", "--sabotage", fault)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong" in done.stdout


def test_disks_that_are_full_read_only_or_small():
    """Real disks that refuse give 5, and training goes on once they no longer do; what may not be mounted is told."""
    done = run_in(ROOT, "tests.reliability.scarcity", "--sizes", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "small files: 0 wrong" in done.stdout


def test_file_systems_that_lack_something():
    """Hard links, an fsync of directories, locks: what is not needed is done without, and the rest is said."""
    done = run_in(ROOT, "tests.reliability.filesystems")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no locks: 0 wrong" in done.stdout
