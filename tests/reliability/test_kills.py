"""The quick count of runs that are killed, and faults that this must find."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


def harness(name, *words):
    """A harness as a command: its exit code, and the last line of what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.reliability.{name}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


def test_a_dozen_runs_are_killed_and_end_as_if_they_had_not_been():
    """Up to three kills each, and signals in the middle of an epoch; every reader works in between."""
    code, last = harness("kills", "--runs", "14")
    assert (code, last.endswith("; 14 equal")) == (0, True), last


@pytest.mark.parametrize("fault", ["the optimizer forgets", "the row is measured again"])
def test_a_fault_of_the_resume_is_found(fault):
    """Each spoils about half of all runs, so that twenty are more than enough."""
    code, last = harness("kills", "--runs", "20", "--sabotage", fault)
    assert code == 1, last


def test_files_of_one_run_are_not_loaded_in_another():
    """A few of the ordered pairs of thirty specs, and a fault that lets any checkpoint in."""
    code, last = harness("pairs", "--pairs", "12")
    assert code == 0, last
    code, last = harness("pairs", "--pairs", "3", "--sabotage", "checkpoints of any run")
    assert code == 1, last


def test_commands_with_strange_streams():
    """Standard output closed, full, or read by nobody; standard error full or closed; an encoding of ASCII."""
    code, last = harness("surroundings", "streams")
    assert (code, last) == (0, "streams: 77 commands, 0 wrong")
