"""The gradient check of a config: on its rows, in float64, with all kinds of components."""

from pathlib import Path

import numpy as np
import pytest

from nncli.analysis.gradient_check import TOLERANCE, check_gradients
from nncli.data.batches import Batches
from nncli.errors import ConfigError, GateError
from nncli.nn import microbatching
from nncli.nn.kernels.dense_products import RowMajorProducts
from nncli.nn.layers.dense import Dense
from nncli.nn.network import Network
from tests.examples import BINARY, DENSE_8, LATE_TEST, NORMALIZED, SINE

SOFTMAX = "{type: dense, units: 3}, softmax]"
CONFIGS = {
    "small": (),
    "one layer": (f"layers=[{SOFTMAX}",),
    "deep": (f"layers=[{DENSE_8}, gelu, {DENSE_8}, elu, {DENSE_8}, leaky_relu, {SOFTMAX}",),
    "sine": SINE,
    "binary": BINARY,
    "batch normalization": NORMALIZED,
    "dropout": (f"layers=[{DENSE_8}, relu, {{type: dropout, rate: 0.4}}, {SOFTMAX}",),
    "dropout with the book rng": LATE_TEST,
    "L1 and L2": ("regularization={l1: 0.01, l2: 0.02, bias_l1: 0.03, bias_l2: 0.04}",),
    "squares on classes": ("layers=[{type: dense, units: 3}]", "loss=mean_squared_error"),
    "absolute on sine": (*SINE, "loss=mean_absolute_error"),
}


def checked(*overrides, rows=300, entries=500):
    return check_gradients(Path("config.yaml"), overrides, rows, entries)


@pytest.mark.slow
@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
def test_correct_gradients_pass(workdir, overrides):
    """The gradients of every config pass, and every entry of every array is compared."""
    check = checked(*overrides)
    assert check.passes(TOLERANCE), check.worst
    assert all(each.compared == np.prod(each.shape) for each in check.arrays)


@pytest.mark.slow
@pytest.mark.parametrize("overrides", CONFIGS.values(), ids=CONFIGS)
def test_wrong_factor_fails(workdir, monkeypatch, overrides):
    """A factor of 1.001 in the gradients of the dense layers fails in every config."""
    original = Dense.parameter_gradients

    def faulty(layer):
        original(layer)
        layer.d_weights *= 1.001

    monkeypatch.setattr(Dense, "parameter_gradients", faulty)
    check = checked(*overrides, entries=5)
    assert not check.passes(TOLERANCE)
    assert check.worst.name.endswith(".weights")


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 7, 60, 61])
def test_rows_are_bounded(workdir, rows):
    """The given number of rows is used, or all of a smaller training set; skipped rows are counted."""
    check = checked(rows=rows)
    assert check.rows + check.rows_near_kinks + check.rows_clipped == min(rows, 60)


@pytest.mark.parametrize("entries", [1, 5, 1000])
def test_entries_are_bounded(workdir, entries):
    """The given number of entries of each array is compared, or all of a smaller array."""
    found = {each.name: each.compared for each in checked(entries=entries).arrays}
    sizes = {"layers.0.weights": 16, "layers.0.biases": 8, "layers.2.weights": 24, "layers.2.biases": 3}
    assert found == {name: min(entries, size) for name, size in sizes.items()}


def test_dtype_of_the_config_does_not_matter(workdir):
    """Central differences are taken in float64 whatever the dtype of the config is."""
    assert checked("dtype=float32").arrays == checked("dtype=float64").arrays


def test_check_is_reproducible(workdir):
    """The seed determines rows, entries and masks: a check is reproducible, and another seed gives another one."""
    overrides = CONFIGS["dropout"]
    first = checked(*overrides, rows=20, entries=3)
    assert checked(*overrides, rows=20, entries=3) == first
    assert checked(*overrides, "seed=1", rows=20, entries=3) != first


def test_points_at_a_kink_are_skipped(workdir):
    """The innermost point of each arm is the origin, at which every unit of the first ReLU has its kink."""
    check = checked()
    assert (check.rows, check.rows_near_kinks, check.rows_clipped) == (57, 3, 0)


def test_rows_of_the_training_set_are_used(workdir):
    """Rows that are held out for validation are not used."""
    check = checked("validation={fraction: 0.5}")
    assert check.rows + check.rows_near_kinks == 30


