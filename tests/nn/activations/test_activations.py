"""Activations beyond the contracts: both forms of GELU, kinks, and overflow."""

from math import erf, pi, sqrt, tanh

import numpy as np
import pytest

from nncli import registry
from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softmax
from nncli.nn.activations.sigmoids import MAX_EXPONENT
from nncli.nn.activations.softmax import MAX_REPEATED_COLUMNS
from tests.nn.differences import central_differences, relative_error
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import layer_of, named

FORMS = {
    "none": lambda x: 0.5 * (1 + erf(x / sqrt(2))),
    "tanh": lambda x: 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
}


def attached(layer, dtype="float64"):
    layer.attach({}, {}, np.dtype(dtype))
    return layer


@pytest.mark.parametrize("form", FORMS)
def test_gelu_matches_the_formula(form):
    """Both forms are x Φ(x), far into both tails, and backward agrees with central differences."""
    layer, inputs = attached(GELU(form)), np.linspace(-9, 9, 73)[:, None]
    expected = [[x * FORMS[form](x)] for x in inputs[:, 0]]
    np.testing.assert_allclose(layer.forward(inputs), expected, rtol=1e-13, atol=1e-15)
    derivative = layer.backward(np.ones_like(inputs)).copy()
    assert relative_error(derivative, central_differences(lambda: float(layer.forward(inputs).sum()), inputs)) < 1e-6


def test_tanh_approximation_of_gelu_is_close():
    """The forms differ by less than 5e-4 everywhere, but they differ."""
    inputs = np.linspace(-6, 6, 500)[:, None]
    exact, approximate = (attached(GELU(form)).forward(inputs) for form in FORMS)
    assert 1e-4 < np.abs(exact - approximate).max() < 5e-4


@pytest.mark.parametrize(("layer", "at_kink"), [(ReLU(), 0.0), (LeakyReLU(0.3), 0.3), (ELU(0.7), 0.7), (ELU(1.0), 1.0)])
def test_derivative_at_the_kink(layer, at_kink):
    """At 0 the derivative is that of the left side."""
    inputs = np.zeros((1, 1))
    attached(layer).forward(inputs, training=True)
    assert layer.backward(np.ones((1, 1)))[0, 0] == at_kink


def is_elementwise(entry):
    """Whether a layer is an element-wise function."""
    if ("layer", entry.name) not in REFERENCES:
        return False  # another test reports it
    layer, _ = layer_of(entry)
    if layer.shapes(3) or layer.stochastic:
        return False
    outputs = [layer.forward(np.array([[1.0, neighbor]]), training=True)[0, 0] for neighbor in (2.0, 3.0)]
    return outputs[0] == outputs[1]


@pytest.mark.parametrize("entry", [param for param in named("layer") if is_elementwise(param.values[0])])
def test_kink_distances_exist_if_there_is_a_kink(entry):
    """An element-wise layer has them if and only if its one-sided derivatives at 0 differ."""
    layer, _ = layer_of(entry, columns=1)
    derivatives = []
    for side in (-1e-7, 1e-7):
        layer.forward(np.array([[side]]), training=True)
        derivatives.append(layer.backward(np.ones((1, 1)))[0, 0])
    has_kink = abs(derivatives[1] - derivatives[0]) > 1e-3
    assert (layer.kink_distances() is not None) == has_kink
    if has_kink:
        assert layer.kink_distances()[0, 0] == 1e-7


def test_elu_with_alpha_1_has_no_kink():
    """Both one-sided derivatives at 0 are 1."""
    layer = attached(ELU(1.0))
    layer.forward(np.zeros((1, 1)))
    assert layer.kink_distances() is None


@pytest.mark.parametrize(("dtype", "largest"), MAX_EXPONENT.items(), ids=str)
def test_largest_exponent_does_not_overflow(dtype, largest):
    """exp of the bound is finite in this dtype, of one more it is not."""
    with np.errstate(over="ignore"):
        found = np.exp(np.array([largest, largest + 1], dtype))
    assert np.isfinite(found).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softmax", "linear"])
def test_extreme_inputs_give_finite_results(name, dtype):
    """Outputs and gradients are finite for inputs near the largest number of the dtype."""
    largest = float(np.finfo(dtype).max) / 4
    layer = attached(registry.names("layer")[name].target(), dtype)
    inputs = np.array([[largest, -largest], [1e30, -1e30], [800.0, -800.0], [0.0, -0.0]], dtype)
    with np.errstate(over="ignore"):
        outputs = layer.forward(inputs, training=True)
        grad = layer.backward(np.ones((4, 2), dtype))
    assert np.isfinite(outputs).all()
    assert np.isfinite(grad).all()
    assert outputs.dtype == grad.dtype == dtype


@pytest.mark.parametrize("x", [-700.0, -40.0, -1e-9, 0.0, 1e-9, 30.0, 700.0])
def test_sigmoid_keeps_small_probabilities(x):
    """Far below 0 the sigmoid is exp(x), accurately, not 0."""
    found = attached(Sigmoid()).forward(np.array([[x]]))[0, 0]
    assert found == pytest.approx(1 / (1 + np.exp(-x)), rel=1e-14)
    assert found > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", [np.nan, -np.nan, np.inf, 1e-45])
def test_relu_passes_gradients_of_nonzero_outputs_unchanged(dtype, output):
    """Also gradients of NaN and infinity, and for outputs of NaN of either sign."""
    relu = attached(ReLU(), dtype)
    inputs = np.full((1, 4), output, dtype)
    relu.forward(inputs)
    expected = [1.5, np.nan, np.inf, -0.0] if inputs[0, 0] != 0 else [0.0] * 4
    grad = np.array([expected], dtype)
    assert relu.backward(grad).tobytes() == grad.tobytes()


@pytest.mark.parametrize("columns", [1, MAX_REPEATED_COLUMNS, MAX_REPEATED_COLUMNS + 1, 40])
def test_softmax_of_few_and_of_many_classes(columns):
    """Outputs match the formula on both code paths, and backward agrees with central differences."""
    layer, rng = attached(Softmax()), np.random.default_rng(3)
    logits, grad = rng.normal(size=(2, 5, columns))
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(layer.forward(logits), expected, rtol=1e-13)
    expected = central_differences(lambda: float(np.sum(layer.forward(logits) * grad)), logits)
    layer.forward(logits)
    np.testing.assert_allclose(layer.backward(grad), expected, atol=1e-8)


@pytest.mark.parametrize("alpha", [1.0, 0.3, 2.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivative_of_elu_is_accurate(dtype, alpha):
    """Far below 0, where Y + α cancels, only the last five bits are wrong."""
    inputs = np.asfortranarray(np.linspace(-80, -0.01, 4000, dtype=dtype).reshape(-1, 2))
    layer = ELU(alpha)
    layer.attach({}, {}, np.dtype(dtype))
    layer.forward(inputs, training=True)
    found = layer.backward(np.ones_like(inputs))
    expected = alpha * np.exp(inputs.astype(np.longdouble))
    assert np.max(np.abs(found - expected) / expected) < 40 * np.finfo(dtype).eps
