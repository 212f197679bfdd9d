"""Reference implementations: the naive formula of each component, entry by entry, in float64.

``@reference(kind, name)`` registers one, with the arguments of the constructor in the tests. A component without a
reference implementation fails the contract tests by name.
"""

from math import cos, erf, exp, log, pi, sin, sqrt

import numpy as np

REFERENCES = {}


def reference(kind, name, **arguments):
    """Register the reference implementation of a component."""

    def register(function):
        REFERENCES[kind, name] = (function, arguments)
        return function

    return register


# layers: the outputs of one row, given the layer, as a list of numbers


@reference("layer", "dense", units=4, l1=1e-3, l2=2e-3, bias_l1=3e-3, bias_l2=4e-3)
def dense(layer, row):
    inputs, units = layer.weights.shape
    return [sum(row[i] * layer.weights[i, j] for i in range(inputs)) + layer.biases[j] for j in range(units)]


@reference("layer", "relu")
def relu(layer, row):
    return [x if x > 0 else 0.0 for x in row]


@reference("layer", "softmax")
def softmax(layer, row):
    total = sum(exp(x) for x in row)
    return [exp(x) / total for x in row]


@reference("layer", "dropout", rate=0.4)
def dropout(layer, row):
    return list(row)


@reference("layer", "leaky_relu", slope=0.3)
def leaky_relu(layer, row):
    return [x if x > 0 else layer.slope * x for x in row]


@reference("layer", "elu", alpha=0.7)
def elu(layer, row):
    return [x if x > 0 else layer.alpha * (exp(x) - 1) for x in row]


@reference("layer", "gelu")
def gelu(layer, row):
    return [x * 0.5 * (1 + erf(x / sqrt(2))) for x in row]


@reference("layer", "tanh")
def tanh(layer, row):
    return [(exp(x) - exp(-x)) / (exp(x) + exp(-x)) for x in row]


@reference("layer", "sigmoid")
def sigmoid(layer, row):
    return [1 / (1 + exp(-x)) for x in row]


@reference("layer", "linear")
def linear(layer, row):
    return list(row)


@reference("layer", "batch_normalization", momentum=0.6, epsilon=1e-3)
def batch_normalization(layer, row):
    columns = zip(row, layer.running_mean, layer.running_variance, layer.scale, layer.shift, strict=True)
    return [(x - m) / sqrt(v + layer.epsilon) * scale + shift for x, m, v, scale, shift in columns]


# losses: the loss of one row, given its outputs and its encoded targets


def clip(p):
    return min(max(p, 1e-7), 1 - 1e-7)


@reference("loss", "categorical_crossentropy")
def categorical_crossentropy(outputs, targets):
    return -log(clip(outputs[list(targets).index(1)]))


@reference("loss", "binary_crossentropy")
def binary_crossentropy(outputs, targets):
    likelihoods = [clip(p) if t == 1 else 1 - clip(p) for p, t in zip(outputs, targets, strict=True)]
    return -sum(map(log, likelihoods)) / len(likelihoods)


@reference("loss", "mean_squared_error")
def mean_squared_error(outputs, targets):
    return sum((p - t) ** 2 for p, t in zip(outputs, targets, strict=True)) / len(outputs)


@reference("loss", "mean_absolute_error")
def mean_absolute_error(outputs, targets):
    return sum(abs(p - t) for p, t in zip(outputs, targets, strict=True)) / len(outputs)


# clippings: the clipped gradient


@reference("clipping", "norm", limit=2.0)
def clip_norm(clipping, gradients):
    norm = sqrt(sum(g**2 for g in gradients))
    return [g * clipping.limit / norm if norm > clipping.limit else g for g in gradients]


@reference("clipping", "value", limit=0.5)
def clip_value(clipping, gradients):
    return [max(-clipping.limit, min(clipping.limit, g)) for g in gradients]


# schedules: the factor of the learning rate at update t


@reference("schedule", "step", every=4, gamma=0.5)
def step(schedule, t):
    factor = 1.0
    for update in range(1, t + 1):
        factor = factor * schedule.gamma if update % schedule.every == 0 else factor
    return factor


