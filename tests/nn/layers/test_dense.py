"""Dense layers with row-major and column-major inputs."""

import numpy as np
import pytest

from nncli.nn.activations import Softmax
from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.buffers import copy_to_buffer
from nncli.nn.layers.dense import MIN_INPUTS_PER_UNIT, Dense
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


def forward_backward(inputs, grad):
    """Outputs, gradients of inputs and of parameters, and whether the inputs stayed row-major."""
    layer, gradients = layer_of(inputs.shape[1], inputs.dtype)
    outputs, d_inputs = layer.forward(inputs).copy(), layer.backward(grad).copy()
    return outputs, d_inputs, gradients.copy(), layer.row_major


@pytest.mark.parametrize(
    ("columns", "row_major"),
    [(MIN_INPUTS_PER_UNIT * UNITS - 1, False), (MIN_INPUTS_PER_UNIT * UNITS, True), (40, True)],
)
def test_memory_layouts_give_the_same_result(columns, row_major):
    """Wide row-major inputs give the same outputs and gradients as column-major ones; neither is written to."""
    rng = np.random.default_rng(2)
    inputs, grad = rng.normal(size=(ROWS, columns)), rng.normal(size=(ROWS, UNITS))
    before = inputs.copy()
    found, expected = forward_backward(inputs, grad), forward_backward(copy_to_buffer(inputs, inputs.dtype), grad)
    assert (found[-1], expected[-1]) == (row_major, False)
    for array, reference in zip(found[:-1], expected[:-1], strict=True):
        np.testing.assert_allclose(array, reference, rtol=1e-13)
    np.testing.assert_array_equal(inputs, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_row_major_products_are_padded(dtype):
    """Rows of 512 bytes take nine cache lines; short rows are not padded."""
    for units, bytes_per_row in (
        (512 // np.dtype(dtype).itemsize, 512 + CACHE_LINE),
        (3, 3 * np.dtype(dtype).itemsize),
    ):
        layer = Dense(units)
        parameters = Parameters(layer.shapes(2 * units), np.dtype(dtype))
        layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients), np.dtype(dtype))
        layer.forward(np.ones((ROWS, 2 * units), dtype))
        assert layer.products.strides == (bytes_per_row, np.dtype(dtype).itemsize)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(np.asfortranarray, id="column-major"),
        pytest.param(lambda inputs: np.repeat(inputs, 2, axis=1)[:, ::2], id="strided"),
        pytest.param(lambda inputs: copy_to_buffer(inputs, inputs.dtype), id="a buffer"),
    ],
)
def test_only_contiguous_rows_stay_row_major(copy):
    """Other wide inputs are copied column-major, with the same outputs."""
    inputs = np.random.default_rng(3).normal(size=(ROWS, 20))
    layer, _ = layer_of(20)
    outputs = layer.forward(inputs).copy()
    assert layer.prefers_row_major(inputs)
    assert not layer.prefers_row_major(copy(inputs))
    np.testing.assert_allclose(layer.forward(copy(inputs)), outputs, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float32"])
def test_network_keeps_inputs_of_any_dtype_row_major(dtype):
    """Inputs of another dtype are converted to a row-major copy in each pass, with the same outputs."""
    inputs = np.random.default_rng(5).integers(0, 9, (ROWS, 20)).astype(dtype)
    network = Network([Dense(UNITS), Softmax()], CategoricalCrossentropy(), 20, np.dtype("float32"))
    network.parameters.values[:] = np.random.default_rng(6).normal(size=63)
    column_major = network.forward(copy_to_buffer(inputs, np.dtype("float32"))).copy()
    for batch in (inputs, inputs[::-1].copy(), inputs):
        found = network.forward(batch)
        expected = column_major if batch is inputs else column_major[::-1]
        np.testing.assert_allclose(found, expected, rtol=2e-5)
        assert network.layers[0].row_major


def test_layer_converts_inputs_of_another_dtype():
    """Without a network around it, the layer makes a column-major copy."""
    inputs = np.random.default_rng(3).normal(size=(ROWS, 20))
    layer, _ = layer_of(20)
    outputs = layer.forward(inputs).copy()
    np.testing.assert_allclose(layer.forward(inputs.astype("float32")), outputs, rtol=1e-5, atol=1e-6)
    assert not layer.row_major


def test_memory_layout_may_change_between_batches():
    """Row-major, column-major and row-major again, with different numbers of rows, on one layer."""
    rng, (layer, gradients) = np.random.default_rng(4), layer_of(20)
    for rows, layout in ((5, np.asarray), (5, np.asfortranarray), (4, np.asarray), (5, np.asarray)):
        inputs, grad = layout(rng.normal(size=(rows, 20))), rng.normal(size=(rows, UNITS))
        np.testing.assert_allclose(layer.forward(inputs), inputs @ layer.weights + layer.biases, rtol=1e-12)
        layer.parameter_gradients(grad)
        np.testing.assert_allclose(gradients, [*(inputs.T @ grad).ravel(), *grad.sum(axis=0)], rtol=1e-12, atol=1e-13)
