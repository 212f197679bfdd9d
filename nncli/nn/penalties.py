"""L1 and L2 regularization: penalties on large weights that are added to the loss."""

import numpy as np

from nncli.nn.parameters import Array


class Penalty:
    """The L1 and L2 penalty of one array.

        L = λ₁ Σ|w| + λ₂ Σ w²
        dL/dw = λ₁ sign(w) + 2 λ₂ w           sign(0) = +1

    L2 has no factor ½, so its gradient has a factor 2. At w = 0, where |w| has a kink and where biases start, the
    derivative is taken as +1.

    Args:
        values: w.
        gradient: array of the same shape to which dL/dw is added.
        l1: λ₁, strength of the L1 penalty.
        l2: λ₂, strength of the L2 penalty.

    Source: Kinsley and Kukieła 2020, chapter 14.
    """

    def __init__(self, values: Array, gradient: Array, l1: float, l2: float) -> None:
        self.values, self.gradient = values, gradient
        self.l1, self.l2 = l1, l2
        self._scratch = np.empty_like(values)

    def forward(self) -> float:
        """λ₁ Σ|w| + λ₂ Σ w², summed in float64."""
        penalty = 0.0
        if self.l1:
            penalty += self.l1 * float(np.sum(np.abs(self.values), dtype=np.float64))  # λ₁ Σ|w|
        if self.l2:
            penalty += self.l2 * float(np.sum(np.square(self.values, dtype=np.float64)))  # λ₂ Σ w²
        return penalty

    def backward(self) -> None:
        """Add λ₁ sign(w) + 2 λ₂ w to the gradient."""
        if self.l1:
            np.add(self.values, 0.0, out=self._scratch)  # w, with +0 instead of −0
            np.copysign(self.l1, self._scratch, out=self._scratch)  # λ₁ sign(w)
            np.add(self.gradient, self._scratch, out=self.gradient)
        if self.l2:
            np.multiply(self.values, 2 * self.l2, out=self._scratch)  # 2 λ₂ w
            np.add(self.gradient, self._scratch, out=self.gradient)
