"""The programs of the book's chapters 14 to 17 written the textbook way, in float64: a second witness of a training.

Each is a generator of dicts, one per epoch from 0 on, of what holds BEFORE that epoch's update: after that many updates
and dropout masks. It shares no line with the package, and leaves NumPy's global random state as it found it.
"""

from functools import partial
from itertools import count, pairwise

import numpy as np
from nnfs.datasets import sine_data, spiral_data


def draw(stream, function, *arguments):
    """What a function draws from the global legacy generator put into a state, and the state after it."""
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
    """Zero where an output is dropped, 1 / (1 − rate) where it is kept; at rate 0 nothing is drawn."""
    return [np.random.binomial(1, 1 - rate, shape) / (1 - rate) if rate else np.ones(shape) for shape in shapes]


def forward(parameters, inputs, masks):
    """What enters and what leaves each dense layer, with relu and a dropout mask between one and the next."""
    passed = []
    for layer, (weights, biases) in enumerate(zip(parameters[::2], parameters[1::2], strict=True)):
        if layer > 0:
            inputs = np.maximum(0, passed[-1][1]) * masks[layer - 1]
        passed = [*passed, (inputs, inputs @ weights + biases)]
    return passed


def predict(parameters, inputs):
    """What leaves the last layer, without dropout."""
    undropped = [1.0] * (len(parameters) // 2 - 1)
    return forward(parameters, inputs, undropped)[-1][1]


def backward(parameters, passed, masks, slope, l2):
    """The gradient of each parameter, from the slope in what leaves the last layer; L2 is on the first layer."""
    gradients = []
    for layer in reversed(range(len(passed))):
        gradients = [passed[layer][0].T @ slope, np.sum(slope, axis=0, keepdims=True), *gradients]
        if layer > 0:
            slope = (slope @ parameters[2 * layer].T) * masks[layer - 1]
            slope = np.where(passed[layer - 1][1] > 0, slope, 0.0)
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


# heads: loss and accuracy, given what leaves the last layer and the targets, and the loss's slope in the former


def clip(p):
    """Probabilities kept away from 0 and 1, so that the logarithms of p and of 1 − p are finite."""
    return np.clip(p, 1e-7, 1 - 1e-7)


def categorical(x, labels):
    """Softmax and categorical cross-entropy, their slope in one: (p − onehot) / rows; the largest p is the answer."""
    exponentials = np.exp(x - np.max(x, axis=1, keepdims=True))
    p = exponentials / np.sum(exponentials, axis=1, keepdims=True)
    loss = np.mean(-np.log(clip(p)[np.arange(len(p)), labels]))
    accuracy = np.mean(np.argmax(p, axis=1) == labels)
    return loss, accuracy, (p - np.eye(p.shape[1])[labels]) / len(p)


def binary(x, y):
    """Sigmoid and binary cross-entropy, their slopes one after the other; the answer is p > 0.5."""
    p = 1 / (1 + np.exp(-x))
    loss = np.mean(np.mean(-(y * np.log(clip(p)) + (1 - y) * np.log(1 - clip(p))), axis=1))
    accuracy = np.mean((p > 0.5) == y)
    slope_in_p = -(y / clip(p) - (1 - y) / (1 - clip(p))) / p.shape[1] / len(p)
    return loss, accuracy, slope_in_p * (1 - p) * p


def regression(p, y):
    """Mean squared error; right is what is nearer than std(y) / 250, and the sine's test set is its training set."""
    loss = np.mean(np.mean((y - p) ** 2, axis=1))
    accuracy = np.mean(np.abs(p - y) < np.std(y) / 250)
    return loss, accuracy, -2 * (y - p) / p.shape[1] / len(p)


def train(seed, data, test, sizes, head, *, rate, decay, l2=0.0, dropout=0.0, scale=0.01):
    """The states of a training; test loss and accuracy are those of a training that ends before the epoch."""
    (inputs, targets), stream = draw(np.random.RandomState(seed).get_state(), data)
    parameters, stream = draw(stream, initial, sizes, scale)
    m = [np.zeros(parameter.shape) for parameter in parameters]
    v = [np.zeros(parameter.shape) for parameter in parameters]
    last_rate = rate
    for epoch in count():
        (test_inputs, test_targets), _ = draw(stream, test)  # only a look ahead: the training draws on from before it
        masks, stream = draw(stream, dropout_masks, dropout, [(len(inputs), units) for units in sizes[1:-1]])
        passed = forward(parameters, inputs, masks)
        loss_in_training, accuracy_in_training, slope = head(passed[-1][1], targets)
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
        gradients = backward(parameters, passed, masks, slope, l2)
        updated = [adam(*each, last_rate, epoch) for each in zip(parameters, gradients, m, v, strict=True)]
        parameters, m, v = zip(*updated, strict=True)


def two_spirals():
    """Two classes of 100 points, the label of each in a row of its own."""
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
    """Two classes told apart by one sigmoid."""
    return train(seed, two_spirals, two_spirals, [2, 64, 1], binary, rate=0.001, decay=5e-7, l2=5e-4)


def chapter_17(seed=0):
    """The sine, by regression."""
    return train(seed, sine_data, sine_data, [1, 64, 64, 1], regression, rate=0.005, decay=1e-3, scale=0.1)
