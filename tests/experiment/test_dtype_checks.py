"""Constants that underflow or overflow in the dtype of a config, and initial weights without a gradient."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from nncli.errors import ConfigError
from nncli.experiment import checks
from nncli.experiment.loading import load
from nncli.registry import components, kinds
from tests.examples import DENSE_8, SINE

ZEROS = "initializer: {type: normal, scale: 0}"
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
LARGEST = float(np.finfo(np.float32).max)
LAST = "{type: dense, units: 3}, softmax"
CONSTANTS = {
    "optimizer.epsilon": ("optimizer={type: adam, epsilon: %s}",),
    "optimizer.learning_rate": ("optimizer={type: sgd, learning_rate: %s}",),
    "layers[1].epsilon": (f"layers=[{DENSE_8}, {{type: batch_normalization, epsilon: %s}}, {LAST}]",),
    "layers[0].initializer.scale": ("layers[0].initializer={type: normal, scale: %s}",),
    "layers[2].l2": ("layers[2].l2=%s",),
    "clipping.limit": ("clipping={type: norm, limit: %s}",),
    "regularization.bias_l1": ("regularization.bias_l1=%s",),
    "schedule.then.lowest": ("schedule={type: warmup, updates: 1, then: {type: cosine, lowest: %s}}",),
}


def load_error(*overrides):
    """The message of the error that loading raises; empty if it raises none."""
    try:
        load(Path("config.yaml"), overrides)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "overrides"), CONSTANTS.items(), ids=CONSTANTS)
def test_underflowing_constant_is_reported(workdir, name, overrides):
    """The message has its location, the smallest value of float32 and a fix; float64 can represent it."""
    message = load_error(*(each % "1e-46" for each in overrides))
    assert f"{name}: 1e-46 underflows to 0 in float32 (smallest positive value: 1.4e-45); use a larger" in message
    assert message.startswith("command line:1:")
    assert not load_error(*(each % "1e-46" for each in overrides), "dtype=float64")


@pytest.mark.parametrize("name", [name for name in CONSTANTS if not name.startswith("schedule")])
def test_overflowing_constant_is_reported(workdir, name):
    """The message has the largest value of float32; float64 can represent the constant."""
    message = load_error(*(each % "1e39" for each in CONSTANTS[name]))
    assert f"{name}: 1e+39 overflows to infinity in float32 (largest value: 3.4e+38); use a smaller" in message
    assert not load_error(*(each % "1e39" for each in CONSTANTS[name]), "dtype=float64")


@pytest.mark.parametrize("value", [SMALLEST, LARGEST])
def test_limits_of_the_dtype_are_accepted(workdir, value):
    """The smallest and the largest value of the dtype are valid."""
    assert not load_error(f"optimizer={{type: adam, epsilon: {value!r}}}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_defaults_neither_underflow_nor_overflow(dtype):
    """No default of a component becomes 0 or infinite."""
    found = [each.default for kind in kinds() for entry in components(kind) for each in entry.parameters]
    numbers = [number for number in found if isinstance(number, float) and number]
    assert numbers
    assert all(0 < abs(dtype(number)) < np.inf for number in numbers)


def test_all_float_parameters_of_optimizers_are_checked(workdir):
    """The check follows the signatures of the constructors."""
    for entry in components("optimizer"):
        for each in entry.parameters:
            if float in get_args(each.annotation):
                message = load_error(f"optimizer={{type: {entry.name}, {each.name}: 1e-60}}")
                assert f"optimizer.{each.name}: 1e-60 underflows to 0" in message


@pytest.mark.parametrize(
    ("layers", "obstacle"),
    [
        (f"[{{type: dense, units: 8, {ZEROS}}}, relu, {LAST}]", "layers[1] (relu), whose gradient at 0 is 0"),
        (f"[{{type: dense, units: 8, {ZEROS}}}, batch_normalization, relu, {LAST}]", "layers[2] (relu), whose"),
        (f"[{{type: dense, units: 8, {ZEROS}}}, {DENSE_8}, relu, {LAST}]", "layers[2] (relu), whose gradient"),
        (
            f"[{{type: dense, units: 8, {ZEROS}}}, tanh, {{type: dense, units: 3, {ZEROS}}}, softmax]",
            "the zero weights of layers[2]",
        ),
    ],
)
def test_weights_without_gradient_are_reported(workdir, layers, obstacle):
    """Before a ReLU or other zero weights, the gradient is 0 at every update."""
    message = load_error(f"layers={layers}")
    assert (
        f"layers[0].initializer: all initial weights are 0, and no gradient reaches them through {obstacle}" in message
    )


@pytest.mark.parametrize(
    "overrides",
    [
        (f"layers=[{DENSE_8}, relu, {{type: dense, units: 3, {ZEROS}}}, softmax]",),
        (f"layers=[{{type: dense, units: 8, {ZEROS}}}, tanh, {LAST}]",),
        (f"layers=[{{type: dense, units: 8, {ZEROS}}}, leaky_relu, {LAST}]",),
        (*SINE, f"layers=[{{type: dense, units: 1, {ZEROS}}}]"),
        (f"layers=[{{type: dense, units: 8, {ZEROS}}}, sigmoid, {DENSE_8}, relu, {LAST}]",),
    ],
    ids=["last layer", "before tanh", "before leaky_relu", "only layer", "sigmoid before a relu"],
)
def test_zero_weights_with_gradient_are_accepted(workdir, run_cli, overrides):
    """If a gradient reaches them, the loss falls and the weights change."""
    assert run_cli("train", "config.yaml", *overrides, "--name", "zeros", "-q").code == 0
    with np.load(workdir / "runs" / "zeros" / "weights.npz") as weights:
        assert all(weights[name].any() for name in weights.files if name.endswith(".weights"))


@pytest.mark.slow
def test_runs_of_earlier_versions_stay_readable(workdir, run_cli, monkeypatch):
    """A run that was trained before the check existed is verified, evaluated, listed and resumed."""
    overrides = ("optimizer={type: adamw, weight_decay: 1e-50}", "layers[0].initializer={type: normal, scale: 0}")
    with monkeypatch.context() as before:
        before.setattr(checks, "rounded_constants", lambda config: iter(()))
        before.setattr(checks, "weights_stuck_at_zero", lambda config: iter(()))
        assert run_cli("train", "config.yaml", *overrides, "-q").code == 0
    assert run_cli("train", "config.yaml", *overrides, "--name", "new").code == 3
    for command in (["verify"], ["evaluate"], ["train", "--resume"]):
        assert run_cli(*command, "runs/config").code == 0
    assert run_cli("train", "--resume", "runs/config", "training.epochs=40", "-q").code == 0
    assert "config" in run_cli("runs").out
