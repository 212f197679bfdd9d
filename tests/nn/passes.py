"""Passes through a single layer, and the gradient of a loss, on arrays that a test gives."""

import numpy as np

from nncli.nn.layers.layer import PassSpec
from nncli.nn.pass_plan import bind_standalone


def forward(layer, inputs, training=False):
    """The outputs (N, M) of a layer for inputs (N, D), whose dtype is that of the pass."""
    row_major = layer.prefers_row_major(inputs.shape[1]) and inputs.flags.c_contiguous
    spec = PassSpec(len(inputs), training, row_major)
    if getattr(layer, "bound_to", None) != (spec, inputs.shape, inputs.dtype):
        bind_standalone(layer, spec, inputs.shape[1], inputs.dtype)
        layer.bound_to = spec, inputs.shape, inputs.dtype
    layer.load(inputs)
    return layer.forward()


def backward(layer, grad):
    """dL/d inputs (N, D) of a layer from dL/d outputs (N, M), after a forward pass."""
    layer.d_outputs[...] = grad
    return layer.backward()


def parameter_gradients(layer, grad):
    """Fill the gradients of the parameters of a layer from dL/d outputs (N, M), after a forward pass."""
    layer.d_outputs[...] = grad
    layer.parameter_gradients()


def loss_gradient(loss, outputs, targets):
    """dL/d outputs (N, M)."""
    return loss.backward(outputs, targets, np.empty_like(outputs))


def fused_gradient(loss, outputs, targets):
    """dL/dZ (N, M) of the inputs of the last layer."""
    return loss.backward_fused(outputs, targets, np.empty_like(outputs))
