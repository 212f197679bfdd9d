"""A round of three trainers, runs that are moved, and injected faults that these must find."""

import sys

import pytest

from tests.conftest import ROOT
from tests.reliability.sabotage import run_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked as Linux does it")


def test_one_of_three_trains():
    """Exactly one trainer gets the run, the readers never fail, and the run ends as if it had been alone."""
    done = run_in(ROOT, "tests.reliability.trainers", "--rounds", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rounds: 1" in done.stdout


def test_a_planted_fault_is_found():
    """Without the lock the harness is red."""
    done = run_in(ROOT, "tests.reliability.trainers", "--sabotage", "no lock")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not one has trained" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"), [(("--rounds", "5"), 0), (("--sabotage", "a failed write is not examined"), 1)]
)
def test_a_run_that_is_moved_ends_its_training(words, code):
    """With exit code 4, at any moment; the harness is red where a failed write is taken for a failing disk."""
    done = run_in(ROOT, "tests.reliability.moves", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert " moves, " in done.stdout
