"""The gradient check itself: right networks pass, a factor of 1.001 in any backward does not, kinks are counted."""

from itertools import count

import numpy as np
import pytest

from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from nncli.nn.gradcheck import FrozenLoss, gradcheck
from nncli.nn.initializers import Normal
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.regression import MeanAbsoluteError, MeanSquaredError
from nncli.nn.network import Network
from nncli.nn.penalties import Penalty
from tests.nn.test_contracts import built, named
from tests.nn.witnesses import WITNESSES

pytestmark = pytest.mark.slow

LABELS = np.arange(40) % 3


def dense(units, *penalties):
    return Dense(units, *penalties, initializer=Normal(0.8))


def slopes_of(layers, loss, targets=None, inputs=None):
    """A network in double precision on forty random points, one-hot classes its targets where none are given."""
    inputs = np.random.default_rng(2).normal(size=(40, 2)) if inputs is None else inputs
    network = Network(layers, loss, inputs.shape[1], np.dtype("float64"))
    network.initialize(np.random.default_rng(3))
    targets = LABELS if targets is None else targets
    encoded = loss.encode(targets[: len(inputs)], network.widths[-1])
    return FrozenLoss(network, inputs, encoded, lambda: np.random.default_rng(4))


def checked(*arguments, **settings):
    return gradcheck(slopes_of(*arguments, **settings), 1000, np.random.default_rng(5))


def around(entry):
    """A network with the layer in its middle, everything below it and above it smooth."""
    middle = built(entry)
    if hasattr(middle, "initializer"):
        middle.initializer = Normal(0.8)
    return [dense(4), middle, dense(3)]


def spoil_weights(layer, factor, monkeypatch):
    """Make a dense layer's gradient of its weights wrong by a factor."""
    honest = layer.parameter_gradients

    def faulty(grad):
        honest(grad)
        np.multiply(layer.d_weights, factor, out=layer.d_weights)

    monkeypatch.setattr(layer, "parameter_gradients", faulty)


def trains(entry):
    return (entry.kind, entry.name) in WITNESSES and built(entry).shapes(4)


def numbers(rows=40, columns=3):
    return np.random.default_rng(6).normal(size=(rows, columns))


def with_last_layer(loss):
    """A network that ends as the loss wants it to, and targets for it."""
    last = {"softmax": [Softmax()], "sigmoid": [Sigmoid()]}.get(next(iter(loss.last_layers), None), [])
    return [dense(4), *last] if not last else [dense(3), *last], None if loss.needs_classes else numbers(columns=4)


@pytest.mark.parametrize("entry", named("layer"))
def test_every_layer_passes(entry):
    """In a network around it every registered layer has the slopes of the loss, all entries compared."""
    check = checked(around(entry), MeanSquaredError(), numbers())
    assert check.passes(1e-6), check.worst
    assert all(each.compared == np.prod(each.shape) for each in check.arrays)


@pytest.mark.parametrize("entry", named("loss"))
def test_every_loss_passes(entry):
    """Behind the last layer that it wants every registered loss has its slopes, also behind one layer more."""
    loss = built(entry)
    layers, targets = with_last_layer(loss)
    check = checked(layers, loss, targets)
    assert check.passes(1e-6), check.worst
    assert all(each.compared == np.prod(each.shape) for each in check.arrays)


@pytest.mark.parametrize("entry", named("layer"))
def test_a_factor_in_a_layer_is_caught(entry, monkeypatch):
    """1.001 in the gradient of a layer's inputs is an error over the tolerance."""
    slopes = slopes_of(around(entry), MeanSquaredError(), numbers())
    layer = slopes.network.layers[1]
    honest = layer.backward
    monkeypatch.setattr(layer, "backward", lambda grad: 1.001 * honest(grad))
    check = gradcheck(slopes, 1000, np.random.default_rng(5))
    assert not check.passes(1e-6)
    assert check.worst.error > 1e-4


