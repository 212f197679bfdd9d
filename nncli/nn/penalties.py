"""L1 and L2: a price on large weights, paid in the loss."""

import numpy as np

from nncli.nn.parameters import Array


class Penalty:
    """The price of one array.

        L = λ₁ Σ|w| + λ₂ Σ w²
        dL/dw = λ₁ sign(w) + 2 λ₂ w           sign(0) = +1

    L2 has no ½, so its gradient has a 2. At w = 0, the kink of |w|, the slope is +1: there all biases begin.

    Args:
        values: the array w.
        gradient: where dL/dw is added, of the same shape.
        l1: λ₁.
        l2: λ₂.

    Source: Kinsley and Kukieła 2020, chapter 14.
    """

    def __init__(self, values: Array, gradient: Array, l1: float, l2: float) -> None:
        self.values, self.gradient = values, gradient
        self.l1, self.l2 = l1, l2
        self._scratch = np.empty_like(values)

    def forward(self) -> float:
        """λ₁ Σ|w| + λ₂ Σ w², summed in double precision."""
        price = 0.0
        if self.l1:
            price += self.l1 * float(np.sum(np.abs(self.values), dtype=np.float64))  # λ₁ Σ|w|
        if self.l2:
            price += self.l2 * float(np.sum(np.square(self.values, dtype=np.float64)))  # λ₂ Σ w²
        return price

    def backward(self) -> None:
        """Add λ₁ sign(w) + 2 λ₂ w to the gradient."""
        if self.l1:
            np.add(self.values, 0.0, out=self._scratch)  # w, with −0 made +0
            np.copysign(self.l1, self._scratch, out=self._scratch)  # λ₁ sign(w)
            np.add(self.gradient, self._scratch, out=self.gradient)
        if self.l2:
            np.multiply(self.values, 2 * self.l2, out=self._scratch)  # 2 λ₂ w
            np.add(self.gradient, self._scratch, out=self.gradient)
