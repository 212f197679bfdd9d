"""Reference implementations of training: the programs of the book's chapters 14 to 17, in float64.

Each is a generator of one dict per epoch, from 0 on, with the state BEFORE the update of that epoch: after that many
updates and dropout masks. It shares no code with nncli, and restores NumPy's global random state.
"""

from functools import partial
from itertools import count, pairwise

import numpy as np
from nnfs.datasets import sine_data, spiral_data


def draw(stream, function, *arguments):
    """The result of a function that draws from the global generator in a given state, and the state afterwards."""
    before = np.random.get_state()
    np.random.set_state(stream)
    try:
        return function(*arguments), np.random.get_state()
    finally:
        np.random.set_state(before)


def initial(sizes, scale):
    """Parameters in the order weights, biases, weights, biases, ...: normal weights, zero biases."""
    parameters = []
    for rows, columns in pairwise(sizes):
        parameters = [*parameters, scale * np.random.randn(rows, columns), np.zeros((1, columns))]
    return parameters


def dropout_masks(rate, shapes):
    """0 for dropped outputs, 1 / (1 − rate) for the others; at rate 0 nothing is drawn."""
    return [np.random.binomial(1, 1 - rate, shape) / (1 - rate) if rate else np.ones(shape) for shape in shapes]


def forward(parameters, inputs, masks):
    """Inputs and outputs of each dense layer, with relu and a dropout mask between two layers."""
    activations = []
    for layer, (weights, biases) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        if layer > 0:
            inputs = np.maximum(0, activations[-1][1]) * masks[layer - 1]
        activations = [*activations, (inputs, inputs @ weights + biases)]
    return activations