@pytest.mark.parametrize("entry", [param for param in named("layer") if trains(param.values[0])])
@pytest.mark.parametrize("position", [0, 1], ids=["lowest", "above"])
def test_a_factor_in_a_trained_array_is_caught(entry, position, monkeypatch):
    """1.001 in the gradient of any one array that a layer trains is found in that array, in the lowest layer too."""
    for name in built(entry).shapes(4):
        slopes = slopes_of(around(entry)[1 - position :], MeanSquaredError(), numbers())
        layer, full = slopes.network.layers[position], f"layers.{position}.{name}"
        honest = layer.parameter_gradients

        def faulty(grad, honest=honest, slopes=slopes, full=full):
            honest(grad)
            view = slopes.network.parameters.views(slopes.network.parameters.gradients)[full]
            np.multiply(view, 1.001, out=view)

        monkeypatch.setattr(layer, "parameter_gradients", faulty)
        check = gradcheck(slopes, 1000, np.random.default_rng(5))
        assert not check.passes(1e-6)
        assert next(each.error for each in check.arrays if each.name == full) > 1e-6


@pytest.mark.parametrize("entry", named("loss"))
def test_a_factor_in_a_loss_is_caught(entry, monkeypatch):
    """1.001 in a loss's own backward is found, behind a layer with which it is not taken at once."""
    loss = built(entry)
    layers, targets = with_last_layer(loss)
    slopes = slopes_of([*layers, LeakyReLU(0.9)], loss, targets)
    honest = loss.backward
    monkeypatch.setattr(loss, "backward", lambda *both: 1.001 * honest(*both))
    assert gradcheck(slopes, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize(("last", "loss"), [(Softmax, CategoricalCrossentropy), (Sigmoid, BinaryCrossentropy)])
def test_a_factor_in_a_gradient_taken_at_once_is_caught(last, loss, monkeypatch):
    """1.001 in the gradient through last layer and loss together is found."""
    slopes = slopes_of([dense(3), last()], loss())
    honest = slopes.network.loss.backward_fused
    monkeypatch.setattr(slopes.network.loss, "backward_fused", lambda *both: 1.001 * honest(*both))
    assert gradcheck(slopes, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize("penalties", [(0.1, 0.0), (0.0, 0.1), (0.1, 0.1)], ids=["L1", "L2", "both"])
def test_a_factor_in_a_penalty_is_caught(penalties, monkeypatch):
    """1.001 in the slope of a penalty is found, and without it the penalty passes."""
    layers = [dense(4, *penalties), dense(3)]
    assert checked(layers, MeanSquaredError(), numbers()).passes(1e-6)
    honest = Penalty.backward

    def faulty(penalty):
        before = penalty.gradient.copy()
        honest(penalty)
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
    """Settings of components that the contracts leave aside have right slopes too."""
    assert checked(layers, MeanSquaredError(), numbers()).passes(1e-6)


def test_rows_at_a_kink_are_left_out_and_counted():
    """Points that come to 0 before a ReLU, the origin without biases, count as near a kink; the others are compared."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[[3, 7, 11]] = 0
    check = checked([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers(), inputs)
    assert (check.rows, check.rows_near_kinks, check.rows_clipped) == (37, 3, 0)
    assert check.passes(1e-6)


def test_outputs_that_hit_their_target_are_a_kink_of_the_mean_absolute_error():
    """Rows whose output is their target are left out and counted."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[:5] = 0  # where the outputs are the biases, 0
    targets = np.where(np.arange(40)[:, None] < 5, 0.0, numbers())
    check = checked([dense(3)], MeanAbsoluteError(), targets, inputs)
    assert (check.rows, check.rows_near_kinks) == (35, 5)
    assert check.passes(1e-6)


def test_clipped_rows_are_left_out_and_counted():
    """Rows so sure of a class that the loss clips, where backward goes through the clip, are left out and counted."""
    inputs = np.random.default_rng(2).normal(size=(40, 2))
    inputs[:6] *= 1000
    check = checked([dense(3), Softmax()], CategoricalCrossentropy(), inputs=inputs)
    assert (check.rows, check.rows_clipped) == (34, 6)
    assert check.passes(1e-6)


def test_entries_at_the_kink_of_l1_are_counted():
    """Biases begin at 0, where L1's slope is a convention: they are compared without it, and counted."""
    slopes = slopes_of([dense(4, 0.1, 0.0, 0.1), dense(3)], MeanSquaredError(), numbers())
    check = gradcheck(slopes, 1000, np.random.default_rng(5))
    counted = {each.name: (each.compared, each.near_kinks) for each in check.arrays}
    assert counted["layers.0.biases"] == (4, 4)
    assert counted["layers.0.weights"] == (8, 0)
    assert check.passes(1e-6)


def test_no_row_left_is_an_error():
    """Where every row is at a kink nothing can be said."""
    with pytest.raises(ValueError, match="no row is left: near a kink 40, "):
        checked([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers(), np.zeros((40, 2)))


def test_what_cannot_be_compared_does_not_pass():
    """An entry whose every step crosses a kink is counted and not compared; an array of such entries fails."""
    slopes, turn = slopes_of([dense(1), ReLU(), dense(3)], MeanSquaredError(), numbers()), count()
    slopes.signs = lambda: [np.array([next(turn)])]
    check = gradcheck(slopes, 1000, np.random.default_rng(5))
    assert not check.passes(1e-6)
    assert check.worst.compared == 0
    assert check.worst.place is None


def test_the_network_is_left_where_it_was():
    """The trained numbers are those from before, to the last bit."""
    slopes = slopes_of([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers())
    before = slopes.network.parameters.trainable.tobytes()
    gradcheck(slopes, 1000, np.random.default_rng(5))
    assert slopes.network.parameters.trainable.tobytes() == before


def test_fewer_entries_are_picked_at_random():
    """With fewer entries than an array has so many are compared, each of them right."""
    slopes = slopes_of([dense(30), ReLU(), dense(3)], MeanSquaredError(), numbers())
    check = gradcheck(slopes, 7, np.random.default_rng(5))
    assert [each.compared for each in check.arrays] == [7, 7, 7, 3]
    assert check.passes(1e-6)


@pytest.mark.parametrize("wild", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_is_named(wild, monkeypatch):
    """It fails with the name of its array, and spoils no other."""
    slopes = slopes_of([dense(4), ReLU(), dense(3)], MeanSquaredError(), numbers())
    layer = slopes.network.layers[2]
    honest = layer.parameter_gradients

    def faulty(grad):
        honest(grad)
        layer.d_weights[0, 0] = wild

    monkeypatch.setattr(layer, "parameter_gradients", faulty)
    with pytest.raises(ValueError, match=r"the gradient of layers\.2\.weights is not finite"):
        gradcheck(slopes, 1000, np.random.default_rng(5))


def test_a_loss_that_is_not_finite_is_told():
    """Where the first weights are too large for the format, the loss is said to be so, not clipped or at a kink."""
    layers = [Dense(3, initializer=Normal(1e300))]
    with pytest.raises(ValueError, match="the loss is not finite"), np.errstate(over="ignore", invalid="ignore"):
        checked(layers, MeanSquaredError(), numbers())


def test_large_penalties_hide_no_fault(monkeypatch):
    """Data and penalties are compared apart: 1.001 in the data's gradient is found behind a penalty of any size."""
    slopes = slopes_of([dense(4, 0.0, 1e4), dense(3)], MeanSquaredError(), numbers())
    spoil_weights(slopes.network.layers[0], 1.001, monkeypatch)
    assert gradcheck(slopes, 1000, np.random.default_rng(5)).worst.error > 1e-4


@pytest.mark.parametrize("scale", [1e-3, 1e-2, 1e2, 1e4])
def test_small_and_large_gradients_pass_alike(scale):
    """First weights of any size, the book's small ones among them, are no fault of backward."""
    for seed in range(10):
        layers = [Dense(4, initializer=Normal(scale)), ReLU(), Dense(3, initializer=Normal(scale))]
        slopes = slopes_of(layers, MeanSquaredError(), numbers())
        slopes.network.initialize(np.random.default_rng(seed))
        assert gradcheck(slopes, 1000, np.random.default_rng(5)).passes(1e-6), seed


def test_strongly_curved_losses_pass():
    """Batches of two rows, which batch normalization bends most, have a step that is short enough."""
    for seed in range(20):
        layers = [dense(8), BatchNormalization(), GELU(), dense(8), BatchNormalization(), dense(3)]
        inputs = np.random.default_rng(seed).normal(size=(2, 2))
        slopes = slopes_of(layers, MeanSquaredError(), numbers(rows=2), inputs)
        slopes.network.initialize(np.random.default_rng(seed))
        assert gradcheck(slopes, 3, np.random.default_rng(5)).passes(1e-6), seed


@pytest.mark.parametrize("factor", [1.0, 1.001])
@pytest.mark.parametrize(("epsilon", "spread"), [(1e-5, 1e-4), (1e-5, 1e-5), (1e-8, 1e-5), (1e-10, 1e-4)])
def test_columns_of_little_spread_pass(epsilon, spread, factor, monkeypatch):
    """Normalization above such columns bends the loss and makes rounding larger; a thousandth is still found."""
    for seed in range(6):
        normalized = BatchNormalization(epsilon=epsilon)
        layers = [dense(4), Sigmoid(), dense(4), normalized, Tanh(), dense(3)]
        inputs = 1 + spread * np.random.default_rng(seed).normal(size=(20, 2))
        slopes = slopes_of(layers, MeanSquaredError(), numbers(rows=20), inputs)
        slopes.network.initialize(np.random.default_rng(seed))
        spoil_weights(slopes.network.layers[0], factor, monkeypatch)
        check = gradcheck(slopes, 3, np.random.default_rng(5))
        assert check.passes(1e-6) == (factor == 1), (seed, check.worst)


def test_what_is_too_small_is_told_and_not_judged():
    """An array whose gradients rounding would hide is marked, and the others decide."""
    layers = [
        dense(4),
        *(layer for _ in range(8) for layer in (Dense(4, initializer=Normal(0.01)), Sigmoid())),
        dense(3),
    ]
    slopes = slopes_of(layers, MeanSquaredError(), numbers())
    check = gradcheck(slopes, 1000, np.random.default_rng(5))
    assert {each.name: each.too_small for each in check.arrays}["layers.0.weights"]
    assert not check.worst.too_small
    assert check.passes(1e-6)


def test_rows_are_left_out_until_none_is_near_a_kink(monkeypatch):
    """Behind batch normalization the rows that stay move when others go, so that new ones may come near a kink."""
    slopes = slopes_of([dense(4), BatchNormalization(), ReLU(), dense(3)], MeanSquaredError(), numbers())
    rounds, asked = [([0, 1], [1]), ([2], []), ([], [])], []

    def rows_to_exclude(self):
        near, ends = (np.isin(np.arange(len(self.inputs)), rows) for rows in rounds[len(asked)])
        asked.append(len(self.inputs))
        return near, ends

    monkeypatch.setattr(FrozenLoss, "rows_to_exclude", rows_to_exclude)
    check = gradcheck(slopes, 5, np.random.default_rng(5))
    assert asked == [40, 38, 37]
    assert (check.rows, check.rows_near_kinks, check.rows_clipped) == (37, 2, 1)


def test_entries_are_picked_by_the_generator():
    """Two generators pick other entries of an array with more than are asked for."""
    places = []
    for seed in (1, 2):
        slopes = slopes_of([dense(40), dense(3)], MeanSquaredError(), numbers())
        places.append(gradcheck(slopes, 1, np.random.default_rng(seed)).arrays[0].place)
    assert places[0] != places[1]


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([dense(6), Dropout(0.3), ReLU(), dense(3)], id="behind a mask"),
        pytest.param([dense(6), ReLU(), LeakyReLU(0.1), dense(3)], id="behind a relu"),
    ],
)
def test_a_zero_that_nothing_moves_is_no_kink(layers):
    """What a mask or a ReLU holds at 0 stays there at every step; the rows are kept and compared."""
    check = checked(layers, MeanSquaredError(), numbers())
    assert check.rows == 40
    assert check.passes(1e-6)


def test_a_plain_fault_is_seen_however_small_the_gradient(monkeypatch):
    """Ten thousand times the gradient is over what rounding explains, also where finer faults would not be seen."""
    layers = [
        dense(4),
        *(layer for _ in range(4) for layer in (Dense(4, initializer=Normal(0.1)), Sigmoid())),
        dense(3),
    ]
    slopes = slopes_of(layers, MeanSquaredError(), numbers())
    small = [each.name for each in gradcheck(slopes, 1000, np.random.default_rng(5)).arrays if each.too_small]
    spoil_weights(slopes.network.layers[0], 1e4, monkeypatch)
    assert "layers.0.weights" in small
    assert not gradcheck(slopes, 1000, np.random.default_rng(5)).passes(1e-6)


def test_sure_outputs_of_two_classes_pass():
    """Rows whose 1 − P has few digits left are left out, and the others are right."""
    for seed in range(10):
        layers = [Dense(16, initializer=Normal(3.0)), Tanh(), Dense(1, initializer=Normal(3.0)), Sigmoid()]
        slopes = slopes_of(layers, BinaryCrossentropy(), np.arange(40) % 2)
        slopes.network.initialize(np.random.default_rng(seed))
        assert gradcheck(slopes, 1000, np.random.default_rng(5)).passes(1e-6), seed
