"""The book's chapter-10 training written the textbook way: fresh arrays at every step, loss and accuracy each time.

It is the rival of the whole-process benchmark, and shares no line with the package. With MEASURE_EVERY, loss and
accuracy are computed at every so many epochs only. Usage: textbook.py [EPOCHS [MEASURE_EVERY]]
"""

import sys

import numpy as np
from nnfs.datasets import spiral_data

F = np.float32


class Dense:
    def __init__(self, inputs, units):
        self.weights = (0.01 * np.random.randn(inputs, units)).astype(F)
        self.biases = np.zeros((1, units), F)

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
                mean = 0.9 * mean + 0.1 * grad
                square = 0.999 * square + 0.001 * grad**2
                layer.moments[name] = mean, square
                corrected = mean / (1 - 0.9 ** (self.updates + 1))
                scale = np.sqrt(square / (1 - 0.999 ** (self.updates + 1))) + 1e-7
                setattr(layer, name, getattr(layer, name) - self.rate * corrected / scale)
        self.updates += 1


def main(epochs=10_001, measure_every=1):
    np.random.seed(0)
    inputs, targets = spiral_data(100, 3)
    inputs = inputs.astype(F)
    first, relu, second, head = Dense(2, 64), ReLU(), Dense(64, 3), SoftmaxCrossentropy()
    optimizer = Adam(0.05, 5e-7)
    for epoch in range(epochs):
        first.forward(inputs)
        relu.forward(first.output)
        second.forward(relu.output)
        head.forward(second.output)
        if epoch % measure_every == 0:
            loss = head.loss(targets)
            accuracy = np.mean(np.argmax(head.output, axis=1) == targets)
        if epoch % 100 == 0:
            print(f"epoch: {epoch}, acc: {accuracy:.3f}, loss: {loss:.3f}")
        head.backward(targets)
        second.backward(head.dinputs)
        relu.backward(second.dinputs)
        first.backward(relu.dinputs)
        optimizer.step([first, second])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