@reference("schedule", "exponential", gamma=0.9)
def exponential(schedule, t):
    factor = 1.0
    for _ in range(t):
        factor *= schedule.gamma
    return factor


@reference("schedule", "cosine", updates=12, lowest=0.2)
def cosine(schedule, t):
    angle = pi * t / schedule.updates if t < schedule.updates else pi
    return schedule.lowest + (1 - schedule.lowest) * cos(angle / 2) ** 2


@reference("schedule", "warmup", updates=5)
def warmup(schedule, t):
    return min(1.0, (t + 1) / schedule.updates)


# metrics: the score of a data set, given the targets of the training set too


def counts(metric, outputs, targets):
    """True positives, false positives, false negatives."""
    predicted = [row[0] > metric.threshold for row in outputs]
    pairs = list(zip(predicted, targets, strict=True))
    return [sum(1 for pair in pairs if pair == counted) for counted in ((True, 1), (True, 0), (False, 1))]


@reference("metric", "accuracy", threshold=0.4)
def accuracy(metric, outputs, targets, training):
    if len(outputs[0]) == 1:
        predicted = [int(row[0] > metric.threshold) for row in outputs]
    else:
        predicted = [max(range(len(row)), key=list(row).__getitem__) for row in outputs]
    return sum(a == b for a, b in zip(predicted, targets, strict=True)) / len(targets)


@reference("metric", "precision", threshold=0.4)
def precision(metric, outputs, targets, training):
    tp, fp, _ = counts(metric, outputs, targets)
    return tp / (tp + fp)


@reference("metric", "recall", threshold=0.4)
def recall(metric, outputs, targets, training):
    tp, _, fn = counts(metric, outputs, targets)
    return tp / (tp + fn)


@reference("metric", "f1", threshold=0.4)
def f1(metric, outputs, targets, training):
    tp, fp, fn = counts(metric, outputs, targets)
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return 2 * precision * recall / (precision + recall)


@reference("metric", "auc")
def auc(metric, outputs, targets, training):
    ones = [row[0] for row, target in zip(outputs, targets, strict=True) if target == 1]
    zeros = [row[0] for row, target in zip(outputs, targets, strict=True) if target == 0]
    wins = [1.0 if one > zero else 0.5 if one == zero else 0.0 for one in ones for zero in zeros]
    return sum(wins) / len(wins)


@reference("metric", "r2")
def r2(metric, outputs, targets, training):
    columns = []
    for p, t in zip(outputs.T, targets.T, strict=True):
        mean = sum(t) / len(t)
        columns.append(1 - sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / sum((a - mean) ** 2 for a in t))
    return sum(columns) / len(columns)


@reference("metric", "mean_absolute_error")
def mean_absolute_error_of_all(metric, outputs, targets, training):
    return sum(abs(p - t) for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)) / targets.size


@reference("metric", "root_mean_squared_error")
def root_mean_squared_error(metric, outputs, targets, training):
    return sqrt(sum((p - t) ** 2 for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)) / targets.size)


@reference("metric", "regression_accuracy", parts=2.0)
def regression_accuracy(metric, outputs, targets, training):
    mean = training.sum() / training.size
    deviation = sqrt(sum((t - mean) ** 2 for t in training.ravel()) / training.size)
    near = [abs(p - t) < deviation / metric.parts for p, t in zip(outputs.ravel(), targets.ravel(), strict=True)]
    return sum(near) / len(near)


# initializers: mean and standard deviation of the initial weights, given inputs and units


@reference("initializer", "normal", scale=0.3)
def normal(inputs, units):
    return 0.0, 0.3


@reference("initializer", "he")
def he(inputs, units):
    return 0.0, sqrt(2 / inputs)


@reference("initializer", "glorot")
def glorot(inputs, units):
    return 0.0, sqrt(6 / (inputs + units)) / sqrt(3)  # that of a uniform distribution on [−a, a)


# datasets: one point, given its class, its index in the class and the noise drawn for it


