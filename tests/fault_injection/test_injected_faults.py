"""Injected faults: every target exists, every fault belongs to a harness, and processes run with the fault."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.fault_injection import FAULT_VARIABLE, fuzzing
from tests.fault_injection.harnesses import FAULTS_OF_HARNESS
from tests.fault_injection.injected_faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_fault_replaces_existing_attributes(name):
    """Every target of a fault exists; a renamed function is an error that names it."""
    FAULTS.apply(name).undo()


def test_faults_are_those_of_the_harnesses():
    """Each fault is found by a harness or a fuzzer, and these name no other."""
    named = [*FAULTS_OF_HARNESS.values(), *fuzzing.FAULTS.values()]
    assert {fault for faults in named for fault in faults} == set(FAULTS)


@pytest.mark.fault_injection
@pytest.mark.parametrize(
    ("fault", "text"), [("", "\N{REPLACEMENT CHARACTER}[2J"), ("control characters are printed", "\x1b[2J")]
)
def test_command_runs_with_the_fault(fault, text, tmp_path):
    """A command that a harness starts has the fault of the environment variable, and no other process has."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.fault_injection.faulty_nncli", "check", "\x1b[2J"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), FAULT_VARIABLE: fault},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode in {2, 3}, result.stderr
    assert text in result.stderr
