"""Error function and normal distribution, which NumPy lacks; functions with ``out`` (N, M) fill it in place."""

from math import pi, sqrt

import numpy as np

from nncli.nn.parameters import Array

# coefficients of −P and Q in ``error_function``, highest power first
MINUS_P = (
    -6.223530219625343e-05,
    -0.004400652083851319,
    -0.049558893911738705,
    -0.2699798893324431,
    -0.8678150235597177,
    -1.7252838999664493,
    -2.02371668889456,
    -1.1283791670955128,
)
Q = (
    6.217379120721333e-05,
    0.004403012354066642,
    0.04912639905415867,
    0.25410747661919053,
    0.744364739689371,
    1.2292826356387587,
    1.0,
)
BLOCK = 131_072  # entries whose polynomials are computed at once
CUBIC = 0.044715  # of the tanh approximation: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2


def normal_cdf(x: Array, out: Array) -> None:
    """Φ(x) = ½ (1 + erf(x / √2))."""
    np.multiply(x, sqrt(0.5), out=out)  # x / √2
    size = max(1, BLOCK // max(1, len(out)))
    for columns in (out[:, start : start + size] for start in range(0, out.shape[1], size)):
        np.add(error_function(columns), 1, out=columns)  # 1 + erf(x / √2)
    np.multiply(out, 0.5, out=out)


def normal_pdf(x: Array, out: Array) -> None:
    """φ(x) = exp(−½ x²) / √(2π)."""
    np.multiply(x, x, out=out)  # x²
    np.multiply(out, -0.5, out=out)
    np.exp(out, out=out)
    np.multiply(out, 1 / sqrt(2 * pi), out=out)


def tanh_normal_cdf(x: Array, out: Array) -> None:
    """Φ(x) ≈ ½ (1 + tanh u), u = √(2/π) (x + 0.044715 x³)."""
    np.multiply(x, x, out=out)  # x²
    np.multiply(out, CUBIC, out=out)
    np.add(out, 1, out=out)  # 1 + 0.044715 x²
    np.multiply(out, x, out=out)  # x + 0.044715 x³
    np.multiply(out, sqrt(2 / pi), out=out)  # u
    np.tanh(out, out=out)
    np.add(out, 1, out=out)
    np.multiply(out, 0.5, out=out)


def tanh_normal_cdf_derivative(x: Array, cdf: Array, out: Array) -> None:
    """½ (1 − tanh² u) du/dx = 2 Φ (1 − Φ) √(2/π) (1 + 3 · 0.044715 x²), where Φ = ``cdf`` = ½ (1 + tanh u)."""
    np.multiply(x, x, out=out)  # x²
    np.multiply(out, 3 * CUBIC, out=out)
    np.add(out, 1, out=out)  # 1 + 3 · 0.044715 x²
    np.multiply(out, 2 * sqrt(2 / pi), out=out)
    np.multiply(out, cdf, out=out)
    np.multiply(out, 1 - cdf, out=out)


def error_function(x: Array) -> Array:
    """erf(x) = sign(x) (1 − exp(−z P(z) / Q(z))), z = |x|; relative error up to 6e-16 in float64.

    P and Q are polynomials of degree 7 and 6, fitted to −log(erfc z) / z on [0, 6]; above, erf is 1 in float64.
    """
    z = np.clip(np.abs(x), 0.0, 6.0)
    exponent = polynomial(MINUS_P, z)
    np.multiply(exponent, z, out=exponent)
    np.divide(exponent, polynomial(Q, z), out=exponent)  # −z P(z) / Q(z)
    return np.copysign(np.expm1(exponent, out=exponent), x, out=exponent)


def polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """a₀ xⁿ + a₁ xⁿ⁻¹ + … + aₙ, by Horner's rule."""
    highest, second, *rest = coefficients
    total = np.multiply(x, highest)
    np.add(total, second, out=total)
    for coefficient in rest:
        np.multiply(total, x, out=total)
        np.add(total, coefficient, out=total)
    return total
