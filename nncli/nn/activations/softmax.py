"""Softmax: the activation of a classifier's outputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from nncli.nn.kernels.memory import ArraySpec
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.parameters import Array
from nncli.registry import register

MAX_COMPARED_CLASSES = 4  # up to this many classes, comparing two at a time is faster than a reduction
MAX_REPEATED_COLUMNS = 16  # up to this many classes, repeating the sum in each column is faster than broadcasting it


@register("softmax", alias="Activation_Softmax")
class Softmax(Layer):
    """Softmax: maps each row of logits to probabilities that sum to 1.

        P = exp(Z − max Z) / Σ exp(Z − max Z)         Z, P (N, C), maximum and sum over a row
        dL/dZ = P (dL/dP − Σ dL/dP P)                 the sum over a row

    The maximum is subtracted so that exp does not overflow; P does not depend on it. The gradient is the Jacobian
    diag(p) − p pᵀ of each row times that row of dL/dP, computed without building the Jacobian.

    Source: Kinsley and Kukieła 2020, chapters 4 and 9.
    """

    needs_outputs = True
    couples_columns = True

    reduced: Array

    def scratch(self, spec: PassSpec, inputs: int) -> dict[str, ArraySpec]:
        """Ones (C, C) and sums (N, C) for few classes, else (C, 1) and (N, 1); a maximum or sum of each row (N, 1)."""
        copies = inputs if inputs <= MAX_REPEATED_COLUMNS else 1
        return {
            "ones": ArraySpec(inputs, copies, 1),
            "reduced": ArraySpec(spec.rows, 1),
            "sums": ArraySpec(spec.rows, copies),
        }

    def bind(self, spec: PassSpec, arrays: Mapping[str, Array]) -> None:
        """Extend ``Layer.bind`` with the transposed arrays of ``softmax``."""
        super().bind(spec, arrays)
        self.transposed = [arrays[name].T for name in ("inputs", "outputs", "ones", "reduced", "sums")]
        self.logits_by_class = list(self.inputs.T)

    def forward(self) -> Array:
        """P = softmax(Z)."""
        softmax(self.logits_by_class, *self.transposed)
        return self.outputs

    def backward(self) -> Array:
        """dL/dZ = P (dL/dP − Σ dL/dP P)."""
        np.multiply(self.d_outputs, self.outputs, out=self.d_inputs)  # dL/dP P
        np.add.reduce(self.d_inputs, axis=1, keepdims=True, out=self.reduced)  # Σ dL/dP P
        np.subtract(self.d_outputs, self.reduced, out=self.d_inputs)  # dL/dP − Σ dL/dP P
        return np.multiply(self.outputs, self.d_inputs, out=self.d_inputs)  # P (dL/dP − Σ dL/dP P)


def softmax(
    logits_by_class: Sequence[Array], logits: Array, out: Array, ones: Array, largest: Array, sums: Array
) -> None:
    """Fill ``out`` (C, N) with exp(Z − max Z) / Σ exp(Z − max Z) of the columns of ``logits`` Z (C, N).

    The sum of each column is a product with ``ones`` (C, C) or (1, C); with (C, C) it is repeated in the C rows of
    ``sums``, and the division needs no broadcasting. For the same reason the maximum is first copied to all rows.
    ``largest`` (1, N) and ``sums`` are scratch; ``logits_by_class`` are the rows of ``logits``.
    """
    if 2 <= len(logits_by_class) <= MAX_COMPARED_CLASSES:
        np.maximum(logits_by_class[0], logits_by_class[1], out=largest)
        for each in logits_by_class[2:]:
            np.maximum(largest, each, out=largest)  # max Z
    else:
        np.maximum.reduce(logits, axis=0, keepdims=True, out=largest)
    out[...] = largest
    np.subtract(logits, out, out)  # Z − max Z
    np.exp(out, out)  # exp(Z − max Z)
    ones.dot(out, sums)  # Σ exp(Z − max Z)
    np.divide(out, sums, out)
