"""The tests tested: a fault planted into a copy of the package must turn the tests of the network red."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FAULTS = {
    "bias gradient dropped": ("dense.py", "np.matmul(self._ones(len(grad)), grad, out=self.d_biases)", "None"),
    "softmax factor dropped": (
        "activations.py",
        "return np.multiply(self.outputs, d_inputs, out=d_inputs)",
        "return d_inputs",
    ),
    "dropout mask ignored": (
        "dropout.py",
        'return np.multiply(grad, self.mask, out=self.buffer["d_inputs", *grad.shape])',
        "return grad",
    ),
    "correction of the mean removed": ("optimizers/adam.py", "1 - self.beta_1 ** (self.updates + 1)", "1.0"),
    "correction of the squares removed": ("optimizers/adam.py", "sqrt(1 - self.beta_2 ** (self.updates + 1))", "1.0"),
    "slope of L2 halved": ("penalties.py", "2 * self.l2", "self.l2"),
    "mean over the rows forgotten": ("losses.py", "return np.divide(out, len(out), out=out)", "return out"),
    "kink of ReLU counted": ("activations.py", "self.outputs > 0", "self.outputs >= 0"),
    "learning rate decays too early": ("schedules.py", "decay * updates", "decay * (updates + 1)"),
    "backward off by a thousandth": ("dense.py", "grad, self.weights.T, out", "1.001 * grad, self.weights.T, out"),
}


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda fault: fault or "no fault")
def test_a_planted_fault_is_found(fault, tmp_path):
    """With the fault the tests of the network fail; without any they pass."""
    shutil.copytree(ROOT / "nncli", tmp_path / "nncli")
    shutil.copytree(ROOT / "tests" / "nn", tmp_path / "tests" / "nn")
    if fault is not None:
        name, right, wrong = FAULTS[fault]
        path = tmp_path / "nncli" / "nn" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(right) == 1, f"{name} no longer holds what the fault replaces"
        path.write_text(text.replace(right, wrong), encoding="utf-8")
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/nn"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == (0 if fault is None else 1), outcome.stdout[-2000:]
