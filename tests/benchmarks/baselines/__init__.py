"""nncli and its baselines, one module each, which train the same workload.

Each has ``prepare(workload, threads)``, which returns two functions: ``run(steps)`` trains for some steps and returns
the loss of each, (steps,); ``outputs()`` returns the current outputs for the workload's rows (N, C), probabilities or
logits. ``python -m tests.benchmarks.baselines.NAME EPOCHS`` is the program that trains the book's network.

PyTorch, JAX's compiled loop and scikit-learn also have ``prepare_epochs(workload, batch_size, seed)``, which returns
``train(epochs)`` and ``outputs(inputs)``: mini-batches, in another order of the rows in each epoch, or full batch.
Their learning rate does not decay.
"""

from importlib.util import find_spec
from typing import NamedTuple


class Baseline(NamedTuple):
    """The title of a baseline in tables, the module and package that it needs, and the bound on its losses.

    ``bound`` limits the difference relative to the textbook's losses; another order of summation stays below 1e-5.
    """

    title: str
    module: str
    package: str
    bound: float = 1e-4

    @property
    def installed(self):
        """Whether its library is installed."""
        return find_spec(self.module) is not None


BASELINES = {
    "nncli": Baseline("nncli", "nncli", "nncli"),
    "textbook": Baseline("textbook NumPy", "numpy", "numpy"),
    "pytorch": Baseline("PyTorch, eager", "torch", "torch"),
    "torch_compile": Baseline("torch.compile", "torch", "torch"),
    "jax_step": Baseline("JAX, jitted step", "jax", "jax"),
    "jax_scan": Baseline("JAX, compiled loop", "jax", "jax"),
    "scikit_learn": Baseline("scikit-learn", "sklearn", "scikit-learn", 1e-3),  # another ε: 3e-4
}


def chosen(names):
    """nncli and those of ``names`` whose library is installed; the others are reported as skipped."""
    wanted = {name: baseline for name, baseline in BASELINES.items() if name == "nncli" or name in names}
    for baseline in wanted.values():
        if not baseline.installed:
            print(
                f"{baseline.title} is skipped: {baseline.package} is not installed; pip install 'nncli[bench]'\n",
                flush=True,
            )
    return {name: baseline for name, baseline in wanted.items() if baseline.installed}