def test_no_row_left_is_an_error(workdir):
    """If all weights are 0, every ReLU is at its kink: nothing can be compared, and the check fails."""
    with pytest.raises(
        GateError, match=r"config\.yaml: the gradients cannot be compared: no row is left: 60 near a kink"
    ):
        checked("layers[0].initializer={type: normal, scale: 1e-12}")


def test_wrong_config_is_rejected(workdir):
    """A config that cannot be trained is not checked either."""
    with pytest.raises(ConfigError, match=r"layers\[0\]\.units"):
        checked("layers[0].units=0")


def test_check_has_no_side_effects(workdir):
    """A check writes no file and leaves NumPy's global random state unchanged."""
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    checked()
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]


BY_ROWS = ("layers=[{type: dense, units: 1}, tanh, {type: dense, units: 3}, softmax]", "training.batch_size=16")
DROPPED = ("layers=[{type: dense, units: 8}, {type: dropout, rate: 0.5}, {type: dense, units: 3}, softmax]",)


def in_rows(factor, dtype=None, rows=None):
    """Multiply the gradient of the weights if inputs are row-major; only for a dtype or a number of rows, if given."""
    original = Dense.parameter_gradients

    def faulty(layer):
        original(layer)
        is_chosen = dtype in (None, layer.inputs.dtype) and rows in (None, len(layer.inputs))
        if is_chosen and isinstance(layer.products, RowMajorProducts):
            layer.d_weights *= factor

    return Dense, "parameter_gradients", faulty


def shifted_targets():
    """Labels of the remainder batch, each of the row before."""
    original = Batches.gather

    def faulty(batches, part):
        inputs, targets, weights = original(batches, part)
        return inputs, np.roll(targets, 1, axis=0) if len(targets) < batches.size else targets, weights

    return Batches, "gather", faulty


def scaled_accumulation():
    """The accumulated gradients are off by a thousandth."""
    original = Network._accumulate_gradients

    def faulty(network, *rows):
        original(network, *rows)
        network.parameters.gradients *= 1.001

    return Network, "_accumulate_gradients", faulty


MUTATIONS = {
    "sign of the row-major product": (BY_ROWS, in_rows(-1)),
    "factor in the row-major product": (BY_ROWS, in_rows(1.001)),
    "factor in the row-major product in float32": (BY_ROWS, in_rows(1.01, dtype=np.float32)),
    "factor in the remainder batch": (BY_ROWS, in_rows(1.001, rows=12)),
    "labels of the remainder batch": (BY_ROWS, shifted_targets()),
}


@pytest.mark.slow
@pytest.mark.parametrize(("overrides", "mutation"), MUTATIONS.values(), ids=MUTATIONS)
def test_error_in_a_step_fails(workdir, monkeypatch, overrides, mutation):
    """Errors that only a step on a mini-batch makes are found, although the central differences do not show them."""
    assert checked(*overrides).passes(TOLERANCE)
    monkeypatch.setattr(*mutation)
    check = checked(*overrides)
    assert check.worst.error < TOLERANCE
    assert not check.passes(TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), DROPPED, (*DROPPED, "rng=nnfs")], ids=["plain", "dropout", "book rng"])
def test_error_in_micro_batches_fails(workdir, monkeypatch, overrides):
    """Gradients accumulated over micro-batches are compared with those of all rows."""
    monkeypatch.setattr(microbatching, "MICRO_BATCH_BYTES", 1)
    monkeypatch.setattr(microbatching, "MIN_ACTIVATIONS_PER_PARAMETER", 5)
    right = checked(*overrides)
    assert right.passes(TOLERANCE), [step.worst for step in right.steps]
    assert all(step.micro_batches > 1 for step in right.steps)
    monkeypatch.setattr(*scaled_accumulation())
    assert not checked(*overrides).passes(TOLERANCE)


def test_steps_are_those_of_an_epoch(workdir):
    """The first two batches and the last one, in the dtype of training and in float64."""
    steps = checked("training.batch_size=16").steps
    assert [(step.batch, step.rows) for step in steps] == [(0, 16), (1, 16), (3, 12)] * 2
    assert [step.dtype for step in steps] == ["float32"] * 3 + ["float64"] * 3
