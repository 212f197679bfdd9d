"""The second witness of every number: each formula written out naively, entry by entry, in float64.

``@witness(kind, name)`` enters one; a registered component without a witness fails the contract tests by its name.
A component whose constructor needs arguments says in ``arguments`` with which it is tested.
"""

from math import cos, erf, exp, log, pi, sqrt

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


@witness("layer", "leaky_relu", slope=0.3)
def leaky_relu(layer, row):
    return [x if x > 0 else layer.slope * x for x in row]


@witness("layer", "elu", alpha=0.7)
def elu(layer, row):
    return [x if x > 0 else layer.alpha * (exp(x) - 1) for x in row]


@witness("layer", "gelu")
def gelu(layer, row):
    return [x * 0.5 * (1 + erf(x / sqrt(2))) for x in row]


@witness("layer", "tanh")
def tanh(layer, row):
    return [(exp(x) - exp(-x)) / (exp(x) + exp(-x)) for x in row]


@witness("layer", "sigmoid")
def sigmoid(layer, row):
    return [1 / (1 + exp(-x)) for x in row]


@witness("layer", "linear")
def linear(layer, row):
    return list(row)


@witness("layer", "batch_normalization", momentum=0.6, epsilon=1e-3)
def batch_normalization(layer, row):
    columns = zip(row, layer.running_mean, layer.running_variance, layer.scale, layer.shift, strict=True)
    return [(x - m) / sqrt(v + layer.epsilon) * scale + shift for x, m, v, scale, shift in columns]


# losses: the loss of one row, given its outputs and its encoded targets


def held(p):
    return min(max(p, 1e-7), 1 - 1e-7)


@witness("loss", "categorical_crossentropy")
def categorical_crossentropy(outputs, targets):
    return -log(held(outputs[list(targets).index(1)]))


@witness("loss", "binary_crossentropy")
def binary_crossentropy(outputs, targets):
    own = [held(p) if t == 1 else 1 - held(p) for p, t in zip(outputs, targets, strict=True)]
    return -sum(map(log, own)) / len(own)


@witness("loss", "mean_squared_error")
def mean_squared_error(outputs, targets):
    return sum((p - t) ** 2 for p, t in zip(outputs, targets, strict=True)) / len(outputs)


@witness("loss", "mean_absolute_error")
def mean_absolute_error(outputs, targets):
    return sum(abs(p - t) for p, t in zip(outputs, targets, strict=True)) / len(outputs)


# clippings: the gradient after it


@witness("clipping", "norm", limit=2.0)
def clip_norm(clipping, gradients):
    norm = sqrt(sum(g**2 for g in gradients))
    return [g * clipping.limit / norm if norm > clipping.limit else g for g in gradients]


@witness("clipping", "value", limit=0.5)
def clip_value(clipping, gradients):
    return [max(-clipping.limit, min(clipping.limit, g)) for g in gradients]


# schedules: the factor of the learning rate at update t


@witness("schedule", "step", every=4, gamma=0.5)
def step(schedule, t):
    factor = 1.0
    for update in range(1, t + 1):
        factor = factor * schedule.gamma if update % schedule.every == 0 else factor
    return factor


@witness("schedule", "exponential", gamma=0.9)
def exponential(schedule, t):
    factor = 1.0
    for _ in range(t):
        factor *= schedule.gamma
    return factor


@witness("schedule", "cosine", updates=12, lowest=0.2)
def cosine(schedule, t):
    angle = pi * t / schedule.updates if t < schedule.updates else pi
    return schedule.lowest + (1 - schedule.lowest) * cos(angle / 2) ** 2


@witness("schedule", "warmup", updates=5)
def warmup(schedule, t):
    return min(1.0, (t + 1) / schedule.updates)


# metrics: the number for a whole set, given the targets of the training set too


def counts(metric, outputs, targets):
    """True positives, false positives, false negatives."""
    said = [row[0] > metric.threshold for row in outputs]
    pairs = list(zip(said, targets, strict=True))
    return [sum(1 for pair in pairs if pair == wanted) for wanted in ((True, 1), (True, 0), (False, 1))]


