"""Contracts of every registered component at many sizes and in each memory layout."""

import numpy as np
import pytest

from nncli.nn.activations import Sigmoid, Softmax
from nncli.nn.losses.loss import average, is_fused
from nncli.nn.metrics.metric import Task
from tests.nn.differences import relative_error
from tests.nn.passes import backward, forward, fused_gradient, loss_gradient
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import built, layer_of, named

ROWS = [1, 2, 5, 63, 64, 65, 251, 300]
COLUMNS = [1, 2, 3, 8, 9, 40]
CHUNK = 5  # rows at which tests.nn.test_contracts compares backward passes with central differences
WIDTHS = [*range(1, 21), 40, 65]
LAYOUTS = {
    "row-major": np.ascontiguousarray,
    "column-major": np.asfortranarray,
}
STEP = 1e-6


def normal(seed, *shape):
    """Standard normal values."""
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("entry", named("layer"))
def test_forward_matches_the_reference_at_every_size(entry, layout):
    """The outputs are those of the reference implementation for any number of rows and columns, on one layer."""
    for columns in COLUMNS:
        (layer, _), inputs = layer_of(entry, columns), normal(columns, max(ROWS), columns)
        naive = np.array([REFERENCES["layer", entry.name][0](layer, row) for row in inputs])
        for rows in ROWS:
            found = forward(layer, LAYOUTS[layout](inputs[-rows:]))
            np.testing.assert_allclose(found, naive[-rows:], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("entry", [each for each in named("layer") if not each.values[0].target.couples_rows])
def test_backward_is_that_of_small_batches_at_every_size(entry, layout):
    """Gradients of rows are those in small batches, and gradients of parameters the sums over these."""
    for columns in (1, 3, 9, 40):
        layer, parameters = layer_of(entry, columns)
        for rows in (1, 8, 63, 64, 65, 251):
            inputs, grad = normal(rows, rows, columns), normal(rows + 1, rows, layer.width(columns))
            forward(layer, LAYOUTS[layout](inputs))
            d_inputs, gradients = backward(layer, LAYOUTS[layout](grad)).copy(), parameters.gradients.copy()
            found, total = np.empty_like(d_inputs), np.zeros_like(gradients)
            for start in range(0, rows, CHUNK):
                chunk = slice(start, start + CHUNK)
                forward(layer, np.asfortranarray(inputs[chunk]))
                found[chunk] = backward(layer, np.asfortranarray(grad[chunk]))
                total += parameters.gradients
            np.testing.assert_allclose(d_inputs, found, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(gradients, total, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("entry", named("layer"))
def test_backward_is_the_directional_derivative_at_every_size(entry):
    """A training pass agrees with the central difference along a random direction of inputs and parameters."""
    for columns, rows in [(1, 2), (3, 64), (9, 251), (17, 65), (40, 300)]:
        layer, parameters = layer_of(entry, columns)
        inputs, weights = normal(rows, rows, columns), normal(rows + 1, rows, layer.width(columns))
        directions = normal(2, rows, columns), normal(3, len(parameters.trainable))
        start = inputs.copy(), parameters.trainable.copy()

        def moved(step, layer=layer, weights=weights, inputs=inputs, parameters=parameters, of=(start, directions)):
            for array, origin, direction in zip((inputs, parameters.trainable), *of, strict=True):
                array[...] = origin + step * direction
            layer.set_rng(np.random.default_rng(4))
            return float(np.sum(forward(layer, inputs, training=True) * weights))

        slope = (moved(STEP) - moved(-STEP)) / (2 * STEP)
        moved(0.0)
        found = np.sum(backward(layer, weights) * directions[0]) + np.sum(parameters.gradients * directions[1])
        assert found == pytest.approx(slope, rel=1e-5, abs=1e-6 * np.sqrt(inputs.size))


@pytest.mark.parametrize("entry", named("layer"))
def test_inference_changes_no_state_at_any_number_of_rows(entry):
    """A forward pass at inference changes no parameter or running statistic, and draws no random numbers."""
    layer, parameters = layer_of(entry)
    rng = np.random.default_rng(8)
    layer.set_rng(rng)
    forward(layer, normal(0, 20, 3), training=True)
    before = parameters.values.tobytes(), str(rng.bit_generator.state)
    for rows in [*ROWS, 1000, 5000]:
        forward(layer, normal(rows, rows, 3) + 1)
        assert (parameters.values.tobytes(), str(rng.bit_generator.state)) == before, rows


def loss_case(loss, rows, width):
    """Outputs (N, M) and encoded targets of a loss: probabilities and classes, or real values."""
    rng = np.random.default_rng(rows + width)
    if not loss.needs_classes:
        return rng.normal(size=(rows, width)), loss.encode(rng.normal(size=(rows, width)), width)
    return rng.uniform(0.05, 0.95, (rows, width)), loss.encode(rng.integers(0, max(2, width), rows), width)


def loss_cases(entry):
    """A loss with outputs and targets of several numbers of rows and of every valid width."""
    loss = built(entry)
    loss.attach(np.dtype("float64"))
    for rows in (1, 2, 7, 64, 300):
        for width in WIDTHS:
            if not loss.needs_classes or width in loss.widths(max(2, width)):
                yield loss, *loss_case(loss, rows, width)


@pytest.mark.parametrize("entry", named("loss"))
def test_loss_matches_the_reference_at_every_size(entry):
    """The loss of each row is that of the reference implementation, and their average is that of NumPy."""
    for loss, outputs, targets in loss_cases(entry):
        losses = loss.forward(outputs, targets)
        naive = [REFERENCES["loss", entry.name][0](*pair) for pair in zip(outputs, targets, strict=True)]
        np.testing.assert_allclose(losses, naive, rtol=1e-12)
        assert average(losses) == pytest.approx(np.mean(losses), rel=1e-13)


@pytest.mark.parametrize("entry", named("loss"))
def test_loss_gradient_matches_central_differences_at_every_size(entry):
    """Each entry of the gradient agrees with central differences, for any number of rows and outputs."""
    for loss, outputs, targets in loss_cases(entry):
        expected = np.empty_like(outputs)
        for column in range(outputs.shape[1]):
            step = np.zeros_like(outputs)
            step[:, column] = STEP  # a row's loss depends on that row alone, so that all rows move at once
            above, below = loss.forward(outputs + step, targets), loss.forward(outputs - step, targets)
            expected[:, column] = (above - below) / (2 * STEP) / len(outputs)
        assert relative_error(loss_gradient(loss, outputs, targets), expected) < 1e-6, outputs.shape


@pytest.mark.parametrize("entry", named("loss"))
def test_fused_gradient_is_that_of_loss_and_last_layer_at_every_size(entry):
    """The fused gradient is that of the loss and the last layer one after the other."""
    for loss, logits, targets in loss_cases(entry):
        for last in (Softmax(), Sigmoid()):
            if is_fused(last, loss):
                last.attach({}, {})
                outputs = forward(last, logits)
                expected = backward(last, loss_gradient(loss, outputs, targets)).copy()
                np.testing.assert_allclose(fused_gradient(loss, outputs, targets), expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("entry", named("clipping"))
@pytest.mark.parametrize("size", [1, 9, 1000])
@pytest.mark.parametrize("measure", [np.linalg.norm, lambda array: np.abs(array).max()], ids=["norm", "largest entry"])
def test_clipping_starts_at_its_limit(entry, size, measure):
    """Gradients just below and just above the limit match the reference implementation to the last digits."""
    for distance in (0.0, *(sign * 10.0**-power for power in range(1, 13) for sign in (-1, 1)), 0.007, 0.05, 3.0):
        clipping, gradients = built(entry), normal(size, size)
        gradients *= clipping.limit * (1 + distance) / measure(gradients)
        expected = REFERENCES["clipping", entry.name][0](clipping, gradients)
        clipping.clip(gradients)
        np.testing.assert_allclose(gradients, expected, rtol=4e-15, err_msg=str(distance))


def metric_case(task, rows, columns):
    """Outputs with ties and targets of a task."""
    rng = np.random.default_rng(rows + columns)
    if task is Task.REGRESSION:
        return rng.normal(size=(2, rows, columns))
    width, classes = (1, 2) if task is Task.BINARY else (columns, columns)
    return rng.integers(0, 11, size=(rows, width)) / 10, rng.integers(0, classes, size=rows)


@pytest.mark.parametrize("entry", named("metric"))
def test_metric_matches_the_reference_at_every_size(entry):
    """For each of its tasks, with any number of rows and outputs, a metric is that of the reference implementation."""
    for task in entry.target.tasks:
        for rows in (20, 63, 64, 65, 251, 300):
            for columns in (2, 3, 9, 17):
                outputs, targets = metric_case(task, rows, columns)
                metric = built(entry)
                metric.attach(targets[::-2])
                naive = REFERENCES["metric", entry.name][0](metric, outputs, targets, targets[::-2])
                assert metric.measure(outputs, targets) == pytest.approx(naive, rel=1e-12)
