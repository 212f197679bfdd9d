"""The benchmark of training's overhead uses the package as it is now."""

import subprocess
import sys

import numpy as np
import pytest

from tests.benchmarks import training
from tests.conftest import ROOT


@pytest.mark.slow
def test_display_benchmark_runs():
    """It trains with display, files and metrics, and the same steps alone."""
    command = [sys.executable, "-m", "tests.benchmarks.training", "--rounds", "1", "display"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "ms" in done.stdout


def test_epochs_of_all_kinds_of_rows(monkeypatch, tmp_path):
    """An epoch has every row once from memory, from a file and from bytes, which are scaled to −1 … 1."""
    monkeypatch.setattr(training, "ROWS", 1000)
    monkeypatch.setattr(training, "STEPS", 8)
    scaled = np.asarray(training.rows_of_bytes())
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (-1, 1)
    for inputs in (training.rows_in(), training.rows_in(tmp_path / "rows.npy"), training.rows_of_bytes()):
        assert inputs.shape == (1000, 784)
        assert training.epoch(training.training_of(inputs)) > 0
    monkeypatch.setattr(training, "STEPS", 9)
    with pytest.raises(SystemExit, match="an epoch of 8 steps"):
        training.epoch(training.training_of(inputs))