@witness("metric", "accuracy", threshold=0.4)
def accuracy(metric, outputs, targets, training):
    if len(outputs[0]) == 1:
        chosen = [int(row[0] > metric.threshold) for row in outputs]
    else:
        chosen = [max(range(len(row)), key=list(row).__getitem__) for row in outputs]
    return sum(a == b for a, b in zip(chosen, targets, strict=True)) / len(targets)


@witness("metric", "precision", threshold=0.4)
def precision(metric, outputs, targets, training):
    hit, false_alarm, _ = counts(metric, outputs, targets)
    return hit / (hit + false_alarm)


@witness("metric", "recall", threshold=0.4)
def recall(metric, outputs, targets, training):
    hit, _, missed = counts(metric, outputs, targets)
    return hit / (hit + missed)


@witness("metric", "f1", threshold=0.4)
def f1(metric, outputs, targets, training):
    hit, false_alarm, missed = counts(metric, outputs, targets)
    sure, found = hit / (hit + false_alarm), hit / (hit + missed)
    return 2 * sure * found / (sure + found)


@witness("metric", "auc")
def auc(metric, outputs, targets, training):
    ones = [row[0] for row, target in zip(outputs, targets, strict=True) if target == 1]
    zeros = [row[0] for row, target in zip(outputs, targets, strict=True) if target == 0]
    won = [1.0 if one > zero else 0.5 if one == zero else 0.0 for one in ones for zero in zeros]
    return sum(won) / len(won)


@witness("metric", "r2")
def r2(metric, outputs, targets, training):
    columns = []
    for p, t in zip(outputs.T, targets.T, strict=True):
        mean = sum(t) / len(t)
        columns.append(1 - sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / sum((a - mean) ** 2 for a in t))
    return sum(columns) / len(columns)


@witness("metric", "mean_absolute_error")
def mean_absolute_error_of_all(metric, outputs, targets, training):
    return sum(abs(p - t) for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)) / targets.size


@witness("metric", "root_mean_squared_error")
def root_mean_squared_error(metric, outputs, targets, training):
    return sqrt(sum((p - t) ** 2 for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)) / targets.size)


@witness("metric", "regression_accuracy", parts=2.0)
def regression_accuracy(metric, outputs, targets, training):
    mean = training.sum() / training.size
    deviation = sqrt(sum((t - mean) ** 2 for t in training.ravel()) / training.size)
    near = [abs(p - t) < deviation / metric.parts for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)]
    return sum(near) / len(near)


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


@witness("dataset", "vertical", samples=7, classes=4)
def vertical(label, first, second):
    return [0.1 * first + label / 3, 0.1 * second + 0.5]


@witness("dataset", "sine", samples=9)
def sine(index, samples):
    x = index / samples
    return x, np.sin(2 * pi * x)


# optimizers: one parameter w with gradient g at update t = 0, 1, ...; what is remembered lives in the dict ``memory``


@witness("optimizer", "sgd", momentum=0.9)
def sgd(o, memory, w, g, rate, t):
    memory["v"] = o.momentum * memory.get("v", 0.0) - rate * g
    return w + memory["v"]


@witness("optimizer", "nesterov")
def nesterov(o, memory, w, g, rate, t):
    memory["v"] = o.momentum * memory.get("v", 0.0) - rate * g
    return w + o.momentum * memory["v"] - rate * g


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


@witness("optimizer", "adamw", weight_decay=0.1)
def adamw(o, memory, w, g, rate, t):
    return adam(o, memory, w - rate * o.weight_decay * w, g, rate, t)


@witness("optimizer", "nadam")
def nadam(o, memory, w, g, rate, t):
    memory["m"] = o.beta_1 * memory.get("m", 0.0) + (1 - o.beta_1) * g
    memory["v"] = o.beta_2 * memory.get("v", 0.0) + (1 - o.beta_2) * g**2
    ahead = o.beta_1 * memory["m"] / (1 - o.beta_1 ** (t + 2)) + (1 - o.beta_1) * g / (1 - o.beta_1 ** (t + 1))
    corrected_v = memory["v"] / (1 - o.beta_2 ** (t + 1))
    return w - rate * ahead / (sqrt(corrected_v) + o.epsilon)
