"""The second witness of every number: each formula written out naively, entry by entry, in float64.

``@witness(kind, name)`` enters one; a registered component without a witness fails the contract tests by its name.
A component whose constructor needs arguments says in ``arguments`` with which it is tested.
"""

from math import exp, log, sqrt

import numpy as np

WITNESSES = {}


def witness(kind, name, **arguments):
    def enter(function):
        WITNESSES[kind, name] = (function, arguments)
        return function

    return enter


# layers: the outputs of one row, given the layer, as a list of numbers


@witness("layer", "dense", units=4, l1=1e-3, l2=2e-3, bias_l1=3e-3, bias_l2=4e-3)
def dense(layer, row):
    inputs, units = layer.weights.shape
    return [sum(row[i] * layer.weights[i, j] for i in range(inputs)) + layer.biases[j] for j in range(units)]


@witness("layer", "relu")
def relu(layer, row):
    return [x if x > 0 else 0.0 for x in row]


@witness("layer", "softmax")
def softmax(layer, row):
    total = sum(exp(x) for x in row)
    return [exp(x) / total for x in row]


@witness("layer", "dropout", rate=0.4)
def dropout(layer, row):
    return list(row)


# losses: the loss of one row, given its outputs and its class


@witness("loss", "categorical_crossentropy")
def categorical_crossentropy(outputs, label):
    return -log(min(max(outputs[label], 1e-7), 1 - 1e-7))


# metrics: the number for a whole set


@witness("metric", "accuracy")
def accuracy(outputs, targets):
    chosen = [max(range(len(row)), key=list(row).__getitem__) for row in outputs]
    return sum(a == b for a, b in zip(chosen, targets, strict=True)) / len(targets)


# initializers: mean and standard deviation that the drawn weights must have, given inputs and units


@witness("initializer", "normal", scale=0.3)
def normal(inputs, units):
    return 0.0, 0.3


@witness("initializer", "he")
def he(inputs, units):
    return 0.0, sqrt(2 / inputs)


@witness("initializer", "glorot")
def glorot(inputs, units):
    return 0.0, sqrt(6 / (inputs + units)) / sqrt(3)  # that of a uniform distribution on [−a, a)


# datasets: one point, given its class, its number in the class and the noise that was drawn for it


@witness("dataset", "spiral", samples=7, classes=4)
def spiral(label, index, samples, noise):
    r = index / (samples - 1)
    t = 4 * label + 4 * index / (samples - 1) + 0.2 * noise
    return [r * np.sin(2.5 * t), r * np.cos(2.5 * t)]


# optimizers: one parameter w with gradient g at update t = 0, 1, ...; what is remembered lives in the dict ``memory``


@witness("optimizer", "sgd", momentum=0.9)
def sgd(o, memory, w, g, rate, t):
    memory["v"] = o.momentum * memory.get("v", 0.0) - rate * g
    return w + memory["v"]


@witness("optimizer", "adagrad")
def adagrad(o, memory, w, g, rate, t):
    memory["c"] = memory.get("c", 0.0) + g**2
    return w - rate * g / (sqrt(memory["c"]) + o.epsilon)


@witness("optimizer", "rmsprop")
def rmsprop(o, memory, w, g, rate, t):
    memory["c"] = o.rho * memory.get("c", 0.0) + (1 - o.rho) * g**2
    return w - rate * g / (sqrt(memory["c"]) + o.epsilon)


@witness("optimizer", "adam")
def adam(o, memory, w, g, rate, t):
    memory["m"] = o.beta_1 * memory.get("m", 0.0) + (1 - o.beta_1) * g
    memory["v"] = o.beta_2 * memory.get("v", 0.0) + (1 - o.beta_2) * g**2
    corrected_m = memory["m"] / (1 - o.beta_1 ** (t + 1))
    corrected_v = memory["v"] / (1 - o.beta_2 ** (t + 1))
    return w - rate * corrected_m / (sqrt(corrected_v) + o.epsilon)


@witness("optimizer", "nadam")
def nadam(o, memory, w, g, rate, t):
    memory["m"] = o.beta_1 * memory.get("m", 0.0) + (1 - o.beta_1) * g
    memory["v"] = o.beta_2 * memory.get("v", 0.0) + (1 - o.beta_2) * g**2
    ahead = o.beta_1 * memory["m"] / (1 - o.beta_1 ** (t + 2)) + (1 - o.beta_1) * g / (1 - o.beta_1 ** (t + 1))
    corrected_v = memory["v"] / (1 - o.beta_2 ** (t + 1))
    return w - rate * ahead / (sqrt(corrected_v) + o.epsilon)
