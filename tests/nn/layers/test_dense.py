"""Dense layers: inputs by rows and by columns."""

import numpy as np
import pytest

from nncli.nn.activations import Softmax
from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.buffers import copy_to_buffer
from nncli.nn.layers.dense import WIDE, Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.parameters import Parameters

UNITS, ROWS = 3, 5


def layer_of(columns, dtype="float64"):
    """A layer with random weights and biases, and its gradients."""
    layer = Dense(UNITS)
    parameters = Parameters(layer.shapes(columns), np.dtype(dtype))
    layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients), np.dtype(dtype))
    parameters.values[:] = np.random.default_rng(1).normal(size=parameters.values.shape)
    return layer, parameters.gradients


def passed(inputs, grad):
    """Outputs, gradients with respect to inputs, weights and biases, and whether the inputs were taken by rows."""
    layer, gradients = layer_of(inputs.shape[1], inputs.dtype)
    outputs, d_inputs = layer.forward(inputs).copy(), layer.backward(grad).copy()
    return outputs, d_inputs, gradients.copy(), layer.by_rows


@pytest.mark.parametrize(("columns", "by_rows"), [(WIDE * UNITS - 1, False), (WIDE * UNITS, True), (40, True)])
def test_rows_and_columns_give_the_same(columns, by_rows):
    """Wide inputs as they lie in a batch give what the same numbers give column by column; neither is written to."""
    rng = np.random.default_rng(2)
    inputs, grad = rng.normal(size=(ROWS, columns)), rng.normal(size=(ROWS, UNITS))
    before = inputs.copy()
    found, expected = passed(inputs, grad), passed(copy_to_buffer(inputs, inputs.dtype), grad)
    assert (found[-1], expected[-1]) == (by_rows, False)
    for one, other in zip(found[:-1], expected[:-1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    np.testing.assert_array_equal(inputs, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_by_rows_lie_in_rows_of_an_odd_number_of_lines(dtype):
    """Of nine lines for 512 bytes; the products of few units follow each other."""
    for units, bytes_a_row in ((512 // np.dtype(dtype).itemsize, 512 + CACHE_LINE), (3, 3 * np.dtype(dtype).itemsize)):
        layer = Dense(units)
        parameters = Parameters(layer.shapes(2 * units), np.dtype(dtype))
        layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients), np.dtype(dtype))
        layer.forward(np.ones((ROWS, 2 * units), dtype))
        assert layer.products.strides == (bytes_a_row, np.dtype(dtype).itemsize)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.asfortranarray, id="by columns"),
        pytest.param(lambda inputs: np.repeat(inputs, 2, axis=1)[:, ::2], id="with gaps"),
        pytest.param(lambda inputs: copy_to_buffer(inputs, inputs.dtype), id="a buffer"),
    ],
)
def test_only_plain_rows_are_taken_as_they_are(other):
    """Whatever else is wide goes by columns, with the same outputs."""
    inputs = np.random.default_rng(3).normal(size=(ROWS, 20))
    layer, _ = layer_of(20)
    outputs = layer.forward(inputs).copy()
    assert layer.prefers_row_major(inputs)
    assert not layer.prefers_row_major(other(inputs))
    np.testing.assert_allclose(layer.forward(other(inputs)), outputs, rtol=1e-5)


@pytest.mark.parametrize("given", ["uint8", "float64", "float32"])
def test_a_network_takes_rows_of_any_number_format_as_rows(given):
    """Bytes and numbers in double precision are converted row by row, each batch anew, with the same outputs."""
    inputs = np.random.default_rng(5).integers(0, 9, (ROWS, 20)).astype(given)
    network = Network([Dense(UNITS), Softmax()], CategoricalCrossentropy(), 20, np.dtype("float32"))
    network.parameters.values[:] = np.random.default_rng(6).normal(size=63)
    by_columns = network.forward(copy_to_buffer(inputs, np.dtype("float32"))).copy()
    for numbers in (inputs, inputs[::-1].copy(), inputs):
        found = network.forward(numbers)
        expected = by_columns if numbers is inputs else by_columns[::-1]
        np.testing.assert_allclose(found, expected, rtol=2e-5)
        assert network.layers[0].by_rows


def test_a_layer_alone_converts_what_is_of_another_number_format():
    """Called with it, and not by a network, it copies the numbers by columns."""
    inputs = np.random.default_rng(3).normal(size=(ROWS, 20))
    layer, _ = layer_of(20)
    outputs = layer.forward(inputs).copy()
    np.testing.assert_allclose(layer.forward(inputs.astype("float32")), outputs, rtol=1e-5, atol=1e-6)
    assert not layer.by_rows


def test_a_batch_may_follow_another_way():
    """By rows, by columns and by rows again, with other numbers of rows, on one layer."""
    rng, (layer, gradients) = np.random.default_rng(4), layer_of(20)
    for rows, lay in ((5, np.asarray), (5, np.asfortranarray), (4, np.asarray), (5, np.asarray)):
        inputs, grad = lay(rng.normal(size=(rows, 20))), rng.normal(size=(rows, UNITS))
        np.testing.assert_allclose(layer.forward(inputs), inputs @ layer.weights + layer.biases, rtol=1e-12)
        layer.parameter_gradients(grad)
        np.testing.assert_allclose(gradients, [*(inputs.T @ grad).ravel(), *grad.sum(axis=0)], rtol=1e-12, atol=1e-13)
