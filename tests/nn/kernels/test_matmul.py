"""Matrix products over many rows, compared with the naive formula, on each code path."""

import numpy as np
import pytest

from nncli.nn.kernels.matmul import MAX_NARROW_COLUMNS, MAX_SMALL_SIZE, matmul_transposed

SHAPES = {
    "small": (7, 3, 5),
    "narrow to the left": (50, 3, 512),
    "narrow to the right": (50, 512, 3),
    "just small": (9, 3, MAX_SMALL_SIZE // 3),
    "just not small": (9, 3, MAX_SMALL_SIZE // 3 + 1),
    "just narrow": (9, MAX_NARROW_COLUMNS, 100),
    "wide": (9, MAX_NARROW_COLUMNS + 1, 100),
    "one row": (1, 600, 4),
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("rows", "left", "right"), SHAPES.values(), ids=SHAPES.keys())
def test_matmul_transposed_is_the_product(rows, left, right, order):
    """XᵀY whichever factor is narrow, in any memory layout; the factors are unchanged."""
    rng = np.random.default_rng(0)
    x, y = (np.array(rng.normal(size=(rows, columns)), order=order) for columns in (left, right))
    before, out = (x.copy(), y.copy()), np.full((left, right), np.nan)
    matmul_transposed(x.T, y, out)
    np.testing.assert_allclose(out, np.einsum("ni,nj->ij", x, y), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
