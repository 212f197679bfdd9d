"""The tests tested: a fault planted into a copy of the package must turn the tests of the network red."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FAULTS = {
    "bias gradient dropped": (
        "layers/dense.py",
        "matmul_transposed(self.inputs_and_ones_transposed, grad, self.d_weights_and_biases)",
        "matmul_transposed(self.inputs_and_ones_transposed[:-1], grad, self.d_weights)",
    ),
    "biases forgotten where inputs lie by rows": (
        "layers/dense.py",
        "self.ones.dot(grad, out=self.d_biases)",
        "self.d_biases[...] = 0",
    ),
    "biases not added where inputs lie by rows": (
        "layers/dense.py",
        "np.add(self.outputs, self.biases, out=self.outputs)",
        "self.outputs",
    ),
    "memory is tidied by a count of its own": (
        "optimizers/optimizer.py",
        "if self.updates % FLUSH_INTERVAL == 0:",
        "self.count = getattr(self, 'count', 0) + 1\n        if self.count % FLUSH_INTERVAL == 0:",
    ),
    "a portion weighs like any other": ("network.py", "len(self.outputs) / rows", "self.portions(rows)[0].stop / rows"),
    "softmax factor dropped": (
        "activations/softmax.py",
        "return np.multiply(self.outputs, self.d_inputs, out=self.d_inputs)",
        "return self.d_inputs",
    ),
    "dropout mask ignored": (
        "layers/dropout.py",
        "return np.multiply(grad, self.mask, out=self.d_inputs)",
        "return grad",
    ),
    "correction of the mean removed": ("optimizers/adam.py", "(1 - self.beta_1**updates)", "1.0"),
    "correction of the squares removed": ("optimizers/adam.py", "(1 - self.beta_2**updates)", "1.0"),
    "slope of L2 halved": ("penalties.py", "2 * self.l2", "self.l2"),
    "mean over the rows forgotten": (
        "losses.py",
        "np.divide(self.d_outputs, self.rows, out=self.d_outputs)",
        "pass",
    ),
    "a copy of the inputs is kept": ("layers/dense.py", "if not is_buffer(inputs)", "if False"),
    "kink of ReLU counted": (
        "activations/rectifiers.py",
        "np.sign(outputs, out=out)",
        "np.sign(outputs + 1, out=out)",
    ),
    "learning rate decays too early": ("schedules.py", "decay * updates", "decay * (updates + 1)"),
    "mean absolute error climbs": (
        "losses.py",
        "np.subtract(outputs, targets, out=self.d_outputs)  # P − T\n        np.sign",
        "np.subtract(targets, outputs, out=self.d_outputs)\n        np.sign",
    ),
    "binary gradient not divided by the outputs": (
        "losses.py",
        "np.divide(self.d_outputs, self.entries, out=self.d_outputs)",
        "np.divide(self.d_outputs, self.rows, out=self.d_outputs)",
    ),
    "variance of the batch forgotten": (
        "layers/batch_normalization.py",
        "np.multiply(self.normalized, self.d_scale, out=d_inputs)",
        "d_inputs[...] = 0",
    ),
    "running variance biased": ("layers/batch_normalization.py", "rows / max(rows - 1, 1)", "1.0"),
    "share of GELU taken for its slope": (
        "activations/rectifiers.py",
        "np.add(self.share, self.d_inputs, out=self.d_inputs)",
        "np.copyto(self.d_inputs, self.share)",
    ),
    "Nesterov does not look ahead": (
        "optimizers/nesterov.py",
        "np.multiply(velocity, momentum, out=scratch)",
        "np.copyto(scratch, velocity)",
    ),
    "weight decay without the learning rate": ("optimizers/adamw.py", "rate * self.weight_decay", "self.weight_decay"),
    "warm-up begins at nothing": ("schedules.py", "(updates + 1) / self.updates", "updates / self.updates"),
    "gradient clipped by each entry's own size": ("clipping.py", "self.limit / norm", "1 / norm"),
    "kinks of the L1 slope missed": ("gradcheck.py", "np.abs(penalty.values) <= 2 * PENALTY_STEP", "False"),
    "backward off by a thousandth": (
        "layers/dense.py",
        "grad, self.weights_transposed, out",
        "1.001 * grad, self.weights_transposed, out",
    ),
}


SKIPPED = {"test_book.py", "test_pytorch.py"}  # they look for no single formula
SLOWEST = "test_gradcheck.py"  # last, since -x ends at the first failure
# a fault that makes a test hang is found too
OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "120"]


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda fault: fault or "no fault")
def test_a_planted_fault_is_found(fault, tmp_path):
    """With the fault the tests of the network fail; without any they pass."""
    shutil.copytree(ROOT / "nncli", tmp_path / "nncli")
    shutil.copytree(ROOT / "tests" / "nn", tmp_path / "tests" / "nn")
    for name in ("__init__.py", "conftest.py"):  # without them the checkout's own tests would be imported
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    if fault is not None:
        name, right, wrong = FAULTS[fault]
        path = tmp_path / "nncli" / "nn" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(right) == 1, f"{name} no longer holds what the fault replaces"
        path.write_text(text.replace(right, wrong), encoding="utf-8")
    names = {path.name for path in (ROOT / "tests" / "nn").glob("test_*.py")} - SKIPPED
    files = [f"tests/nn/{name}" for name in sorted(names, key=lambda name: (name == SLOWEST, name))]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *files],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert outcome.returncode == (0 if fault is None else 1), outcome.stdout[-2000:]


def test_a_test_that_hangs_fails(tmp_path, pytestconfig):
    """Every test has the time limit of ``pyproject.toml``, and one that does not end by itself fails."""
    assert 60 <= float(pytestconfig.getini("timeout")) <= 3600
    (tmp_path / "test_endless.py").write_text("def test_endless():\n    while True:\n        pass\n", encoding="utf-8")
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", "0.2"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert outcome.returncode == 1, outcome.stdout
    assert "Timeout" in outcome.stdout
