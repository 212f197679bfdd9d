"""The throughput of a large matrix multiplication in each library.

Usage: python -m tests.benchmarks.matmul_throughput [--rounds 9] [--threads 1]
"""

import subprocess
import sys
import time
from importlib.util import find_spec

from tests.benchmarks.interleaving import interleave
from tests.benchmarks.machine import ROOT, arguments, description, environment, pin
from tests.benchmarks.tables import column, markdown, spread

SIZE = 512  # rows and columns


def of_numpy(left, right, threads):
    """A product in NumPy."""
    return lambda: left.dot(right)


def of_torch(left, right, threads):
    """A product in PyTorch."""
    import torch

    torch.set_num_threads(threads)
    one, other = torch.from_numpy(left), torch.from_numpy(right)
    return lambda: one @ other


def of_jax(left, right, threads):
    """A product in JAX, compiled."""
    import jax

    product, one, other = jax.jit(lambda one, other: one @ other), jax.numpy.array(left), jax.numpy.array(right)
    return lambda: jax.block_until_ready(product(one, other))


LIBRARIES = {"numpy": of_numpy, "torch": of_torch, "jax": of_jax}


def fastest(product):
    """GFLOP/s of the fastest of twenty products."""
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - start)
    return 2e-9 * SIZE**3 / min(seconds)


def measured(threads, rounds):
    """The rates of all libraries that are installed, in turns."""
    import numpy as np

    left, right = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), np.float32)
    products = {name: make(left, right, threads) for name, make in LIBRARIES.items() if find_spec(name)}
    measures = {name: lambda product=product: fastest(product) for name, product in products.items()}
    found = interleave(measures, rounds + 1)[1:]
    heads = [f"GFLOP/s of {SIZE} × {SIZE} by {SIZE} × {SIZE}, single precision", *products]
    return markdown(heads, [["", *(spread(column(found, name)) for name in products)]])


def main():
    parser = arguments(__doc__, rounds=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="measure in this process and environment")
    given = parser.parse_args()
    pin(given.threads)
    if given.here:
        print(f"\n{measured(given.threads, given.rounds)}")
        return
    variables = environment(given.threads, given.keep_environment)
    print(description(variables, filter(find_spec, LIBRARIES)), flush=True)
    command = ["--here", "--rounds", str(given.rounds), "--threads", str(given.threads)]
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.matmul_throughput", *command], check=True, cwd=ROOT, env=variables
    )


if __name__ == "__main__":
    main()
