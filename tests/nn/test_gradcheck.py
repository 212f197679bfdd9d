"""The gradient check itself: correct networks pass, a factor of 1.001 in any backward fails, kinks are counted."""

from itertools import count

import numpy as np
import pytest

from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from nncli.nn.frozen_loss import FrozenLoss
from nncli.nn.gradcheck import gradcheck
from nncli.nn.initializers import Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.regression import MeanAbsoluteError, MeanSquaredError
from nncli.nn.network import Network
from nncli.nn.penalties import Penalty
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import built, named

pytestmark = pytest.mark.slow

LABELS = np.arange(40) % 3


def dense(units, *penalties):
    return Dense(units, *penalties, initializer=Normal(0.8))


def frozen_loss(layers, loss, targets=None, inputs=None):
    """A float64 network on forty random points, with one-hot classes as the default targets."""
    inputs = np.random.default_rng(2).normal(size=(40, 2)) if inputs is None else inputs
    network = Network(layers, loss, inputs.shape[1], np.dtype("float64"))
    network.initialize(np.random.default_rng(3))
    targets = LABELS if targets is None else targets
    encoded = loss.encode(targets[: len(inputs)], network.widths[-1])
    return FrozenLoss(network, inputs, encoded, lambda: np.random.default_rng(4))


def checked(*arguments, **settings):
    return gradcheck(frozen_loss(*arguments, **settings), 1000, np.random.default_rng(5))


def around(entry):
    """A network with the layer in its middle and differentiable layers around it."""
    middle = built(entry)
    if hasattr(middle, "initializer"):
        middle.initializer = Normal(0.8)
    return [dense(4), middle, dense(3)]


def spoil_weights(layer, factor, monkeypatch):
    """Multiply a dense layer's gradient of its weights by a factor."""
    original = layer.parameter_gradients

    def faulty():
        original()
        np.multiply(layer.d_weights, factor, out=layer.d_weights)

    monkeypatch.setattr(layer, "parameter_gradients", faulty)


def trains(entry):
    return (entry.kind, entry.name) in REFERENCES and built(entry).shapes(4)


def numbers(rows=40, columns=3):
    return np.random.default_rng(6).normal(size=(rows, columns))


def with_last_layer(loss):
    """Layers that end with one that the loss accepts, and targets for it."""
    last = {"softmax": [Softmax()], "sigmoid": [Sigmoid()]}.get(next(iter(loss.last_layers), None), [])
    return [dense(4), *last] if not last else [dense(3), *last], None if loss.needs_classes else numbers(columns=4)


@pytest.mark.parametrize("entry", named("layer"))
def test_every_layer_passes(entry):
    """Every registered layer passes within a network, and all entries are compared."""
    check = checked(around(entry), MeanSquaredError(), numbers())
    assert check.passes(1e-6), check.worst
    assert all(each.compared == np.prod(each.shape) for each in check.arrays)


@pytest.mark.parametrize("entry", named("loss"))
def test_every_loss_passes(entry):
    """Every registered loss passes after a last layer that it accepts."""
    loss = built(entry)
    layers, targets = with_last_layer(loss)
    check = checked(layers, loss, targets)
    assert check.passes(1e-6), check.worst
    assert all(each.compared == np.prod(each.shape) for each in check.arrays)


@pytest.mark.parametrize("entry", named("layer"))
def test_factor_in_a_layer_fails(entry, monkeypatch):
    """A factor of 1.001 in the gradient of a layer's inputs exceeds the tolerance."""
    frozen = frozen_loss(around(entry), MeanSquaredError(), numbers())
    layer = frozen.network.layers[1]
    original = layer.backward
    monkeypatch.setattr(layer, "backward", lambda: np.multiply(original(), 1.001, out=layer.d_inputs))
    check = gradcheck(frozen, 1000, np.random.default_rng(5))
    assert not check.passes(1e-6)
    assert check.worst.error > 1e-4


@pytest.mark.parametrize("entry", [param for param in named("layer") if trains(param.values[0])])
@pytest.mark.parametrize("position", [0, 1], ids=["first", "second"])
def test_factor_in_a_trainable_array_fails(entry, position, monkeypatch):
    """A factor of 1.001 in the gradient of any trainable array is found in this array, in the first layer too."""
    for name in built(entry).shapes(4):
        frozen = frozen_loss(around(entry)[1 - position :], MeanSquaredError(), numbers())
        layer, full = frozen.network.layers[position], f"layers.{position}.{name}"
        original = layer.parameter_gradients

        def faulty(original=original, frozen=frozen, full=full):
            original()
            view = frozen.network.parameters.views(frozen.network.parameters.gradients)[full]
            np.multiply(view, 1.001, out=view)

        monkeypatch.setattr(layer, "parameter_gradients", faulty)
        check = gradcheck(frozen, 1000, np.random.default_rng(5))
        assert not check.passes(1e-6)
        assert next(each.error for each in check.arrays if each.name == full) > 1e-6


