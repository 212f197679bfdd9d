"""A round of three trainers, and a planted fault that it must find."""

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
