"""nncli's training steps; the program is a bare loop, without commands, files or display.

Only ``assembled`` and ``step`` use the package.
"""

import math

import numpy as np

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.kernels.blas import blas_threads
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.optimizers.adam import Adam
from nncli.threads import ThreadPool
from tests.benchmarks.standalone_programs import accuracy, epochs
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, F, spiral


def assembled(workload, threads=1):
    """Network and optimizer, and the data as in training."""
    dense = [Dense(units) for units in workload.widths[1:]]
    layers = [layer for each in dense[:-1] for layer in (each, ReLU())]
    network = Network([*layers, dense[-1], Softmax()], CategoricalCrossentropy(), workload.widths[0], np.dtype(F))
    for layer, weights in zip(dense, workload.weights, strict=True):
        layer.weights[...] = weights
    optimizer = Adam(workload.learning_rate, workload.decay, BETA_1, BETA_2, EPSILON)
    optimizer.attach(network.parameters.trainable, network.parameters.gradients)
    network.use_threads(ThreadPool(threads))
    return (
        network,
        optimizer,
        np.asfortranarray(workload.inputs, F),
        network.loss.encode(workload.targets, workload.widths[-1]),
    )


def step(network, optimizer, inputs, targets, losses=None, mean_weights=None):
    """One update; fills ``losses`` (N,), if given, and returns their mean."""
    gradients = network.parameters.gradients
    network.forward_backward(inputs, targets, losses)
    if not math.isfinite(gradients.dot(gradients)):
        raise ValueError("a gradient is not finite")
    optimizer.step()
    return None if losses is None else losses.dot(mean_weights)


def prepare(workload, threads):
    parts, losses = assembled(workload, threads), np.empty(len(workload.inputs))  # float64, like all means
    mean_weights = np.full(len(losses), 1 / len(losses))
    network, _, inputs, _ = parts

    def run(steps):
        with blas_threads(network.product_threads(len(inputs))):
            return np.array([step(*parts, losses, mean_weights) for _ in range(steps)])

    return run, lambda: network.predict(inputs)


def main():
    """The bare loop: the steps of ``nncli train``, without losses."""
    workload = spiral()
    network, optimizer, inputs, targets = assembled(workload)
    for _ in range(epochs()):
        step(network, optimizer, inputs, targets)
    print(f"acc: {accuracy(network.predict(inputs), workload):.3f}")


if __name__ == "__main__":
    main()
