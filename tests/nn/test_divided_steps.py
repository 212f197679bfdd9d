"""Steps that the members of a tensor-parallel network compute together, compared with those of the whole network."""

import copy

import numpy as np
import pytest

from nncli.nn.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy
from nncli.nn.losses.regression import MeanSquaredError
from nncli.nn.network import Network
from nncli.nn.tensor_parallel import divide
from tests.nn.members import DIVISIBLE, LAYERS, group_of_threads, layers_of, run_members

INPUTS, ROWS = 4, 12
LOSSES = {"softmax": CategoricalCrossentropy, "sigmoid": BinaryCrossentropy}  # by the last layer
TOLERANCES = {"float64": {"rtol": 1e-10, "atol": 1e-12}, "float32": {"rtol": 1e-3, "atol": 1e-5}}

architectures = pytest.mark.parametrize("architecture", DIVISIBLE)
counts = pytest.mark.parametrize("count", [2, 3])


def network_of(architecture, dtype="float64", **dense):
    """A network with random parameters, also of the biases."""
    loss = LOSSES.get(architecture.split()[-1], MeanSquaredError)()
    network = Network(layers_of(architecture, **dense), loss, INPUTS, np.dtype(dtype))
    network.initialize(np.random.default_rng(0))
    network.parameters.values[:] += np.random.default_rng(1).uniform(0.1, 0.5, network.parameters.values.shape)
    return network


def batch_of(network, rows=ROWS, seed=2):
    """Inputs, encoded targets, and weights of the rows."""
    rng, outputs = np.random.default_rng(seed), network.widths[-1]
    targets = rng.integers(0, 2, (rows, outputs)).astype(network.dtype, order="F")
    if isinstance(network.loss, CategoricalCrossentropy):
        targets = network.loss.encode(rng.integers(0, outputs, rows), outputs)
    inputs, weights = rng.normal(size=(rows, INPUTS)), rng.uniform(0.5, 2, rows)
    return inputs.astype(network.dtype), targets, weights.astype(network.dtype)


class Members:
    """The networks of the members of a group of threads, with the parameters of the whole network."""

    def __init__(self, whole, count, slow=None):
        self.whole, self.group = whole, group_of_threads(count, slow)
        self._parts = divide(whole.layers, INPUTS, self.group)
        self.networks = [
            Network(part.layers, copy.copy(whole.loss), INPUTS, whole.dtype, whole.is_fused) for part in self._parts
        ]
        self.group.allocate(ROWS, whole.dtype)
        for whole_array, own in self._arrays("values", whole.parameters.values):
            own[...] = whole_array

    def _arrays(self, name, vector):
        """The array of each parameter in a vector of the whole network, and in that of its member."""
        views = self.whole.parameters.views(vector)
        for part, network in zip(self._parts, self.networks, strict=True):
            own = network.parameters.views(getattr(network.parameters, name))
            for own_name, (whole_name, index) in part.sources.items():
                if own_name in own:
                    yield views[whole_name][index], own[own_name]

    def vector(self, name):
        """The values or the gradients of all members, in the order of the whole network."""
        vector = np.full_like(getattr(self.whole.parameters, name), np.nan)
        for whole_array, own in self._arrays(name, vector):
            whole_array[...] = own
        return vector

    def forward_backward(self, inputs, targets, weights):
        """The losses of each member."""

        def compute(number):
            losses = np.full(len(inputs), np.nan)
            self.networks[number].forward_backward(inputs, targets, losses, weights)
            return losses

        return run_members(self.group, compute)


def assert_step_is_that_of_the_whole(members, inputs, targets, weights=None):
    """Compare gradients, running statistics and losses with the same dropout masks."""
    whole, losses = members.whole, np.full(len(inputs), np.nan)
    whole.set_rng(np.random.default_rng(3))
    found = members.forward_backward(inputs, targets, weights)
    whole.set_rng(np.random.default_rng(3))
    whole.forward_backward(inputs, targets, losses, weights)
    tolerance = TOLERANCES[whole.dtype.name]
    np.testing.assert_allclose(members.vector("gradients"), whole.parameters.gradients, **tolerance)
    np.testing.assert_allclose(members.vector("values"), whole.parameters.values, **tolerance)
    for each in found:
        np.testing.assert_array_equal(each, found[0])
    np.testing.assert_allclose(found[0], losses, **tolerance)