def predict(parameters, inputs):
    """Outputs of the last layer, without dropout."""
    undropped = [1.0] * (len(parameters) // 2 - 1)
    return forward(parameters, inputs, undropped)[-1][1]


def backward(parameters, activations, masks, grad, l2):
    """The gradient of each parameter, given that of the outputs; L2 is on the first layer."""
    gradients = []
    for layer in reversed(range(len(activations))):
        gradients = [activations[layer][0].T @ grad, np.sum(grad, axis=0, keepdims=True), *gradients]
        if layer > 0:
            grad = (grad @ parameters[2 * layer].T) * masks[layer - 1]
            grad = np.where(activations[layer - 1][1] > 0, grad, 0.0)
    weights, biases, *rest = gradients
    return [weights + 2 * l2 * parameters[0], biases + 2 * l2 * parameters[1], *rest]


def penalty(parameters, l2):
    """L2 on weights and biases of the first layer: λ Σ w² + λ Σ b²."""
    return l2 * np.sum(parameters[0] ** 2) + l2 * np.sum(parameters[1] ** 2)


def adam(parameter, gradient, m, v, rate, update):
    """A parameter and its two moments after update 0, 1, ..."""
    m = 0.9 * m + (1 - 0.9) * gradient
    v = 0.999 * v + (1 - 0.999) * gradient**2
    m_hat = m / (1 - 0.9 ** (update + 1))
    v_hat = v / (1 - 0.999 ** (update + 1))
    return parameter - rate * m_hat / (np.sqrt(v_hat) + 1e-7), m, v


# heads: loss, accuracy, and gradient of the loss, given the outputs of the last layer and the targets


def clip(p):
    """Clip probabilities so that log p and log(1 − p) are finite."""
    return np.clip(p, 1e-7, 1 - 1e-7)


def categorical(x, labels):
    """Loss, accuracy and fused gradient (p − onehot) / rows of softmax and categorical cross-entropy."""
    exponentials = np.exp(x - np.max(x, axis=1, keepdims=True))
    p = exponentials / np.sum(exponentials, axis=1, keepdims=True)
    loss = np.mean(-np.log(clip(p)[np.arange(len(p)), labels]))
    accuracy = np.mean(np.argmax(p, axis=1) == labels)
    return loss, accuracy, (p - np.eye(p.shape[1])[labels]) / len(p)


def binary(x, y):
    """Loss, accuracy and gradient of sigmoid and binary cross-entropy, one after the other."""
    p = 1 / (1 + np.exp(-x))
    loss = np.mean(np.mean(-(y * np.log(clip(p)) + (1 - y) * np.log(1 - clip(p))), axis=1))
    accuracy = np.mean((p > 0.5) == y)
    grad_p = -(y / clip(p) - (1 - y) / (1 - clip(p))) / p.shape[1] / len(p)
    return loss, accuracy, grad_p * (1 - p) * p


def regression(p, y):
    """Mean squared error, fraction of outputs within std(y) / 250, and gradient."""
    loss = np.mean(np.mean((y - p) ** 2, axis=1))
    accuracy = np.mean(np.abs(p - y) < np.std(y) / 250)
    return loss, accuracy, -2 * (y - p) / p.shape[1] / len(p)


def train(seed, data, test, sizes, head, *, rate, decay, l2=0.0, dropout=0.0, scale=0.01):
    """The states of training; test loss and accuracy are those if training ended before the epoch."""
    (inputs, targets), stream = draw(np.random.RandomState(seed).get_state(), data)
    parameters, stream = draw(stream, initial, sizes, scale)
    m = [np.zeros(parameter.shape) for parameter in parameters]
    v = [np.zeros(parameter.shape) for parameter in parameters]
    last_rate = rate
    for epoch in count():
        (test_inputs, test_targets), _ = draw(stream, test)  # the stream of training is not advanced
        masks, stream = draw(stream, dropout_masks, dropout, [(len(inputs), units) for units in sizes[1:-1]])
        activations = forward(parameters, inputs, masks)
        loss_in_training, accuracy_in_training, grad = head(activations[-1][1], targets)
        data_loss, accuracy, _ = head(predict(parameters, inputs), targets)
        test_loss, test_accuracy, _ = head(predict(parameters, test_inputs), test_targets)
        yield {
            "epoch": epoch,
            "loss_in_training": loss_in_training + penalty(parameters, l2),
            "accuracy_in_training": accuracy_in_training,
            "data_loss": data_loss,
            "regularization_loss": penalty(parameters, l2),
            "loss": data_loss + penalty(parameters, l2),
            "accuracy": accuracy,
            "learning_rate": last_rate,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
        }
        last_rate = rate * (1 / (1 + decay * epoch))
        gradients = backward(parameters, activations, masks, grad, l2)
        updated = [adam(*each, last_rate, epoch) for each in zip(parameters, gradients, m, v, strict=True)]
        parameters, m, v = zip(*updated, strict=True)


def two_spirals():
    """Two classes of 100 points, with targets (N, 1)."""
    inputs, labels = spiral_data(100, 2)
    return inputs, labels.reshape(-1, 1).astype(np.float64)


def chapter_14(seed=0):
    """L2 on the first layer."""
    data = partial(spiral_data, 100, 3)
    return train(seed, data, data, [2, 64, 3], categorical, rate=0.02, decay=5e-7, l2=5e-4)


def chapter_15(seed=0):
    """Dropout as well, and ten times the training data."""
    data, test = partial(spiral_data, 1000, 3), partial(spiral_data, 100, 3)
    return train(seed, data, test, [2, 64, 3], categorical, rate=0.05, decay=5e-5, l2=5e-4, dropout=0.1)


def chapter_16(seed=0):
    """Binary classification with one sigmoid."""
    return train(seed, two_spirals, two_spirals, [2, 64, 1], binary, rate=0.001, decay=5e-7, l2=5e-4)


def chapter_17(seed=0):
    """The sine, by regression."""
    return train(seed, sine_data, sine_data, [1, 64, 64, 1], regression, rate=0.005, decay=1e-3, scale=0.1)