@reference("dataset", "spiral", samples=7, classes=4)
def spiral(label, index, samples, noise):
    r = index / (samples - 1)
    t = 4 * label + 4 * index / (samples - 1) + 0.2 * noise
    return [r * np.sin(2.5 * t), r * np.cos(2.5 * t)]


@reference("dataset", "vertical", samples=7, classes=4)
def vertical(label, first, second):
    return [0.1 * first + label / 3, 0.1 * second + 0.5]


@reference("dataset", "sine", samples=9)
def sine(index, samples):
    x = index / samples
    return x, np.sin(2 * pi * x)


@reference("dataset", "moons", samples=7, noise=0.3)
def moons(source, label, index, noise):
    t = pi * index / (source.samples - 1)
    x, y = (1 - cos(t), 0.5 - sin(t)) if label else (cos(t), sin(t))
    return [x + source.noise * noise[0], y + source.noise * noise[1]]


@reference("dataset", "circles", samples=7, noise=0.3, factor=0.4)
def circles(source, label, index, noise):
    t = 2 * pi * index / source.samples
    radius = source.factor if label else 1
    return [radius * cos(t) + source.noise * noise[0], radius * sin(t) + source.noise * noise[1]]


@reference("dataset", "gaussians", samples=7, classes=3, noise=0.3)
def gaussians(source, label, index, noise):
    angle = pi / 4 + 2 * pi * label / source.classes
    return [cos(angle) + source.noise * noise[0], sin(angle) + source.noise * noise[1]]


@reference("dataset", "xor", samples=7, noise=0.3)
def xor(source, label, sign, uniform, noise):
    x, y = sign * (uniform[0] + 0.06), sign * (uniform[1] + 0.06)
    return [x + source.noise * noise[0], (-y if label else y) + source.noise * noise[1]]


# optimizers: one parameter w with gradient g at update t = 0, 1, ...; ``state`` is a dict that starts empty


@reference("optimizer", "sgd", momentum=0.9)
def sgd(o, state, w, g, rate, t):
    state["v"] = o.momentum * state.get("v", 0.0) - rate * g
    return w + state["v"]


@reference("optimizer", "nesterov")
def nesterov(o, state, w, g, rate, t):
    state["v"] = o.momentum * state.get("v", 0.0) - rate * g
    return w + o.momentum * state["v"] - rate * g


@reference("optimizer", "adagrad")
def adagrad(o, state, w, g, rate, t):
    state["c"] = state.get("c", 0.0) + g**2
    return w - rate * g / (sqrt(state["c"]) + o.epsilon)


@reference("optimizer", "rmsprop")
def rmsprop(o, state, w, g, rate, t):
    state["c"] = o.rho * state.get("c", 0.0) + (1 - o.rho) * g**2
    return w - rate * g / (sqrt(state["c"]) + o.epsilon)


@reference("optimizer", "adam")
def adam(o, state, w, g, rate, t):
    state["m"] = o.beta_1 * state.get("m", 0.0) + (1 - o.beta_1) * g
    state["v"] = o.beta_2 * state.get("v", 0.0) + (1 - o.beta_2) * g**2
    corrected_m = state["m"] / (1 - o.beta_1 ** (t + 1))
    corrected_v = state["v"] / (1 - o.beta_2 ** (t + 1))
    return w - rate * corrected_m / (sqrt(corrected_v) + o.epsilon)


@reference("optimizer", "adamw", weight_decay=0.1)
def adamw(o, state, w, g, rate, t):
    return adam(o, state, w - rate * o.weight_decay * w, g, rate, t)


@reference("optimizer", "nadam")
def nadam(o, state, w, g, rate, t):
    state["m"] = o.beta_1 * state.get("m", 0.0) + (1 - o.beta_1) * g
    state["v"] = o.beta_2 * state.get("v", 0.0) + (1 - o.beta_2) * g**2
    average = o.beta_1 * state["m"] / (1 - o.beta_1 ** (t + 2)) + (1 - o.beta_1) * g / (1 - o.beta_1 ** (t + 1))
    corrected_v = state["v"] / (1 - o.beta_2 ** (t + 1))
    return w - rate * average / (sqrt(corrected_v) + o.epsilon)
