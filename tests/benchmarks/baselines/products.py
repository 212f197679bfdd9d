"""The lower bound of nncli's step: its dense layers alone, on the arrays of a step.

Each layer has the products X W, Xᵀ dL/dY and, except for the first one, dL/dY Wᵀ.
"""

from math import ceil

from nncli.nn.layers.dense import Dense
from tests.benchmarks.baselines import nncli


def products(network):
    """The passes of the dense layers in the order of a step, as functions without arguments."""
    layers, backward = network.layers, []
    for layer in layers:
        if isinstance(layer, Dense):
            yield layer.forward
            backward.append(layer.parameter_gradients if layer is network.first_trainable else layer.backward)
    yield from reversed(backward)


def prepare(workload, threads):
    network, optimizer, inputs, targets = nncli.assembled(workload)
    micro_batches = ceil(len(inputs) / network.micro_batch_rows)
    rows = slice(ceil(len(inputs) / micro_batches))
    nncli.step(network, optimizer, inputs[rows], targets[rows])
    passes = micro_batches * list(products(network))

    def run(steps):
        for _ in range(steps):
            for product in passes:
                product()
        return ()

    return run, None
