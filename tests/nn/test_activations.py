"""What the contracts do not say of activations: both forms of GELU, kinks, and numbers at the ends of a format."""

from math import erf, pi, sqrt, tanh

import numpy as np
import pytest

from nncli import registry
from nncli.nn.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softmax
from nncli.nn.activations.sigmoids import MAX_EXPONENT
from nncli.nn.activations.softmax import FEW
from tests.nn.differences import central_differences, relative_error
from tests.nn.test_contracts import layer_of, named
from tests.nn.witnesses import WITNESSES

FORMS = {
    "none": lambda x: 0.5 * (1 + erf(x / sqrt(2))),
    "tanh": lambda x: 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
}


def attached(layer, dtype="float64"):
    layer.attach({}, {}, np.dtype(dtype))
    return layer


@pytest.mark.parametrize("form", FORMS)
def test_gelu_is_its_formula_and_its_slope(form):
    """Both forms are x times their share, far into both tails, and backward is their slope."""
    layer, inputs = attached(GELU(form)), np.linspace(-9, 9, 73)[:, None]
    expected = [[x * FORMS[form](x)] for x in inputs[:, 0]]
    np.testing.assert_allclose(layer.forward(inputs), expected, rtol=1e-13, atol=1e-15)
    slope = layer.backward(np.ones_like(inputs)).copy()
    assert relative_error(slope, central_differences(lambda: float(layer.forward(inputs).sum()), inputs)) < 1e-6


def test_the_forms_of_gelu_are_near_each_other():
    """They differ by less than 5e-4 everywhere, and by more than nothing."""
    inputs = np.linspace(-6, 6, 500)[:, None]
    exact, other = (attached(GELU(form)).forward(inputs) for form in FORMS)
    assert 1e-4 < np.abs(exact - other).max() < 5e-4


@pytest.mark.parametrize(("layer", "at_kink"), [(ReLU(), 0.0), (LeakyReLU(0.3), 0.3), (ELU(0.7), 0.7), (ELU(1.0), 1.0)])
def test_slope_at_the_kink(layer, at_kink):
    """At 0 the slope is that of the left side."""
    inputs = np.zeros((1, 1))
    attached(layer).forward(inputs, training=True)
    assert layer.backward(np.ones((1, 1)))[0, 0] == at_kink


def is_elementwise(entry):
    """Whether a layer acts on each number for itself, in training as outside it."""
    if ("layer", entry.name) not in WITNESSES:
        return False  # told elsewhere
    layer, _ = layer_of(entry)
    if layer.shapes(3) or layer.stochastic:
        return False
    outputs = [layer.forward(np.array([[1.0, other]]), training=True)[0, 0] for other in (2.0, 3.0)]
    return outputs[0] == outputs[1]


@pytest.mark.parametrize("entry", [param for param in named("layer") if is_elementwise(param.values[0])])
def test_margins_are_told_where_there_is_a_kink(entry):
    """An elementwise layer tells margins just where its slopes on both sides of 0 differ."""
    layer, _ = layer_of(entry, columns=1)
    slopes = []
    for side in (-1e-7, 1e-7):
        layer.forward(np.array([[side]]), training=True)
        slopes.append(layer.backward(np.ones((1, 1)))[0, 0])
    has_kink = abs(slopes[1] - slopes[0]) > 1e-3
    assert (layer.kink_distances() is not None) == has_kink
    if has_kink:
        assert layer.kink_distances()[0, 0] == 1e-7


def test_an_elu_without_a_kink_tells_none():
    """With α = 1 both slopes at 0 are 1, and no margin is told."""
    layer = attached(ELU(1.0))
    layer.forward(np.zeros((1, 1)))
    assert layer.kink_distances() is None


@pytest.mark.parametrize(("dtype", "largest"), MAX_EXPONENT.items(), ids=str)
def test_the_largest_exponent_is_just_finite(dtype, largest):
    """exp of the bound is finite in its format, and of one more is not."""
    with np.errstate(over="ignore"):
        found = np.exp(np.array([largest, largest + 1], dtype))
    assert np.isfinite(found).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softmax", "linear"])
def test_the_ends_of_the_format_stay_finite(name, dtype):
    """Numbers as large as the format has give finite outputs and slopes, whatever overflows on the way."""
    largest = float(np.finfo(dtype).max) / 4
    layer = attached(registry.names("layer")[name].target(), dtype)
    inputs = np.array([[largest, -largest], [1e30, -1e30], [800.0, -800.0], [0.0, -0.0]], dtype)
    with np.errstate(over="ignore"):
        outputs = layer.forward(inputs, training=True)
        slopes = layer.backward(np.ones((4, 2), dtype))
    assert np.isfinite(outputs).all()
    assert np.isfinite(slopes).all()
    assert outputs.dtype == slopes.dtype == dtype


@pytest.mark.parametrize("x", [-700.0, -40.0, -1e-9, 0.0, 1e-9, 30.0, 700.0])
def test_sigmoid_keeps_small_probabilities(x):
    """Far below 0 the sigmoid is exp(x) to the last digits, not 0."""
    found = attached(Sigmoid()).forward(np.array([[x]]))[0, 0]
    assert found == pytest.approx(1 / (1 + np.exp(-x)), rel=1e-14)
    assert found > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", [np.nan, -np.nan, np.inf, 1e-45])
def test_a_relu_hides_no_gradient_behind_what_is_not_zero(dtype, output):
    """Where the output is not 0 the gradient comes through as it is, NaN and infinity too, for a NaN of either sign."""
    relu = attached(ReLU(), dtype)
    inputs = np.full((1, 4), output, dtype)
    relu.forward(inputs)
    expected = [1.5, np.nan, np.inf, -0.0] if inputs[0, 0] != 0 else [0.0] * 4
    grad = np.array([expected], dtype)
    assert relu.backward(grad).tobytes() == grad.tobytes()


@pytest.mark.parametrize("columns", [1, FEW, FEW + 1, 40])
def test_softmax_of_few_and_of_many_columns(columns):
    """Rows sum up to 1 and are the plain formula, whichever way the sums are taken; backward is its slope."""
    layer, rng = attached(Softmax()), np.random.default_rng(3)
    logits, grad = rng.normal(size=(2, 5, columns))
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(layer.forward(logits), expected, rtol=1e-13)
    slope = central_differences(lambda: float(np.sum(layer.forward(logits) * grad)), logits)
    layer.forward(logits)
    np.testing.assert_allclose(layer.backward(grad), slope, atol=1e-8)


@pytest.mark.parametrize("alpha", [1.0, 0.3, 2.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_derivative_of_elu_keeps_its_digits(dtype, alpha):
    """Far below 0, where Y + α cancels, α exp X is right to all but the last five bit_pattern."""
    inputs = np.asfortranarray(np.linspace(-80, -0.01, 4000, dtype=dtype).reshape(-1, 2))
    layer = ELU(alpha)
    layer.attach({}, {}, np.dtype(dtype))
    layer.forward(inputs, training=True)
    found = layer.backward(np.ones_like(inputs))
    expected = alpha * np.exp(inputs.astype(np.longdouble))
    assert np.max(np.abs(found - expected) / expected) < 40 * np.finfo(dtype).eps
