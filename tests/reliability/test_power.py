"""A small number of power cuts, and a planted fault that they must find."""

import pytest

from tests.conftest import ROOT
from tests.reliability import tracing
from tests.reliability.sabotage import run_in

pytestmark = pytest.mark.skipif(not tracing.is_available(), reason="strace is missing, or may not trace")


def power(*words):
    """Run the harness as a process of its own: it forks, and so must have no threads."""
    return run_in(ROOT, "tests.reliability.power", *words)


@pytest.mark.parametrize(
    "words",
    [
        ("--only", "plain-resumed"),
        ("--only", "batches"),
        ("--only", "plain", "--lying"),
        ("--only", "plain-extended"),
    ],
)
def test_no_power_cut_costs_more_than_it_may(words):
    """After a power cut a run can be read, and ends in the bytes that it would have had."""
    done = power("--states", "16", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 states" in done.stdout


def test_a_planted_fault_is_found():
    """Without fsync of files the harness is red."""
    done = power("--sabotage", "no fsync of files")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "plain, operation" in done.stdout
