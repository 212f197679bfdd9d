"""The book's program: fresh arrays at every step, its loss each time. It shares no line with the package."""

import numpy as np

from tests.benchmarks.standalone_programs import train_in_pieces
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, F


class Dense:
    def __init__(self, weights):
        self.weights, self.biases = weights, np.zeros((1, weights.shape[1]), F)

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class SoftmaxCrossentropy:
    def forward(self, inputs):
        exponentials = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = exponentials / np.sum(exponentials, axis=1, keepdims=True)

    def loss(self, targets):
        clipped = np.clip(self.output, 1e-7, 1 - 1e-7)
        return np.mean(-np.log(clipped[range(len(targets)), targets]))

    def backward(self, targets):
        self.dinputs = self.output.copy()
        self.dinputs[range(len(targets)), targets] -= 1
        self.dinputs = self.dinputs / len(targets)


class Adam:
    def __init__(self, learning_rate, decay):
        self.learning_rate, self.decay, self.updates = learning_rate, decay, 0

    def step(self, layers):
        self.rate = self.learning_rate / (1 + self.decay * self.updates)
        for layer in layers:
            if not hasattr(layer, "moments"):
                layer.moments = {name: (np.zeros_like(getattr(layer, name)),) * 2 for name in ("weights", "biases")}
            for name in ("weights", "biases"):
                grad, (mean, square) = getattr(layer, f"d{name}"), layer.moments[name]
                mean = BETA_1 * mean + (1 - BETA_1) * grad
                square = BETA_2 * square + (1 - BETA_2) * grad**2
                layer.moments[name] = mean, square
                corrected = mean / (1 - BETA_1 ** (self.updates + 1))
                scale = np.sqrt(square / (1 - BETA_2 ** (self.updates + 1))) + EPSILON
                setattr(layer, name, getattr(layer, name) - self.rate * corrected / scale)
        self.updates += 1


def stack(weights):
    """The dense layers, and all layers in their order: a ReLU between each two."""
    dense = [Dense(each) for each in weights]
    layers = [layer for each in dense for layer in (each, ReLU())]
    return dense, layers[:-1]


def prepare(workload, threads):
    (dense, layers), head = stack(workload.weights), SoftmaxCrossentropy()
    optimizer = Adam(workload.learning_rate, workload.decay)

    def outputs():
        values = workload.inputs
        for layer in layers:
            layer.forward(values)
            values = layer.output
        head.forward(values)
        return head.output

    def step():
        outputs()
        loss = head.loss(workload.targets)
        head.backward(workload.targets)
        grad = head.dinputs
        for layer in reversed(layers):
            layer.backward(grad)
            grad = layer.dinputs
        optimizer.step(dense)
        return loss

    return lambda steps: np.array([step() for _ in range(steps)]), outputs


if __name__ == "__main__":
    train_in_pieces(prepare)
