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


if __name__ == "__main__":
    train_at_once(prepare)
