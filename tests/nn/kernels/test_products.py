"""Bound matrix products, compared with the naive formula, by each function and at the limits between them."""

import numpy as np
import pytest

from nncli.nn.kernels import products
from nncli.nn.kernels.products import MAX_CLEARED, MAX_COPIED, MAX_UNPACKED, batched_gemv, gemm, gemm_of_copy, product

SHAPES = {
    "small": (7, 5, 3),
    "narrow to the left": (3, 50, 512),
    "narrow to the right": (512, 50, 3),
    "just copied": (MAX_COPIED, 40, 100),
    "just not copied": (MAX_COPIED + 1, 40, 100),
    "just not packed": (100, MAX_UNPACKED // 10_000, 100),
    "just packed": (100, MAX_UNPACKED // 10_000 + 1, 100),
    "just cleared": (100, 9, MAX_CLEARED // 100),
    "just not cleared": (100, 9, MAX_CLEARED // 100 + 1),
    "one row": (1, 600, 4),
    "one column": (600, 40, 1),
    "one term": (40, 1, 50),
    "two vectors": (2, 600, 90),
    "six vectors": (90, 600, 6),
    "seven vectors": (90, 600, 7),
}
LAYOUTS = ("CC", "CF", "FC")  # of X and Y; not both are column-major


def arrays(m, k, n, layouts="CC", dtype="float64"):
    """X (m, k), Y (k, n), and Z (m, n) filled with NaN."""
    rng = np.random.default_rng(m + k + n)
    left, right = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    return np.array(left, order=layouts[0]), np.array(right, order=layouts[1]), np.full((m, n), np.nan, dtype)


@pytest.mark.parametrize("unpacked", [True, False])
@pytest.mark.parametrize("layouts", [*LAYOUTS, "FF"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_product_is_that_of_the_matrices(monkeypatch, shape, layouts, unpacked):
    """Whichever function is chosen; it reads its arrays at each call, and does not write to them."""
    monkeypatch.setattr(products, "has_small_matrix_kernels", lambda: unpacked)
    left, right, out = arrays(*shape, layouts)
    run = product(left, right, out)
    for _ in range(2):
        run()
        np.testing.assert_allclose(out, np.einsum("ik,kj->ij", left, right), rtol=1e-11, atol=1e-11)
        left *= 2
    before = left.copy(), right.copy()
    run()
    np.testing.assert_array_equal(left, before[0])
    np.testing.assert_array_equal(right, before[1])


@pytest.mark.parametrize("function", [gemm, batched_gemv, gemm_of_copy])
@pytest.mark.parametrize("layouts", LAYOUTS)
@pytest.mark.parametrize("shape", [(3, 50, 40), (40, 50, 3), (5, 60, 5), (2, 7, 300)])
def test_each_function_computes_the_product(function, shape, layouts):
    """Also for shapes for which it is not chosen."""
    left, right, out = arrays(*shape, layouts)
    function(left, right, out)()
    np.testing.assert_allclose(out, np.einsum("ik,kj->ij", left, right), rtol=1e-11, atol=1e-11)


def chosen(monkeypatch, shape, layouts, unpacked):
    """The name of the function that ``product`` calls."""
    names = []
    for function in (gemm, batched_gemv, gemm_of_copy):
        monkeypatch.setattr(products, function.__name__, lambda *_, name=function.__name__: names.append(name))
    monkeypatch.setattr(products, "has_small_matrix_kernels", lambda: unpacked)
    product(*arrays(*shape, layouts))
    return names[0]


@pytest.mark.parametrize(
    ("shape", "layouts", "packing", "not_packing"),
    [
        ((64, 3, 300), "FC", "gemm", "gemm"),  # Y of 2-64-3 with 300 rows, which is transposed
        ((3, 65, 300), "FC", "batched_gemv", "gemm"),
        ((3, 300, 64), "CF", "batched_gemv", "gemm"),
        ((65, 300, 3), "CF", "batched_gemv", "gemm"),
        ((3, 65, 100), "FC", "gemm", "gemm"),  # few rows
        ((3, 513, 1000), "FC", "batched_gemv", "batched_gemv"),  # too large for the kernels without packing
        ((513, 600, 3), "CF", "batched_gemv", "gemm_of_copy"),
        ((10, 129, 128), "FC", "gemm", "gemm"),
        ((1, 65, 300), "FC", "gemm", "gemm"),
        ((1, 40, 2000), "CF", "gemm", "gemm"),
        ((5, MAX_UNPACKED // 500, 100), "CC", "batched_gemv", "gemm"),
        ((5, MAX_UNPACKED // 500 + 1, 100), "CC", "batched_gemv", "batched_gemv"),
        ((MAX_COPIED, 40, 100), "CF", "gemm", "gemm_of_copy"),
        ((MAX_COPIED + 1, 40, 100), "CF", "gemm", "gemm"),
        ((100, 10, 12), "CF", "gemm", "gemm_of_copy"),  # a short sum
        ((100, 32, 12), "CF", "gemm", "gemm"),
    ],
)
def test_choice_depends_on_shapes_and_kernels(monkeypatch, shape, layouts, packing, not_packing):
    """A product for each vector where BLAS would pack a narrow matrix."""
    assert chosen(monkeypatch, shape, layouts, unpacked=False) == packing
    assert chosen(monkeypatch, shape, layouts, unpacked=True) == not_packing