@architectures
@counts
@pytest.mark.parametrize("slow", [None, 0, 1])
def test_steps_are_those_of_the_whole_network(architecture, count, slow):
    """Gradients, losses and running statistics, for one step after the other with different numbers of rows."""
    members = Members(network_of(architecture), count, slow)
    for seed, rows in enumerate((ROWS, 5, ROWS, 3, 5)):
        inputs, targets, _ = batch_of(members.whole, rows, seed)
        assert_step_is_that_of_the_whole(members, inputs, targets)


@architectures
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_steps_with_weights_and_penalties_are_those_of_the_whole_network(architecture, dtype):
    """Weights of the rows, L1 and L2 on weights and on biases, each added once."""
    network = network_of(architecture, dtype, l1=0.1, l2=0.2, bias_l1=0.3, bias_l2=0.4)
    assert network.penalties
    members = Members(network, 3)
    assert_step_is_that_of_the_whole(members, *batch_of(network))
    assert all(each.parameters.values.dtype == dtype for each in members.networks)


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - {"softmax"}))
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_steps_through_every_layer_are_those_of_the_whole_network(name, dtype):
    """Where activations are divided, and where they are complete."""
    for architecture in (f"7 {name} 5 {name} 3 softmax", f"7 relu 3 {name} softmax"):
        network = network_of(architecture, dtype)
        assert_step_is_that_of_the_whole(Members(network, 2), *batch_of(network))


@architectures
@pytest.mark.parametrize("weighted", [False, True])
def test_micro_batches_are_those_of_the_whole_network(architecture, weighted):
    """With the same dropout masks, if the network can be computed in micro-batches at all."""
    network = network_of(architecture, l2=0.2)
    members, passes = Members(network, 2), []
    for each in (network, *members.networks):
        each.micro_batch_rows = 5
    original = members.networks[1].forward
    members.networks[1].forward = lambda inputs, **options: passes.append(len(inputs)) or original(inputs, **options)
    inputs, targets, weights = batch_of(network)
    assert_step_is_that_of_the_whole(members, inputs, targets, weights if weighted else None)
    assert passes == ([4, 4, 4] if network.can_microbatch else [ROWS])


@counts
def test_running_statistics_follow_the_steps(count):
    """Step after step, from those of the member."""
    network = network_of("7 batch_normalization relu 3 batch_normalization softmax")
    members, before = Members(network, count), network.parameters.values.copy()
    for seed in range(3):
        inputs, targets, _ = batch_of(network, seed=seed)
        assert_step_is_that_of_the_whole(members, inputs, targets)
    trainable = len(network.parameters.trainable)
    assert (network.parameters.values[trainable:] != before[trainable:]).all()


def test_saturated_outputs_have_the_fused_gradient():
    """The columns are gathered before a last layer that has one gradient with the loss, as P (1 − P) would be 0."""
    network = network_of("3 sigmoid", "float32")
    network.parameters.values[:] = 30
    inputs, _, _ = batch_of(network)
    members = Members(network, 2)
    assert_step_is_that_of_the_whole(members, np.abs(inputs), np.zeros((ROWS, 3), "float32", order="F"))
    assert (network.outputs == 1).all()
    assert all(members.vector("gradients") > 0)
    assert [each.is_fused for each in members.networks] == [True, True]


def test_gradients_that_are_not_fused_are_not_fused_in_members():
    """Both compute the gradient of the loss and that of the last layer."""
    layers = layers_of("7 relu 3 softmax")
    network = Network(layers, CategoricalCrossentropy(), INPUTS, np.dtype("float64"), fused=False)
    network.initialize(np.random.default_rng(0))
    members = Members(network, 2)
    assert [each.is_fused for each in members.networks] == [False, False]
    assert_step_is_that_of_the_whole(members, *batch_of(network))


def test_biases_without_a_source_stay_zero():
    """Those of row-parallel layers in other members than the first have neither gradient nor penalty."""
    members = Members(network_of("7 relu 3 softmax", bias_l1=0.3, bias_l2=0.4), 2)
    _, other = members.networks
    other.parameters.gradients[:] = np.nan
    assert_step_is_that_of_the_whole(members, *batch_of(members.whole))
    row_parallel = other.layers[2]
    assert not row_parallel.biases.any()
    assert not row_parallel.d_biases.any()
