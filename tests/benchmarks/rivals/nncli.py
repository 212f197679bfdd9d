"""nncli's own steps, made as training makes them; its program is the bare loop, without commands, files or display.

All that is used of the package stands in ``assembled`` and ``step``.
"""

import math

import numpy as np

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.kernels.buffers import copy_to_buffer
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.optimizers.adam import Adam
from tests.benchmarks.programs import accuracy, epochs
from tests.benchmarks.works import BETA_1, BETA_2, EPSILON, F, spiral


def assembled(work):
    """Network and optimizer, and the rows as training lays them out."""
    dense = [Dense(units) for units in work.widths[1:]]
    layers = [layer for each in dense[:-1] for layer in (each, ReLU())]
    network = Network([*layers, dense[-1], Softmax()], CategoricalCrossentropy(), work.widths[0], np.dtype(F))
    for layer, weights in zip(dense, work.weights, strict=True):
        layer.weights[...] = weights
    optimizer = Adam(work.learning_rate, work.decay, BETA_1, BETA_2, EPSILON)
    optimizer.attach(network.parameters.trainable, network.parameters.gradients)
    return (
        network,
        optimizer,
        copy_to_buffer(work.inputs, np.dtype(F)),
        network.loss.encode(work.targets, work.widths[-1]),
    )


def step(network, optimizer, inputs, targets, losses=None, shares=None):
    """One update; fills ``losses`` (N,) where they are asked for, and returns their mean, Σ of each times 1/N."""
    gradients = network.parameters.gradients
    network.forward_backward(inputs, targets, losses)
    if not math.isfinite(gradients.dot(gradients)):
        raise ValueError("a gradient is not finite")
    optimizer.step()
    return None if losses is None else losses.dot(shares)


def prepare(work, threads):
    parts, losses = assembled(work), np.empty(len(work.inputs))  # in double precision, as means are
    shares = np.full(len(losses), 1 / len(losses))
    network, _, inputs, _ = parts
    return lambda steps: np.array([step(*parts, losses, shares) for _ in range(steps)]), lambda: network.predict(inputs)


def main():
    """The bare loop: the steps of ``nncli train``, which knows no losses but where it logs, and nothing else."""
    work = spiral()
    network, optimizer, inputs, targets = assembled(work)
    for _ in range(epochs()):
        step(network, optimizer, inputs, targets)
    print(f"acc: {accuracy(network.predict(inputs), work):.3f}")


if __name__ == "__main__":
    main()
