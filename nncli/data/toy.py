"""The book's data sets, from nnfs.datasets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import numpy as np
from nnfs.datasets import spiral_data
from pydantic import Field

from nncli.data.dataset import Dataset, Random, Source
from nncli.registry import Seed, register

Samples = Annotated[int, Field(ge=1, le=1_000_000)]
Classes = Annotated[int, Field(ge=2, le=255)]  # nnfs counts classes in eight bits


@register("spiral", alias="spiral_data")
class Spiral(Source):
    """Arms of a spiral, one a class, each point pushed along its arm by chance.

        r = 0 … 1,  t = 4c … 4(c + 1) + 0.2 n         n standard normal, c the class
        x = (r sin 2.5t, r cos 2.5t)

    nnfs draws from NumPy's global generator; its state is put back afterwards, as if nothing had been drawn.

    Args:
        samples: points per class.
        classes: arms.
        seed: the seed of nnfs' own generator, 0 for the book's points; from the spec's seed where it is not given.

    Source: nnfs.datasets.spiral_data, after Karpathy's CS231n case study.
    """

    def __init__(self, samples: Samples = 100, classes: Classes = 3, seed: Seed | None = None) -> None:
        self.samples, self._classes, self.seed = samples, classes, seed

    @property
    def rows(self) -> int:
        """Samples times classes."""
        return self.samples * self._classes

    @property
    def columns(self) -> int:
        """Two coordinates."""
        return 2

    @property
    def classes(self) -> int:
        """As many as there are arms."""
        return self._classes

    def draw(self, rng: Random) -> Dataset:
        """The points of ``seed`` where there is one, else the next ones of ``rng``."""
        with legacy_state(rng if self.seed is None else np.random.RandomState(self.seed)):
            inputs, targets = spiral_data(self.samples, self._classes)
        return Dataset(inputs, targets, self._classes)


@contextmanager
def legacy_state(rng: Random) -> Iterator[None]:
    """NumPy's global generator, from which nnfs draws, standing in for ``rng``; afterwards it is as it was.

    A legacy ``rng`` goes on behind what was drawn; any other one gives the seed.
    """
    here = rng if isinstance(rng, np.random.RandomState) else np.random.RandomState(int(rng.integers(2**32)))
    before = np.random.get_state()
    np.random.set_state(here.get_state())
    try:
        yield
    finally:
        here.set_state(np.random.get_state())
        np.random.set_state(before)
