"""Dense layers with row-major and column-major inputs."""

import numpy as np
import pytest

from nncli.nn.activations import Softmax
from nncli.nn.kernels.alignment import CACHE_LINE
from nncli.nn.kernels.dense_products import RowMajorProducts
from nncli.nn.layers.dense import MIN_INPUTS_PER_UNIT, Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.parameters import Parameters
from tests.nn.passes import backward, forward, parameter_gradients

UNITS, ROWS = 3, 5


def layer_of(columns, dtype="float64"):
    """A layer with random weights and biases, and its gradients."""
    layer = Dense(UNITS)
    parameters = Parameters(layer.shapes(columns), np.dtype(dtype))
    layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients))
    parameters.values[:] = np.random.default_rng(1).normal(size=parameters.values.shape)
    return layer, parameters.gradients


def is_row_major(layer):
    """Whether the last inputs were multiplied row-major."""
    return isinstance(layer.products, RowMajorProducts)


def forward_backward(inputs, grad):
    """Outputs, gradients of inputs and of parameters, and whether the inputs stayed row-major."""
    layer, gradients = layer_of(inputs.shape[1], inputs.dtype)
    outputs, d_inputs = forward(layer, inputs).copy(), backward(layer, grad).copy()
    return outputs, d_inputs, gradients.copy(), is_row_major(layer)


@pytest.mark.parametrize(
    ("columns", "row_major"),
    [(MIN_INPUTS_PER_UNIT * UNITS - 1, False), (MIN_INPUTS_PER_UNIT * UNITS, True), (40, True)],
)
def test_memory_layouts_give_the_same_result(columns, row_major):
    """Wide row-major inputs give the same outputs and gradients as column-major ones; neither is written to."""
    rng = np.random.default_rng(2)
    inputs, grad = rng.normal(size=(ROWS, columns)), rng.normal(size=(ROWS, UNITS))
    before = inputs.copy()
    found, expected = forward_backward(inputs, grad), forward_backward(np.asfortranarray(inputs), grad)
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
        layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients))
        forward(layer, np.ones((ROWS, 2 * units), dtype))
        assert layer.products.row_major_outputs.strides == (bytes_per_row, np.dtype(dtype).itemsize)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(np.asfortranarray, id="column-major"),
        pytest.param(lambda inputs: np.repeat(inputs, 2, axis=1)[:, ::2], id="strided"),
    ],
)
def test_only_contiguous_rows_stay_row_major(copy):
    """Other wide inputs are copied column-major, with the same outputs."""
    inputs = np.random.default_rng(3).normal(size=(ROWS, 20))
    layer, _ = layer_of(20)
    outputs = forward(layer, inputs).copy()
    assert is_row_major(layer)
    np.testing.assert_allclose(forward(layer, copy(inputs)), outputs, rtol=1e-13)
    assert not is_row_major(layer)


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float32"])
def test_network_keeps_inputs_of_any_dtype_row_major(dtype):
    """Inputs of another dtype are converted to a row-major copy in each pass, with the same outputs."""
    inputs = np.random.default_rng(5).integers(0, 9, (ROWS, 20)).astype(dtype)
    network = Network([Dense(UNITS), Softmax()], CategoricalCrossentropy(), 20, np.dtype("float32"))
    network.parameters.values[:] = np.random.default_rng(6).normal(size=63)
    column_major = network.forward(np.asfortranarray(inputs)).copy()
    for batch in (inputs, inputs[::-1].copy(), inputs):
        found = network.forward(batch)
        expected = column_major if batch is inputs else column_major[::-1]
        np.testing.assert_allclose(found, expected, rtol=2e-5)
        assert is_row_major(network.layers[0])
        assert network.layers[0].inputs.dtype == np.float32


def test_memory_layout_may_change_between_batches():
    """Row-major, column-major and row-major again, with different numbers of rows, on one layer."""
    rng, (layer, gradients) = np.random.default_rng(4), layer_of(20)
    for rows, layout in ((5, np.asarray), (5, np.asfortranarray), (4, np.asarray), (5, np.asarray)):
        inputs, grad = layout(rng.normal(size=(rows, 20))), rng.normal(size=(rows, UNITS))
        np.testing.assert_allclose(forward(layer, inputs), inputs @ layer.weights + layer.biases, rtol=1e-12)
        parameter_gradients(layer, grad)
        np.testing.assert_allclose(gradients, [*(inputs.T @ grad).ravel(), *grad.sum(axis=0)], rtol=1e-12, atol=1e-13)
