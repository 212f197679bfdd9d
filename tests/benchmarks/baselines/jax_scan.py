"""JAX with the whole loop compiled: it returns to Python when all steps are done."""

from functools import partial

import jax
import numpy as np

from tests.benchmarks.baselines.jax_step import begun, logits, step
from tests.benchmarks.standalone_programs import train_at_once


def prepare(workload, threads):
    state, (inputs, one_hot) = begun(workload)

    @partial(jax.jit, static_argnums=3, donate_argnums=0)
    def loop(state, inputs, one_hot, steps):
        def body(state, _):
            return step(state, inputs, one_hot, workload.learning_rate, workload.decay)

        return jax.lax.scan(body, state, length=steps)

    def run(steps):
        nonlocal state
        state, losses = loop(state, inputs, one_hot, steps)
        return np.asarray(losses)

    return run, lambda: np.asarray(logits(state[0], inputs))


def prepare_epochs(workload, batch_size, seed):
    state, rows = begun(workload)
    rng, count = np.random.default_rng(seed), len(workload.inputs)

    def update(state, batch):
        return step(state, *batch, workload.learning_rate, 0.0)

    @partial(jax.jit, static_argnums=2, donate_argnums=0)
    def full_batch(state, rows, epochs):
        return jax.lax.scan(lambda state, _: update(state, rows), state, length=epochs)[0]

    @partial(jax.jit, donate_argnums=0)
    def mini_batches(state, rows, order):
        def gathered(state, indices):
            return update(state, [each[indices] for each in rows])

        whole = count - count % batch_size
        state, _ = jax.lax.scan(gathered, state, order[:whole].reshape(-1, batch_size))
        return gathered(state, order[whole:])[0] if whole < count else state

    def train(epochs):
        nonlocal state
        if batch_size == count:
            state = full_batch(state, rows, epochs)
            return
        for _ in range(epochs):
            state = mini_batches(state, rows, rng.permutation(count))

    compiled = jax.jit(logits)
    return train, lambda inputs: np.asarray(compiled(state[0], inputs))


if __name__ == "__main__":
    train_at_once(prepare)
