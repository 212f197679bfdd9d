"""Constants that the dtype of a config cannot hold, and initial weights that no gradient reaches."""

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


def refused(*overrides):
    """What the error says with which loading ends; empty where it does not."""
    try:
        load(Path("config.yaml"), overrides)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "overrides"), CONSTANTS.items(), ids=CONSTANTS)
def test_a_constant_that_becomes_0_is_refused(workdir, name, overrides):
    """It is named with its location, the smallest number of float32 and a fix; float64 holds it."""
    told = refused(*(each % "1e-46" for each in overrides))
    assert f"{name}: 1e-46 becomes 0: the smallest positive number of float32 is 1.4e-45; write a larger" in told
    assert told.startswith("command line:1:")
    assert not refused(*(each % "1e-46" for each in overrides), "dtype=float64")


@pytest.mark.parametrize("name", [name for name in CONSTANTS if not name.startswith("schedule")])
def test_a_constant_that_becomes_infinite_is_refused(workdir, name):
    """So is one that is too large; float64 holds it."""
    told = refused(*(each % "1e39" for each in CONSTANTS[name]))
    assert f"{name}: 1e+39 becomes infinite: the largest number of float32 is 3.4e+38; write a smaller" in told
    assert not refused(*(each % "1e39" for each in CONSTANTS[name]), "dtype=float64")


@pytest.mark.parametrize("value", [SMALLEST, LARGEST])
def test_the_ends_of_the_range_are_accepted(workdir, value):
    """The smallest and the largest number of the dtype are no mistake."""
    assert not refused(f"optimizer={{type: adam, epsilon: {value!r}}}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_default_is_held(dtype):
    """No default of a component becomes 0 or infinite."""
    found = [each.default for kind in kinds() for entry in components(kind) for each in entry.parameters]
    numbers = [number for number in found if isinstance(number, float) and number]
    assert numbers
    assert all(0 < abs(dtype(number)) < np.inf for number in numbers)


def test_every_float_parameter_of_an_optimizer_is_looked_at(workdir):
    """The rule follows the signatures: whatever number an optimizer takes, one that becomes 0 is found."""
    for entry in components("optimizer"):
        for each in entry.parameters:
            if float in get_args(each.annotation):
                told = refused(f"optimizer={{type: {entry.name}, {each.name}: 1e-60}}")
                assert f"optimizer.{each.name}: 1e-60 becomes 0" in told


@pytest.mark.parametrize(
    ("layers", "through"),
    [
        (f"[{{type: dense, units: 8, {ZEROS}}}, relu, {LAST}]", "layers[1] (relu), whose gradient at 0 is 0"),
        (f"[{{type: dense, units: 8, {ZEROS}}}, batch_normalization, relu, {LAST}]", "layers[2] (relu), whose"),
        (f"[{{type: dense, units: 8, {ZEROS}}}, {DENSE_8}, relu, {LAST}]", "layers[2] (relu), whose gradient"),
        (
            f"[{{type: dense, units: 8, {ZEROS}}}, tanh, {{type: dense, units: 3, {ZEROS}}}, softmax]",
            "the zeros of layers[2]",
        ),
    ],
)
def test_weights_that_never_leave_0_are_refused(workdir, layers, through):
    """Behind a ReLU, or before other zeros, the gradient is 0 at every update."""
    told = refused(f"layers={layers}")
    assert f"layers[0].initializer: all weights begin at 0, and no gradient reaches them through {through}" in told


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
def test_zeros_that_learn_are_accepted(workdir, run_cli, overrides):
    """Where a gradient reaches them, weights of 0 are a start like another: the loss falls, and they change."""
    assert run_cli("train", "config.yaml", *overrides, "--name", "zeros", "-q").code == 0
    with np.load(workdir / "runs" / "zeros" / "weights.npz") as weights:
        assert all(weights[name].any() for name in weights.files if name.endswith(".weights"))


def test_runs_of_older_versions_stay_readable(workdir, run_cli, monkeypatch):
    """A run that was trained before the rule is verified, evaluated, listed and resumed."""
    overrides = ("optimizer={type: adamw, weight_decay: 1e-50}", "layers[0].initializer={type: normal, scale: 0}")
    with monkeypatch.context() as before:
        before.setattr(checks, "rounded_constants", lambda sections: iter(()))
        before.setattr(checks, "weights_stuck_at_zero", lambda sections: iter(()))
        assert run_cli("train", "config.yaml", *overrides, "-q").code == 0
    assert run_cli("train", "config.yaml", *overrides, "--name", "new").code == 3
    for command in (["verify"], ["evaluate"], ["train", "--resume"]):
        assert run_cli(*command, "runs/config").code == 0
    assert run_cli("train", "--resume", "runs/config", "training.epochs=40", "-q").code == 0
    assert "config" in run_cli("runs").out