@pytest.mark.parametrize("entry", named("loss"))
def test_factor_in_a_loss_fails(entry, monkeypatch):
    """A factor of 1.001 in the backward of a loss is found, after a layer with which it is not fused."""
    loss = built(entry)
    layers, targets = with_last_layer(loss)
    frozen = frozen_loss([*layers, LeakyReLU(0.9)], loss, targets)
    original = loss.backward
    monkeypatch.setattr(loss, "backward", lambda *three: np.multiply(original(*three), 1.001, out=three[2]))
    assert gradcheck(frozen, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize(("last", "loss"), [(Softmax, CategoricalCrossentropy), (Sigmoid, BinaryCrossentropy)])
def test_factor_in_a_fused_gradient_fails(last, loss, monkeypatch):
    """A factor of 1.001 in the fused gradient of loss and last layer is found."""
    frozen = frozen_loss([dense(3), last()], loss())
    original = frozen.network.loss.backward_fused
    monkeypatch.setattr(
        frozen.network.loss, "backward_fused", lambda *three: np.multiply(original(*three), 1.001, out=three[2])
    )
    assert gradcheck(frozen, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize("penalties", [(0.1, 0.0), (0.0, 0.1), (0.1, 0.1)], ids=["L1", "L2", "both"])
def test_factor_in_a_penalty_fails(penalties, monkeypatch):
    """A factor of 1.001 in the gradient of a penalty is found, and without it the penalty passes."""
    layers = [dense(4, *penalties), dense(3)]
    assert checked(layers, MeanSquaredError(), numbers()).passes(1e-6)
    original = Penalty.backward

    def faulty(penalty):
        before = penalty.gradient.copy()
        original(penalty)
        penalty.gradient += 0.001 * (penalty.gradient - before)

    monkeypatch.setattr(Penalty, "backward", faulty)
    assert checked(layers, MeanSquaredError(), numbers()).worst.error > 1e-6


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([dense(4), ELU(1.0), dense(3)], id="elu without a kink"),
        pytest.param([dense(4), GELU("tanh"), dense(3)], id="gelu with tanh"),
        pytest.param([dense(4), GELU("none"), BatchNormalization(), ReLU(), dense(3)], id="deep"),
    ],
)
def test_other_settings_pass(layers):
    """Settings of components that the contract tests do not cover pass too."""
    assert checked(layers, MeanSquaredError(), numbers()).passes(1e-6)


def test_rows_at_a_kink_are_skipped_and_counted():
    """Points whose ReLU inputs are 0, such as the origin without biases, are near a kink; the others are compared."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[[3, 7, 11]] = 0
    check = checked([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers(), inputs)
    assert (check.rows, check.rows_near_kinks, check.rows_clipped) == (37, 3, 0)
    assert check.passes(1e-6)


def test_outputs_equal_to_their_target_are_at_a_kink_of_the_mean_absolute_error():
    """Rows whose output equals their target are skipped and counted."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[:5] = 0  # for which the outputs are the biases, 0
    targets = np.where(np.arange(40)[:, None] < 5, 0.0, numbers())
    check = checked([dense(3)], MeanAbsoluteError(), targets, inputs)
    assert (check.rows, check.rows_near_kinks) == (35, 5)
    assert check.passes(1e-6)


