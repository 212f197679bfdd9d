"""The quick count of runs that are killed and of files that are exchanged, and faults that these must find."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.reliability.sabotage import run_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked as Linux does it")


def harness(name, *words):
    """A harness as a command: its exit code, and the last line of what it printed."""
    done = run_in(ROOT, f"tests.reliability.{name}", *words)
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


def test_a_dozen_runs_are_killed_and_end_as_if_they_had_not_been():
    """Up to three kills each, and signals in the middle of an epoch; every reader works in between."""
    code, last = harness("kills", "--runs", "14")
    assert (code, last.endswith("; 0 wrong")) == (0, True), last


EVERY_RUN_IS_WRONG = """
import argparse, os, pathlib, sys
from tests.reliability import kills, trials

kills._interrupted, trials.differences = lambda *_: [], lambda *_: ["weights.npz"]
end, held = os.pipe()  # which every process that is forked holds too
assert kills.survey(argparse.Namespace(runs=3, first=2, processes=1, seed=1, most=1), pathlib.Path(sys.argv[1])) >= 1
os.close(held)
os.set_blocking(end, False)
assert os.read(end, 1) == b""  # raises BlockingIOError while anybody holds it
assert os.listdir(sys.argv[1]) == []
"""


def test_a_survey_that_stops_leaves_no_process_and_no_file(tmp_path):
    """When enough runs were wrong, no command goes on that writes to a directory which is about to be removed."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_RUN_IS_WRONG, tmp_path],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_files_of_one_run_are_not_loaded_in_another():
    """A few of the ordered pairs of thirty specs."""
    code, last = harness("pairs", "--pairs", "12")
    assert (code, last.endswith("; 0 wrong")) == (0, True), last


@pytest.mark.parametrize(
    ("name", "fault"), [("kills", "the row is measured again"), ("pairs", "checkpoints of any run")]
)
def test_a_planted_fault_is_found(name, fault):
    """With the fault the harness is red."""
    code, last = harness(name, "--sabotage", fault)
    assert code == 1, last
    assert re.search(r"; [1-9]\d* wrong", last)


def test_commands_with_strange_streams():
    """Standard output closed, full, or read by nobody; standard error full or closed; an encoding of ASCII."""
    code, last = harness("surroundings", "streams", "--few")
    assert (code, last) == (0, "streams: 30 commands, 0 wrong")
