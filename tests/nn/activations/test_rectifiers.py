"""ReLU and its variants: both forms of GELU, kinks, and accuracy."""

from math import erf, pi, sqrt, tanh

import numpy as np
import pytest

from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU
from tests.nn.differences import central_differences, relative_error
from tests.nn.passes import backward, forward
from tests.nn.reference_implementations import REFERENCES
from tests.nn.test_contracts import layer_of, named

FORMS = {
    "none": lambda x: 0.5 * (1 + erf(x / sqrt(2))),
    "tanh": lambda x: 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
}


def attached(layer):
    layer.attach({}, {})
    return layer


@pytest.mark.parametrize("form", FORMS)
def test_gelu_matches_the_formula(form):
    """Both forms are x Φ(x), far into both tails, and backward agrees with central differences."""
    layer, inputs = attached(GELU(form)), np.linspace(-9, 9, 73)[:, None]
    expected = [[x * FORMS[form](x)] for x in inputs[:, 0]]
    np.testing.assert_allclose(forward(layer, inputs), expected, rtol=1e-13, atol=1e-15)
    derivative = backward(layer, np.ones_like(inputs)).copy()
    assert relative_error(derivative, central_differences(lambda: float(forward(layer, inputs).sum()), inputs)) < 1e-6


def test_tanh_approximation_of_gelu_is_close():
    """The forms differ by less than 5e-4 everywhere, but they differ."""
    inputs = np.linspace(-6, 6, 500)[:, None]
    exact, approximate = (forward(attached(GELU(form)), inputs) for form in FORMS)
    assert 1e-4 < np.abs(exact - approximate).max() < 5e-4


@pytest.mark.parametrize(("layer", "at_kink"), [(ReLU(), 0.0), (LeakyReLU(0.3), 0.3), (ELU(0.7), 0.7), (ELU(1.0), 1.0)])
def test_derivative_at_the_kink(layer, at_kink):
    """At 0 the derivative is that of the left side."""
    inputs = np.zeros((1, 1))
    forward(attached(layer), inputs, training=True)
    assert backward(layer, np.ones((1, 1)))[0, 0] == at_kink


def is_elementwise(entry):
    """Whether a layer is an element-wise function."""
    if ("layer", entry.name) not in REFERENCES:
        return False  # another test reports it
    layer, _ = layer_of(entry)
    if layer.shapes(3) or layer.stochastic:
        return False
    outputs = [forward(layer, np.array([[1.0, neighbor]]), training=True)[0, 0] for neighbor in (2.0, 3.0)]
    return outputs[0] == outputs[1]


@pytest.mark.parametrize("entry", [param for param in named("layer") if is_elementwise(param.values[0])])
def test_kink_distances_exist_if_there_is_a_kink(entry):
    """An element-wise layer has them if and only if its one-sided derivatives at 0 differ."""
    layer, _ = layer_of(entry, columns=1)
    derivatives = []
    for side in (-1e-7, 1e-7):
        forward(layer, np.array([[side]]), training=True)
        derivatives.append(backward(layer, np.ones((1, 1)))[0, 0])
    has_kink = abs(derivatives[1] - derivatives[0]) > 1e-3
    assert (layer.kink_distances() is not None) == has_kink
    if has_kink:
        assert layer.kink_distances()[0, 0] == 1e-7


def test_elu_with_alpha_1_has_no_kink():
    """Both one-sided derivatives at 0 are 1."""
    layer = attached(ELU(1.0))
    forward(layer, np.zeros((1, 1)))
    assert layer.kink_distances() is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", [np.nan, -np.nan, np.inf, 1e-45])
def test_relu_passes_gradients_of_nonzero_outputs_unchanged(dtype, output):
    """Also gradients of NaN and infinity, and for outputs of NaN of either sign."""
    relu = attached(ReLU())
    inputs = np.full((1, 4), output, dtype)
    forward(relu, inputs)
    expected = [1.5, np.nan, np.inf, -0.0] if inputs[0, 0] != 0 else [0.0] * 4
    grad = np.array([expected], dtype)
    assert backward(relu, grad).tobytes() == grad.tobytes()


@pytest.mark.parametrize("alpha", [1.0, 0.3, 2.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivative_of_elu_is_accurate(dtype, alpha):
    """Far below 0, where Y + α cancels, only the last six bits are wrong; how many depends on the expm1 of NumPy."""
    inputs = np.asfortranarray(np.linspace(-80, -0.01, 4000, dtype=dtype).reshape(-1, 2))
    layer = ELU(alpha)
    layer.attach({}, {})
    forward(layer, inputs, training=True)
    found = backward(layer, np.ones_like(inputs))
    expected = alpha * np.exp(inputs.astype(np.longdouble))
    assert np.max(np.abs(found - expected) / expected) < 64 * np.finfo(dtype).eps