def test_clipped_rows_are_skipped_and_counted():
    """Rows whose probabilities the loss clips, which backward ignores, are skipped and counted."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[:6] *= 1000
    check = checked([dense(3), Softmax()], CategoricalCrossentropy(), inputs=inputs)
    assert (check.rows, check.rows_clipped) == (34, 6)
    assert check.passes(1e-6)


def test_entries_at_the_kink_of_l1_are_counted():
    """Biases are initially 0, where the derivative of L1 is a convention: they are compared without it, and counted."""
    frozen = frozen_loss([dense(4, 0.1, 0.0, 0.1), dense(3)], MeanSquaredError(), numbers())
    check = gradcheck(frozen, 1000, np.random.default_rng(5))
    counted = {each.name: (each.compared, each.near_kinks) for each in check.arrays}
    assert counted["layers.0.biases"] == (4, 4)
    assert counted["layers.0.weights"] == (8, 0)
    assert check.passes(1e-6)


def test_no_row_left_is_an_error():
    """If every row is at a kink, nothing can be compared."""
    with pytest.raises(ValueError, match="no row is left: 40 near a kink, "):
        checked([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers(), np.zeros((40, 2)))


def test_array_without_compared_entries_fails():
    """An entry whose every step crosses a kink is counted and not compared; an array of such entries fails."""
    frozen, turn = frozen_loss([dense(1), ReLU(), dense(3)], MeanSquaredError(), numbers()), count()
    frozen.signs = lambda: [np.array([next(turn)])]
    check = gradcheck(frozen, 1000, np.random.default_rng(5))
    assert not check.passes(1e-6)
    assert check.worst.compared == 0
    assert check.worst.place is None


def test_parameters_are_unchanged():
    """A check leaves every bit of the trainable parameters unchanged."""
    frozen = frozen_loss([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers())
    before = frozen.network.parameters.trainable.tobytes()
    gradcheck(frozen, 1000, np.random.default_rng(5))
    assert frozen.network.parameters.trainable.tobytes() == before


def test_entries_are_sampled_from_larger_arrays():
    """The given number of entries is compared if an array has more."""
    frozen = frozen_loss([dense(30), ReLU(), dense(3)], MeanSquaredError(), numbers())
    check = gradcheck(frozen, 7, np.random.default_rng(5))
    assert [each.compared for each in check.arrays] == [7, 7, 7, 3]
    assert check.passes(1e-6)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_gradient_that_is_not_finite_is_reported(value, monkeypatch):
    """The error names the array whose gradient is not finite."""
    frozen = frozen_loss([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers())
    layer = frozen.network.layers[2]
    original = layer.parameter_gradients

    def faulty():
        original()
        layer.d_weights[0, 0] = value

    monkeypatch.setattr(layer, "parameter_gradients", faulty)
    with pytest.raises(ValueError, match=r"the gradient of layers\.2\.weights is not finite"):
        gradcheck(frozen, 1000, np.random.default_rng(5))


def test_loss_that_is_not_finite_is_reported():
    """If the initial weights are too large for the dtype, the loss is reported, not a clip or a kink."""
    layers = [Dense(3, initializer=Normal(1e300))]
    with pytest.raises(ValueError, match="the loss is not finite"), np.errstate(over="ignore", invalid="ignore"):
        checked(layers, MeanSquaredError(), numbers())


def test_large_penalties_hide_no_error(monkeypatch):
    """Data and penalties are compared separately: an error in the data's gradient is found beside any penalty."""
    frozen = frozen_loss([dense(4, 0.0, 1e4), dense(3)], MeanSquaredError(), numbers())
    spoil_weights(frozen.network.layers[0], 1.001, monkeypatch)
    assert gradcheck(frozen, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize("scale", [1e-3, 1e-2, 1e2, 1e4])
def test_small_and_large_gradients_pass_alike(scale):
    """Initial weights of any scale pass, including the small ones of the book."""
    for seed in range(10):
        layers = [Dense(4, initializer=Normal(scale)), ReLU(), Dense(3, initializer=Normal(scale))]
        frozen = frozen_loss(layers, MeanSquaredError(), numbers())
        frozen.network.initialize(np.random.default_rng(seed))
        assert gradcheck(frozen, 1000, np.random.default_rng(5)).passes(1e-6), seed


def test_strongly_curved_losses_pass():
    """Batch normalization of two rows, which is strongly curved, passes."""
    for seed in range(20):
        layers = [dense(8), BatchNormalization(), GELU(), dense(8), BatchNormalization(), dense(3)]
        inputs = np.random.default_rng(seed).normal(size=(2, 2))
        frozen = frozen_loss(layers, MeanSquaredError(), numbers(rows=2), inputs)
        frozen.network.initialize(np.random.default_rng(seed))
        assert gradcheck(frozen, 3, np.random.default_rng(5)).passes(1e-6), seed


@pytest.mark.parametrize("factor", [1.0, 1.001])
@pytest.mark.parametrize(("epsilon", "spread"), [(1e-5, 1e-4), (1e-5, 1e-5), (1e-8, 1e-5), (1e-10, 1e-4)])
def test_columns_of_small_variance_pass(epsilon, spread, factor, monkeypatch):
    """Normalizing such columns makes curvature and rounding larger; an error of a thousandth is still found."""
    for seed in range(6):
        normalized = BatchNormalization(epsilon=epsilon)
        layers = [dense(4), Sigmoid(), dense(4), normalized, Tanh(), dense(3)]
        inputs = 1 + spread * np.random.default_rng(seed).normal(size=(20, 2))
        frozen = frozen_loss(layers, MeanSquaredError(), numbers(rows=20), inputs)
        frozen.network.initialize(np.random.default_rng(seed))
        spoil_weights(frozen.network.layers[0], factor, monkeypatch)
        check = gradcheck(frozen, 3, np.random.default_rng(5))
        assert check.passes(1e-6) == (factor == 1), (seed, check.worst)


def test_gradients_that_are_too_small_are_not_judged():
    """An array in whose gradients rounding could hide an error is marked, and the others decide."""
    layers = [
        dense(4),
        *(layer for _ in range(8) for layer in (Dense(4, initializer=Normal(0.01)), Sigmoid())),
        dense(3),
    ]
    frozen = frozen_loss(layers, MeanSquaredError(), numbers())
    check = gradcheck(frozen, 1000, np.random.default_rng(5))
    assert {each.name: each.too_small for each in check.arrays}["layers.0.weights"]
    assert not check.worst.too_small
    assert check.passes(1e-6)


def test_rows_are_skipped_until_none_is_near_a_kink(monkeypatch):
    """After batch normalization the remaining rows change when others are skipped, and may come near a kink."""
    frozen = frozen_loss([dense(4), BatchNormalization(), ReLU(), dense(3)], MeanSquaredError(), numbers())
    rounds, asked = [([0, 1], [1]), ([2], []), ([], [])], []

    def rows_to_exclude(self):
        near, ends = (np.isin(np.arange(len(self.inputs)), rows) for rows in rounds[len(asked)])
        asked.append(len(self.inputs))
        return near, ends

    monkeypatch.setattr(FrozenLoss, "rows_to_exclude", rows_to_exclude)
    check = gradcheck(frozen, 5, np.random.default_rng(5))
    assert asked == [40, 38, 37]
    assert (check.rows, check.rows_near_kinks, check.rows_clipped) == (37, 2, 1)


def test_entries_are_chosen_by_the_generator():
    """Two generators choose different entries of an array."""
    places = []
    for seed in (1, 2):
        frozen = frozen_loss([dense(40), dense(3)], MeanSquaredError(), numbers())
        places.append(gradcheck(frozen, 1, np.random.default_rng(seed)).arrays[0].place)
    assert places[0] != places[1]


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([dense(6), Dropout(0.3), ReLU(), dense(3)], id="after a mask"),
        pytest.param([dense(6), ReLU(), LeakyReLU(0.1), dense(3)], id="after a relu"),
    ],
)
def test_constant_zero_is_not_a_kink(layers):
    """A value that a mask or a ReLU keeps at 0 stays there at every step; its rows are compared."""
    check = checked(layers, MeanSquaredError(), numbers())
    assert check.rows == 40
    assert check.passes(1e-6)


