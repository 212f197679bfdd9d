"""What lies under nncli's step: its dense layers alone, on the arrays of a step, and nothing between them.

Of each these are the products X W, Xᵀ dL/dY and, but not of the lowest, dL/dY Wᵀ.
"""

from functools import partial
from math import ceil

from nncli.nn.kernels.buffers import copy_to_buffer
from nncli.nn.layers.dense import Dense
from tests.benchmarks.rivals import nncli


def products(network):
    """The passes of the dense layers in the order of a step, which has been made; each a function without arguments."""
    layers, backward = network.layers, []
    for index, layer in enumerate(layers):
        if isinstance(layer, Dense):
            grad = network.loss.d_outputs if index + 2 == len(layers) else layers[index + 1].d_inputs
            back = layer.parameter_gradients if layer is network.first_trainable else layer.backward
            yield partial(layer.forward, layer.inputs)
            backward.append(partial(back, grad))
    yield from reversed(backward)


def prepare(work, threads):
    network, optimizer, inputs, targets = nncli.assembled(work)
    portions = ceil(len(inputs) / network.micro_batch_rows)
    some = slice(ceil(len(inputs) / portions))  # of as many rows as are passed at once
    nncli.step(network, optimizer, copy_to_buffer(inputs[some], inputs.dtype), targets[some])
    passes = portions * list(products(network))

    def run(steps):
        for _ in range(steps):
            for product in passes:
                product()
        return ()

    return run, None
