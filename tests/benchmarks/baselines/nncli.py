"""nncli's training steps; the program is a bare loop, without commands, files or display.

Only ``assembled``, ``step`` and their divided form use the package.
"""

import math
from functools import partial

import numpy as np

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.kernels.blas import one_blas_thread
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.optimizers.adam import Adam
from nncli.nn.tensor_parallel import divides
from nncli.threads import ThreadPool
from nncli.training.parallel_steps import ParallelSteps
from tests.benchmarks.standalone_programs import accuracy, epochs
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, F, spiral


def assembled(workload):
    """Network and optimizer, and the data as in training."""
    dense = [Dense(units) for units in workload.widths[1:]]
    layers = [layer for each in dense[:-1] for layer in (each, ReLU())]
    network = Network([*layers, dense[-1], Softmax()], CategoricalCrossentropy(), workload.widths[0], np.dtype(F))
    for layer, weights in zip(dense, workload.weights, strict=True):
        layer.weights[...] = weights
    optimizer = Adam(workload.learning_rate, workload.decay, BETA_1, BETA_2, EPSILON)
    optimizer.attach(network.parameters.trainable, network.parameters.gradients)
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


class OneBatch:
    """In place of ``Batches``: the same rows at every step, in the layout that they have."""

    def __init__(self, inputs, targets):
        self._rows, self.size = (inputs, targets, None), len(inputs)

    def share_order(self, is_shared=True):
        pass

    def gather(self, part):
        return self._rows


def prepare(workload, threads, lay=np.asfortranarray):
    network, optimizer, inputs, targets = assembled(workload)
    inputs = lay(inputs)
    network.use_threads(ThreadPool(threads))
    losses = np.empty(len(inputs))  # float64, like all means
    mean_weights = np.full(len(losses), 1 / len(losses))
    one_step = partial(step, network, optimizer, inputs, targets, losses, mean_weights)
    if divides(network.layers, network.widths, len(inputs), threads):
        parallel = ParallelSteps(network, optimizer, OneBatch(inputs, targets), threads, losses=losses)
        one_step = partial(divided_step, parallel, losses, mean_weights)

    def run(steps):
        with one_blas_thread():
            return np.array([one_step() for _ in range(steps)])

    return run, lambda: network.predict(inputs)


def divided_step(parallel, losses, mean_weights):
    """One update in several processes; fills ``losses`` (N,), and returns their mean."""
    if not math.isfinite(parallel.gradients(slice(0, len(losses)))):
        raise ValueError("a gradient is not finite")
    parallel.update()
    return losses.dot(mean_weights)


def main():
    """The bare loop: the steps of ``nncli train``, without losses."""
    workload = spiral()
    network, optimizer, inputs, targets = assembled(workload)
    for _ in range(epochs()):
        step(network, optimizer, inputs, targets)
    print(f"acc: {accuracy(network.predict(inputs), workload):.3f}")


if __name__ == "__main__":
    main()