def test_large_error_of_a_small_gradient_fails(monkeypatch):
    """Rounding does not explain a factor of ten thousand, even of a gradient too small to show finer errors."""
    layers = [
        dense(4),
        *(layer for _ in range(4) for layer in (Dense(4, initializer=Normal(0.1)), Sigmoid())),
        dense(3),
    ]
    frozen = frozen_loss(layers, MeanSquaredError(), numbers())
    small = [each.name for each in gradcheck(frozen, 1000, np.random.default_rng(5)).arrays if each.too_small]
    spoil_weights(frozen.network.layers[0], 1e4, monkeypatch)
    assert "layers.0.weights" in small
    assert not gradcheck(frozen, 1000, np.random.default_rng(5)).passes(1e-6)


def test_saturated_probabilities_pass():
    """Rows whose 1 − P has lost most of its digits are skipped, and the others pass."""
    for seed in range(10):
        layers = [Dense(16, initializer=Normal(3.0)), Tanh(), Dense(1, initializer=Normal(3.0)), Sigmoid()]
        frozen = frozen_loss(layers, BinaryCrossentropy(), np.arange(40) % 2)
        frozen.network.initialize(np.random.default_rng(seed))
        assert gradcheck(frozen, 1000, np.random.default_rng(5)).passes(1e-6), seed


def test_weights_of_rows_are_checked(monkeypatch):
    """A network with weights passes; weights that the backward pass ignores are found."""
    frozen = frozen_loss([dense(4), Tanh(), dense(3), Softmax()], CategoricalCrossentropy())
    frozen.weights = np.linspace(0, 2, 40)
    assert gradcheck(frozen, 1000, np.random.default_rng(5)).passes(1e-6)
    original = frozen.network.loss_gradient
    monkeypatch.setattr(frozen.network, "loss_gradient", lambda targets, weights: original(targets))
    assert gradcheck(frozen, 1000, np.random.default_rng(5)).worst.error > 1e-2
