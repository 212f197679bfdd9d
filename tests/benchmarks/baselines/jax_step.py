"""JAX with the whole step compiled, forward to Adam, and called from Python."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks.standalone_programs import train_in_pieces
from tests.benchmarks.workloads import BETA_1, BETA_2, EPSILON, F

each = jax.tree_util.tree_map


def logits(parameters, inputs):
    *hidden, (weights, biases) = parameters
    for some_weights, some_biases in hidden:
        inputs = jnp.maximum(inputs @ some_weights + some_biases, 0)
    return inputs @ weights + biases


def mean_loss(parameters, inputs, one_hot):
    return -jnp.mean(jnp.sum(one_hot * jax.nn.log_softmax(logits(parameters, inputs)), axis=1))


def step(state, inputs, one_hot, learning_rate, decay):
    """One update: the next state, and the loss before it."""
    parameters, means, squares, updates = state
    loss, gradients = jax.value_and_grad(mean_loss)(parameters, inputs, one_hot)
    means = each(lambda mean, grad: BETA_1 * mean + (1 - BETA_1) * grad, means, gradients)
    squares = each(lambda square, grad: BETA_2 * square + (1 - BETA_2) * grad**2, squares, gradients)
    rate = learning_rate / (1 + decay * updates)
    updates += 1
    first, second = 1 - BETA_1**updates, 1 - BETA_2**updates  # of the means, which start at 0

    def moved(values, mean, square):
        return values - rate * (mean / first) / (jnp.sqrt(square / second) + EPSILON)

    return (each(moved, parameters, means, squares), means, squares, updates), loss


def begun(workload):
    """The first state, and the rows: weights and biases, Adam's means and number of updates; inputs and classes."""
    parameters = [(jnp.array(weights), jnp.zeros(weights.shape[1])) for weights in workload.weights]
    means, squares = (each(jnp.zeros_like, parameters) for _ in range(2))
    rows = jnp.array(workload.inputs), jax.nn.one_hot(workload.targets, workload.widths[-1])
    return (parameters, means, squares, jnp.zeros(())), rows


def prepare(workload, threads):
    state, (inputs, one_hot) = begun(workload)
    rates = {"learning_rate": workload.learning_rate, "decay": workload.decay}
    compiled = jax.jit(partial(step, **rates), donate_argnums=0)  # the next state takes the memory of the last

    def run(steps):
        nonlocal state
        losses = []
        for _ in range(steps):
            state, loss = compiled(state, inputs, one_hot)
            losses.append(loss)
        return np.array(jax.device_get(losses), F)

    return run, lambda: np.asarray(logits(state[0], inputs))


if __name__ == "__main__":
    train_in_pieces(prepare)
