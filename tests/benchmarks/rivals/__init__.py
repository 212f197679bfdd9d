"""nncli and its rivals, a module each, which trains the same work; none knows of another's arrays or of the clock.

Each has ``prepare(work, threads)``, which gives two functions: ``run(steps)`` trains on by so many steps and returns
the loss of each, (steps,); ``outputs()`` returns what the network makes of the work's rows now, (N, C), probabilities
or logits. ``python -m tests.benchmarks.rivals.NAME EPOCHS`` is the program that trains the book's network.
"""

from importlib.util import find_spec
from typing import NamedTuple


class Rival(NamedTuple):
    """How a rival is called in tables, the module and the package that it needs, and how far its losses may be off.

    ``bound`` is relative to the textbook's losses. The same formulas, summed in another order, stay below 1e-5.
    """

    title: str
    module: str
    package: str
    bound: float = 1e-4

    @property
    def installed(self):
        """Whether its library is there."""
        return find_spec(self.module) is not None


RIVALS = {
    "nncli": Rival("nncli", "nncli", "nncli"),
    "textbook": Rival("textbook NumPy", "numpy", "numpy"),
    "pytorch": Rival("PyTorch, eager", "torch", "torch"),
    "torch_compile": Rival("torch.compile", "torch", "torch"),
    "jax_step": Rival("JAX, jitted step", "jax", "jax"),
    "jax_scan": Rival("JAX, compiled loop", "jax", "jax"),
    "scikit_learn": Rival("scikit-learn", "sklearn", "scikit-learn", 1e-3),  # its ε is another; 3e-4 off
}


def chosen(names):
    """nncli and those of ``names`` whose library is installed, by name; the others are named on standard output."""
    wanted = {name: rival for name, rival in RIVALS.items() if name == "nncli" or name in names}
    for rival in wanted.values():
        if not rival.installed:
            print(
                f"{rival.title} is skipped: {rival.package} is not installed; pip install 'nncli[bench]'\n", flush=True
            )
    return {name: rival for name, rival in wanted.items() if rival.installed}
