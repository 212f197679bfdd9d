"""The benchmark of training's overhead uses the package as it is now."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_display_benchmark_runs():
    """It trains with display, files and metrics, and the same steps alone."""
    command = [sys.executable, "-m", "tests.benchmarks.training", "--rounds", "1", "display"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "ms" in done.stdout
